"""Figures are kept with four decimals, and without an interval where the score has none."""

from __future__ import annotations

from pipeline.bundle.manifest import Figure
from pipeline.records import Score


def test_a_score_becomes_a_figure() -> None:
    score = Score("tone.macro_f1", 0.123456, 0.1, 0.98765, 7)
    assert Figure.of("held-out", "macro_f1", score) == Figure(
        dataset="held-out", name="macro_f1", value=0.123456, low=0.1, high=0.98765, support=7
    )
    bare = Figure.of("held-out", "macro_f1", Score("tone.macro_f1", 0.5, None, None, 7))
    assert (bare.low, bare.high) == (None, None)
