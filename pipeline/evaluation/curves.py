"""Numbers behind the plots: precision-recall, thresholds, reliability, confusion. No drawing here.

The functions of one label take its probabilities and targets, both of shape (n,), leave out unknown
targets (NaN), and return frozen records of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import Decisions
from pipeline.errors import ShapeError
from pipeline.evaluation.metrics import BINS, equal_mass_bins, ratio

Array = npt.NDArray[np.float64]
Column = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """What labelling every sentence with probability >= threshold yields; arrays of shape (m,).

    Thresholds rise. NaN where undefined: precision with nothing labelled, recall without positives,
    F1 with neither.
    """

    threshold: Array
    precision: Array
    recall: Array
    f1: Array


@dataclass(frozen=True, slots=True)
class Reliability:
    """Mean probability, share of positives and number of sentences of each filled bin, (bins,)."""

    predicted: Array
    observed: Array
    count: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Sentences by gold label (rows) and decided label (columns), (labels, labels).

    `withheld` counts, for each gold label, the sentences without a decision.
    """

    labels: tuple[str, ...]
    count: npt.NDArray[np.intp]
    withheld: npt.NDArray[np.intp]


def precision_recall_curve(probabilities: Column, targets: Column) -> OperatingPoints:
    """Return one operating point for each distinct probability."""
    p, gold = _known(probabilities, targets)
    return _operating_points(p, gold, np.unique(p))


def threshold_curve(probabilities: Column, targets: Column, *, steps: int = 100) -> OperatingPoints:
    """Return `steps` + 1 operating points at evenly spaced thresholds from 0 to 1."""
    p, gold = _known(probabilities, targets)
    return _operating_points(p, gold, np.linspace(0.0, 1.0, steps + 1))


def reliability(probabilities: Column, targets: Column) -> Reliability:
    """Return the reliability diagram over the bins of the expected calibration error."""
    p, gold = _known(probabilities, targets)
    bins = equal_mass_bins(p)
    count = np.bincount(bins, minlength=BINS)
    filled = count > 0
    return Reliability(
        predicted=np.bincount(bins, weights=p, minlength=BINS)[filled] / count[filled],
        observed=np.bincount(bins, weights=gold, minlength=BINS)[filled] / count[filled],
        count=count[filled],
    )


def confusion(decisions: Decisions, targets: Targets, codebook: Codebook, task: str) -> Confusion:
    """Return the confusion matrix of a multiclass task; sentences of unknown label are left out.

    Raises:
        KeyError: the codebook has no such task.
        ShapeError: the task is not multiclass, or the arrays are not (n, codebook.width).
    """
    part = codebook.slice_of(task)
    if codebook.tasks[task].type is not TaskType.MULTICLASS:
        raise ShapeError(f"task '{task}' is multilabel; a confusion matrix needs a multiclass task")
    if targets.shape != decisions.given.shape or targets.shape[1:] != (codebook.width,):
        raise ShapeError(
            f"got decisions of shape {decisions.given.shape} and targets of shape {targets.shape}, "
            f"expected both (n, {codebook.width})"
        )
    gold = (targets[:, part] == 1.0).astype(np.intp)
    given = decisions.given[:, part].astype(np.intp)
    withheld = decisions.withheld[:, part].any(axis=1)
    return Confusion(
        labels=tuple(codebook.tasks[task].labels),
        count=gold[~withheld].T @ given[~withheld],
        withheld=gold[withheld].sum(axis=0),
    )


def _known(probabilities: Column, targets: Column) -> tuple[Array, Array]:
    if probabilities.ndim != 1 or probabilities.shape != targets.shape:
        raise ShapeError(
            f"got probabilities of shape {probabilities.shape} and targets of shape "
            f"{targets.shape}, expected both (n,)"
        )
    known = ~np.isnan(targets)
    return probabilities[known].astype(np.float64), targets[known].astype(np.float64)


def _operating_points(p: Array, gold: Array, thresholds: Array) -> OperatingPoints:
    order = np.argsort(p)
    below = np.searchsorted(p[order], thresholds, side="left")
    passed = np.append(0.0, np.cumsum(gold[order]))
    labelled, positives = (len(p) - below).astype(np.float64), passed[-1]
    hits = positives - passed[below]
    return OperatingPoints(
        threshold=thresholds,
        precision=ratio(hits, labelled),
        recall=ratio(hits, np.full(len(thresholds), positives)),
        f1=ratio(2 * hits, labelled + positives),
    )
