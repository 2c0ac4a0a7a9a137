"""Intervals of shares against closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.share_estimates import Estimate, Survey, sample_only
from pipeline.evaluation.share_intervals import difference, interval, student_quantile


def binomial(positives: int, n: int) -> Estimate:
    truth = np.array([1.0] * positives + [0.0] * (n - positives))
    survey = Survey(np.arange(n), truth, truth, np.ones(n), truth)
    return sample_only(survey, np.ones(n, dtype=np.bool_))


@pytest.mark.parametrize(
    ("least", "most", "short"), [(2.0001, 3, 0.0075), (3, 4, 0.00121), (4, 1e6, 0.00032)]
)
def test_students_quantile(least: float, most: float, short: float) -> None:
    from scipy.stats import t

    for freedom in np.geomspace(least, most, 200):
        ratio = student_quantile(freedom) / t.ppf(0.975, freedom)
        assert 1 - short <= ratio <= 1 + 1e-9
    assert [student_quantile(n) for n in (1, 2)] == pytest.approx(t.ppf(0.975, [1, 2]))
    assert student_quantile(1.5) == student_quantile(2)


@pytest.mark.parametrize(("positives", "n"), [(8, 40), (50, 100), (95, 100)])
def test_unclustered_it_is_wilsons_interval(positives: int, n: int) -> None:
    """Up to Student's t, and n - 1 in place of n in the variance."""
    t, p = student_quantile(n - 1), positives / n
    effective = n - 1
    centre = (p + t**2 / (2 * effective)) / (1 + t**2 / effective)
    half = t / (1 + t**2 / effective) * math.sqrt(p * (1 - p) / effective + t**2 / 4 / effective**2)
    assert interval(binomial(positives, n)) == pytest.approx((centre - half, centre + half))


@given(
    value=st.floats(-0.2, 1.2),
    spread=st.floats(1e-6, 0.3),
    clusters=st.integers(5, 500),
)
def test_bounds_lie_in_zero_to_one_and_hold_the_value(
    value: float, spread: float, clusters: int
) -> None:
    influence = np.full(clusters, spread / math.sqrt(clusters))
    low, high = interval(Estimate(value, influence, clusters)) or (math.nan, math.nan)
    assert 0 <= low <= min(max(value, 0), 1) <= high <= 1
    assert low < high


def test_too_little_for_an_interval() -> None:
    enough = binomial(10, 40)
    assert interval(enough) is not None
    assert interval(replace(enough, clusters=4)) is None
    assert interval(binomial(4, 40)) is None
    assert interval(binomial(36, 40)) is None
    assert interval(binomial(0, 40)) is None
    assert interval(replace(enough, value=math.nan)) is None
    assert difference(enough, binomial(4, 40)) == (pytest.approx(0.25 - 0.1), None)


def test_the_difference_of_independent_groups() -> None:
    first, second = binomial(30, 60), binomial(20, 80)
    apart = replace(second, influence=np.concatenate([np.zeros(60), second.influence]))
    value, bounds = difference(first, apart)
    assert value == pytest.approx(0.25)
    assert bounds is not None
    a, b = 0.25 / 59, 0.25 * 0.75 / 79
    freedom = (a + b) ** 2 / (a**2 / 59 + b**2 / 79)
    half = student_quantile(freedom) * math.sqrt(a + b)
    assert bounds == pytest.approx((0.25 - half, 0.25 + half))


def test_what_documents_add_to_both_groups_cancels_out() -> None:
    first = binomial(30, 60)
    _, bounds = difference(first, replace(first, value=0.4))
    assert bounds == pytest.approx((0.1, 0.1))
