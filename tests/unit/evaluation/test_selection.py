"""What choosing settings does to their score, on counts that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import Decisions
from pipeline.evaluation.comparison import document_counts
from pipeline.evaluation.metrics import measure, outcomes
from pipeline.evaluation.selection import MEAN, mean_macro_f1, selection_scores

ROOT = Path(__file__).parents[3]


class Sample(Protocol):
    documents: list[str]
    probabilities: np.ndarray
    decisions: Decisions
    targets: np.ndarray


@pytest.fixture
def tiny() -> Codebook:
    return load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")


def counts_of(*documents: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """(right, given, actual) by label, of each document."""
    return np.array(documents, dtype=np.float64).swapaxes(1, 2)


NONE = (0, 0, 0)


def test_macro_f1_by_hand(tiny: Codebook) -> None:
    """food 2*3/(4+4) = 0.75, service 0.5; tone: 1, 0, and one label that nobody gave or meant."""
    counts = counts_of(
        ((2, 3, 2), (1, 2, 1), (2, 2, 2), (0, 1, 0), NONE),
        ((1, 1, 2), (0, 0, 1), (1, 1, 1), (0, 0, 1), NONE),
    )
    assert mean_macro_f1(counts, tiny) == pytest.approx(((0.75 + 0.5) / 2 + (1 + 0) / 2) / 2)


def test_a_task_without_labels_does_not_count_and_nothing_at_all_is_undefined(
    tiny: Codebook,
) -> None:
    counts = counts_of(((1, 1, 1), NONE, NONE, NONE, NONE))
    assert mean_macro_f1(counts, tiny) == 1.0
    assert np.isnan(mean_macro_f1(np.zeros((2, 3, tiny.width)), tiny))


def test_it_is_the_macro_f1_of_the_reports(
    draw_sample: Callable[..., Sample], codebook: Codebook
) -> None:
    sample = draw_sample(200, 5)
    seen = outcomes(
        sample.documents, sample.probabilities, sample.decisions, sample.targets, codebook
    )
    plain = measure(seen, codebook, np.ones((1, seen.document_count)))
    counts = document_counts(seen)
    found = selection_scores(counts, counts, counts, codebook, replicates=50, seed=1)
    values = []
    for task in codebook.tasks:
        values.append(plain[f"{task}.macro_f1"].values[0])
        assert found[f"{task}.macro_f1"].outer.value == pytest.approx(values[-1])
    assert found[MEAN].outer.value == pytest.approx(np.mean(values))
    for one in found.values():
        for gap in (one.optimism, one.gain):
            assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_optimism_and_gain_are_differences_on_the_same_draw_of_documents(tiny: Codebook) -> None:
    """Every document loses the same from inner to outer, so there is nothing left to vary."""
    inner = np.tile(counts_of(((4, 4, 4),) * 5), (20, 1, 1))
    outer = np.tile(counts_of(((3, 4, 4),) * 5), (20, 1, 1))
    present = np.tile(counts_of(((2, 4, 4),) * 5), (20, 1, 1))
    found = selection_scores(2 * inner, outer, present, tiny, replicates=200, seed=1)[MEAN]
    assert found.inner.value == 1.0
    assert found.outer.value == pytest.approx(0.75)
    assert found.optimism.value == pytest.approx(0.25)
    assert (found.optimism.low, found.optimism.high) == pytest.approx((0.25, 0.25))
    assert found.gain.value == pytest.approx(0.25)


def test_the_best_of_many_guesses_only_looks_better(tiny: Codebook) -> None:
    """Of 40 settings that guess, one looks best by luck; on other documents it is like all."""
    draw = np.random.default_rng(2)

    def guesses(actual: np.ndarray) -> np.ndarray:
        """Three labels given a document and column, half of the actual ones among them."""
        right = np.minimum(draw.binomial(actual, 0.5), 3)
        return np.stack([right, np.full(actual.shape, 3), actual], axis=1).astype(np.float64)

    def documents(number: int) -> np.ndarray:
        return draw.binomial(6, 0.4, size=(number, tiny.width))

    truth = mean_macro_f1(guesses(documents(100_000)), tiny)
    found = []
    for _ in range(60):
        actual = documents(60)
        best = max((guesses(actual) for _ in range(40)), key=lambda c: mean_macro_f1(c, tiny))
        again = guesses(actual)
        scores = selection_scores(best, again, again, tiny, replicates=200, seed=1)
        found.append(scores[MEAN])
    assert np.mean([one.optimism.value for one in found]) > 0.015
    assert np.mean([one.inner.value for one in found]) > truth + 0.015
    assert np.mean([one.outer.value for one in found]) == pytest.approx(truth, abs=0.01)
    covered = [(one.outer.low or 0) <= truth <= (one.outer.high or 0) for one in found]
    assert np.mean(covered) >= 0.85
