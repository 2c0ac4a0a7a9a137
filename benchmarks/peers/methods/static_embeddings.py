"""Static embeddings distilled from the encoder (model2vec), with logistic regression on top."""

from __future__ import annotations

from model2vec.distill import distill

from benchmarks.peers.exchange import Array, Predictor, Work
from benchmarks.peers.methods.regression import fit_regression


def fit(work: Work) -> Predictor:
    """Distil with model2vec's defaults (PCA to 256 dimensions, SIF weights by Zipf's law)."""
    embeddings = distill(work.encoder, device="cpu")
    models = {}
    for name, task in work.tasks.items():
        texts, given = work.known(name)
        models[name] = fit_regression(embeddings.encode(texts), given, task)

    def predict(texts: list[str]) -> dict[str, Array]:
        features = embeddings.encode(texts)
        return {name: probabilities(features) for name, probabilities in models.items()}

    return predict
