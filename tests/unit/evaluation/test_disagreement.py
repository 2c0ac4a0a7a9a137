from __future__ import annotations

import numpy as np
import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.disagreement import disagreements
from pipeline.evaluation.metrics import Outcomes, outcomes


@pytest.fixture(scope="module")
def tiny() -> Codebook:
    from pathlib import Path

    return load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def said(
    topic: list[tuple[float, float]],
    tiny: Codebook,
    gold: list[tuple[float, float]],
    abstain_within: float = 0.0,
) -> Outcomes:
    """Outcomes of the task `topic`; the tone is unknown."""
    n = len(topic)
    p = np.full((n, tiny.width), 0.2, dtype=np.float32)
    p[:, :2] = topic
    targets = np.full((n, tiny.width), np.nan, dtype=np.float32)
    targets[:, :2] = gold
    plain = DecisionRule.plain(tiny)
    rule = DecisionRule(plain.scale, plain.bias, plain.threshold, abstain_within)
    return outcomes([f"d{i}" for i in range(n)], p, rule.decide(p, tiny), targets, tiny)


def test_who_is_right_where_the_widest_margins_first(tiny: Codebook) -> None:
    nan = float("nan")
    gold = [(1, 0), (1, 0), (1, 1), (0, 0), (0, 0), (nan, nan)]
    first = [(0.9, 0.1), (0.6, 0.1), (0.9, 0.2), (0.1, 0.1), (0.9, 0.1), (0.9, 0.9)]
    second = [(0.2, 0.1), (0.4, 0.1), (0.9, 0.9), (0.1, 0.2), (0.6, 0.1), (0.1, 0.1)]
    one, two = (said(given, tiny, gold) for given in (first, second))
    found = disagreements(one, two, tiny, "topic", most=5)
    assert [d.row for d in found.wins] == [0, 1]
    assert [d.margin for d in found.wins] == pytest.approx([0.7, 0.2])
    assert [d.row for d in found.losses] == [2]  # half right is not right
    assert found.losses[0].margin == pytest.approx(0.7)  # in the label that the first lacks
    assert (found.won, found.lost) == (2, 1)
    turned = disagreements(two, one, tiny, "topic", most=1)
    assert (turned.won, turned.lost) == (1, 2)
    assert [d.row for d in turned.losses] == [0]
    nothing = disagreements(one, two, tiny, "tone", most=5)
    assert (nothing.won, nothing.lost) == (0, 0)


def test_what_is_withheld_is_not_right(tiny: Codebook) -> None:
    gold = [(0.0, 0.0)]
    sure = said([(0.1, 0.1)], tiny, gold)
    unsure = said([(0.45, 0.1)], tiny, gold, abstain_within=0.1)
    found = disagreements(sure, unsure, tiny, "topic", most=5)
    assert found.won == 1
    assert found.wins[0].margin == pytest.approx(0.35)
