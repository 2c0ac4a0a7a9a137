"""Which labels are probably wrong: confident learning on out-of-fold probabilities.

Northcutt, Jiang and Chuang (2021, Confident Learning, JAIR 70). The threshold of an answer is the
mean probability of it where it was given, so that a classifier that is unsure of a label, or rarely
gives it, does not make every such label suspect. An answer is a likely error where another answer
reaches its own threshold and lies further above it than the given one. A multilabel task is one
question a label (yes or no), as in Thyagarajan et al. (2022), a multiclass task one question.

Answers are ranked by self-confidence, the probability of the given answer: it finds as many flipped
labels as the distance from the thresholds in multilabel tasks, and more in multiclass tasks
(experiments/suspects/README.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import Probabilities
from pipeline.errors import ShapeError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """One question to n sentences: the answers that were given, and those that are likely.

    All arrays are (n,), of the sentences whose answer is known: their `rows` in the whole; `given`
    and `other` are columns of the task, or 1 and 0 (yes and no) of a multilabel column; `own` is
    the probability of the given answer, and `likely` says whether it is a likely error.
    """

    task: str
    label: str | None
    rows: npt.NDArray[np.intp]
    given: npt.NDArray[np.intp]
    other: npt.NDArray[np.intp]
    own: Array
    likely: npt.NDArray[np.bool_]


def questions(
    probabilities: Probabilities, targets: Targets, codebook: Codebook
) -> Iterator[Question]:
    """Yield every question of a codebook that has been given two different answers.

    Args:
        probabilities: out of fold, (n, codebook.width).
        targets: (n, codebook.width): 1, 0, or NaN where unknown.

    Raises:
        ShapeError: the arrays do not have this shape.
    """
    if probabilities.shape != targets.shape or targets.shape[1:] != (codebook.width,):
        raise ShapeError(
            f"got probabilities {probabilities.shape} and targets {targets.shape}, expected "
            f"(n, {codebook.width}) for both"
        )
    for task, facts in codebook.tasks.items():
        part = codebook.slice_of(task)
        p, y = probabilities[:, part].astype(np.float64), targets[:, part]
        if facts.type is TaskType.MULTICLASS:
            rows = np.flatnonzero(np.isfinite(y).all(axis=1))
            yield from _question(task, None, rows, p[rows], y[rows].argmax(axis=1))
            continue
        for j, label in enumerate(facts.labels):
            rows = np.flatnonzero(np.isfinite(y[:, j]))
            both = np.stack([1.0 - p[rows, j], p[rows, j]], axis=1)
            yield from _question(task, label, rows, both, y[rows, j].astype(np.intp))


def _question(
    task: str,
    label: str | None,
    rows: npt.NDArray[np.intp],
    p: Array,
    given: npt.NDArray[np.intp],
) -> Iterator[Question]:
    """Yield the question with answers `given` (m,) of probabilities `p` (m, answers)."""
    there = np.unique(given)
    if len(there) < 2:
        return
    threshold = np.full(p.shape[1], np.inf)  # an answer that nobody gave is never expected
    for answer in there:
        threshold[answer] = p[given == answer, answer].mean()
    above = p - threshold
    each = np.arange(len(rows))
    own = above[each, given]
    above[each, given] = -np.inf
    other = above.argmax(axis=1)
    best = above[each, other]
    likely = (best >= 0.0) & (best > own)
    yield Question(task, label, rows, given, other, p[each, given], likely)
