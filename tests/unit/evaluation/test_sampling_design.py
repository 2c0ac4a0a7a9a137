"""Samples have the size and the probabilities that they say they have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.evaluation.sampling_design import (
    allocate,
    draw_documents,
    draw_sentences,
    strata_by_label,
)


@given(
    counts=st.lists(st.integers(1, 500), min_size=1, max_size=8),
    part=st.floats(0, 1),
)
def test_allocation_adds_up_and_fits(counts: list[int], part: float) -> None:
    sizes_of = np.array(counts)
    size = max(len(counts), round(part * sum(counts)))
    sizes = allocate(sizes_of, size)
    assert sizes.sum() == size
    assert (sizes >= 1).all()
    assert (sizes <= sizes_of).all()


def test_half_in_proportion_and_half_equal() -> None:
    assert allocate(np.array([900, 60, 40]), 120).tolist() == [74, 24, 22]
    assert allocate(np.array([900, 3, 97]), 120).tolist() == [83, 3, 34]


def test_every_sentence_comes_in_as_often_as_it_says() -> None:
    strata = np.array([0] * 30 + [2] * 5)
    seen, chance = np.zeros(35), np.zeros(35)
    for seed in range(2000):
        inclusion = draw_sentences(strata, 10, seed=seed)
        drawn = ~np.isnan(inclusion)
        assert drawn.sum() == 10
        assert (1 / inclusion[drawn]).sum() == pytest.approx(35)
        seen += drawn
        chance[drawn] = inclusion[drawn]
    np.testing.assert_allclose(seen / 2000, chance, atol=4 * np.sqrt(0.25 / 2000))
    assert chance[0] < chance[-1]


def test_whole_documents() -> None:
    documents = np.array([0, 0, 1, 2, 2, 2, 3])
    inclusion = draw_documents(documents, 2, seed=1)
    assert len(np.unique(documents[~np.isnan(inclusion)])) == 2
    for number in range(4):
        assert len(set(np.isnan(inclusion[documents == number]))) == 1
    assert set(inclusion[~np.isnan(inclusion)]) == {0.5}


def test_the_seed_decides() -> None:
    strata = np.zeros(50, dtype=np.intp)
    one, again, other = (draw_sentences(strata, 10, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(np.isnan(one), np.isnan(other))


def test_strata_are_by_the_rarest_label() -> None:
    given_ = np.array([[1, 0], [1, 0], [1, 1], [0, 0], [0, 1]], dtype=np.bool_)
    assert strata_by_label(given_).tolist() == [1, 1, 2, 0, 2]


@pytest.mark.parametrize("size", [2, 6])
def test_sizes_that_cannot_be_drawn(size: int) -> None:
    with pytest.raises(SettingsError, match=f"cannot draw {size} of 5 sentences in 3 strata"):
        draw_sentences(np.array([0, 0, 1, 2, 2]), size, seed=0)
    with pytest.raises(SettingsError, match="cannot draw 9 of 3 documents"):
        draw_documents(np.array([0, 0, 1, 2, 2]), 9, seed=0)
