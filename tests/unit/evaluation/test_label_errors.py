"""Confident learning: worked by hand, and on labels that were flipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.errors import ShapeError
from pipeline.evaluation.label_errors import questions

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tiny() -> Codebook:
    return load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")


def test_thresholds_are_means_of_the_given_answers(tiny: Codebook) -> None:
    """Of the first label: where yes is given its mean is 0.7, where no is given, 0.65."""
    p = np.full((6, tiny.width), 0.5, dtype=np.float32)
    y = np.full((6, tiny.width), np.nan, dtype=np.float32)
    p[:, 0] = [0.9, 0.8, 0.4, 0.1, 0.2, 0.75]
    y[:, 0] = [1, 1, 1, 0, 0, 0]
    (found,) = questions(p, y, tiny)
    assert found.own == pytest.approx([0.9, 0.8, 0.4, 0.9, 0.8, 0.25])
    assert found.other.tolist() == [0, 0, 0, 1, 1, 1]
    # 0.4 is below the mean of the yes, but its no (0.6) does not reach the mean of the no (0.65).
    assert found.likely.tolist() == [False, False, False, False, False, True]


def test_an_answer_that_all_give_is_no_question(tiny: Codebook) -> None:
    p = np.full((4, tiny.width), 0.5, dtype=np.float32)
    y = np.zeros((4, tiny.width), dtype=np.float32)
    multilabel = [n for n, t in tiny.tasks.items() if t.type is TaskType.MULTILABEL]
    assert not [q for q in questions(p, y, tiny) if q.task in multilabel]


def test_flipped_labels_lead_the_list(
    codebook: Codebook, draw_sample: Callable[..., object]
) -> None:
    sample = draw_sample(3000, seed=5)
    right = sample.targets.copy()
    p = sample.probabilities
    y = right.copy()
    draw = np.random.default_rng(1)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        # Labels a sharp classifier would be right about, so that what is flipped can be known.
        if task.type is TaskType.MULTILABEL:
            y[:, part] = p[:, part] > 0.5
        else:
            y[:, part] = p[:, part] == p[:, part].max(axis=1, keepdims=True)
    column = 0
    flipped = draw.choice(len(y), 150, replace=False)
    y[flipped, column] = 1 - y[flipped, column]
    found = next(questions(p, y, codebook))
    top = found.rows[np.argsort(found.own)[:300]]
    assert len(np.intersect1d(top, flipped)) > 120
    assert np.isin(flipped, found.rows[found.likely]).mean() > 0.3


def test_unknown_labels_are_not_asked_about(tiny: Codebook) -> None:
    p = np.random.default_rng(0).random((8, tiny.width)).astype(np.float32)
    y = np.tile(np.array([0, 1], dtype=np.float32)[:, None], (4, tiny.width))
    y[::3] = np.nan
    for found in questions(p, y, tiny):
        assert not set(found.rows) & {0, 3, 6}


def test_arrays_of_another_shape_are_refused(tiny: Codebook) -> None:
    wrong = np.zeros((3, tiny.width + 1), dtype=np.float32)
    with pytest.raises(ShapeError, match="expected"):
        list(questions(wrong, wrong, tiny))
