from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import ShapeError
from pipeline.training.thresholds import expected_f1_optimum, f1_thresholds

Array = npt.NDArray[np.float32]
Draw = Callable[..., tuple[Array, Array, list[str]]]


def test_expected_f1_by_hand() -> None:
    # Labelling the first: 2*0.9/(1+1.5) = 0.72; the first two: 2*1.4/(2+1.5) = 0.8;
    # all three: 2*1.5/(3+1.5) = 0.667.
    assert expected_f1_optimum(np.array([0.1, 0.9, 0.5])) == pytest.approx(0.8)
    assert np.isnan(expected_f1_optimum(np.zeros(3)))
    assert np.isnan(expected_f1_optimum(np.zeros(0)))


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=7))
def test_no_set_of_sentences_has_a_higher_expected_f1(values: list[float]) -> None:
    p = np.array(values)
    sets = itertools.product([0, 1], repeat=len(p))
    best = max(2 * (p @ np.array(s)) / (sum(s) + p.sum()) for s in sets)
    assert expected_f1_optimum(p) == pytest.approx(best)


def test_half_of_the_optimal_f1_is_where_f1_peaks(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(50_000, seed=0)
    p = DecisionRule.plain(codebook).probabilities(logits, codebook)
    found = f1_thresholds(p, targets, codebook)
    assert found.notes == ()
    for j in range(codebook.width)[codebook.slice_of(codebook.multilabel_tasks()[0])]:
        grid = np.linspace(0.05, 0.95, 91)
        f1 = [
            2 * targets[p[:, j] >= t, j].sum() / ((p[:, j] >= t).sum() + targets[:, j].sum())
            for t in grid
        ]
        assert found.values[j] == pytest.approx(grid[int(np.argmax(f1))], abs=0.04)


def test_multiclass_tasks_keep_one_half(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(500, seed=1)
    p = DecisionRule.plain(codebook).probabilities(logits, codebook)
    values = f1_thresholds(p, targets, codebook).values
    assert set(values[codebook.slice_of(codebook.multiclass_tasks()[0])]) == {0.5}


def test_few_positives_keep_one_half_and_are_named(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(500, seed=2)
    targets[:, 0] = 0.0
    targets[:4, 0] = 1.0
    p = DecisionRule.plain(codebook).probabilities(logits, codebook)
    found = f1_thresholds(p, targets, codebook)
    assert found.values[0] == 0.5
    assert found.notes == (
        f"{codebook.column_names[0]}: threshold 0.5 kept, 4 positive sentence(s), fewer than 5",
    )


def test_a_column_without_skill_is_not_set_to_label_everything(
    codebook: Codebook, draw_outcomes: Draw
) -> None:
    logits, targets, _ = draw_outcomes(500, seed=3)
    p = DecisionRule.plain(codebook).probabilities(logits, codebook)
    p[:, 0] = 0.2
    found = f1_thresholds(p, targets, codebook)
    assert found.values[0] == 0.5
    assert "labelling every sentence" in found.notes[0]


def test_unknown_sentences_have_no_say(codebook: Codebook, draw_outcomes: Draw) -> None:
    logits, targets, _ = draw_outcomes(400, seed=4)
    p = DecisionRule.plain(codebook).probabilities(logits, codebook)
    masked = targets.copy()
    masked[200:] = np.nan
    assert f1_thresholds(p, masked, codebook) == f1_thresholds(p[:200], targets[:200], codebook)


def test_shapes_are_checked(codebook: Codebook) -> None:
    with pytest.raises(ShapeError):
        f1_thresholds(
            np.zeros((3, codebook.width), np.float32),
            np.zeros((2, codebook.width), np.float32),
            codebook,
        )
