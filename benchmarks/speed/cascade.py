"""A cascade on paper: a cheap model decides the sentences it is sure of, a dear one the rest.

Being sure is a matter of cut-offs, one or two a label, chosen on labelled documents that neither
model learned from, so that a bounded share of what the dear model would have said is lost (after
Angelopoulos, Bates, Fisch, Lei and Schuster, 2024, "Conformal risk control", label by label).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CutOffs:
    """One entry a column of the codebook, on the probabilities of the cheap model.

    A multilabel label is decided where its probability is below `low` or at least `high`, a
    multiclass task where that of its most probable label is at least the `high` of that label. A
    sentence is decided where all its tasks are.
    """

    low: Floats
    high: Floats

    def decides(self, probabilities: npt.NDArray[np.float32], codebook: Codebook) -> Bools:
        """Return which of n sentences are decided: bool (n,)."""
        sure = np.ones(len(probabilities), dtype=bool)
        for task in codebook.tasks:
            part = codebook.slice_of(task)
            p = probabilities[:, part]
            if task in codebook.multiclass_tasks():
                first = p.argmax(axis=1)
                sure &= p[np.arange(len(p)), first] >= self.high[part][first]
            else:
                sure &= ((p < self.low[part]) | (p >= self.high[part])).all(axis=1)
        return sure


def cut_offs(
    cheap: npt.NDArray[np.float32], given: Bools, dear: Bools, codebook: Codebook, risk: float
) -> CutOffs:
    """Return the widest cut-offs at which at most a share `risk` of a label's decisions is lost.

    Of a multilabel label, `low` loses sentences that the dear model gives it, as a share of these,
    and `high` those that it does not give it, as a share of those that the cheap model gives it. Of
    a multiclass label, `high` loses sentences to which the dear model gives another label, as a
    share of those to which the cheap model gives it. A share of k of n counts as (k + 1) / (n + 1).

    Args:
        cheap: probabilities of the cheap model (n, codebook.width).
        given: its decisions, of the same shape.
        dear: those of the dear model.
    """
    low, high = np.zeros(codebook.width), np.full(codebook.width, np.inf)
    for column, (task, _) in enumerate(codebook.columns):
        p = cheap[:, column].astype(np.float64)
        chosen = given[:, column]
        lost_from = -_limit(-p[chosen], ~dear[chosen, column], risk)
        high[column] = np.nextafter(lost_from, np.inf)
        if task not in codebook.multiclass_tasks():
            wanted = dear[:, column]
            low[column] = _limit(p[wanted], np.ones(wanted.sum(), dtype=bool), risk)
            low[column] = min(low[column], p[chosen].min(initial=1.0))
    return CutOffs(low, high)


def _limit(scores: Floats, lost: Bools, risk: float) -> float:
    """Return the first score, in rising order, at which too many would be lost."""
    order = np.argsort(scores, kind="stable")
    shares = (np.cumsum(lost[order]) + 1) / (len(scores) + 1)
    too_many = np.flatnonzero(shares > risk)
    if not len(too_many):
        return np.inf
    return float(scores[order[too_many[0]]])


def risks() -> Iterator[float]:
    """Yield the risks that are tried, falling."""
    yield from (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01)
