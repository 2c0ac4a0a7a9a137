"""Every score of a model on labelled sentences, for any weighting of the documents at once.

A bootstrap replicate is a weighting of the documents (how often each was drawn), so all replicates
are computed together by matrix products of weights with sums per document.

Conventions. A sentence whose label is unknown (NaN) counts for nothing in that label. A quantity
that the data leave undefined is NaN, never 0: precision without predictions, recall and average
precision without positives, F1 with neither (scikit-learn's `zero_division=np.nan`). A mean over
labels is taken over those where the quantity is defined.

- `f1` 2 TP / (2 TP + FP + FN); `macro_f1` its mean over the labels of a task; `micro_f1` the same
  formula on counts summed over the labels (multilabel tasks); `accuracy` the share of sentences
  with the right label (multiclass tasks).
- `average_precision` sum over thresholds of precision times gain in recall, without interpolation;
  equal probabilities are one threshold. In multiclass tasks each label against the rest.
- `brier` mean squared difference of probability and label (Brier, 1950), per label; of a task the
  mean over labels.
- `ece` expected calibration error (Naeini et al., 2015) per label, over 15 bins of equal numbers of
  sentences, equal probabilities never split: the mean over bins, weighted by their size, of |mean
  probability - share of positives|; of a task the mean over labels (classwise, Kull et al., 2019).
  Replicates keep the bins of the whole sample. The estimate is biased upwards in small samples,
  and its interval more so.
- Where a decision was withheld in a task no label of it counts as given, as in a `Prediction`;
  `coverage` is the share of sentences decided, `decided_macro_f1` the macro-F1 among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, Task, TaskType
from pipeline.decision import Decisions, Probabilities
from pipeline.errors import ShapeError

BINS = 15
"""Bins of the expected calibration error and of the reliability diagram."""

CELLS = 4_000_000
"""Size of the largest array of weights by sentences; bounds memory, not results."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a model said about n sentences and what was right; see `outcomes`.

    All arrays are (n, codebook.width), but `documents`, the number of each sentence's document, is
    (n,).
    """

    probabilities: Array
    given: npt.NDArray[np.bool_]
    withheld: npt.NDArray[np.bool_]
    targets: Array
    documents: npt.NDArray[np.intp]

    @property
    def document_count(self) -> int:
        """Number of documents."""
        return int(self.documents.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True)
class Measured:
    """A score under r weightings, shape (r,), and the number it rests on.

    That number is the positives for precision, recall, F1 and average precision of a label, and the
    sentences with known labels for everything else.
    """

    values: Array
    support: int


def outcomes(
    documents: Sequence[str],
    probabilities: Probabilities,
    decisions: Decisions,
    targets: Targets,
    codebook: Codebook,
) -> Outcomes:
    """Bring probabilities, decisions and targets of n sentences together.

    `documents` names the document of each sentence. A task any of whose labels is withheld in a
    sentence is withheld there as a whole.

    Raises:
        ShapeError: an array is not (n, codebook.width) for the n document names.
    """
    wanted = (len(documents), codebook.width)
    named = {
        "probabilities": probabilities.shape,
        "decisions.given": decisions.given.shape,
        "decisions.withheld": decisions.withheld.shape,
        "targets": targets.shape,
    }
    wrong = [f"{name} of shape {shape}" for name, shape in named.items() if shape != wanted]
    if wrong:
        raise ShapeError(
            f"got {', '.join(wrong)}, expected {wanted}: one row a sentence and one column for "
            f"each of {', '.join(codebook.column_names)}"
        )
    withheld = decisions.withheld.copy()
    for task in codebook.tasks:
        part = codebook.slice_of(task)
        withheld[:, part] = withheld[:, part].any(axis=1, keepdims=True)
    return Outcomes(
        probabilities=probabilities.astype(np.float64),
        given=decisions.given & ~withheld,
        withheld=withheld,
        targets=targets.astype(np.float64),
        documents=np.unique(np.asarray(documents, dtype=np.str_), return_inverse=True)[1],
    )


def measure(seen: Outcomes, codebook: Codebook, weights: Array) -> dict[str, Measured]:
    """Return every score under each of r weightings of the documents.

    `weights` is (r, number of documents), not negative; a row of ones gives the plain scores. Keys
    are "task.label.metric", then "task.metric", in the order of the codebook.

    Raises:
        ShapeError: `weights` does not have one column a document.
    """
    if weights.ndim != 2 or weights.shape[1] != seen.document_count:
        raise ShapeError(
            f"got weights of shape {weights.shape}, expected (r, {seen.document_count}): one "
            "column a document"
        )
    scores: dict[str, Measured] = {}
    for name, task in codebook.tasks.items():
        scores.update(_measure_task(seen, codebook.slice_of(name), name, task, weights))
    return scores


def _measure_task(
    seen: Outcomes, part: slice, name: str, task: Task, weights: Array
) -> dict[str, Measured]:
    p, y, given = seen.probabilities[:, part], seen.targets[:, part], seen.given[:, part]
    known, gold = ~np.isnan(y), y == 1.0
    sentences, positives = known.sum(axis=0), gold.sum(axis=0)
    rows = known.any(axis=1)
    whole = int(rows.sum())

    hits, labelled, actual = _weighted(
        seen, weights, np.stack([given & gold, given & known, gold], axis=1)
    )
    f1 = ratio(2 * hits, labelled + actual)
    error = np.where(known, p - np.where(gold, 1.0, 0.0), 0.0)
    squares, mass = _weighted(seen, weights, np.stack([error**2, known], axis=1))
    by_label = {
        "precision": (ratio(hits, labelled), positives),
        "recall": (ratio(hits, actual), positives),
        "f1": (f1, positives),
        "average_precision": (_average_precision(seen, p, y, weights), positives),
        "brier": (ratio(squares, mass), sentences),
        "ece": (ratio(_bin_errors(seen, p, known, error, weights), mass), sentences),
    }
    scores = {
        f"{name}.{label}.{metric}": Measured(values[:, j], int(support[j]))
        for j, label in enumerate(task.labels)
        for metric, (values, support) in by_label.items()
    }
    of_task = {"macro_f1": _mean_defined(f1)}
    if task.type is TaskType.MULTILABEL:
        of_task["micro_f1"] = ratio(2 * hits.sum(axis=1), (labelled + actual).sum(axis=1))
    else:
        right = (given & gold).any(axis=1)
        correct, asked = _weighted(seen, weights, np.stack([right, rows], axis=1)[:, :, None])
        of_task["accuracy"] = ratio(correct, asked)[:, 0]
    of_task["macro_average_precision"] = _mean_defined(by_label["average_precision"][0])
    of_task["brier"] = _mean_defined(by_label["brier"][0])
    of_task["ece"] = _mean_defined(by_label["ece"][0])
    decided = ~seen.withheld[:, part]
    if not decided.all():
        kept, asked = _weighted(
            seen, weights, np.stack([rows & decided[:, 0], rows], axis=1)[:, :, None]
        )
        of_task["coverage"] = ratio(kept, asked)[:, 0]
        hits, labelled, actual = _weighted(
            seen, weights, np.stack([given & gold, given & known, gold & decided], axis=1)
        )
        of_task["decided_macro_f1"] = _mean_defined(ratio(2 * hits, labelled + actual))
    scores.update({f"{name}.{metric}": Measured(v, whole) for metric, v in of_task.items()})
    return scores


def equal_mass_bins(probabilities: Array) -> npt.NDArray[np.intp]:
    """Return the bin, 0 to `BINS` - 1, of each of n probabilities; equal values share a bin."""
    below = np.searchsorted(np.sort(probabilities), probabilities, side="left")
    return below * BINS // max(len(probabilities), 1)


def _bin_errors(
    seen: Outcomes, p: Array, known: npt.NDArray[np.bool_], error: Array, weights: Array
) -> Array:
    """Sum over bins of |sum of errors in the bin|, shape (r, labels)."""
    total = np.zeros((len(weights), p.shape[1]))
    for j in range(p.shape[1]):
        rows = np.flatnonzero(known[:, j])
        sums = np.zeros((seen.document_count, BINS))
        np.add.at(sums, (seen.documents[rows], equal_mass_bins(p[rows, j])), error[rows, j])
        total[:, j] = np.abs(weights @ sums).sum(axis=1)
    return total


def _average_precision(seen: Outcomes, p: Array, y: Array, weights: Array) -> Array:
    """Average precision of each label under each weighting, shape (r, labels)."""
    out = np.full((len(weights), p.shape[1]), np.nan)
    for j in range(p.shape[1]):
        rows = np.flatnonzero(~np.isnan(y[:, j]))
        if not (y[rows, j] == 1.0).any():
            continue
        rows = rows[np.argsort(-p[rows, j], kind="stable")]
        last_of_tie = np.append(np.diff(p[rows, j]) != 0.0, True)
        gold, documents = y[rows, j], seen.documents[rows]
        step = max(CELLS // len(rows), 1)
        for start in range(0, len(weights), step):
            w = weights[start : start + step, documents]
            taken = np.cumsum(w, axis=1)[:, last_of_tie]
            hits = np.cumsum(w * gold, axis=1)[:, last_of_tie]
            precision = hits / np.where(taken > 0, taken, 1.0)
            gained = np.diff(hits, axis=1, prepend=0.0)
            out[start : start + step, j] = ratio((precision * gained).sum(axis=1), hits[:, -1])
    return out


def _weighted(seen: Outcomes, weights: Array, facts: npt.NDArray[np.generic]) -> Array:
    """Sum facts (n, f, labels) by document, weighted; return (f, r, labels)."""
    sums = np.zeros((seen.document_count, *facts.shape[1:]))
    np.add.at(sums, seen.documents, facts.astype(np.float64))
    return np.asarray(weights @ sums.swapaxes(0, 1))


def ratio(top: Array, bottom: Array) -> Array:
    """Quotient, NaN where the denominator is zero."""
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)


def _mean_defined(values: Array) -> Array:
    """Mean over the last axis of what is defined, NaN where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))
