"""Calibration and thresholds of a trained model, with an honest account of what they gain.

The rule itself is fitted on all calibration documents. What it gains is measured by
cross-validation over these documents: for each fold calibration and thresholds are fitted anew
without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import DecisionRule
from pipeline.errors import ShapeError
from pipeline.evaluation.bootstrap import Array, document_weights
from pipeline.evaluation.comparison import counts_by_document, summed_counts
from pipeline.evaluation.metrics import ratio
from pipeline.training.calibration import fit_calibration, require_pairs
from pipeline.training.splits import assign_parts
from pipeline.training.thresholds import f1_thresholds
from pipeline.training.transfer import Prevalence, at_prevalence, at_temperature

REPLICATES = 1000
"""Bootstrap replicates behind the interval of a gain."""


@dataclass(frozen=True, slots=True)
class ColumnGain:
    """Out-of-fold F1 of one multilabel column; NaN without positives and predictions.

    `f1_tuned` is calibrated and thresholded, `f1_half` calibrated with 0.5, `f1_raw` the model as
    it came: 0.5 on uncalibrated probabilities.
    """

    column: str
    positives: int
    threshold: float
    f1_tuned: float
    f1_half: float
    f1_raw: float


@dataclass(frozen=True, slots=True)
class TaskGain:
    """Out-of-fold log loss of one task (mean over sentences and, in a multilabel task, labels).

    In a multilabel task, `macro_f1_gain` is macro-F1 with tuned thresholds minus macro-F1 with 0.5,
    both calibrated, with its 95 % interval from a paired bootstrap over documents (value, low,
    high); `None` in a multiclass task, which has no thresholds.
    """

    task: str
    log_loss_raw: float
    log_loss_calibrated: float
    macro_f1_gain: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """What calibration and thresholds gain on documents they were not fitted on."""

    folds: int
    documents: int
    sentences: int
    columns: tuple[ColumnGain, ...]
    tasks: tuple[TaskGain, ...]
    notes: tuple[str, ...]


def fit_decision_rule(
    logits: Logits,
    targets: Targets,
    groups: Sequence[str],
    codebook: Codebook,
    *,
    folds: int,
    seed: int,
    prevalence: Prevalence | None = None,
    temperature: Mapping[str, float] | None = None,
) -> tuple[DecisionRule, DecisionReport]:
    """Fit calibration and thresholds on calibration documents and measure their gain out of fold.

    The documents must be used neither for training the model nor for the scores that are reported.

    Args:
        logits: (n, codebook.width).
        targets: (n, codebook.width): 1, 0, or NaN where unknown.
        groups: the document of each of the n sentences.
        prevalence: expected shares of labels where the rule will be used; see `at_prevalence`. What
            the report says of gains is measured without it, at the shares of these documents.
        temperature: by multiclass task, for where the rule will be used; see `at_temperature`. The
            report leaves it out as well.

    Raises:
        ShapeError: the arrays and groups do not fit each other.
        SettingsError: there are fewer documents than folds, or `prevalence` or `temperature` does
            not fit the codebook.
        InputError: a logit is not finite.
    """
    require_pairs(logits, targets, codebook)
    if len(groups) != len(logits):
        raise ShapeError(f"got {len(groups)} groups for {len(logits)} rows of logits")
    rule, notes = _fit(logits, targets, codebook)
    part = assign_parts(groups, targets, shares=(1.0 / folds,) * folds, seed=seed)
    rules = nested_rules(logits, targets, part, codebook)
    if prevalence:
        rule, said = at_prevalence(rule, logits, targets, codebook, prevalence)
        notes += said
    if temperature:
        rule, said = at_temperature(rule, codebook, temperature)
        notes += said

    plain = DecisionRule.plain(codebook)
    raw = plain.probabilities(logits, codebook)
    calibrated, tuned = np.empty_like(raw), np.zeros(raw.shape, dtype=bool)
    for fold, nested in enumerate(rules):
        rows = part == fold
        calibrated[rows] = nested.probabilities(logits[rows], codebook)
        tuned[rows] = nested.decide(calibrated[rows], codebook).given
    documents = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)[1]
    counts = {
        name: counts_by_document(given, targets, documents)
        for name, given in {
            "tuned": tuned,
            "half": plain.decide(calibrated, codebook).given,
            "raw": plain.decide(raw, codebook).given,
        }.items()
    }
    f1 = {name: _f1(one.sum(axis=0, keepdims=True))[0] for name, one in counts.items()}
    columns = tuple(
        ColumnGain(
            column=codebook.column_names[j],
            positives=int(np.nansum(targets[:, j])),
            threshold=rule.threshold[j],
            f1_tuned=float(f1["tuned"][j]),
            f1_half=float(f1["half"][j]),
            f1_raw=float(f1["raw"][j]),
        )
        for name in codebook.multilabel_tasks()
        for j in range(codebook.width)[codebook.slice_of(name)]
    )
    tasks = tuple(
        TaskGain(
            task=name,
            log_loss_raw=_log_loss(raw, targets, codebook, name),
            log_loss_calibrated=_log_loss(calibrated, targets, codebook, name),
            macro_f1_gain=_gain(
                counts["tuned"][:, :, codebook.slice_of(name)],
                counts["half"][:, :, codebook.slice_of(name)],
                seed,
            )
            if task.type is TaskType.MULTILABEL
            else None,
        )
        for name, task in codebook.tasks.items()
    )
    report = DecisionReport(folds, int(documents.max()) + 1, len(logits), columns, tasks, notes)
    return rule, report


def nested_rules(
    logits: Logits, targets: Targets, part: npt.NDArray[np.intp], codebook: Codebook
) -> list[DecisionRule]:
    """Return, for each fold of `part`, the rule fitted on the rows of all other folds."""
    return [
        _fit(logits[part != fold], targets[part != fold], codebook)[0]
        for fold in range(int(part.max()) + 1)
    ]


def _fit(
    logits: Logits, targets: Targets, codebook: Codebook
) -> tuple[DecisionRule, tuple[str, ...]]:
    calibration = fit_calibration(logits, targets, codebook)
    halves = (0.5,) * codebook.width
    calibrated = DecisionRule(calibration.scale, calibration.bias, halves)
    thresholds = f1_thresholds(calibrated.probabilities(logits, codebook), targets, codebook)
    rule = DecisionRule(calibration.scale, calibration.bias, thresholds.values)
    return rule, calibration.notes + thresholds.notes


def _gain(tuned: Array, half: Array, seed: int) -> tuple[float, float, float]:
    """Macro-F1 difference and its paired percentile interval, over the labels with positives.

    The counts have shape (documents, 3, labels); a label that is never found counts as zero.
    """
    there = tuned[:, 2].sum(axis=0) > 0
    weights = document_weights(len(tuned), replicates=REPLICATES, seed=seed)
    weights = np.vstack([np.ones((1, len(tuned))), weights])
    macro = [
        np.nan_to_num(_f1(summed_counts(weights, counts[:, :, there]))).mean(axis=1)
        if there.any()
        else np.full(len(weights), np.nan)
        for counts in (tuned, half)
    ]
    difference = macro[0] - macro[1]
    low, high = np.quantile(difference[1:], [0.025, 0.975])
    return float(difference[0]), float(low), float(high)


def _f1(sums: Array) -> Array:
    return ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2])


def _log_loss(
    probabilities: npt.NDArray[np.float32], targets: Targets, codebook: Codebook, task: str
) -> float:
    """Mean negative log-likelihood of the known labels; NaN where none is known."""
    part = codebook.slice_of(task)
    y = targets[:, part].astype(np.float64)
    p = np.clip(probabilities[:, part].astype(np.float64), 1e-7, 1 - 1e-7)
    if codebook.tasks[task].type is TaskType.MULTICLASS:
        losses = -np.log(p[y == 1.0])
    else:
        known = ~np.isnan(y)
        losses = -np.log(np.where(y == 1.0, p, 1.0 - p)[known])
    return float(losses.mean()) if losses.size else float("nan")
