"""Scores by slice of the data, and which slices differ from all the rest beyond chance.

A slice is the part of a labelled file that shares a value of a facet: genre, speaker, year and part
of the document, length and block of the sentence, holder of the stance. Its score is a ratio of
sums over its sentences: micro-F1 of a multilabel task, accuracy of a multiclass one; by holder,
recall, since only a label that is there has a holder. Every test compares a slice with all other
sentences whose value is known. The documents are its units, since sentences of one are alike:

- Facets of the document: a permutation test that deals the documents out anew. The statistic is the
  difference over its standard error (Chung and Romano, 2013), which keeps the level where the
  documents of a slice are longer or shorter than the others.
- Facets of the sentence, which run through the documents: under the null hypothesis each document
  adds a term of mean zero to the difference; the signs of these terms are flipped at random (wild
  cluster bootstrap of scores; Kline and Santos, 2012; null imposed).

p-values are corrected over all tests of one analysis (Holm, 1979). A slice with fewer than
`MIN_DOCUMENTS` documents or `MIN_POSITIVES` gold labels is too small to judge, and one whose rest
is too small likewise: neither is tested, and no score is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, TaskType
from pipeline.decision import Decisions
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.comparison import holm
from pipeline.evaluation.facets import by_holder, facets, ordered
from pipeline.evaluation.metrics import CELLS, ratio
from pipeline.records import LabelledDocument

MIN_DOCUMENTS = 10
"""Fewest documents, in a slice and in the rest, that a test is made with."""

MIN_POSITIVES = 10
"""Fewest gold labels, in a slice and in the rest, that a test is made with."""

SHUFFLES = 4999
"""Random rearrangements behind a p-value; the smallest is one over this plus one."""

DIFFERS = 0.05
"""A slice differs where its corrected p-value is at most this."""

HOLDER, DIRECT, REPORTED = "holder", "speaker's own", "reported"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of one task; see the module for what is measured.

    `positives` counts gold labels, all of `sentences`. A slice too small to judge has neither score
    nor interval nor difference nor p-values (NaN); another one may still lack an interval.
    `difference` is its score less that of the rest.
    """

    task: str
    facet: str
    name: str
    measure: str
    documents: int
    sentences: int
    positives: int
    judged: bool
    score: float = math.nan
    low: float | None = None
    high: float | None = None
    difference: float = math.nan
    p: float = math.nan
    p_holm: float = math.nan

    @property
    def differs(self) -> bool:
        """Whether the slice differs from the rest beyond chance, corrected for all tests."""
        return self.p_holm <= DIFFERS


@dataclass(frozen=True, slots=True)
class SliceAnalysis:
    """All slices of a labelled file, and how many tests their p-values are corrected for."""

    slices: tuple[Slice, ...]
    tests: int

    @property
    def differing(self) -> tuple[Slice, ...]:
        """Slices that differ from the rest beyond chance, the worst first."""
        return tuple(sorted((s for s in self.slices if s.differs), key=lambda s: s.difference))


@dataclass(frozen=True, slots=True)
class _Units:
    """Sums by document of one measure: top and bottom of the ratio, gold labels, sentences.

    Arrays are (slices, documents); the score of slice s is sum(top[s]) / sum(bottom[s]).
    """

    task: str
    facet: str
    measure: str
    names: tuple[str, ...]
    top: Array
    bottom: Array
    positives: Array
    sentences: Array


def analyse_slices(
    documents: Sequence[LabelledDocument],
    decisions: Decisions,
    codebook: Codebook,
    *,
    replicates: int,
    seed: int,
    shuffles: int = SHUFFLES,
) -> SliceAnalysis:
    """Score every slice of every facet that has two values or more, and test those large enough.

    Slices come by task, facet and falling number of sentences; years and lengths in their order. Of
    two slices that are each other's rest only one test is made, and both carry its p-value.

    Args:
        documents: as read, with their labels.
        decisions: on their sentences in order, arrays of shape (n, codebook.width).
    """
    count = len({one.doc_id for one in documents})
    if not count:
        return SliceAnalysis((), 0)
    weights = document_weights(count, replicates=replicates if count > 1 else 0, seed=seed)
    found: list[Slice] = []
    tests: list[tuple[list[int], float]] = []
    for units in _measured(documents, decisions, codebook):
        within = bool(((units.sentences > 0).sum(axis=0) > 1).any())
        judged = _large_enough(units)
        places: list[int] = []
        for s, name in enumerate(units.names):
            places.append(len(found))
            one = Slice(
                task=units.task,
                facet=units.facet,
                name=name,
                measure=units.measure,
                documents=int((units.sentences[s] > 0).sum()),
                sentences=int(units.sentences[s].sum()),
                positives=int(units.positives[s].sum()),
                judged=bool(judged[s]),
            )
            found.append(_scored(one, units, s, weights) if judged[s] else one)
        chosen = np.flatnonzero(judged)
        mirrored = len(units.names) == 2
        for s in chosen[:1] if mirrored else chosen:
            draw = np.random.default_rng([seed, len(tests)])
            test = _flip_test if within else _permutation_test
            p = test(units, int(s), draw, shuffles)
            tests.append(([places[i] for i in chosen] if mirrored else [places[s]], p))
    for (rows, p), corrected in zip(tests, holm([p for _, p in tests]), strict=True):
        for row in rows:
            found[row] = replace(found[row], p=p, p_holm=corrected)
    return SliceAnalysis(tuple(found), len(tests))


def _measured(
    documents: Sequence[LabelledDocument], decisions: Decisions, codebook: Codebook
) -> Iterator[_Units]:
    labelled = [one for document in documents for one in document.sentences]
    groups = [one.doc_id for one in documents for _ in one.sentences]
    number = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)[1]
    values_of = facets(documents, labelled)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        labels = tuple(task.labels)
        given = decisions.given[:, part]
        gold = np.array(
            [[label in (one.labels.get(name) or ()) for label in labels] for one in labelled]
        )
        known = np.array([one.labels.get(name) is not None for one in labelled])
        hits = (given & gold).sum(axis=1)
        if task.type is TaskType.MULTILABEL:
            measure, top, bottom = "F1", 2 * hits, given.sum(axis=1) + gold.sum(axis=1)
        else:
            measure, top, bottom = "accuracy", hits, known.astype(np.intp)
        facts = np.stack([top, bottom, gold.sum(axis=1), np.ones(len(gold))])
        for facet, values in values_of.items():
            names = ordered(facet, values, known)
            if len(names) > 1:
                place = {value: s for s, value in enumerate(names)}
                of = np.array([place.get(value or "", -1) for value in values])
                rows = (facts * ((of == s) & known) for s in range(len(names)))
                yield _summed(name, facet, measure, names, rows, number)
        if task.attribution:
            held = [one & gold for one in by_holder(labelled, name, labels)]
            if all(one.any() for one in held):
                rows = (_recalled(one, given) for one in held)
                yield _summed(name, HOLDER, "recall", (DIRECT, REPORTED), rows, number)


def _recalled(gold: npt.NDArray[np.bool_], given: npt.NDArray[np.bool_]) -> Array:
    """Found and wanted labels of each sentence, the wanted ones again, and whether there is one."""
    wanted = gold.sum(axis=1)
    return np.stack([(gold & given).sum(axis=1), wanted, wanted, wanted > 0]).astype(np.float64)


def _summed(
    task: str,
    facet: str,
    measure: str,
    names: Sequence[str],
    rows: Iterable[Array],
    number: npt.NDArray[np.intp],
) -> _Units:
    """Sum by document the facts (4, sentences) of each slice; see `_Units`."""
    sums = [
        [np.bincount(number, weights=fact, minlength=int(number.max()) + 1) for fact in facts]
        for facts in rows
    ]
    top, bottom, positives, sentences = np.array(sums).transpose(1, 0, 2)
    return _Units(task, facet, measure, tuple(names), top, bottom, positives, sentences)


def _large_enough(units: _Units) -> npt.NDArray[np.bool_]:
    """Tell which slices, and their rests, have the documents and positives that a test needs."""
    inside = (units.sentences > 0).sum(axis=1)
    positives = units.positives.sum(axis=1)
    # In its rest is a document that has sentences of any other slice.
    rest = ((units.sentences.sum(axis=0) - units.sentences) > 0).sum(axis=1)
    enough = (inside >= MIN_DOCUMENTS) & (rest >= MIN_DOCUMENTS)
    return np.asarray(
        enough & (positives >= MIN_POSITIVES) & (positives.sum() - positives >= MIN_POSITIVES)
    )


def _scored(one: Slice, units: _Units, s: int, weights: Array) -> Slice:
    top, bottom = units.top[s], units.bottom[s]
    score = float(ratio(top.sum(), bottom.sum()))
    rest_top, rest_bottom = units.top.sum() - top.sum(), units.bottom.sum() - bottom.sum()
    interval = percentile_interval(ratio(weights @ top, weights @ bottom))
    low, high = interval or (None, None)
    difference = score - float(ratio(rest_top, rest_bottom))
    return replace(one, score=score, low=low, high=high, difference=difference)


def _permutation_test(units: _Units, s: int, draw: np.random.Generator, shuffles: int) -> float:
    """Deal the documents out anew; every document is wholly inside or outside the slice."""
    known = units.sentences.sum(axis=0) > 0
    top, bottom = units.top.sum(axis=0)[known], units.bottom.sum(axis=0)[known]
    inside = units.sentences[s][known] > 0
    squares = np.stack([top, bottom, top * top, top * bottom, bottom * bottom], axis=1)

    def statistic(members: npt.NDArray[np.bool_]) -> Array:
        there = members.astype(np.float64) @ squares
        t_in, se_in = _score_and_variance(there)
        t_out, se_out = _score_and_variance(squares.sum(axis=0) - there)
        spread = np.sqrt(se_in + se_out)
        return np.abs(ratio(t_in - t_out, np.maximum(spread, 1e-12)))

    seen = statistic(inside[None, :])[0]
    size, least, at_once = int(inside.sum()), 0, max(CELLS // len(inside), 1)
    for start in range(0, shuffles, at_once):
        keys = draw.random((min(at_once, shuffles - start), len(inside)))
        members = keys <= np.partition(keys, size - 1, axis=1)[:, size - 1 : size]
        # A draw without any label to find is undefined, and counts against a difference.
        least += int((~(statistic(members) < seen * (1 - 1e-9))).sum())
    return (least + 1) / (shuffles + 1)


def _score_and_variance(sums: Array) -> tuple[Array, Array]:
    """Ratio and its linearised variance over documents from sums (r, 5); NaN without a bottom."""
    top, bottom, top2, mixed, bottom2 = np.moveaxis(sums, -1, 0)
    score = ratio(top, bottom)
    residual = top2 - 2 * score * mixed + score * score * bottom2
    return score, ratio(np.maximum(residual, 0.0), bottom * bottom)


def _flip_test(units: _Units, s: int, draw: np.random.Generator, shuffles: int) -> float:
    """Flip the signs of what each document adds to the difference of the slice and its rest."""
    top, bottom = units.top[s], units.bottom[s]
    rest_top, rest_bottom = units.top.sum(axis=0) - top, units.bottom.sum(axis=0) - bottom
    pooled = units.top.sum() / units.bottom.sum()
    terms = (top - pooled * bottom) / bottom.sum()
    terms = terms - (rest_top - pooled * rest_bottom) / rest_bottom.sum()
    seen, least, at_once = abs(terms.sum()), 0, max(CELLS // len(terms), 1)
    for start in range(0, shuffles, at_once):
        signs = draw.integers(0, 2, (min(at_once, shuffles - start), len(terms))) * 2.0 - 1.0
        least += int((np.abs(signs @ terms) >= seen * (1 - 1e-9)).sum())
    return (least + 1) / (shuffles + 1)
