"""SetFit with the project's encoder: contrastive pairs, then logistic regression on embeddings.

SetFit's own defaults (one pass, batches of 16 pairs, learning rate 2e-5, half of the pairs alike),
but at most `Work.setfit_pairs` pairs a task: all pairs of ten thousand sentences are fifty million.
The regression learns from all sentences. One model a task.
"""

from __future__ import annotations

import tempfile

import numpy as np
from datasets import Dataset, disable_progress_bars
from sentence_transformers import SentenceTransformer
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from transformers import set_seed

from benchmarks.peers.exchange import Array, PeerTask, Predictor, Work

BATCH = 16


def fit(work: Work) -> Predictor:
    """Train one model a task."""
    disable_progress_bars()
    models = {name: _train(work, name) for name in work.tasks}

    def predict(texts: list[str]) -> dict[str, Array]:
        return {
            name: _probabilities(models[name], task, texts) for name, task in work.tasks.items()
        }

    return predict


def _train(work: Work, name: str) -> SetFitModel:
    set_seed(work.seed)
    task = work.tasks[name]
    texts, given = work.known(name)
    head = LogisticRegression(max_iter=1000)
    model = SetFitModel(
        model_body=SentenceTransformer(work.encoder, device="cpu"),
        model_head=OneVsRestClassifier(head) if task.several else head,
        multi_target_strategy="one-vs-rest" if task.several else None,
    )
    labels = given.astype(int).tolist() if task.several else given.argmax(axis=1).tolist()
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            batch_size=BATCH,
            max_steps=max(work.setfit_pairs // BATCH, 1),
            seed=work.seed,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        data = Dataset.from_dict({"text": texts, "label": labels})
        Trainer(model=model, args=arguments, train_dataset=data).train()
    return model


def _probabilities(model: SetFitModel, task: PeerTask, texts: list[str]) -> Array:
    found = np.asarray(model.predict_proba(texts, as_numpy=True, show_progress_bar=False))
    if task.several:
        return found.astype(np.float64)
    out = np.zeros((len(texts), len(task.labels)))
    out[:, model.model_head.classes_] = found  # labels never seen keep zero
    return out
