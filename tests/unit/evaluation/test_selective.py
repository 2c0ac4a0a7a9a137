"""Risk against coverage: areas by hand, ties, weights of documents."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.evaluation.risk_control import Decided
from pipeline.evaluation.selective import risk_coverage


def of(margin: list[float], wrong: list[int], document: list[int] | None = None) -> Decided:
    numbers = range(len(margin)) if document is None else document
    return Decided(
        np.array(margin, dtype=np.float32),
        np.array(wrong, dtype=bool),
        np.array(list(numbers), dtype=np.intp),
    )


def area(seen: Decided) -> float:
    return risk_coverage(seen, "tone", replicates=0, seed=0).area.value


def test_by_hand() -> None:
    curve = risk_coverage(of([0.6, 0.9, 0.7, 0.8], [1, 0, 0, 1]), "tone", replicates=0, seed=0)
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])
    assert curve.area.value == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)
    assert curve.best == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert curve.error == 0.5
    assert curve.margin.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6])


def test_what_certainty_does_not_tell_apart_is_taken_together() -> None:
    assert area(of([0.5] * 4, [1, 0, 0, 0])) == pytest.approx(0.25)
    assert area(of([0.5] * 4, [0, 0, 0, 1])) == pytest.approx(0.25)
    # Three at once with one error, then one more that is right.
    assert area(of([0.9, 0.9, 0.9, 0.1], [1, 0, 0, 0])) == pytest.approx((3 / 3 + 1 / 4) / 4)


def test_a_better_order_has_a_smaller_area() -> None:
    draw = np.random.default_rng(3)
    wrong = draw.random(300) < 0.3
    by_chance = area(of(draw.random(300).tolist(), wrong.tolist()))
    told = area(of((draw.random(300) - wrong).tolist(), wrong.tolist()))
    assert told < 0.8 * by_chance
    assert by_chance == pytest.approx(0.3, abs=0.08)


def test_the_interval_resamples_documents() -> None:
    """Ten copies of a sentence in one document say no more than one."""
    draw = np.random.default_rng(4)
    margin, wrong = draw.random(40), draw.random(40) < 0.4
    single = risk_coverage(of(margin.tolist(), wrong.tolist()), "t", replicates=400, seed=1)
    copies = of(
        np.repeat(margin, 10).tolist(),
        np.repeat(wrong, 10).tolist(),
        np.repeat(np.arange(40), 10).tolist(),
    )
    tenfold = risk_coverage(copies, "t", replicates=400, seed=1)
    assert single.area.low is not None
    assert single.area.high is not None
    assert tenfold.area.low is not None
    assert tenfold.area.high is not None
    width = tenfold.area.high - tenfold.area.low
    assert width == pytest.approx(single.area.high - single.area.low, rel=0.25)
    assert single.area.low < single.area.value < single.area.high


def test_nothing_to_judge() -> None:
    curve = risk_coverage(of([], []), "tone", replicates=50, seed=0)
    assert math.isnan(curve.area.value)
    assert math.isnan(curve.error)
    assert curve.coverage.size == curve.risk.size == 0
