"""Score peers like the product scores itself, and set the figures side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.exchange import Array
from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import DecisionRule
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.comparison import ScoreComparison, compare
from pipeline.evaluation.metrics import Outcomes, measure, outcomes
from pipeline.workflows.scoring import EvaluationSet

SMALLEST = 1e-9
"""Probabilities of zero and one become log-odds of about -21 and 21."""


@dataclass(frozen=True)
class TaskScore:
    """Macro-F1 of one task with its interval, and how far it lies above the shipped classifier's.

    `difference` is `None` for the shipped classifier itself.
    """

    value: float
    interval: tuple[float, float] | None
    difference: ScoreComparison | None


def to_logits(probabilities: Mapping[str, Array], codebook: Codebook) -> Logits:
    """Return log-odds of multilabel columns and log-probabilities of multiclass ones."""
    parts = []
    for name, task in codebook.tasks.items():
        p = np.clip(probabilities[name], SMALLEST, 1.0 - SMALLEST)
        parts.append(np.log(p) - np.log1p(-p) if task.type is TaskType.MULTILABEL else np.log(p))
    return np.concatenate(parts, axis=1).astype(np.float32)


def outcomes_of(
    logits: Logits, rule: DecisionRule, data: EvaluationSet, codebook: Codebook
) -> Outcomes:
    """Return what logits come to on labelled documents, decided by `rule`."""
    probabilities = rule.probabilities(logits, codebook)
    decisions = rule.decide(probabilities, codebook)
    targets = encode_targets(data.sentences, codebook)
    return outcomes(data.groups, probabilities, decisions, targets, codebook)


def task_scores(
    seen: Outcomes, shipped: Outcomes | None, codebook: Codebook, *, replicates: int, seed: int
) -> dict[str, TaskScore]:
    """Return macro-F1 of every task, and its difference to the shipped classifier's."""
    count = seen.document_count
    drawn = document_weights(count, replicates=replicates if count > 1 else 0, seed=seed)
    measured = measure(seen, codebook, np.vstack([np.ones((1, count)), drawn]))
    paired = (
        {}
        if shipped is None
        else {
            one.name: one
            for one in compare(seen, shipped, codebook, replicates=replicates, seed=seed)
        }
    )
    scores = {}
    for task in codebook.tasks:
        name = f"{task}.macro_f1"
        values = measured[name].values
        scores[task] = TaskScore(
            float(values[0]), percentile_interval(values[1:]), paired.get(name)
        )
    return scores


def markdown(
    rows: Sequence[tuple[str, str, str, Mapping[str, TaskScore]]], codebook: Codebook
) -> str:
    """Return one table of (data, classifier, training time, scores) rows."""
    head = ["data", "classifier", "training"]
    for task in codebook.tasks:
        head += [task, f"{task}: less shipped", "p"]
    lines = [head, ["---"] * 3 + ["---", "---", "---:"] * len(codebook.tasks)]
    for data, classifier, training, scores in rows:
        cells = [data, classifier, training]
        for score in scores.values():
            cells.append(f"{_shown(score.value)}{_interval(score.interval)}")
            cells += _difference(score.difference)
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _difference(found: ScoreComparison | None) -> list[str]:
    if found is None:
        return ["", ""]
    bounds = None if found.low is None or found.high is None else (found.low, found.high)
    p = "-" if math.isnan(found.p) else f"{found.p:.4f}"
    return [f"{_shown(found.difference, '+')}{_interval(bounds, '+')}", p]


def _interval(bounds: tuple[float, float] | None, sign: str = "") -> str:
    return "" if bounds is None else f" [{_shown(bounds[0], sign)}, {_shown(bounds[1], sign)}]"


def _shown(value: float, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{sign}.3f}"
