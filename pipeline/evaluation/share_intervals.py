"""95 % intervals of shares and of differences between shares, clustered by document."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from pipeline.evaluation.bootstrap import LEVEL
from pipeline.evaluation.share_estimates import Estimate

LEAST_DOCUMENTS = 5
"""No interval is given where fewer documents than this were sampled."""

LEAST_EVIDENCE = 5
"""Nor where the label was met, or was lacking, in fewer sampled documents than this by weight."""

Interval = tuple[float, float]


def interval(estimate: Estimate) -> Interval | None:
    """Return the bounds of the 95 % interval of a share, in [0, 1].

    Wilson's (1927) interval with the variance of the design in place of the binomial one (Franco,
    Little, Louis and Slud, 2019): all p with (value - p)² <= t² variance p (1 - p) / (v (1 - v)),
    where v is the value, kept one part in the number of documents away from 0 and 1. Where shares
    are not small it is value ± t standard errors; where they are it leans upwards, as it must.

    `None` where fewer than `LEAST_DOCUMENTS` documents were sampled, or the label was met (or was
    lacking) in fewer than `LEAST_EVIDENCE` of them: where the sample hardly saw the label, its
    errors look small because they were not seen.
    """
    variance = estimate.variance
    if not _measurable(estimate):
        return None
    value = min(max(estimate.value, 0.0), 1.0)
    least = 1 / estimate.clusters
    inner = min(max(value, least), 1 - least)
    k = student_quantile(estimate.freedom) ** 2 * variance / (inner * (1 - inner))
    root = math.sqrt(k * (k + 4 * value * (1 - value)))
    low, high = ((2 * value + k + sign * root) / (2 * (1 + k)) for sign in (-1, 1))
    return min(max(low, 0.0), value), max(min(high, 1.0), value)


def difference(first: Estimate, second: Estimate) -> tuple[float, Interval | None]:
    """Return first - second and its 95 % interval, for two groups of one population.

    What a document adds to both shares cancels out. Degrees of freedom after Welch (1947). `None`
    as in `interval`.
    """
    value = first.value - second.value
    parts = first.variance, second.variance
    if not (_measurable(first) and _measurable(second)):
        return value, None
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / first.freedom + parts[1] ** 2 / second.freedom)
    widened = [math.sqrt(one.clusters / one.freedom) for one in (first, second)]
    joint = np.zeros(max(len(first.influence), len(second.influence)))
    joint[: len(first.influence)] += first.influence * widened[0]
    joint[: len(second.influence)] -= second.influence * widened[1]
    half = student_quantile(freedom) * math.sqrt(float((joint**2).sum()))
    return value, (max(value - half, -1.0), min(value + half, 1.0))


def _measurable(estimate: Estimate) -> bool:
    enough = estimate.clusters >= LEAST_DOCUMENTS and estimate.evidence >= LEAST_EVIDENCE
    return enough and estimate.variance > 0


def student_quantile(freedom: float) -> float:
    """Return the two-sided 95 % quantile of Student's t.

    Fisher and Cornish's expansion (Abramowitz and Stegun, 1964, 26.7.5). It is too small by 0.12 %
    at most from 3 degrees on, the fewest that `LEAST_DOCUMENTS` leaves, by 0.03 % from 4, and by
    0.75 % above 2. Exact at 1 and 2; between them it is that of 2, which is far too small.
    """
    p = (1 + LEVEL) / 2
    if freedom <= 1:
        return math.tan(math.pi * (p - 0.5))
    if freedom <= 2:
        return (2 * p - 1) * math.sqrt(2 / (1 - (2 * p - 1) ** 2))
    z = NormalDist().inv_cdf(p)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / freedom**k for k, term in enumerate(terms))
