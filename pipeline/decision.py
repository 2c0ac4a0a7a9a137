"""From logits to calibrated probabilities, and from those to decided labels.

Calibration is temperature scaling per label with a bias (Platt, 1999; Guo et al., 2017); abstention
is Chow's (1970) reject rule: no decision where the probability lies too near the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import ShapeError
from pipeline.records import Prediction, Sentence

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """Calibration and thresholds of one model, one entry a column of its codebook.

    calibrated logit = logit * scale + bias. A multilabel column is decided by its `threshold`; a
    multiclass task by its most probable label, whose threshold entries are unused. No decision is
    made where the `margin` is below `abstain_within`: one number for all tasks, or one a task by
    its name (a task that is not named never abstains). Zero never abstains, what lies above one
    always does.
    """

    scale: tuple[float, ...]
    bias: tuple[float, ...]
    threshold: tuple[float, ...]
    abstain_within: float | Mapping[str, float] = 0.0

    @classmethod
    def plain(cls, codebook: Codebook) -> DecisionRule:
        """No calibration, thresholds of one half."""
        k = codebook.width
        return cls(scale=(1.0,) * k, bias=(0.0,) * k, threshold=(0.5,) * k)

    def probabilities(self, logits: npt.NDArray[np.float32], codebook: Codebook) -> Probabilities:
        """Return calibrated probabilities, float32 of shape (n, k), each in [0, 1].

        Raises:
            ShapeError: `logits` is not (n, k) for the k labels of the codebook.
        """
        _require_columns(logits, codebook)
        scaled = logits.astype(np.float64) * np.asarray(self.scale) + np.asarray(self.bias)
        out = np.empty(scaled.shape, dtype=np.float32)
        for name, task in codebook.tasks.items():
            part = codebook.slice_of(name)
            if task.type is TaskType.MULTILABEL:
                out[:, part] = 0.5 * (1.0 + np.tanh(0.5 * scaled[:, part]))
            else:
                raised = np.exp(scaled[:, part] - scaled[:, part].max(axis=1, keepdims=True))
                out[:, part] = raised / raised.sum(axis=1, keepdims=True)
        return out

    def within(self, task: str) -> float:
        """Return the margin that a decision of this task needs."""
        if isinstance(self.abstain_within, Mapping):
            return self.abstain_within.get(task, 0.0)
        return self.abstain_within

    def margin(self, probabilities: Probabilities, codebook: Codebook) -> Probabilities:
        """Return how far each decision is from being another one, float32 (n, k) in [0, 1].

        Of a multilabel column, the distance of its probability from the threshold; of every column
        of a multiclass task, that between the two most probable labels.

        Raises:
            ShapeError: `probabilities` is not (n, k).
        """
        _require_columns(probabilities, codebook)
        margin = np.abs(probabilities - np.asarray(self.threshold, dtype=np.float32))
        for name in codebook.multiclass_tasks():
            part = codebook.slice_of(name)
            second, first = np.sort(probabilities[:, part], axis=1)[:, -2:].T
            margin[:, part] = (first - second)[:, None]
        return margin

    def decide(self, probabilities: Probabilities, codebook: Codebook) -> Decisions:
        """Return which labels are given and which decisions are withheld.

        Raises:
            ShapeError: `probabilities` is not (n, k).
        """
        margin = self.margin(probabilities, codebook)
        given = np.zeros(probabilities.shape, dtype=bool)
        withheld = np.zeros(probabilities.shape, dtype=bool)
        threshold = np.asarray(self.threshold, dtype=np.float32)
        for name, task in codebook.tasks.items():
            part = codebook.slice_of(name)
            p = probabilities[:, part]
            if task.type is TaskType.MULTILABEL:
                given[:, part] = p >= threshold[part]
            elif len(p):
                given[np.arange(len(p)), part.start + p.argmax(axis=1)] = True
            withheld[:, part] = margin[:, part] < self.within(name)
        return Decisions(given=given & ~withheld, withheld=withheld)


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decided columns of n sentences; both arrays are bool of shape (n, codebook.width)."""

    given: npt.NDArray[np.bool_]
    withheld: npt.NDArray[np.bool_]


def to_predictions(
    sentences: Sequence[Sentence],
    probabilities: Probabilities,
    decisions: Decisions,
    codebook: Codebook,
    *,
    model_id: str,
) -> list[Prediction]:
    """Join sentences, probabilities and decisions into records, in row order.

    A multilabel task abstains (`None`) when any of its labels is withheld.

    Raises:
        ShapeError: the arrays do not have one row a sentence and one column a label.
    """
    for array in (probabilities, decisions.given, decisions.withheld):
        _require_columns(array, codebook, rows=len(sentences))
    predictions: list[Prediction] = []
    for row, sentence in enumerate(sentences):
        labels: dict[str, tuple[str, ...] | None] = {}
        shown: dict[str, Mapping[str, float]] = {}
        for name, task in codebook.tasks.items():
            part = codebook.slice_of(name)
            names = tuple(task.labels)
            given = decisions.given[row, part]
            withheld = bool(decisions.withheld[row, part].any())
            chosen = tuple(label for label, yes in zip(names, given, strict=True) if yes)
            labels[name] = None if withheld else chosen
            shown[name] = dict(zip(names, probabilities[row, part].tolist(), strict=True))
        predictions.append(Prediction(sentence, labels, shown, model_id))
    return predictions


def _require_columns(
    array: npt.NDArray[np.float32] | npt.NDArray[np.bool_],
    codebook: Codebook,
    rows: int | None = None,
) -> None:
    wanted = f"({'n' if rows is None else rows}, {codebook.width})"
    if array.ndim != 2 or array.shape[1] != codebook.width or rows not in (None, array.shape[0]):
        raise ShapeError(
            f"got an array of shape {array.shape}, expected {wanted}: one column for each of "
            f"{', '.join(codebook.column_names)}"
        )
