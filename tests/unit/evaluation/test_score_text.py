"""A score as text, also where it has no value or no interval."""

from __future__ import annotations

import math

import pytest

from pipeline.evaluation.score_text import score_text
from pipeline.records import Score


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.7123, 0.65, 0.77, "0.712 [0.650, 0.770]"),
        (0.7123, None, None, "0.712"),
        (math.nan, None, None, "-"),
    ],
)
def test_a_score_is_shown(value: float, low: float | None, high: float | None, text: str) -> None:
    assert score_text(Score("tone.macro_f1", value, low, high, 3)) == text


def test_signs_and_words_where_they_are_wanted() -> None:
    gain = Score("gain", 0.01, -0.02, 0.04, 3)
    assert score_text(gain, sign="+") == "+0.010 [-0.020, +0.040]"
    unknown = Score("gain", math.nan, None, None, 0)
    assert score_text(unknown, undefined="not defined") == "not defined"
