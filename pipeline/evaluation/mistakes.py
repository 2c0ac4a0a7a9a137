"""The wrong decisions of a model, the most confident first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, TaskType
from pipeline.decision import DecisionRule
from pipeline.evaluation.metrics import Outcomes

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong decision of one task on the sentence in row `row`.

    `missed` are gold labels that were not given, `false` labels given that are not gold.
    `confidence` is the probability the model gave to its own answer, for the label where that was
    highest: `column`. `instead` is the gold column in a multiclass task, else `None`.
    """

    row: int
    task: str
    missed: tuple[str, ...]
    false: tuple[str, ...]
    confidence: float
    column: int
    instead: int | None = None


def find_mistakes(seen: Outcomes, codebook: Codebook) -> list[Mistake]:
    """Return all wrong decisions by falling confidence; withheld ones and unknown labels are none.

    A sentence appears once a task in which it is decided wrong.
    """
    found: list[Mistake] = []
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        gold = seen.targets[:, part] == 1.0
        given, p = seen.given[:, part], seen.probabilities[:, part]
        judged = ~np.isnan(seen.targets[:, part]).any(axis=1) & ~seen.withheld[:, part].any(axis=1)
        wrong = gold != given
        certainty = np.where(wrong, np.where(given, p, 1.0 - p), -1.0)
        labels = tuple(task.labels)
        single = task.type is TaskType.MULTICLASS
        for row in np.flatnonzero(judged & wrong.any(axis=1)).tolist():
            at = int((given[row] if single else certainty[row]).argmax())
            found.append(
                Mistake(
                    row=row,
                    task=name,
                    missed=_chosen(labels, gold[row] & ~given[row]),
                    false=_chosen(labels, given[row] & ~gold[row]),
                    confidence=float(certainty[row, at]),
                    column=part.start + at,
                    instead=part.start + int(gold[row].argmax()) if single else None,
                )
            )
    return sorted(found, key=lambda one: -one.confidence)


def toward_mistakes(
    mistakes: Sequence[Mistake], rule: DecisionRule, seen: Outcomes, codebook: Codebook
) -> Array:
    """Return weights of logits, (m, codebook.width), whose sum rises as each mistake grows surer.

    In calibrated log-odds: of a label falsely given; of a missed label, negative; in a multiclass
    task of the given label against the gold one.
    """
    out = np.zeros((len(mistakes), codebook.width))
    for i, one in enumerate(mistakes):
        scale = rule.scale[one.column]
        if one.instead is None:
            out[i, one.column] = scale if seen.given[one.row, one.column] else -scale
        else:
            out[i, one.column], out[i, one.instead] = scale, -scale
    return out


def _chosen(labels: Sequence[str], given: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(label for label, yes in zip(labels, given, strict=True) if yes)
