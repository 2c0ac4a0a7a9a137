"""One logistic regression a multilabel column and one multinomial a multiclass task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from pipeline.classifiers.majority import prior_logits
from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.state import Saved
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import ShapeError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FloatArray = npt.NDArray[np.float32]
_MOST_ITERATIONS = 1000


def log_softmax(scores: FloatArray) -> FloatArray:
    """Return log-probabilities of the rows of `scores`, same shape, float32."""
    raised = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(raised - np.log(np.exp(raised).sum(axis=1, keepdims=True)), dtype=np.float32)


class SavedRegressions(Saved):
    """Record of a classifier that rests on `Regressions`; their arrays lie in a file beside it."""

    learned: tuple[bool, ...]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        self._require_one_each(self.learned, "entries of 'learned'")
        return self


@dataclass(frozen=True, slots=True)
class Regressions:
    """Fitted weights for every column of a codebook.

    `weights` is float32 (features, width), `bias` float32 (width,). A column that is not `learned`
    (only one outcome, or no known label, in training) has zero weights and its prior as bias.

    Raises:
        ShapeError: the arrays do not have one column a label.
    """

    weights: FloatArray
    bias: FloatArray
    learned: tuple[bool, ...]

    def __post_init__(self) -> None:
        width = len(self.learned)
        if self.weights.ndim != 2 or self.weights.shape[1] != width or self.bias.shape != (width,):
            raise ShapeError(
                f"got weights {self.weights.shape} and bias {self.bias.shape} for {width} columns"
            )

    def logits(self, products: FloatArray, codebook: Codebook) -> Logits:
        """Turn features @ weights, float32 (n, width), into logits of the same shape."""
        out = (products + self.bias).astype(np.float32)
        learned = np.asarray(self.learned)
        for task in codebook.multiclass_tasks():
            part = codebook.slice_of(task)
            columns = part.start + np.flatnonzero(learned[part])
            if len(columns) and len(out):
                out[:, columns] = log_softmax(out[:, columns])
        return out


def fit_regressions(
    features: csr_matrix | FloatArray,
    targets: Targets,
    codebook: Codebook,
    *,
    c: float,
    balanced: bool,
) -> Regressions:
    """Fit on the rows whose label is known, with L2 penalty 1 / c, by L-BFGS.

    A row with a probability counts for every outcome with its share: once with a label of weight p
    and once without, of weight 1 - p. The loss is that expected under the probabilities.

    With `balanced`, classes weigh the same in training. That moves the log-odds by the log of the
    class ratio, which is taken back out of the bias (King and Zeng, 2001, "prior correction"), so
    logits refer to the prevalence of the training data either way.

    Args:
        features: (n, features), dense or in compressed-row form.
        targets: float32 (n, width) as `training_targets` makes them, NaN where unknown.
    """
    weights = np.zeros((features.shape[1], codebook.width), dtype=np.float32)
    bias = prior_logits(targets, codebook)
    learned = [False] * codebook.width
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        if task.type is TaskType.MULTICLASS:
            rows = np.flatnonzero(np.isfinite(targets[:, part]).all(axis=1))
            found = _fit(features[rows], targets[rows, part], c=c, balanced=balanced)
            if found is not None:
                columns = part.start + found.classes
                weights[:, columns] = found.weights
                bias[columns] = found.bias
                for column in columns:
                    learned[column] = True
            continue
        for column in range(part.start, part.stop):
            rows = np.flatnonzero(np.isfinite(targets[:, column]))
            given = targets[rows, column]
            shares = np.stack([1 - given, given], axis=1)
            found = _fit(features[rows], shares, c=c, balanced=balanced)
            if found is not None:
                weights[:, column] = found.weights[:, 1] - found.weights[:, 0]
                bias[column] = found.bias[1] - found.bias[0]
                learned[column] = True
    return Regressions(weights, bias, tuple(learned))


@dataclass(frozen=True, slots=True)
class _Fit:
    """Scores of k outcomes: `classes` (k,), `weights` (features, k), `bias` (k,)."""

    classes: npt.NDArray[np.intp]
    weights: FloatArray
    bias: FloatArray


def _fit(
    features: csr_matrix | FloatArray, shares: FloatArray, *, c: float, balanced: bool
) -> _Fit | None:
    """Fit outcomes of probabilities (n, outcomes); None where fewer than two occur, or no feature.

    Outcomes that occur nowhere are left out.
    """
    from sklearn.linear_model import LogisticRegression

    rows, outcome = np.nonzero(shares)
    portions = shares[rows, outcome].astype(np.float64)
    counts = np.bincount(outcome, weights=portions, minlength=shares.shape[1])
    classes = np.flatnonzero(counts)
    if len(classes) < 2 or features.shape[1] == 0:
        return None
    if balanced:
        portions *= counts.sum() / (len(classes) * counts[outcome])
    model = LogisticRegression(C=c, max_iter=_MOST_ITERATIONS)
    model.fit(features[rows], outcome, sample_weight=portions)
    weights, bias = model.coef_.T, model.intercept_
    if len(classes) == 2:  # only the second outcome is scored, against the first
        weights, bias = np.hstack([0 * weights, weights]), np.append(0.0, bias)
    if balanced:
        bias = bias + np.log(counts[classes])
    return _Fit(classes, weights.astype(np.float32), bias.astype(np.float32))
