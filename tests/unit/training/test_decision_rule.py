from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import SettingsError, ShapeError
from pipeline.training.decision_rule import fit_decision_rule, nested_rules
from pipeline.training.splits import assign_parts

Array = npt.NDArray[np.float32]
Draw = Callable[..., tuple[Array, Array, list[str]]]


def test_a_fold_has_no_part_in_the_rule_it_is_scored_with(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, groups = draw_outcomes(600, seed=0)
    part = assign_parts(groups, targets, shares=(0.25,) * 4, seed=0)
    before = nested_rules(logits, targets, part, codebook)
    poisoned_logits, poisoned_targets = logits.copy(), targets.copy()
    poisoned_logits[part == 2] = 7.0
    poisoned_targets[part == 2] = 1.0 - targets[part == 2]
    after = nested_rules(poisoned_logits, poisoned_targets, part, codebook)
    assert after[2] == before[2]
    assert all(after[fold] != before[fold] for fold in (0, 1, 3))


def test_the_report_scores_each_fold_with_its_own_nested_rule(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    from sklearn.metrics import f1_score, log_loss

    logits, targets, groups = draw_outcomes(600, seed=1)
    logits = 2.0 * logits + 1.0
    _, report = fit_decision_rule(logits, targets, groups, codebook, folds=4, seed=9)
    part = assign_parts(groups, targets, shares=(0.25,) * 4, seed=9)
    tuned = np.zeros(targets.shape, dtype=bool)
    p = np.zeros_like(logits)
    for fold, rule in enumerate(nested_rules(logits, targets, part, codebook)):
        p[part == fold] = rule.probabilities(logits[part == fold], codebook)
        tuned[part == fold] = rule.decide(p[part == fold], codebook).given
    raw = DecisionRule.plain(codebook).probabilities(logits, codebook)
    for gain in report.columns:
        j = codebook.column_names.index(gain.column)
        assert gain.positives == targets[:, j].sum()
        assert gain.f1_tuned == pytest.approx(f1_score(targets[:, j], tuned[:, j]))
        assert gain.f1_half == pytest.approx(f1_score(targets[:, j], p[:, j] >= 0.5))
        assert gain.f1_raw == pytest.approx(f1_score(targets[:, j], raw[:, j] >= 0.5))
    for gain in report.tasks:
        part_of = codebook.slice_of(gain.task)
        if gain.task in codebook.multiclass_tasks():
            gold = targets[:, part_of].argmax(axis=1)
            assert gain.log_loss_calibrated == pytest.approx(
                log_loss(gold, p[:, part_of]), rel=1e-4
            )
            assert gain.macro_f1_gain is None
        else:
            losses = [
                log_loss(targets[:, j], p[:, j].astype(float))
                for j in range(codebook.width)[part_of]
            ]
            assert gain.log_loss_calibrated == pytest.approx(np.mean(losses), rel=1e-4)
            assert gain.macro_f1_gain is not None
            value, low, high = gain.macro_f1_gain
            columns = [c for c in report.columns if c.column.startswith(f"{gain.task}.")]
            assert value == pytest.approx(np.mean([c.f1_tuned - c.f1_half for c in columns]))
            assert low <= value <= high


def test_calibration_helps_a_model_that_is_too_sure(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, groups = draw_outcomes(600, seed=2)
    rule, report = fit_decision_rule(4.0 * logits, targets, groups, codebook, folds=5, seed=0)
    assert all(gain.log_loss_calibrated < 0.7 * gain.log_loss_raw for gain in report.tasks)
    assert (report.folds, report.documents, report.sentences) == (5, 60, 600)
    assert max(rule.threshold) <= 0.5
    assert all(
        rule.threshold[codebook.column_names.index(c.column)] == c.threshold for c in report.columns
    )


def test_it_is_deterministic(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, groups = draw_outcomes(200, seed=3)
    first = fit_decision_rule(logits, targets, groups, codebook, folds=3, seed=4)
    assert first == fit_decision_rule(logits, targets, groups, codebook, folds=3, seed=4)


def test_unknown_rows_are_left_out(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, groups = draw_outcomes(200, seed=5)
    targets[::3] = np.nan
    rule, report = fit_decision_rule(logits, targets, groups, codebook, folds=3, seed=0)
    known = ~np.isnan(targets[:, 0])
    expected, _ = fit_decision_rule(
        logits[known], targets[known], np.array(groups)[known].tolist(), codebook, folds=3, seed=0
    )
    assert rule == expected
    assert all(np.isfinite(gain.log_loss_calibrated) for gain in report.tasks)


def test_mistakes_are_refused(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, groups = draw_outcomes(30, seed=6)
    with pytest.raises(SettingsError, match="cannot fill 5 parts"):
        fit_decision_rule(logits, targets, groups, codebook, folds=5, seed=0)
    with pytest.raises(ShapeError, match="29 groups for 30 rows"):
        fit_decision_rule(logits, targets, groups[1:], codebook, folds=3, seed=0)
