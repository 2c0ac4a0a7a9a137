"""Sentences that one of two models gets right and the other wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.evaluation.bootstrap import require_paired
from pipeline.evaluation.metrics import Outcomes

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The row of a sentence that one model gets right, and how far apart the two models are there.

    `margin`, in [-1, 1], is how much more probability the right model gives to the truth, in the
    column where that differs most among those that the other model gets wrong.
    """

    row: int
    margin: float


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Sentences won and lost by the first model in one task, the widest margins first.

    `wins` and `losses` hold the first few; `won` and `lost` count all.
    """

    wins: tuple[Disagreement, ...]
    losses: tuple[Disagreement, ...]
    won: int
    lost: int


def disagreements(
    first: Outcomes, second: Outcomes, codebook: Codebook, task: str, *, most: int
) -> Disagreements:
    """Return where exactly one of two models is right in a task.

    Right means: every label as it should be and nothing withheld. Sentences whose labels are
    unknown are left out. Margins that are equal stand in the order of the rows.

    Raises:
        ShapeError: the two do not have the same sentences, documents and targets.
    """
    require_paired(first, second)
    part = codebook.slice_of(task)
    known = ~np.isnan(first.targets[:, part]).any(axis=1)
    right, other = (_right(one, part) for one in (first, second))
    wins = _ranked(first, second, part, known & right & ~other)
    losses = _ranked(second, first, part, known & other & ~right)
    return Disagreements(tuple(wins[:most]), tuple(losses[:most]), len(wins), len(losses))


def _right(seen: Outcomes, part: slice) -> npt.NDArray[np.bool_]:
    agrees = (seen.given[:, part] == (seen.targets[:, part] == 1.0)).all(axis=1)
    return np.asarray(agrees & ~seen.withheld[:, part].any(axis=1))


def _ranked(
    winner: Outcomes, loser: Outcomes, part: slice, rows: npt.NDArray[np.bool_]
) -> list[Disagreement]:
    chosen = np.flatnonzero(rows)
    gold = winner.targets[chosen, part] == 1.0
    wrong = (loser.given[chosen, part] != gold) | loser.withheld[chosen, part]
    gaps = _of_truth(winner, chosen, part, gold) - _of_truth(loser, chosen, part, gold)
    margins = np.where(wrong, gaps, -np.inf).max(axis=1, initial=-np.inf)
    order = np.argsort(-margins, kind="stable")
    return [Disagreement(int(chosen[i]), float(margins[i])) for i in order]


def _of_truth(
    seen: Outcomes, rows: npt.NDArray[np.intp], part: slice, gold: npt.NDArray[np.bool_]
) -> Array:
    p = seen.probabilities[rows, part]
    return np.where(gold, p, 1.0 - p)
