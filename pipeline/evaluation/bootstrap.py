"""Intervals by resampling whole documents, because sentences of one document are alike.

Percentile bootstrap over clusters (Efron & Tibshirani, 1993; Cameron, Gelbach & Miller, 2008).
Resampling sentences would give intervals up to twice too narrow. With few documents (below about
20) this interval is too narrow as well: read it as a lower bound of the uncertainty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.errors import SettingsError, ShapeError
from pipeline.evaluation.metrics import Outcomes, measure

Array = npt.NDArray[np.float64]

LEVEL = 0.95
"""Coverage aimed at by every interval."""

MIN_DEFINED = 0.9
"""No interval is given where fewer than this part of the replicates leave the score defined."""


def document_weights(documents: int, *, replicates: int, seed: int) -> Array:
    """Return how often each document is drawn in each replicate, shape (replicates, documents)."""
    draw = np.random.default_rng(seed)
    drawn = draw.multinomial(documents, np.full(documents, 1.0 / documents), size=replicates)
    return drawn.astype(np.float64)


def percentile_interval(replicates: Array) -> tuple[float, float] | None:
    """Return the bounds of the 95 % percentile interval of r replicates of a score.

    Replicates that are NaN are left out; `None` where there are no replicates, or fewer than
    `MIN_DEFINED` of them are defined.
    """
    defined = replicates[~np.isnan(replicates)]
    if not len(replicates) or len(defined) < MIN_DEFINED * len(replicates):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Difference:
    """A score of one model minus that of another on the same sentences; see `paired_differences`.

    `low` and `high` bound the 95 % interval and are `None` where there is none; then `p` is NaN.
    `value` is NaN where the score is undefined for one of the models.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    p: float


def require_paired(first: Outcomes, second: Outcomes) -> None:
    """Check that two models were asked about the same sentences, in the same order.

    Raises:
        ShapeError: the two do not have the same sentences, documents and targets.
    """
    if (
        first.targets.shape != second.targets.shape
        or not np.array_equal(first.targets, second.targets, equal_nan=True)
        or not np.array_equal(first.documents, second.documents)
    ):
        raise ShapeError(
            f"got {len(first.documents)} and {len(second.documents)} sentences whose documents or "
            "targets differ; a paired comparison needs both models on the same sentences in the "
            "same order"
        )


def paired_differences(
    first: Outcomes, second: Outcomes, codebook: Codebook, *, replicates: int, seed: int
) -> dict[str, Difference]:
    """Return how far the scores of `first` lie above those of `second`, by the names of `measure`.

    Each replicate scores both on the same draw of documents (paired bootstrap; Koehn, 2004), so
    that what is hard for both cancels out. `p` is the share of replicates in which `first` is at
    least as good: not lower, or for errors (`brier`, `ece`) not higher. Of r replicates a share
    below 1 / r cannot be told from zero.

    Args:
        first, second: of the same sentences in the same order.
        replicates: 1 or more.

    Raises:
        ShapeError: the two do not have the same sentences, documents and targets.
        SettingsError: `replicates` is below 1.
    """
    if replicates < 1:
        raise SettingsError([f"replicates is {replicates}, expected 1 or more"], where="evaluation")
    require_paired(first, second)
    count = first.document_count
    drawn = document_weights(count, replicates=replicates, seed=seed)
    weights = np.vstack([np.ones((1, count)), drawn])
    theirs = measure(second, codebook, weights)
    found: dict[str, Difference] = {}
    for name, score in measure(first, codebook, weights).items():
        if name not in theirs:  # coverage, where only one of the two abstains
            continue
        gaps = score.values - theirs[name].values
        value = float(gaps[0])
        interval = None if math.isnan(value) or count < 2 else percentile_interval(gaps[1:])
        defined = gaps[1:][~np.isnan(gaps[1:])]
        better = -defined if name.endswith((".brier", ".ece")) else defined
        p = math.nan if interval is None else float((better >= 0.0).mean())
        low, high = interval or (None, None)
        found[name] = Difference(name, value, low, high, p)
    return found
