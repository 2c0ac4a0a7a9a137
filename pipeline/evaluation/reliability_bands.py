"""Reliability diagrams with an interval for every bin, by resampling documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.curves import Reliability, reliability
from pipeline.evaluation.metrics import BINS, equal_mass_bins, ratio

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReliabilityBands:
    """A reliability diagram with bounds of the observed shares, (bins,); NaN where undefined."""

    points: Reliability
    low: Array
    high: Array


def reliability_bands(
    documents: Sequence[str],
    probabilities: npt.NDArray[np.floating],
    targets: npt.NDArray[np.floating],
    *,
    replicates: int,
    seed: int,
) -> ReliabilityBands:
    """Return the diagram of one label; bins stay those of the whole sample in every replicate.

    Args:
        documents: the document of each of n sentences.
        probabilities, targets: of the label, (n,); unknown targets (NaN) are left out.

    Raises:
        ShapeError: probabilities and targets are not both (n,).
    """
    points = reliability(probabilities, targets)
    known = ~np.isnan(targets)
    number = np.unique(np.asarray(documents, dtype=np.str_)[known], return_inverse=True)[1]
    count = int(number.max(initial=-1)) + 1
    low, high = np.full((2, len(points.count)), np.nan)
    if count > 1:
        bins = equal_mass_bins(probabilities[known].astype(np.float64))
        sums = np.zeros((2, count, BINS))
        np.add.at(sums[0], (number, bins), targets[known].astype(np.float64))
        np.add.at(sums[1], (number, bins), 1.0)
        weights = document_weights(count, replicates=replicates, seed=seed)
        filled = np.flatnonzero(sums[1].any(axis=0))
        shares = ratio(weights @ sums[0], weights @ sums[1])[:, filled]
        for b, values in enumerate(shares.T):
            low[b], high[b] = percentile_interval(values) or (np.nan, np.nan)
    return ReliabilityBands(points, low, high)
