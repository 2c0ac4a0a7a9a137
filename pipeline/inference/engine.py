"""Stream sentences through a bundle in chunks: memory stays flat and order is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pipeline.bundle import Bundle
from pipeline.decision import to_predictions
from pipeline.records import Prediction, Sentence

CHUNK = 2048
"""Sentences sorted by length together; larger chunks waste less padding but answer later."""


def label_sentences(sentences: Iterable[Sentence], bundle: Bundle) -> Iterator[Prediction]:
    """Yield one prediction a sentence, in input order."""
    waiting = iter(sentences)
    while chunk := list(islice(waiting, CHUNK)):
        probabilities, decisions = bundle.predict(chunk)
        yield from to_predictions(
            chunk, probabilities, decisions, bundle.codebook, model_id=bundle.model_id
        )
