"""Which words of a sentence weighed most: exact for a linear model, by leaving each out for others.

A linear model's logit is a sum over n-grams, so the share of every word is known exactly. For any
other model the weight of a word is what the logit loses when the word is left out (occlusion;
Zeiler and Fergus, 2014; Li, Monroe and Jurafsky, 2016). That takes one more prediction a word, and
words that stand for each other can hide each other's weight.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.linear import LinearClassifier
from pipeline.classifiers.protocol import Classifier
from pipeline.errors import ShapeError
from pipeline.labelling.typography import plain
from pipeline.records import Sentence

CHUNK = 1024
"""Sentences scored together."""

Array = npt.NDArray[np.float64]
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class WordWeights:
    """For each of m sentences the weight of every word of `word_spans`, and what that cost.

    `exact` says whether the weights add up to the score; `scored` counts the predictions made.
    """

    weights: tuple[Array, ...]
    exact: bool
    scored: int


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return the half-open spans of the words of a text: what stands between white space."""
    return [match.span() for match in _WORD.finditer(plain(text))]


def weigh_words(
    classifier: Classifier,
    sentences: Sequence[Sentence],
    toward: Array,
    *,
    on_scored: Callable[[int, int], None],
) -> WordWeights:
    """Return how much each word adds to a weighted sum of the logits of its sentence.

    Args:
        toward: weights of the logits, one row a sentence, (m, codebook.width).
        on_scored: told how many of how many predictions are done.

    Raises:
        ShapeError: `toward` does not have one row a sentence and one column a label.
    """
    if toward.shape != (len(sentences), classifier.codebook.width):
        raise ShapeError(
            f"got weights of shape {toward.shape}, expected "
            f"({len(sentences)}, {classifier.codebook.width})"
        )
    if isinstance(classifier, LinearClassifier):
        shares = (classifier.word_shares(one) for one in sentences)
        exact = tuple(share @ row for share, row in zip(shares, toward, strict=True))
        return WordWeights(exact, exact=True, scored=0)
    without = [_each_left_out(one) for one in sentences]
    asked = [*sentences, *(shorter for each in without for shorter in each)]
    logits = np.zeros((len(asked), classifier.codebook.width))
    for start in range(0, len(asked), CHUNK):
        part = slice(start, start + CHUNK)
        logits[part] = classifier.predict_logits(asked[part])
        on_scored(min(start + CHUNK, len(asked)), len(asked))
    sizes = np.array([len(each) for each in without], dtype=np.intp)
    rows = np.repeat(np.arange(len(sentences)), sizes)
    whole, less = logits[: len(sentences)], logits[len(sentences) :]
    weights = ((whole[rows] - less) * toward[rows]).sum(axis=1)
    parts = np.split(weights, np.cumsum(sizes)[:-1]) if len(sizes) else []
    return WordWeights(tuple(parts), exact=False, scored=len(asked))


def _each_left_out(sentence: Sentence) -> list[Sentence]:
    """Return the sentence without each of its words; a single word cannot be left out."""
    spans = word_spans(sentence.text)
    if len(spans) < 2:
        return []
    text = sentence.text
    after = [start for start, _ in spans[1:]] + [len(text)]
    shorter = [
        (text[:start] + text[end:]).strip() for (start, _), end in zip(spans, after, strict=True)
    ]
    return [replace(sentence, text=one, end=sentence.start + len(one)) for one in shorter]
