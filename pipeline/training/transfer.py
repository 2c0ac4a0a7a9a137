"""Carry a decision rule over to texts unlike the documents that it was fitted on.

They differ in the shares of labels. A training corpus is often enriched: its makers sought out
rare labels. Under prior shift (the sentences of a label stay alike, only its share changes) a
calibrated log-odds moves by the difference of the log-odds of the shares (Saerens, Latinne and
Decaestecker, 2002, "Adjusting the outputs of a classifier to new a priori probabilities").

And they are further from what was learned, so that the classifier is surer than it is right (Ovadia
et al., 2019, "Can you trust your model's uncertainty? Evaluating predictive uncertainty under
dataset shift"). A temperature found on some of them makes up for it (Guo et al., 2017).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import DecisionRule
from pipeline.errors import SettingsError, near_matches
from pipeline.training.thresholds import f1_thresholds

Prevalence = Mapping[str, Mapping[str, float]]
"""For a task by name: the expected share of sentences that carry each label."""

Array = npt.NDArray[np.float64]


def at_prevalence(
    rule: DecisionRule, logits: Logits, targets: Targets, codebook: Codebook, wanted: Prevalence
) -> tuple[DecisionRule, tuple[str, ...]]:
    """Return the rule for texts in which multilabel labels have the wanted shares, and notes.

    Biases move by prior shift; thresholds are those with the highest expected F1 when the
    calibration sentences are weighted so that the labels have these shares. Labels that are not
    named, and labels without positives or negatives here, stay as they are.

    Args:
        rule: fitted on these `logits` and `targets`, both (n, codebook.width).

    Raises:
        SettingsError: an unknown or multiclass task, or an unknown label.
    """
    share = expected_shares(wanted, codebook)
    known = ~np.isnan(targets)
    positives = np.where(known, targets, 0.0).sum(axis=0)
    here = positives / np.maximum(known.sum(axis=0), 1)
    moved = ~np.isnan(share) & (here > 0) & (here < 1)
    bias = np.asarray(rule.bias, dtype=np.float64).copy()
    bias[moved] += _log_odds(share[moved]) - _log_odds(here[moved])
    shifted = replace(rule, bias=tuple(bias.tolist()))
    weights = np.ones(targets.shape)
    for j in np.flatnonzero(moved):
        weights[:, j] = np.where(
            targets[:, j] == 1.0, share[j] / here[j], (1 - share[j]) / (1 - here[j])
        )
    best = f1_thresholds(shifted.probabilities(logits, codebook), targets, codebook, weights)
    threshold = np.where(moved, best.values, rule.threshold)
    notes: list[str] = []
    for j in np.flatnonzero(moved):
        name = codebook.column_names[j]
        notes.append(f"{name}: bias and threshold are those for a share of {share[j]:g}")
        notes += [note for note in best.notes if note.startswith(f"{name}: ")]
    return replace(shifted, threshold=tuple(threshold.tolist())), tuple(notes)


def at_temperature(
    rule: DecisionRule, codebook: Codebook, wanted: Mapping[str, float]
) -> tuple[DecisionRule, tuple[str, ...]]:
    """Return the rule with the log-odds of multiclass tasks divided by a temperature, and notes.

    Probabilities become flatter (above 1) or more extreme; which label is likeliest stays.

    Raises:
        SettingsError: an unknown or multilabel task.
    """
    require_multiclass(wanted, codebook)
    scale, bias = list(rule.scale), list(rule.bias)
    for task, temperature in wanted.items():
        for j in range(codebook.width)[codebook.slice_of(task)]:
            scale[j], bias[j] = scale[j] / temperature, bias[j] / temperature
    notes = tuple(f"{task}: log-odds are divided by {value:g}" for task, value in wanted.items())
    return replace(rule, scale=tuple(scale), bias=tuple(bias)), notes


def require_multiclass(tasks: Iterable[str], codebook: Codebook) -> None:
    """Check that the tasks are multiclass tasks of the codebook.

    Raises:
        SettingsError: they are not.
    """
    mistakes = [
        f"task '{task}' is multilabel; its probabilities and thresholds are fitted label by label"
        if task in codebook.tasks
        else f"unknown task '{task}'.{near_matches(task, codebook.tasks)}"
        for task in tasks
        if task not in codebook.multiclass_tasks()
    ]
    if mistakes:
        raise SettingsError(mistakes, where="temperature")


def _log_odds(share: Array) -> Array:
    odds: Array = np.log(share) - np.log1p(-share)
    return odds


def expected_shares(wanted: Prevalence, codebook: Codebook) -> Array:
    """Return the wanted share of every column, float64 (width,), NaN where none is given.

    Raises:
        SettingsError: an unknown or multiclass task, or an unknown label.
    """
    share = np.full(codebook.width, np.nan)
    mistakes: list[str] = []
    for task, labels in wanted.items():
        if task not in codebook.tasks:
            mistakes.append(f"unknown task '{task}'.{near_matches(task, codebook.tasks)}")
            continue
        if codebook.tasks[task].type is not TaskType.MULTILABEL:
            mistakes.append(f"task '{task}' is multiclass; only multilabel tasks have thresholds")
            continue
        start = codebook.slice_of(task).start
        names = list(codebook.tasks[task].labels)
        for label, value in labels.items():
            if mistake := codebook.label_mistake(task, label):
                mistakes.append(mistake)
            else:
                share[start + names.index(label)] = value
    if mistakes:
        raise SettingsError(mistakes, where="prevalence")
    return share
