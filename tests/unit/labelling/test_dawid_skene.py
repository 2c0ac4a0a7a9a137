"""Error rates of coders, on the data of the paper and on made ones."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ShapeError
from pipeline.labelling.dawid_skene import dawid_skene

# Dawid & Skene (1979), table 1: 45 patients, five anaesthetists, fitness in four classes. The first
# assessed every patient three times.
PATIENTS = """
111-1111 333-4334 112-2122 222-3121 222-3222 222-3322 122-2111 333-3433 222-2223 232-2223 444-4444
222-3343 111-1111 222-3212 121-1111 111-2111 111-1111 111-1111 222-2221 222-1322 222-2222 222-2221
222-3222 221-2222 111-1111 111-1111 232-2222 111-1111 111-1111 112-1121 111-1111 333-3233 111-1111
222-2222 222-3232 433-4343 221-2232 232-3233 333-3432 111-1111 111-1111 121-2111 232-2222 121-1111
222-2222
"""


def anaesthetists() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    counts = np.zeros((45, 5, 4))
    for patient, row in enumerate(PATIENTS.split()):
        thrice, once = row.split("-")
        for coder, answers in enumerate((thrice, *once)):
            for answer in answers:
                counts[patient, coder, int(answer) - 1] += 1
    return counts


def test_the_anaesthetists() -> None:
    found = dawid_skene(anaesthetists())
    assert found.converged
    assert found.prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    assert found.answers[0] == pytest.approx(
        np.array(
            [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
        ),
        abs=0.006,
    )
    assert found.classes.argmax(axis=1)[[0, 1, 2, 35]].tolist() == [0, 3, 1, 3]
    assert found.answers.sum(axis=2) == pytest.approx(np.ones((5, 4)))


def test_known_error_rates_are_found_again() -> None:
    draw = np.random.default_rng(3)
    truth = (draw.random(4000) < 0.3).astype(int)
    wrong = (0.05, 0.1, 0.3)
    counts = np.zeros((4000, 3, 2))
    for coder, rate in enumerate(wrong):
        said = np.where(draw.random(4000) < rate, 1 - truth, truth)
        counts[np.arange(4000), coder, said] = 1
    counts[:100, 0] = 0  # silent
    found = dawid_skene(counts)
    assert found.error() == pytest.approx(wrong, abs=0.02)
    assert found.prevalence[1] == pytest.approx(0.3, abs=0.03)


def test_a_class_nobody_gave_has_no_rates() -> None:
    counts = np.zeros((4, 3, 2))
    counts[:, :, 0] = 1
    found = dawid_skene(counts)
    assert np.isnan(found.answers[:, 1]).all()
    assert found.error() == pytest.approx([0, 0, 0])


def test_items_without_answers_are_refused() -> None:
    with pytest.raises(ShapeError, match="an answer to every item"):
        dawid_skene(np.zeros((2, 3, 2)))
