from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.classifiers.logistic import Regressions, fit_regressions, log_softmax
from pipeline.codebook import load_codebook
from pipeline.errors import ShapeError

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
FOOD, SERVICE = 0, 1
TONE = TINY.slice_of("tone")


def drawn(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Two features; food with log-odds 2 x0 - 2, service without features, tone by x1."""
    random = np.random.default_rng(3)
    x = random.normal(size=(rows, 2)).astype(np.float32)
    targets = np.zeros((rows, TINY.width), dtype=np.float32)
    targets[:, FOOD] = random.random(rows) < 1 / (1 + np.exp(-(2 * x[:, 0] - 2)))
    targets[:, SERVICE] = random.random(rows) < 0.1
    scores = np.stack([x[:, 1], -x[:, 1] - 1, np.zeros(rows)], axis=1)
    pick = (random.gumbel(size=(rows, 3)) + scores).argmax(axis=1)
    targets[np.arange(rows), TONE.start + pick] = 1
    return x, targets


@pytest.mark.parametrize("balanced", [False, True])
def test_finds_the_log_odds_the_data_were_drawn_from(balanced: bool) -> None:
    """Also when classes weigh the same in training: the prior is put back."""
    x, targets = drawn()
    found = fit_regressions(x, targets, TINY, c=100.0, balanced=balanced)
    assert all(found.learned)
    np.testing.assert_allclose(found.weights[:, FOOD], [2.0, 0.0], atol=0.25)
    assert found.bias[FOOD] == pytest.approx(-2.0, abs=0.25)
    assert found.bias[SERVICE] == pytest.approx(np.log(0.1 / 0.9), abs=0.2)
    logits = found.logits(x @ found.weights, TINY)
    np.testing.assert_allclose(np.exp(logits[:, TONE]).sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(
        np.exp(logits[:, TONE]).mean(axis=0), targets[:, TONE].mean(axis=0), atol=0.03
    )


def test_sparse_and_dense_features_give_the_same() -> None:
    x, targets = drawn(300)
    dense = fit_regressions(x, targets, TINY, c=1.0, balanced=True)
    sparse = fit_regressions(csr_matrix(x), targets, TINY, c=1.0, balanced=True)
    np.testing.assert_allclose(sparse.weights, dense.weights, atol=1e-3)
    np.testing.assert_allclose(sparse.bias, dense.bias, atol=1e-3)


def test_unknown_rows_are_left_out_column_by_column() -> None:
    x, targets = drawn(600)
    masked = targets.copy()
    masked[:300, FOOD] = np.nan
    masked[300:, TONE] = np.nan
    part = fit_regressions(x, masked, TINY, c=1.0, balanced=True)
    late = fit_regressions(x[300:], targets[300:], TINY, c=1.0, balanced=True)
    early = fit_regressions(x[:300], targets[:300], TINY, c=1.0, balanced=True)
    np.testing.assert_array_equal(part.weights[:, FOOD], late.weights[:, FOOD])
    np.testing.assert_array_equal(part.weights[:, TONE], early.weights[:, TONE])


@pytest.mark.parametrize("balanced", [False, True])
def test_a_probability_counts_as_so_many_of_ten_sentences(balanced: bool) -> None:
    """Expected loss by hand: every row ten times, in as many of them with the label as it says."""
    x, _ = drawn(200)
    random = np.random.default_rng(5)
    tenths = random.integers(0, 11, size=(len(x), 2))
    of_tone = random.multinomial(10, [0.5, 0.3, 0.2], size=len(x))
    soft = np.hstack([tenths, of_tone]).astype(np.float32) / 10
    hard = np.zeros((len(x), 10, TINY.width), dtype=np.float32)
    for column, given in enumerate(tenths.T):
        hard[:, :, column] = np.arange(10) < given[:, None]
    borders = of_tone.cumsum(axis=1)
    for tone in range(3):
        before = borders[:, tone] - of_tone[:, tone]
        inside = (np.arange(10) >= before[:, None]) & (np.arange(10) < borders[:, tone, None])
        hard[:, :, TONE.start + tone] = inside
    found = fit_regressions(x, soft, TINY, c=1.0, balanced=balanced)
    wanted = fit_regressions(
        x.repeat(10, axis=0), hard.reshape(-1, TINY.width), TINY, c=0.1, balanced=balanced
    )
    assert all(found.learned)
    np.testing.assert_allclose(found.weights, wanted.weights, atol=5e-3)
    probabilities = [np.exp(log_softmax(one.bias[None, TONE])) for one in (found, wanted)]
    np.testing.assert_allclose(*probabilities, atol=5e-3)
    np.testing.assert_allclose(found.bias[:2], wanted.bias[:2], atol=5e-3)


def test_columns_with_one_outcome_keep_their_prior() -> None:
    x, targets = drawn(100)
    targets[:, FOOD] = 0
    targets[:, SERVICE] = np.nan
    targets[:, TONE] = [1, 0, 0]
    found = fit_regressions(x, targets, TINY, c=1.0, balanced=True)
    assert found.learned == (False,) * TINY.width
    assert not found.weights.any()
    wanted = [0.5 / 100.5, 1.0, 100.5 / 101.5, 0.5 / 101.5, 0.5 / 101.5]
    logits = found.logits(np.zeros((2, TINY.width), np.float32), TINY)
    np.testing.assert_allclose(np.exp(logits), [wanted] * 2, rtol=1e-5)


def test_a_class_that_never_occurs_is_improbable_everywhere() -> None:
    x, targets = drawn(400)
    targets = targets[targets[:, TONE.stop - 1] == 0]
    x = x[: len(targets)]
    found = fit_regressions(x, targets, TINY, c=1.0, balanced=False)
    assert found.learned[TONE] == (True, True, False)
    logits = found.logits(x @ found.weights, TINY)[:, TONE]
    np.testing.assert_allclose(np.exp(logits[:, :2]).sum(axis=1), 1.0, rtol=1e-5)
    assert (logits[:, 2] == np.float32(np.log(0.5 / (len(x) + 1.5)))).all()


def test_without_features_the_priors_remain() -> None:
    _, targets = drawn(50)
    found = fit_regressions(np.zeros((50, 0), np.float32), targets, TINY, c=1.0, balanced=True)
    assert not any(found.learned)


def test_log_softmax_by_hand() -> None:
    """Probabilities 1/4, 1/4, 1/2, whatever constant is added; large scores do not overflow."""
    scores = np.log(np.array([[1, 1, 2]], dtype=np.float32))
    for constant in (0.0, -3.0, 1000.0):
        got = log_softmax((scores + np.float32(constant)).astype(np.float32))
        np.testing.assert_allclose(np.exp(got), [[0.25, 0.25, 0.5]], rtol=1e-3)


def test_refuses_arrays_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="2 columns"):
        Regressions(np.zeros((4, 3), np.float32), np.zeros(2, np.float32), (True, True))
