"""Errors are all wrong decisions, the surest first, with the direction that led there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule, Decisions
from pipeline.evaluation.metrics import outcomes
from pipeline.evaluation.mistakes import find_mistakes, toward_mistakes

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
# Columns: topic.food, topic.service, tone.praise, tone.blame, tone.neither
PROBABILITIES = np.array(
    [
        [0.9, 0.2, 0.8, 0.1, 0.1],  # food falsely, service missed; praise instead of blame
        [0.6, 0.3, 0.2, 0.3, 0.5],  # food falsely; tone right
        [0.1, 0.1, 0.6, 0.3, 0.1],  # tone unknown
        [0.9, 0.9, 0.1, 0.6, 0.3],  # topic withheld; blame instead of neither
    ],
    dtype=np.float32,
)
TARGETS = np.array(
    [
        [0, 1, 0, 1, 0],
        [0, 0, 0, 0, 1],
        [0, 0, np.nan, np.nan, np.nan],
        [0, 0, 0, 0, 1],
    ],
    dtype=np.float32,
)


def test_all_wrong_decisions_the_surest_first() -> None:
    rule = DecisionRule.plain(TINY)
    made = rule.decide(PROBABILITIES, TINY)
    withheld = np.zeros_like(made.withheld)
    withheld[3, 0] = True
    decisions = Decisions(made.given & ~withheld, withheld)
    seen = outcomes(["a", "a", "b", "b"], PROBABILITIES, decisions, TARGETS, TINY)
    found = find_mistakes(seen, TINY)
    assert [(m.row, m.task, m.missed, m.false) for m in found] == [
        (0, "topic", ("service",), ("food",)),
        (0, "tone", ("blame",), ("praise",)),
        (1, "topic", (), ("food",)),
        (3, "tone", ("neither",), ("blame",)),
    ]
    assert [m.confidence for m in found] == pytest.approx([0.9, 0.8, 0.6, 0.6])
    assert [(m.column, m.instead) for m in found] == [(0, None), (2, 3), (0, None), (3, 4)]
    scaled = DecisionRule((2.0, 1.0, 0.5, 0.5, 0.5), (0.0,) * 5, (0.5,) * 5)
    assert toward_mistakes(found, scaled, seen, TINY).tolist() == [
        [2, 0, 0, 0, 0],
        [0, 0, 0.5, -0.5, 0],
        [2, 0, 0, 0, 0],
        [0, 0, 0, 0.5, -0.5],
    ]


def test_of_a_missed_label_the_direction_is_away_from_it() -> None:
    rule = DecisionRule.plain(TINY)
    targets = np.array([[1, 0, 1, 0, 0]], dtype=np.float32)
    probabilities = np.array([[0.2, 0.1, 0.9, 0.05, 0.05]], dtype=np.float32)
    decisions = rule.decide(probabilities, TINY)
    seen = outcomes(["a"], probabilities, decisions, targets, TINY)
    (only,) = find_mistakes(seen, TINY)
    assert only.missed == ("food",)
    assert only.confidence == pytest.approx(0.8)
    assert toward_mistakes([only], rule, seen, TINY).tolist() == [[-1, 0, 0, 0, 0]]
    assert toward_mistakes([], rule, seen, TINY).shape == (0, 5)
