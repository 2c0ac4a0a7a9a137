"""Pairs of sentences for contrastive pre-training: alike in all labels, or not."""

from __future__ import annotations

import numpy as np

from experiments.quality.pretrained import pairs_of

RARE, COMMON, SINGLE, UNKNOWN = 0, 1, 2, 3
SETS = np.array([[1, 0], [0, 0], [1, 1], [np.nan, 0]], dtype=np.float32)
ROWS = np.array([RARE] * 4 + [COMMON] * 100 + [SINGLE] + [UNKNOWN] * 20)


def test_half_of_the_pairs_share_all_labels() -> None:
    half = 400
    pairs, alike = pairs_of(SETS[ROWS], half, np.random.default_rng(2))
    assert pairs.shape == (2 * half, 2)
    assert alike.tolist() == [1.0] * half + [0.0] * half
    assert (pairs[:, 0] != pairs[:, 1]).all()
    first, second = ROWS[pairs].T
    assert ((first == second) == (alike == 1)).all()
    assert {UNKNOWN, SINGLE}.isdisjoint(ROWS[pairs].ravel())


def test_rare_labels_come_up_more_often_than_in_the_data() -> None:
    pairs, alike = pairs_of(SETS[ROWS], 2_000, np.random.default_rng(2))
    drawn = float(np.mean(ROWS[pairs[alike == 1]] == RARE))
    # The root of 4 beside the root of 100, where the data have 4 beside 100.
    assert abs(drawn - 2 / 12) < 0.04
