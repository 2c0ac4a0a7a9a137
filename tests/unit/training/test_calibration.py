from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import InputError, ShapeError
from pipeline.training.calibration import Calibration, fit_calibration

Array = npt.NDArray[np.float32]
Draw = Callable[..., tuple[Array, Array, list[str]]]


def probabilities(fit: Calibration, logits: Array, codebook: Codebook) -> Array:
    rule = DecisionRule(fit.scale, fit.bias, (0.5,) * codebook.width)
    return rule.probabilities(logits, codebook)


def test_it_undoes_a_known_scale_and_bias(codebook: Codebook, draw_outcomes: Draw) -> None:
    true, targets, _ = draw_outcomes(20_000, seed=0)
    column_shift = np.linspace(-1.0, 1.0, codebook.width)
    distorted = ((true - column_shift) / 0.4).astype(np.float32)
    fit = fit_calibration(distorted, targets, codebook)
    assert fit.notes == ()
    np.testing.assert_allclose(fit.scale, 0.4, atol=0.02)
    for task in codebook.tasks:
        part = codebook.slice_of(task)
        found, wanted = np.array(fit.bias[part]), column_shift[part]
        if task in codebook.multiclass_tasks():
            # Only differences of the biases of a multiclass task matter.
            found, wanted = found - found.mean(), wanted - wanted.mean()
        np.testing.assert_allclose(found, wanted, atol=0.08)


def test_a_multiclass_task_gets_one_scale(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(300, seed=1)
    fit = fit_calibration(logits, targets, codebook)
    for task in codebook.multiclass_tasks():
        assert len(set(fit.scale[codebook.slice_of(task)])) == 1


def test_it_agrees_with_logistic_regression_on_many_sentences(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    from sklearn.linear_model import LogisticRegression

    logits, targets, _ = draw_outcomes(20_000, seed=2)
    fit = fit_calibration(3.0 * logits + 1.0, targets, codebook)
    x = (3.0 * logits + 1.0)[:, :1]
    reference = LogisticRegression(C=1e6).fit(x, targets[:, 0])
    assert fit.scale[0] == pytest.approx(reference.coef_[0, 0], rel=0.01)
    assert fit.bias[0] == pytest.approx(reference.intercept_[0], abs=0.02)


def test_masked_rows_change_nothing(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(200, seed=3)
    more_logits = np.vstack([logits, 9.0 * np.ones_like(logits)])
    more_targets = np.vstack([targets, np.full_like(targets, np.nan)])
    assert fit_calibration(more_logits, more_targets, codebook) == fit_calibration(
        logits, targets, codebook
    )


def test_columns_that_cannot_be_fitted_stay_as_they_are_and_are_named(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, _ = draw_outcomes(200, seed=4)
    multilabel, multiclass = codebook.multilabel_tasks()[0], codebook.multiclass_tasks()[0]
    column = codebook.slice_of(multilabel).start
    part = codebook.slice_of(multiclass)
    targets[:, column] = 0.0
    targets[:, part] = 0.0
    targets[:, part.start + 1] = 1.0
    fit = fit_calibration(logits, targets, codebook)
    assert (fit.scale[column], fit.bias[column]) == (1.0, 0.0)
    assert set(fit.scale[part]) == {1.0}
    assert set(fit.bias[part]) == {0.0}
    assert any(note.startswith(codebook.column_names[column]) for note in fit.notes)
    assert any(note.startswith(f"{multiclass}: not calibrated") for note in fit.notes)


def test_a_class_never_seen_keeps_bias_zero(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(300, seed=5)
    part = codebook.slice_of(codebook.multiclass_tasks()[0])
    keep = targets[:, part.start] == 0.0
    fit = fit_calibration(logits[keep], targets[keep], codebook)
    assert fit.bias[part.start] == 0.0
    assert 0.0 not in fit.bias[part.start + 1 : part.stop]
    assert fit.notes == (
        f"{codebook.column_names[part.start]}: bias not fitted, no sentence is positive",
    )


def test_a_separable_column_does_not_become_certain(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, _ = draw_outcomes(40, seed=6)
    logits[:, 0] = np.where(np.arange(40) < 4, 5.0, -5.0)
    targets[:, 0] = np.arange(40) < 4
    p = probabilities(fit_calibration(logits, targets, codebook), logits, codebook)[:, 0]
    # The smoothed target of 4 positives is 5/6; without smoothing they would reach 0.99.
    assert 0.7 < p[:4].min() <= p[:4].max() < 0.9
    assert 0.005 < p[4:].min() <= p[4:].max() < 0.1


def test_constant_logits_become_the_prevalence(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(1000, seed=7)
    logits[:] = 0.0
    p = probabilities(fit_calibration(logits, targets, codebook), logits, codebook)
    np.testing.assert_allclose(p.mean(axis=0), targets.mean(axis=0), atol=0.01)


def test_it_never_turns_a_column_round(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(200, seed=8)
    fit = fit_calibration(-logits, targets, codebook)
    assert min(fit.scale) > 0.0


def test_bad_arrays_are_refused(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(20, seed=9)
    with pytest.raises(ShapeError, match=r"expected both \(n, "):
        fit_calibration(logits[:, 1:], targets, codebook)
    logits[3, 0] = np.inf
    with pytest.raises(InputError, match=r"1 logit\(s\) are not finite"):
        fit_calibration(logits, targets, codebook)
