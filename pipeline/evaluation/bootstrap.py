"""Intervals by resampling whole documents, because sentences of one document are alike.

Percentile bootstrap over clusters (Efron & Tibshirani, 1993; Cameron, Gelbach & Miller, 2008).
Resampling sentences would give intervals up to twice too narrow. With few documents (below about
20) this interval is too narrow as well: read it as a lower bound of the uncertainty.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.errors import ShapeError
from pipeline.evaluation.metrics import Outcomes

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
