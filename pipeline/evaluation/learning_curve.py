"""How a score grows with the number of labelled documents, and how it may go on growing.

The curve is an inverse power law, score = a - b * documents ** -c (Frey and Fisher, 1999), fitted
by least squares weighted by the number of documents, because the end of a curve says most about
what follows (Figueroa et al., 2012). What is uncertain about the points goes into the fit: every
replicate of the points is fitted anew. The band does not cover that the law itself may not hold,
nor documents of another kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, TaskType
from pipeline.evaluation.bootstrap import percentile_interval

Array = npt.NDArray[np.float64]

FEWEST_SIZES = 4
"""Three numbers are fitted; with fewer points than this nothing is extrapolated."""

AHEAD = (2, 4)
"""How many times the documents that there are the curve is followed."""

_EXPONENTS = np.geomspace(0.05, 2.0, 60)


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Parameters of r fitted curves, each (r,): a in [0, 1], b not negative, c positive."""

    a: Array
    b: Array
    c: Array

    def at(self, documents: Array) -> Array:
        """Return the scores at s numbers of documents, (r, s), none below 0."""
        fallen = self.b[:, None] * documents[None, :] ** -self.c[:, None]
        return np.maximum(self.a[:, None] - fallen, 0.0)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A score at a number of documents; `low` and `high` bound its 95 % interval where it has one.

    `sentences` is the mean over the repeats, or the expected number where it is `extrapolated`.
    `undefined` draws have no score there, or no fit: the interval is that of the others.
    """

    score: str
    documents: int
    sentences: int
    value: float
    low: float | None
    high: float | None
    extrapolated: bool
    undefined: int = 0


@dataclass(frozen=True, slots=True)
class FittedCurve:
    """The points of a score, its fitted curve, and those of the replicates.

    `law` and `laws` are `None` where nothing could be fitted.
    """

    score: str
    points: tuple[CurvePoint, ...]
    law: PowerLaw | None
    laws: PowerLaw | None


def curve_scores(codebook: Codebook) -> tuple[str, ...]:
    """Return the names of the scores that need no threshold, which few labels could not fit.

    Average precision in multilabel tasks, F1 of the most probable label in multiclass tasks: of
    each task and then of each of its labels.
    """
    names: list[str] = []
    for name, task in codebook.tasks.items():
        metric = "average_precision" if task.type is TaskType.MULTILABEL else "f1"
        names.append(f"{name}.macro_{metric}")
        names += [f"{name}.{label}.{metric}" for label in task.labels]
    return tuple(names)


def halvings(documents: int, *, fewest: int = 5, most: int = 7) -> list[int]:
    """Return all documents, half of them, a quarter and so on, in ascending order."""
    sizes = [documents]
    while len(sizes) < most and sizes[-1] // 2 >= fewest:
        sizes.append(sizes[-1] // 2)
    return sizes[::-1]


def fit_power_law(documents: Array, scores: Array) -> PowerLaw:
    """Fit r curves to scores (r, s) at s numbers of documents, (s,).

    Each is fitted to the scores that are not NaN; at least two of them must be defined.
    """
    known = ~np.isnan(scores)
    scores = np.where(known, scores, 0.0)
    weight = np.where(known, documents, 0.0)
    weight /= weight.sum(axis=1, keepdims=True)
    best = np.full(len(scores), np.inf)
    a, b, c = (np.zeros(len(scores)) for _ in range(3))
    mean = (scores * weight).sum(axis=1)
    for exponent in _EXPONENTS:
        x = documents**-exponent
        middle = weight @ x
        away = weight * (x - middle[:, None])
        spread = (away * (x - middle[:, None])).sum(axis=1)
        slope = np.maximum(-((scores - mean[:, None]) * away).sum(axis=1) / spread, 0.0)
        limit = mean + slope * middle
        # Where the limit is above one, the best curve within bounds has a limit of one.
        capped = np.maximum(((1.0 - scores) * weight) @ x / (weight @ x**2), 0.0)
        slope = np.where(limit > 1.0, capped, slope)
        limit = np.minimum(limit, 1.0)
        error = ((limit[:, None] - slope[:, None] * x - scores) ** 2 * weight).sum(axis=1)
        better = error < best
        best = np.where(better, error, best)
        a, b = np.where(better, limit, a), np.where(better, slope, b)
        c = np.where(better, exponent, c)
    return PowerLaw(a, b, c)


def fit_curve(
    score: str,
    documents: Sequence[int],
    sentences: Sequence[float],
    values: Array,
    replicates: Array,
) -> FittedCurve:
    """Return the points of a score with intervals, and what they let expect of more documents.

    Args:
        sentences: mean number at each of the s sizes.
        values: the score at each size, (s,); NaN where it is undefined.
        replicates: the same under r draws of repeats and test documents, (r, s). Where draws are
            undefined, the others stand for them, and each point says how many they are.
    """
    undefined = np.isnan(replicates).sum(axis=0).tolist()
    points = []
    for k, size in enumerate(documents):
        low, high = percentile_interval(replicates[:, k]) or (None, None)
        value = float(values[k])
        count = round(sentences[k])
        points.append(CurvePoint(score, size, count, value, low, high, False, undefined[k]))
    sound = ~np.isnan(values)
    if sound.sum() < FEWEST_SIZES:
        return FittedCurve(score, tuple(points), None, None)
    sizes = np.asarray(documents, dtype=np.float64)[sound]
    law = fit_power_law(sizes, values[None, sound])
    enough = (~np.isnan(replicates[:, sound])).sum(axis=1) >= FEWEST_SIZES
    if not enough.any():
        return FittedCurve(score, tuple(points), None, None)
    laws = fit_power_law(sizes, replicates[np.ix_(enough, sound)])
    unfitted = int((~enough).sum())
    for times in AHEAD:
        size = times * documents[-1]
        at = np.array([size], dtype=np.float64)
        ends = np.full(len(replicates), np.nan)
        ends[enough] = laws.at(at)[:, 0]
        low, high = percentile_interval(ends) or (None, None)
        value = float(law.at(at)[0, 0])
        expected = round(times * sentences[-1])
        points.append(CurvePoint(score, size, expected, value, low, high, True, unfitted))
    return FittedCurve(score, tuple(points), law, laws)
