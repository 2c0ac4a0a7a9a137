"""The fitted law finds curves it was made from, and its band holds what comes later."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.evaluation.learning_curve import (
    PowerLaw,
    curve_scores,
    fit_curve,
    fit_power_law,
    halvings,
)

SIZES = np.array([10.0, 20.0, 40.0, 80.0, 160.0, 320.0])


def law(a: float, b: float, c: float) -> PowerLaw:
    return PowerLaw(np.array([a]), np.array([b]), np.array([c]))


@given(st.floats(0.3, 0.95), st.floats(0.1, 1.5), st.floats(0.1, 1.5))
def test_a_curve_without_noise_is_found_and_followed(a: float, b: float, c: float) -> None:
    true = law(a, b, c)
    scores = a - b * SIZES**-c
    fitted = fit_power_law(SIZES, scores[None, :])
    assert np.abs(fitted.a[0] - fitted.b[0] * SIZES ** -fitted.c[0] - scores).max() < 0.01
    later = np.array([640.0, 1280.0])
    assert fitted.at(later)[0] == pytest.approx(true.at(later)[0], abs=0.02)


@given(st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6))
def test_no_curve_falls_or_passes_one(scores: list[float]) -> None:
    fitted = fit_power_law(SIZES, np.array([scores]))
    values = fitted.at(np.geomspace(10, 10_000, 30))[0]
    assert (np.diff(values) >= -1e-12).all()
    assert values.min() >= 0.0
    assert values.max() <= 1.0 + 1e-12


def test_curves_are_fitted_each_for_itself() -> None:
    scores = np.vstack([0.8 - 1.0 * SIZES**-0.5, 0.6 - 0.5 * SIZES**-0.3])
    both, second = fit_power_law(SIZES, scores), fit_power_law(SIZES, scores[1:])
    assert both.at(SIZES)[1] == pytest.approx(second.at(SIZES)[0])


def test_the_band_holds_the_truth_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    true, held = law(0.85, 1.2, 0.4), 0
    now, later = true.at(SIZES)[0], true.at(np.array([640.0]))[0, 0]
    for _ in range(60):
        values = now + draw.normal(0, 0.01, 6)
        replicates = values + draw.normal(0, 0.01, (200, 6))
        fitted = fit_curve("s", SIZES.astype(int).tolist(), [1.0] * 6, values, replicates)
        point = fitted.points[6]
        assert point.extrapolated
        assert point.documents == 640
        assert point.low is not None
        assert point.high is not None
        held += point.low <= later <= point.high
    assert 50 <= held <= 60


def test_with_three_sizes_nothing_is_extrapolated() -> None:
    values = np.array([0.2, 0.4, 0.5])
    fitted = fit_curve("s", [10, 20, 40], [1.0] * 3, values, np.tile(values, (50, 1)))
    assert fitted.law is None
    assert [point.extrapolated for point in fitted.points] == [False] * 3


def test_an_undefined_size_is_shown_and_left_out_of_the_fit() -> None:
    values = 0.8 - SIZES**-0.5
    replicates = np.tile(values, (50, 1))
    holed = np.where(SIZES == 10, np.nan, values)
    fitted = fit_curve("s", SIZES.astype(int).tolist(), [1.0] * 6, holed, replicates)
    assert np.isnan(fitted.points[0].value)
    assert fitted.points[-1].value == pytest.approx(0.8 - 1280**-0.5, abs=0.01)


def test_undefined_draws_leave_the_size_in_the_fit_and_are_counted() -> None:
    draw = np.random.default_rng(1)
    values = 0.8 - SIZES**-0.5
    replicates = values + draw.normal(0, 0.01, (50, 6))
    sizes = SIZES.astype(int).tolist()
    whole = fit_curve("s", sizes, [1.0] * 6, values, replicates)
    holed = replicates.copy()
    holed[0, :] = np.nan
    holed[1, 5] = np.nan
    holed[2, :3] = np.nan
    fitted = fit_curve("s", sizes, [1.0] * 6, values, holed)
    assert [point.undefined for point in fitted.points] == [2, 2, 2, 1, 1, 2, 2, 2]
    assert [point.undefined for point in whole.points] == [0] * 8
    assert [point.value for point in fitted.points] == [point.value for point in whole.points]
    assert fitted.laws is not None
    assert whole.laws is not None
    assert len(fitted.laws.a) == 48
    # A draw with a hole is fitted to what it has, as if the size had not been there.
    alone = fit_power_law(SIZES[:5], replicates[1:2, :5])
    assert fitted.laws.at(SIZES)[0] == pytest.approx(alone.at(SIZES)[0])
    assert fitted.laws.at(SIZES)[1:] == pytest.approx(whole.laws.at(SIZES)[3:])


def test_without_a_draw_that_can_be_fitted_nothing_is_extrapolated() -> None:
    values = 0.8 - SIZES**-0.5
    holed = np.tile(np.where(SIZES > 40, np.nan, values), (50, 1))
    fitted = fit_curve("s", SIZES.astype(int).tolist(), [1.0] * 6, values, holed)
    assert fitted.law is None
    assert [point.undefined for point in fitted.points] == [0, 0, 0, 50, 50, 50]


def test_sizes_are_halved_down_to_a_few() -> None:
    assert halvings(100) == [6, 12, 25, 50, 100]
    assert halvings(6) == [6]
    assert len(halvings(100_000)) == 7


def test_scores_need_no_threshold_and_name_every_label(codebook: Codebook) -> None:
    names = curve_scores(codebook)
    assert len(names) == codebook.width + len(codebook.tasks)
    assert len(set(names)) == len(names)
