"""fastText, with the settings that its own tutorial on supervised models arrives at.

25 epochs, learning rate 0.5, pairs of words, lower-cased text with punctuation apart; one-vs-all
loss where a sentence may have several labels, softmax where it has one. One thread, because its
results differ from run to run with several.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import fasttext
import numpy as np

from benchmarks.peers.exchange import Array, PeerTask, Predictor, Work

_PUNCTUATION = re.compile(r"([.!?,'/()\"“”‘’:;])")
_NO_LABEL = "__label__no_label_given"
"""fastText skips lines without a label, so that sentences without one would teach it nothing."""


def fit(work: Work) -> Predictor:
    """Train one model a task."""
    models = {name: _train(work, name) for name in work.tasks}

    def predict(texts: list[str]) -> dict[str, Array]:
        return {
            name: _probabilities(models[name], task, texts) for name, task in work.tasks.items()
        }

    return predict


def _train(work: Work, name: str) -> fasttext.FastText._FastText:
    task = work.tasks[name]
    texts, given = work.known(name)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "train.txt"
        with path.open("w", encoding="utf-8") as file:
            for text, row in zip(texts, given, strict=True):
                labels = [_column(i) for i in np.flatnonzero(row)] or [_NO_LABEL]
                file.write(f"{' '.join(labels)} {_plain(text)}\n")
        return fasttext.train_supervised(
            str(path),
            lr=0.5,
            epoch=25,
            wordNgrams=2,
            bucket=200_000,
            dim=50,
            loss="ova" if task.several else "softmax",
            seed=work.seed,
            thread=1,
            verbose=0,
        )


def _probabilities(model: fasttext.FastText._FastText, task: PeerTask, texts: list[str]) -> Array:
    out = np.zeros((len(texts), len(task.labels)))
    position = {_column(i): i for i in range(len(task.labels))}
    for row, text in enumerate(texts):
        for label, probability in zip(*model.predict(_plain(text), k=-1), strict=True):
            if label in position:
                out[row, position[label]] = probability
    return np.clip(out, 0.0, 1.0)  # its table of the logistic function goes a little beyond


def _column(position: int) -> str:
    return f"__label__{position}"


def _plain(text: str) -> str:
    return " ".join(_PUNCTUATION.sub(r" \1 ", text).lower().split())
