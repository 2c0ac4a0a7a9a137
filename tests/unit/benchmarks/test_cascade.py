"""Cut-offs of the cascade that was measured: what is decided, and what is lost by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed.cascade import CutOffs, cut_offs
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def drawn(codebook: Codebook, n: int, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities and decisions of a cheap model, and decisions of a dear one that differs."""
    random = np.random.default_rng(5)
    rule = DecisionRule.plain(codebook)
    logits = random.normal(0, 3, (n, codebook.width)).astype(np.float32)
    other = (logits + random.normal(0, noise, logits.shape)).astype(np.float32)
    cheap, dear = rule.probabilities(logits, codebook), rule.probabilities(other, codebook)
    return cheap, rule.decide(cheap, codebook).given, rule.decide(dear, codebook).given


@pytest.mark.parametrize("risk", [0.02, 0.1, 0.3])
def test_a_bounded_share_of_what_the_dear_model_gives_is_lost(risk: float) -> None:
    cheap, given, dear = drawn(TINY, 4000, noise=2.0)
    found = cut_offs(cheap, given, dear, TINY, risk)
    for column, (task, _) in enumerate(TINY.columns):
        p = cheap[:, column]
        sure = given[:, column] & (p >= found.high[column])
        assert (sure & ~dear[:, column]).sum() <= risk * given[:, column].sum()
        if task in TINY.multilabel_tasks():
            lost = (p < found.low[column]) & dear[:, column]
            assert lost.sum() <= risk * dear[:, column].sum()
            assert not (given[:, column] & (p < found.low[column])).any()


def test_more_risk_decides_more() -> None:
    cheap, given, dear = drawn(TINY, 2000, noise=2.0)
    shares = [
        cut_offs(cheap, given, dear, TINY, risk).decides(cheap, TINY).mean()
        for risk in (0.001, 0.05, 0.2, 0.4)
    ]
    assert shares == sorted(shares)
    assert shares[0] < 0.1 < shares[-1]


def test_models_that_agree_decide_all_by_the_cheap_one() -> None:
    cheap, given, _ = drawn(TINY, 500, noise=0.0)
    assert cut_offs(cheap, given, given, TINY, 0.05).decides(cheap, TINY).mean() > 0.9


def test_a_sentence_is_decided_where_all_its_tasks_are() -> None:
    k = TINY.width
    cheap = np.zeros((1, k), dtype=np.float32)
    for task in TINY.multiclass_tasks():
        cheap[0, TINY.slice_of(task).start] = 1.0
    nothing = CutOffs(np.zeros(k), np.full(k, np.inf))
    all_ = CutOffs(np.full(k, 0.5), np.full(k, 0.5))
    assert not nothing.decides(cheap, TINY)[0]
    assert all_.decides(cheap, TINY)[0]
    assert not CutOffs(all_.low, np.full(k, 2.0)).decides(cheap, TINY)[0]
