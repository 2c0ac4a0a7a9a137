"""Whether two models differ in F1 on the same documents: intervals, tests, and what could be seen.

Documents are the unit of everything here, because sentences of one document are alike, and so are
the errors that a model makes in them.

- Interval: paired percentile bootstrap over documents, as in `pipeline.evaluation.bootstrap`.
- Test: approximate randomisation (Noreen, 1989; Yeh, 2000, for F1). Were the models exchangeable,
  the outputs of each document could be swapped between them; `p` is the share of swaps whose
  difference is at least as large, in either direction, as the one seen. Of r random swaps it is
  (count + 1) / (r + 1), which keeps the level (Phipson & Smyth, 2010). Where documents are so few
  that all 2^n swaps are no more than r, all are counted, and `p` is exact.
- Several comparisons: Holm (1979) over the whole family, which holds whatever the dependence.
- Design effect (Kish, 1965): variance of the difference with documents as the units over that with
  sentences as the units. Both are linearised (Binder, 1983): F1 = 2 TP / (2 TP + FP + FN) is a
  ratio of sums, so its error is, to first order, a sum over sentences.
- Minimal detectable difference (Bloom, 1995; Card et al., 2020): (z_0.975 + z_0.8) times the
  linearised standard error over documents, 2.80 standard errors: the true difference that a
  two-sided test at 5 %, not corrected for others, would find in 80 % of such test sets. It takes
  the difference for normal and its variance for that of this pair of models.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.errors import SettingsError
from pipeline.evaluation.bootstrap import (
    LEVEL,
    document_weights,
    percentile_interval,
    require_paired,
)
from pipeline.evaluation.metrics import CELLS, Outcomes, ratio

SHUFFLES = 10_000
"""Random swaps behind a p-value; the smallest that can be found is 1 / 10,001."""

POWER = 0.8
"""Chance that the minimal detectable difference is found."""

_TIE = 1e-12
"""Differences of equal counts may come out unequal in the last digits."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoreComparison:
    """One score of two models on the same sentences; see the module.

    `difference` is first minus second; it, the scores and all that follows are NaN where the data
    leave them undefined. `low` and `high` bound its 95 % interval, `None` where there is none.
    `support` is the positives of a label, or the sentences with known labels behind a macro-F1.
    """

    name: str
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    p: float
    p_holm: float
    design_effect: float
    standard_error: float
    detectable: float
    support: int


def score_names(codebook: Codebook) -> tuple[str, ...]:
    """Return the scores compared, named as in `measure`: of each task macro-F1, then every F1."""
    return tuple(
        name
        for task, content in codebook.tasks.items()
        for name in (f"{task}.macro_f1", *(f"{task}.{label}.f1" for label in content.labels))
    )


def smallest_p(documents: int, shuffles: int = SHUFFLES) -> float:
    """Return the smallest p-value that a test with so many documents can give."""
    return 2.0 ** (1 - documents) if _is_exact(documents, shuffles) else 1.0 / (shuffles + 1)


def compare_all(
    models: Sequence[Outcomes],
    reference: Outcomes,
    codebook: Codebook,
    *,
    replicates: int,
    seed: int,
    shuffles: int = SHUFFLES,
) -> list[tuple[ScoreComparison, ...]]:
    """Compare every model with the reference; `p_holm` is corrected over all of it.

    The family is every defined comparison returned: scores of `score_names` times models.

    Raises:
        ShapeError: the models were not asked about the same sentences in the same order.
        SettingsError: `replicates` or `shuffles` is below 1.
    """
    pairs = [
        compare(one, reference, codebook, replicates=replicates, seed=seed, shuffles=shuffles)
        for one in models
    ]
    corrected = iter(holm([score.p for scores in pairs for score in scores]))
    return [tuple(replace(score, p_holm=next(corrected)) for score in scores) for scores in pairs]


def compare(
    first: Outcomes,
    second: Outcomes,
    codebook: Codebook,
    *,
    replicates: int,
    seed: int,
    shuffles: int = SHUFFLES,
) -> tuple[ScoreComparison, ...]:
    """Compare two models in every score of `score_names`; `p_holm` is not corrected yet.

    Args:
        first, second: of the same sentences in the same order.
        replicates: of the bootstrap, 1 or more.
        shuffles: swaps of the test, 1 or more.

    Raises:
        ShapeError: the two do not have the same sentences, documents and targets.
        SettingsError: `replicates` or `shuffles` is below 1.
    """
    wrong = [
        f"{name} is {number}, expected 1 or more"
        for name, number in (("replicates", replicates), ("shuffles", shuffles))
        if number < 1
    ]
    if wrong:
        raise SettingsError(wrong, where="comparison")
    require_paired(first, second)
    ours, theirs = document_counts(first), document_counts(second)
    documents = len(ours)
    one, other = (f1_scores(counts.sum(axis=0)[None], codebook)[0] for counts in (ours, theirs))
    seen = one - other

    drawn = document_weights(documents, replicates=replicates, seed=seed)
    resampled = f1_scores(summed_counts(drawn, ours), codebook) - f1_scores(
        summed_counts(drawn, theirs), codebook
    )
    p = _randomisation(ours, theirs, seen, codebook, shuffles=shuffles, seed=seed)
    by_document, by_sentence = _variances(first, second, codebook)
    error = np.sqrt(by_document)
    effect = ratio(by_document, by_sentence)
    normal = NormalDist()
    reach = normal.inv_cdf((1 + LEVEL) / 2) + normal.inv_cdf(POWER)
    support = _support(first, codebook)

    found = []
    for j, name in enumerate(score_names(codebook)):
        defined = not math.isnan(seen[j])
        bounds = percentile_interval(resampled[:, j]) if defined and documents > 1 else None
        low, high = bounds or (None, None)
        found.append(
            ScoreComparison(
                name=name,
                first=float(one[j]),
                second=float(other[j]),
                difference=float(seen[j]),
                low=low,
                high=high,
                p=float(p[j]),
                p_holm=float(p[j]),
                design_effect=float(effect[j]) if defined else math.nan,
                standard_error=float(error[j]) if defined else math.nan,
                detectable=float(reach * error[j]) if defined and error[j] > 0 else math.nan,
                support=support[j],
            )
        )
    return tuple(found)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm, 1979); NaN is no test and stays NaN."""
    family = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(family):
        largest = max(largest, min(1.0, (len(family) - rank) * p))
        corrected[i] = largest
    return corrected


def document_counts(seen: Outcomes) -> Array:
    """Return `counts_by_document` of what a model gave."""
    return counts_by_document(seen.given, seen.targets, seen.documents)


def counts_by_document(
    given: npt.NDArray[np.bool_],
    targets: npt.NDArray[np.floating],
    documents: npt.NDArray[np.intp],
) -> Array:
    """Count by document and label, shape (documents, 3, labels): right, given, actual labels.

    Args:
        given, targets: shape (sentences, labels); targets are 1, 0 or NaN where unknown.
        documents: the number of each sentence's document, from 0 without gaps.
    """
    gold = targets == 1.0
    facts = np.stack([given & gold, given & ~np.isnan(targets), gold], axis=1)
    counts = np.zeros((int(documents.max()) + 1, *facts.shape[1:]))
    np.add.at(counts, documents, facts.astype(np.float64))
    return counts


def summed_counts(weights: Array, counts: Array) -> Array:
    """Return counts (documents, 3, labels) summed under r weightings, shape (r, 3, labels)."""
    flat = weights @ counts.reshape(len(counts), -1)
    return np.asarray(flat.reshape(len(weights), *counts.shape[1:]))


def f1_scores(sums: Array, codebook: Codebook) -> Array:
    """Return the scores of `score_names` from sums (r, 3, labels), shape (r, scores)."""
    f1 = ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2])
    return _over_tasks(f1, ~np.isnan(f1), codebook)


def _over_tasks(
    values: Array, defined: npt.NDArray[np.bool_], codebook: Codebook, *, empty: float = math.nan
) -> Array:
    """Put before the columns of each task their mean over what is defined, `empty` where none is.

    `values` is (r, labels), `defined` of that shape or (labels,); the result is (r, scores).
    """
    columns: list[Array] = []
    for task in codebook.tasks:
        part = codebook.slice_of(task)
        counted = np.broadcast_to(defined[..., part], values[:, part].shape)
        total = np.where(counted, values[:, part], 0.0).sum(axis=1)
        mean = ratio(total, counted.sum(axis=1).astype(np.float64))
        columns += [np.where(np.isnan(mean), empty, mean)[:, None], values[:, part]]
    return np.concatenate(columns, axis=1)


def _is_exact(documents: int, shuffles: int) -> bool:
    return documents < 63 and 2**documents <= shuffles


def _swaps(documents: int, *, shuffles: int, seed: int) -> Iterator[Array]:
    """Yield which documents change hands, 0 or 1, in blocks of shape (r, documents).

    All swaps if they are no more than `shuffles`, else so many random ones.
    """
    step = max(CELLS // max(documents, 1), 1)
    if _is_exact(documents, shuffles):
        every = np.arange(2**documents)[:, None] >> np.arange(documents)
        yield (every & 1).astype(np.float64)
        return
    draw = np.random.default_rng([seed, documents])
    for start in range(0, shuffles, step):
        size = (min(step, shuffles - start), documents)
        yield draw.integers(0, 2, size=size).astype(np.float64)


def _randomisation(
    ours: Array, theirs: Array, seen: Array, codebook: Codebook, *, shuffles: int, seed: int
) -> Array:
    """Return the two-sided p-value of every score, NaN where the difference is undefined.

    A swap that leaves a score undefined counts as one that differs as much, so that p errs upwards.
    """
    moved = theirs - ours
    mine, yours = ours.sum(axis=0), theirs.sum(axis=0)
    extreme, total = np.zeros(len(seen)), 0
    for swaps in _swaps(len(ours), shuffles=shuffles, seed=seed):
        exchanged = summed_counts(swaps, moved)
        gaps = f1_scores(mine + exchanged, codebook) - f1_scores(yours - exchanged, codebook)
        extreme += (~(np.abs(gaps) < np.abs(seen) - _TIE)).sum(axis=0)
        total += len(swaps)
    if not _is_exact(len(ours), shuffles):  # which holds the unswapped outputs among its swaps
        extreme, total = extreme + 1, total + 1
    return np.where(np.isnan(seen), np.nan, extreme / total)


def _variances(first: Outcomes, second: Outcomes, codebook: Codebook) -> tuple[Array, Array]:
    """Return the linearised variance of every difference, by document and by sentence.

    Both are NaN with fewer than two units.
    """
    influence = _influence(first, codebook) - _influence(second, codebook)
    of_documents = np.zeros((first.document_count, influence.shape[1]))
    np.add.at(of_documents, first.documents, influence)

    def variance(parts: Array) -> Array:
        n = len(parts)
        if n < 2:
            return np.full(parts.shape[1], np.nan)
        return np.asarray(n / (n - 1) * np.square(parts - parts.mean(axis=0)).sum(axis=0))

    return variance(of_documents), variance(influence)


def _influence(seen: Outcomes, codebook: Codebook) -> Array:
    """Return what each sentence adds to the error of every score, to first order: (n, scores)."""
    gold = (seen.targets == 1.0).astype(np.float64)
    given = (seen.given & ~np.isnan(seen.targets)).astype(np.float64)
    mass = (given + gold).sum(axis=0)
    f1 = ratio(2 * (given * gold).sum(axis=0), mass)
    defined = ~np.isnan(f1)
    parts = 2 * given * gold - np.where(defined, f1, 0.0) * (given + gold)
    return _over_tasks(parts / np.where(mass > 0, mass, 1.0), defined, codebook, empty=0.0)


def _support(seen: Outcomes, codebook: Codebook) -> list[int]:
    positives = (seen.targets == 1.0).sum(axis=0)
    support: list[int] = []
    for task in codebook.tasks:
        part = codebook.slice_of(task)
        known = ~np.isnan(seen.targets[:, part]).all(axis=1)
        support += [int(known.sum()), *map(int, positives[part])]
    return support
