"""The gate of promotion judges by figures, each for itself."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pipeline.bundle.export import Parity
from pipeline.codebook import Codebook
from pipeline.evaluation.behaviour import BehaviourResult
from pipeline.evaluation.comparison import ScoreComparison
from pipeline.records import EvaluationReport, Score
from pipeline.settings.experiment import BehaviourFloors, CardSettings, GateSettings
from pipeline.workflows.gate import (
    behaviour_gate,
    calibration_gate,
    not_worse,
    papers_gate,
    parity_gate,
)

FLOORS = BehaviourFloors(invariance=0.02, direction=0.5, functionality=0.9)


def compared(name: str, low: float | None, high: float | None) -> ScoreComparison:
    middle = 0.0 if low is None or high is None else (low + high) / 2
    numbers = (0.2, 0.2, 1.0, 0.01, 0.03)
    return ScoreComparison(name, 0.8 + middle, 0.8, middle, low, high, *numbers, support=50)


@pytest.mark.parametrize(
    ("low", "high", "passed", "verdict"),
    [
        (0.01, 0.05, True, "better"),
        (-0.015, 0.03, True, "not worse"),
        (0.0, 0.0, True, "not worse"),
        (-0.02, 0.06, False, "not shown to be as good"),
        (-0.06, -0.03, False, "worse"),
        (None, None, False, "too few documents for an interval"),
    ],
)
def test_the_whole_interval_must_lie_above_minus_the_margin(
    tiny: Codebook, low: float | None, high: float | None, passed: bool, verdict: str
) -> None:
    scores = [
        compared("topic.macro_f1", 0.0, 0.01),
        compared("topic.food.f1", -0.5, -0.4),  # single labels are shown elsewhere
        compared("tone.macro_f1", low, high),
    ]
    gate = not_worse(scores, tiny, GateSettings(margin=0.02), "on reviews: ", cautions=("few",))
    assert gate.passed is passed
    assert verdict in gate.said.partition("tone.macro_f1")[2]
    assert gate.said.startswith("on reviews: topic.macro_f1 0.805 to 0.800, +0.005 [+0.000, +0.01")
    assert gate.said.endswith("caution: few")
    assert "food" not in gate.said


def behaviour(name: str, n: int, count: int) -> BehaviourResult:
    return BehaviourResult(name, n, count, left_out=0, threshold=0.5)


@pytest.mark.parametrize(
    ("flipped", "directed", "right", "passed"),
    [
        (1, 5, 9, True),
        (2, 5, 9, False),  # the share must lie below
        (1, 4, 9, False),
        (1, 5, 8, False),
    ],
)
def test_families_of_behaviour_tests_are_pooled(
    flipped: int, directed: int, right: int, passed: bool
) -> None:
    results = [
        behaviour("invariance.names", 50, flipped),
        behaviour("invariance.dates", 50, 0),
        behaviour("direction.negation", 10, directed),
        behaviour("functionality.food.plain", 10, right),
    ]
    gate = behaviour_gate(results, FLOORS)
    assert gate.passed is passed
    assert f"invariance {flipped / 100:.4f} (below 0.02)" in gate.said
    assert dict(gate.figures)["direction"] == directed / 10


def test_a_family_without_a_decision_proves_nothing() -> None:
    right = behaviour("functionality.food.plain", 10, 10)
    only_flips_missing = [
        behaviour("invariance.names", 0, 0),
        behaviour("direction.a", 4, 4),
        right,
    ]
    assert behaviour_gate(only_flips_missing, FLOORS).passed
    unjudged = behaviour_gate([behaviour("direction.a", 0, 0), right], FLOORS)
    assert not unjudged.passed
    assert "direction no decision (at least 0.5)" in unjudged.said


@pytest.mark.parametrize(("tone", "passed"), [(0.05, True), (0.0501, False), (math.nan, False)])
def test_the_calibration_of_every_task_counts(tiny: Codebook, tone: float, passed: bool) -> None:
    scores = {
        "topic.ece": Score("topic.ece", 0.01, None, None, 9),
        "tone.ece": Score("tone.ece", tone, None, None, 9),
    }
    gate = calibration_gate(EvaluationReport("held-out", 3, 9, scores), tiny, 0.05)
    assert gate.passed is passed
    assert f"tone.ece {tone:.4f} (allowed 0.05)" in gate.said


@pytest.mark.parametrize(("flipped", "passed"), [(0.03, True), (0.031, False)])
def test_the_exported_model_decides_as_the_trained_one(flipped: float, passed: bool) -> None:
    gate = parity_gate(Parity(7, 0.01, 0.2, flipped), 0.03)
    assert gate.passed is passed
    assert f"{flipped:.2%} of the decisions on 7 held-out sentences" in gate.said


def test_licence_and_data_card(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    stated = CardSettings(licence="CC0-1.0", data_card=card)
    assert "is missing or empty" in papers_gate(stated).said
    card.write_text("  \n", encoding="utf-8")
    assert not papers_gate(stated).passed
    card.write_text("Reviews.\n", encoding="utf-8")
    assert papers_gate(stated).passed
    assert not papers_gate(CardSettings(data_card=card)).passed
    assert not papers_gate(CardSettings(licence="CC0-1.0")).passed
