"""Error rates of coders without a gold standard.

Dawid & Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm,
Applied Statistics 28(1), 20-28. Given the true class of an item, coders answer independently of
each other, each by error rates of his own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import ShapeError

Array = npt.NDArray[np.float64]

_LARGEST_STEP = 1e-9
_MOST_STEPS = 5_000
_TINY = 1e-300
"""Stands for zero under a logarithm."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """The estimate; n items, k coders, c classes.

    Attributes:
        prevalence: shape (c,), share of every class.
        answers: shape (k, c, c); `answers[i, true, said]` is the probability that coder i says
            `said` where `true` is true. NaN where no item is estimated to be of that class.
        classes: shape (n, c), probability of every class for every item.
        converged: whether the estimate has come to rest.
    """

    prevalence: Array
    answers: Array
    classes: Array
    converged: bool

    def error(self) -> Array:
        """Return the probability that a coder's answer is wrong, shape (k,)."""
        right = np.einsum("kcc->kc", np.nan_to_num(self.answers))
        error: Array = 1.0 - right @ self.prevalence
        return error


def dawid_skene(counts: Array) -> ErrorRates:
    """Estimate prevalence, error rates and true classes by expectation maximisation.

    It starts from the shares of the answers to every item, so classes keep their meaning as long as
    most coders are right more often than not. Two coders do not identify the model: their answers
    to two classes leave three free numbers for five unknown ones.

    Args:
        counts: shape (n, k, c), how often coder k gave answer c to item n; a coder may be silent on
            an item or have answered it several times.

    Raises:
        ShapeError: `counts` is not of that shape, or an item has no answer at all.
    """
    if counts.ndim != 3 or not counts.sum(axis=(1, 2)).all():
        raise ShapeError(
            f"got counts of shape {counts.shape}, expected (items, coders, classes) with an answer "
            "to every item"
        )
    classes: Array = counts.sum(axis=1) / counts.sum(axis=(1, 2))[:, None]
    for _ in range(_MOST_STEPS):
        prevalence: Array = classes.mean(axis=0)
        answers: Array = np.einsum("nt,nks->kts", classes, counts)
        totals = answers.sum(axis=2, keepdims=True)
        answers = np.divide(answers, totals, out=np.full_like(answers, np.nan), where=totals > 0)
        likelihood = np.einsum("nks,kts->nt", counts, np.log(np.nan_to_num(answers) + _TINY))
        likelihood += np.log(prevalence + _TINY)
        likelihood -= likelihood.max(axis=1, keepdims=True)
        updated: Array = np.exp(likelihood)
        updated /= updated.sum(axis=1, keepdims=True)
        step = float(np.abs(updated - classes).max())
        classes = updated
        if step < _LARGEST_STEP:
            return ErrorRates(prevalence, answers, classes, True)
    return ErrorRates(prevalence, answers, classes, False)
