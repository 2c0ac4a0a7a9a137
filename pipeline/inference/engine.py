"""Stream sentences through a bundle: equal ones once, chunks beside each other, in input order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from pipeline.bundle import Bundle
from pipeline.classifiers.inputs import context_of
from pipeline.decision import Decisions, Probabilities, to_predictions
from pipeline.labelling.typography import plain
from pipeline.records import Prediction, Sentence

CHUNK = 1024
"""Different sentences scored together; larger chunks waste less padding but answer later."""

SPAN = 20_480
"""Sentences within which equal ones are scored once. Nothing is carried from one span to the next,
so what a span gives hangs on its own sentences only, and a job can resume at its beginning."""

AHEAD = 2
"""Chunks scored at the same time: while the network runs on one, the rest is done of the other."""

Scores = tuple[Probabilities, Decisions]


@dataclass(eq=False, slots=True)
class _Chunk:
    """Different sentences that are scored together, and their scores to come."""

    sentences: list[Sentence] = field(default_factory=list)
    scores: Future[Scores] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Window:
    """Sentences in input order, and for each where its scores stand: in `fresh` or before it."""

    fresh: _Chunk
    sentences: list[Sentence] = field(default_factory=list)
    places: list[tuple[_Chunk, int]] = field(default_factory=list)

    def predictions(self, bundle: Bundle) -> list[Prediction]:
        results = [(chunk.scores.result(), row) for chunk, row in self.places]
        probabilities = np.stack([scored[0][row] for scored, row in results])
        given = np.stack([scored[1].given[row] for scored, row in results])
        withheld = np.stack([scored[1].withheld[row] for scored, row in results])
        return to_predictions(
            self.sentences,
            probabilities,
            Decisions(given, withheld),
            bundle.codebook,
            model_id=bundle.model_id,
        )


def label_sentences(sentences: Iterable[Sentence], bundle: Bundle) -> Iterator[Prediction]:
    """Yield one prediction a sentence, in input order.

    Sentences are equal when the classifier cannot tell them apart: the same text in plain
    typography and, if it reads context, the same context.
    """
    pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="score")
    under_way: deque[_Window] = deque()
    try:
        for window in _windows(sentences, bundle.classifier.reads_context):
            if window.fresh.sentences:
                window.fresh.scores = pool.submit(bundle.predict, window.fresh.sentences)
            under_way.append(window)
            if len(under_way) > AHEAD:
                yield from under_way.popleft().predictions(bundle)
        while under_way:
            yield from under_way.popleft().predictions(bundle)
    finally:
        pool.shutdown(cancel_futures=True)


def _windows(sentences: Iterable[Sentence], reads_context: bool) -> Iterator[_Window]:
    """Cut a stream into windows of at most CHUNK different sentences, none across a span."""
    known: dict[tuple[str, str], tuple[_Chunk, int]] = {}
    window = _Window(_Chunk())
    for number, sentence in enumerate(sentences, start=1):
        key = (plain(sentence.text), plain(context_of(sentence)) if reads_context else "")
        place = known.get(key)
        if place is None:
            known[key] = place = (window.fresh, len(window.fresh.sentences))
            window.fresh.sentences.append(sentence)
        window.sentences.append(sentence)
        window.places.append(place)
        if number % SPAN == 0 or len(window.fresh.sentences) == CHUNK:
            yield window
            window = _Window(_Chunk())
        if number % SPAN == 0:
            known.clear()
    if window.sentences:
        yield window
