"""A decision rule for texts unlike the calibration documents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import SettingsError
from pipeline.training.decision_rule import fit_decision_rule
from pipeline.training.transfer import at_prevalence, at_temperature

Array = npt.NDArray[np.float32]
Draw = Callable[..., tuple[Array, Array, list[str]]]


def first_label(codebook: Codebook) -> tuple[str, str, int]:
    task = codebook.multilabel_tasks()[0]
    return task, next(iter(codebook.tasks[task].labels)), codebook.slice_of(task).start


def fitted(codebook: Codebook, drawn: tuple[Array, Array, list[str]]) -> DecisionRule:
    return fit_decision_rule(*drawn, codebook, folds=4, seed=1)[0]


def test_the_share_of_the_calibration_documents_changes_nothing(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, groups = draw_outcomes(600, seed=0)
    task, label, j = first_label(codebook)
    rule = fitted(codebook, (logits, targets, groups))
    same, _ = at_prevalence(
        rule, logits, targets, codebook, {task: {label: float(targets[:, j].mean())}}
    )
    assert same.bias == pytest.approx(rule.bias, abs=1e-5)
    assert same.threshold == pytest.approx(rule.threshold, abs=1e-5)


def test_a_rarer_label_is_less_probable_and_others_stay(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, groups = draw_outcomes(2000, seed=2)
    task, label, j = first_label(codebook)
    rule = fitted(codebook, (logits, targets, groups))
    rare, report = fit_decision_rule(
        logits, targets, groups, codebook, folds=4, seed=1, prevalence={task: {label: 0.02}}
    )
    name = codebook.column_names[j]
    assert f"{name}: bias and threshold are those for a share of 0.02" in report.notes
    assert {one.column: one.threshold for one in report.columns}[name] == rare.threshold[j]
    others = [i for i in range(codebook.width) if i != j]
    assert [rare.bias[i] for i in others] == [rule.bias[i] for i in others]
    assert [rare.threshold[i] for i in others] == [rule.threshold[i] for i in others]
    weights = np.where(
        targets[:, j] == 1, 0.02 / targets[:, j].mean(), 0.98 / (1 - targets[:, j].mean())
    )
    mean = np.average(rare.probabilities(logits, codebook)[:, j], weights=weights)
    assert mean == pytest.approx(0.02, rel=0.25)
    before = rule.decide(rule.probabilities(logits, codebook), codebook).given[:, j].sum()
    after = rare.decide(rare.probabilities(logits, codebook), codebook).given[:, j].sum()
    assert after < before


def test_a_label_without_positives_stays_as_it_is(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, groups = draw_outcomes(300, seed=3)
    task, label, j = first_label(codebook)
    targets[:, j] = 0.0
    rule = fitted(codebook, (logits, targets, groups))
    assert at_prevalence(rule, logits, targets, codebook, {task: {label: 0.1}}) == (rule, ())


def test_names_that_the_codebook_does_not_know_are_settings_errors(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, groups = draw_outcomes(300, seed=4)
    rule = fitted(codebook, (logits, targets, groups))
    task, label, _ = first_label(codebook)
    several = codebook.multiclass_tasks()[0]
    wrong = {"nothing": {label: 0.1}, task: {label + "s": 0.1}, several: {}}
    with pytest.raises(SettingsError) as caught:
        at_prevalence(rule, logits, targets, codebook, wrong)
    said = str(caught.value)
    assert "unknown task 'nothing'" in said
    assert f"unknown label '{label}s'" in said
    assert f"task '{several}' is multiclass" in said


def first_task(codebook: Codebook) -> str:
    return codebook.multiclass_tasks()[0]


@pytest.mark.parametrize("temperature", [0.5, 1.3, 4.0])
def test_a_temperature_divides_differences_of_log_probabilities_and_decides_nothing_else(
    codebook: Codebook, draw_outcomes: Draw, temperature: float
) -> None:
    logits, targets, groups = draw_outcomes(300, seed=3)
    task = first_task(codebook)
    part = codebook.slice_of(task)
    rule = fitted(codebook, (logits, targets, groups))
    other, report = fit_decision_rule(
        logits, targets, groups, codebook, folds=4, seed=1, temperature={task: temperature}
    )
    assert f"{task}: log-odds are divided by {temperature:g}" in report.notes
    before, after = (one.probabilities(logits, codebook) for one in (rule, other))
    log = np.log(before[:, part].astype(np.float64))
    wanted = (log[:, 1:] - log[:, :1]) / temperature
    log = np.log(after[:, part].astype(np.float64))
    np.testing.assert_allclose(log[:, 1:] - log[:, :1], wanted, rtol=1e-3, atol=1e-3)
    others = [j for j in range(codebook.width) if not part.start <= j < part.stop]
    np.testing.assert_array_equal(after[:, others], before[:, others])
    said = [rule.decide(before, codebook).given, other.decide(after, codebook).given]
    np.testing.assert_array_equal(*said)


def test_only_multiclass_tasks_have_a_temperature(codebook: Codebook) -> None:
    rule = DecisionRule.plain(codebook)
    several = codebook.multilabel_tasks()[0]
    with pytest.raises(SettingsError) as caught:
        at_temperature(rule, codebook, {several: 1.2, "nothing": 1.2})
    assert [mistake.split(";")[0].split(".")[0] for mistake in caught.value.mistakes] == [
        f"task '{several}' is multilabel",
        "unknown task 'nothing'",
    ]
