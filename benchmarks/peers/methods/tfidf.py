"""TF-IDF of words and pairs of words with logistic regression, as scikit-learn has them."""

from __future__ import annotations

from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.peers.exchange import Array, Predictor, Work
from benchmarks.peers.methods.regression import fit_regression


def fit(work: Work) -> Predictor:
    """Fit vocabulary and regression of every task; defaults, but pairs of words as well."""
    models = {}
    for name, task in work.tasks.items():
        texts, given = work.known(name)
        vectoriser = TfidfVectorizer(ngram_range=(1, 2))
        models[name] = vectoriser, fit_regression(vectoriser.fit_transform(texts), given, task)

    def predict(texts: list[str]) -> dict[str, Array]:
        return {
            name: probabilities(vectoriser.transform(texts))
            for name, (vectoriser, probabilities) in models.items()
        }

    return predict
