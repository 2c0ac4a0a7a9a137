"""Choosing what to label: chances add up, estimates stay unbiased, strategies do what they say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import SettingsError, ShapeError
from pipeline.evaluation.suggestion import (
    choose,
    draw_spread,
    uncertainty,
    with_random_share,
    word_vectors,
)
from pipeline.settings.estimation import Strategy

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")


def unit(rows: int, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_uncertainty_is_one_where_nothing_is_known_and_zero_where_all_is(
    codebook: Codebook,
) -> None:
    sure = np.zeros((1, codebook.width))
    lost = np.full((1, codebook.width), 0.5)
    for task in codebook.multiclass_tasks():
        part = codebook.slice_of(task)
        sure[0, part.start] = 1.0
        lost[0, part] = 1.0 / (part.stop - part.start)
    assert uncertainty(np.vstack([sure, lost]), codebook) == pytest.approx([0.0, 1.0])


def test_uncertainty_averages_the_labels_of_a_task_and_then_the_tasks() -> None:
    p = np.zeros((1, TINY.width))
    task = TINY.multilabel_tasks()[0]
    part = TINY.slice_of(task)
    for name in TINY.multiclass_tasks():
        p[0, TINY.slice_of(name).start] = 1.0
    p[0, part.start] = 0.25
    binary = -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    expected = binary / (part.stop - part.start) / len(TINY.tasks)
    assert uncertainty(p, TINY) == pytest.approx([expected])


@given(
    st.sampled_from(list(Strategy)),
    st.integers(20, 80),
    st.integers(8, 20),
    st.floats(0.05, 1.0),
    st.integers(0, 10_000),
)
def test_the_inverse_chances_add_up_to_all_sentences(
    strategy: Strategy, count: int, number: int, share: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    inclusion, drawn = choose(
        strategy,
        draw.random(count),
        draw.integers(0, 3, count),
        unit(count + 5, seed),
        number,
        random_share=share,
        seed=seed,
    )
    chosen = ~np.isnan(inclusion)
    assert chosen.sum() == number
    assert (inclusion[chosen] > 0).all()
    assert (inclusion[chosen] <= 1).all()
    assert (1.0 / inclusion[chosen]).sum() == pytest.approx(count)
    assert not (drawn & ~chosen).any()
    assert drawn.sum() >= 1
    assert (inclusion[chosen & ~drawn] == 1.0).all()


def test_a_share_estimated_from_the_choice_is_unbiased_although_the_choice_is_not() -> None:
    draw = np.random.default_rng(3)
    unsure = draw.random(200)
    truth = (unsure + draw.normal(0, 0.2, 200) > 0.8).astype(float)  # where the model is unsure
    estimates, naive = [], []
    for seed in range(400):
        inclusion, _ = choose(
            Strategy.UNCERTAINTY,
            unsure,
            np.zeros(200, dtype=np.intp),
            None,
            40,
            random_share=0.5,
            seed=seed,
        )
        chosen = ~np.isnan(inclusion)
        estimates.append((truth[chosen] / inclusion[chosen]).sum() / 200)
        naive.append(truth[chosen].mean())
    error = np.std(estimates) / math.sqrt(len(estimates))
    assert abs(np.mean(estimates) - truth.mean()) < 4 * error
    assert abs(np.mean(naive) - truth.mean()) > 20 * error


def test_uncertainty_takes_the_least_sure_and_draws_the_rest() -> None:
    unsure = np.arange(50) / 50
    strata = np.zeros(50, dtype=np.intp)
    inclusion, drawn = choose(
        Strategy.UNCERTAINTY, unsure, strata, None, 10, random_share=0.2, seed=1
    )
    assert np.flatnonzero(inclusion == 1.0).tolist() == list(range(42, 50))
    assert inclusion[drawn] == pytest.approx([2 / 42, 2 / 42])


def test_spread_takes_one_of_each_heap_and_none_that_is_covered() -> None:
    heaps = np.repeat(np.eye(6, dtype=np.float32), 30, axis=0)
    covered = np.array([0], dtype=np.intp)
    chosen = draw_spread(heaps, covered, np.ones(180), 5, seed=2)
    assert sorted(np.unique(chosen // 30)) == [1, 2, 3, 4, 5]
    more = draw_spread(heaps, covered, np.ones(180), 60, seed=2)
    assert len(np.unique(more)) == 60
    assert 0 not in more


def test_spread_leaves_out_what_has_no_weight() -> None:
    weight = np.zeros(20)
    weight[:3] = 1.0
    chosen = draw_spread(unit(20, 4), np.array([], dtype=np.intp), weight, 10, seed=0)
    assert sorted(chosen) == [0, 1, 2]


def test_vectors_of_words_tell_alike_from_different() -> None:
    texts = ["the soup was cold", "the soup was very cold", "a waiter sang", "the waiter sang well"]
    points = word_vectors(texts, seed=0)
    assert points[0] @ points[1] > 0.8
    assert points[0] @ points[2] < 0.4
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_everything_may_be_taken() -> None:
    inclusion = with_random_share(5, np.arange(5), 5, seed=0)
    assert inclusion.tolist() == [1.0] * 5


def test_what_cannot_be_done_is_refused() -> None:
    strata = np.zeros(3, dtype=np.intp)
    with pytest.raises(SettingsError, match="cannot draw 4 of 3"):
        choose(Strategy.RANDOM, np.zeros(3), strata, None, 4, random_share=0.2, seed=0)
    with pytest.raises(ShapeError, match="needs vectors"):
        choose(Strategy.MIX, np.zeros(3), strata, None, 2, random_share=0.2, seed=0)
