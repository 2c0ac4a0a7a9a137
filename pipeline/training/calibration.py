"""Fit what turns logits into calibrated probabilities: logit * scale + bias.

A multilabel column gets its own scale and bias (Platt, 1999); a multiclass task one scale for all
its columns, the inverse of its temperature (Guo et al., 2017), and one bias a class (Alexandari et
al., 2020, "bias-corrected temperature scaling").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError, ShapeError

PRIOR_SD = 2.0
"""Standard deviation of the normal prior, mean zero, on log scale and biases. It weighs little
beside a hundred sentences and keeps a handful from making the model certain."""

Array = npt.NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scale and bias of every column, for `DecisionRule`; `notes` say which were left alone."""

    scale: tuple[float, ...]
    bias: tuple[float, ...]
    notes: tuple[str, ...]


def fit_calibration(logits: Logits, targets: Targets, codebook: Codebook) -> Calibration:
    """Fit scale and bias of every column on n sentences the model was not trained on.

    Maximum a posteriori; see `PRIOR_SD`. A multilabel column uses the sentences where it is known,
    a multiclass task those where all its labels are. A multilabel column without positives or
    without negatives, and a multiclass task with fewer than two labels seen, keep scale 1 and bias
    0; a label never seen in a multiclass task keeps bias 0. Each of these is noted.

    Args:
        logits: (n, codebook.width), as `Classifier.predict_logits` returns them.
        targets: (n, codebook.width): 1, 0, or NaN where unknown.

    Raises:
        ShapeError: the arrays do not have that shape.
        InputError: a logit is not finite.
    """
    require_pairs(logits, targets, codebook)
    if not np.isfinite(logits).all():
        bad = int((~np.isfinite(logits)).sum())
        raise InputError(f"{bad} logit(s) are not finite; calibration needs numbers.")
    scale, bias = np.ones(codebook.width), np.zeros(codebook.width)
    notes: list[str] = []
    x, y = logits.astype(np.float64), targets.astype(np.float64)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        if task.type is TaskType.MULTICLASS:
            known = ~np.isnan(y[:, part]).any(axis=1)
            scale[part], bias[part], said = _fit_multiclass(
                x[known, part], y[known, part], name, tuple(task.labels)
            )
            notes.extend(said)
            continue
        for j in range(part.start, part.stop):
            known = ~np.isnan(y[:, j])
            positives, total = int(y[known, j].sum()), int(known.sum())
            if positives in (0, total):
                notes.append(
                    f"{codebook.column_names[j]}: not calibrated, {positives} of {total} "
                    "sentences are positive"
                )
                continue
            scale[j], bias[j] = _fit_binary(x[known, j], y[known, j])
    return Calibration(tuple(scale.tolist()), tuple(bias.tolist()), tuple(notes))


def require_pairs(scores: npt.NDArray[np.float32], targets: Targets, codebook: Codebook) -> None:
    """Check that both arrays are (n, codebook.width).

    Raises:
        ShapeError: they are not.
    """
    if scores.ndim != 2 or scores.shape[1] != codebook.width or scores.shape != targets.shape:
        raise ShapeError(
            f"got scores of shape {scores.shape} and targets of shape {targets.shape}, expected "
            f"both (n, {codebook.width}): one column for each of {', '.join(codebook.column_names)}"
        )


def _fit_binary(x: Array, y: Array) -> tuple[float, float]:
    """Platt scaling with his smoothed targets, which keep separable columns finite."""
    positives, negatives = y.sum(), len(y) - y.sum()
    aim = np.where(y == 1.0, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def objective(theta: Array) -> tuple[float, Array]:
        z = np.exp(theta[0]) * x + theta[1]
        loss = np.logaddexp(0.0, z) - aim * z
        slope = 0.5 * (1.0 + np.tanh(0.5 * z)) - aim
        return float(loss.sum()), np.array([slope @ (z - theta[1]), slope.sum()])

    log_scale, bias = _minimise(objective, 2, len(x))
    return float(np.exp(log_scale)), float(bias)


def _fit_multiclass(
    x: Array, y: Array, task: str, labels: tuple[str, ...]
) -> tuple[float, Array, list[str]]:
    k = len(labels)
    seen = y.sum(axis=0) > 0
    if seen.sum() < 2:
        said = f"{task}: not calibrated, {int(seen.sum())} of its {k} labels seen"
        return 1.0, np.zeros(k), [said]
    notes = [
        f"{task}.{label}: bias not fitted, no sentence is positive"
        for label, there in zip(labels, seen, strict=True)
        if not there
    ]

    def objective(theta: Array) -> tuple[float, Array]:
        stretched = np.exp(theta[0]) * x
        z = stretched.copy()
        z[:, seen] += theta[1:]
        z -= z.max(axis=1, keepdims=True)
        total = np.exp(z).sum(axis=1, keepdims=True)
        slope = np.exp(z) / total - y
        loss = np.log(total).sum() - (y * z).sum()
        return float(loss), np.append((slope * stretched).sum(), slope[:, seen].sum(axis=0))

    theta = _minimise(objective, 1 + int(seen.sum()), len(x))
    bias = np.zeros(k)
    bias[seen] = theta[1:]
    return float(np.exp(theta[0])), bias, notes


def _minimise(objective: Objective, size: int, sentences: int) -> Array:
    from scipy.optimize import minimize

    def penalised(theta: Array) -> tuple[float, Array]:
        loss, gradient = objective(theta)
        prior = theta / PRIOR_SD**2
        # By the sentence, so that the stopping rule means the same for samples of every size.
        return (loss + 0.5 * float(theta @ prior)) / sentences, (gradient + prior) / sentences

    solution = minimize(penalised, np.zeros(size), jac=True, method="BFGS", options={"gtol": 1e-7})
    return np.asarray(solution.x, dtype=np.float64)
