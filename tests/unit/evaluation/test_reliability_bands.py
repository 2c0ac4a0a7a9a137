"""Reliability diagrams with intervals by document."""

from __future__ import annotations

import numpy as np

from pipeline.evaluation.curves import reliability
from pipeline.evaluation.reliability_bands import reliability_bands


def test_bounds_hold_the_points_and_widen_by_document() -> None:
    draw = np.random.default_rng(2)
    p = np.repeat(draw.random(60), 10).astype(np.float32)
    y = (draw.random(60)[:, None] < p.reshape(60, 10)).reshape(-1).astype(np.float32)
    clustered = [f"{i // 10}" for i in range(600)]
    alone = [f"{i}" for i in range(600)]
    by_document = reliability_bands(clustered, p, y, replicates=300, seed=1)
    by_sentence = reliability_bands(alone, p, y, replicates=300, seed=1)
    plain = reliability(p, y)
    assert by_document.points.observed.tolist() == plain.observed.tolist()
    inner = (plain.observed > 0) & (plain.observed < 1)
    there = inner & ~np.isnan(by_document.low)
    assert there.any()
    assert (by_document.low[there] <= plain.observed[there] + 1e-9).all()
    assert (by_document.high[there] >= plain.observed[there] - 1e-9).all()
    wide = np.nanmean((by_document.high - by_document.low)[there])
    assert wide > 1.5 * np.nanmean((by_sentence.high - by_sentence.low)[there])


def test_unknown_targets_and_single_documents() -> None:
    p = np.array([0.1, 0.9, 0.5], dtype=np.float32)
    y = np.array([0.0, 1.0, np.nan], dtype=np.float32)
    bands = reliability_bands(["a", "a", "b"], p, y, replicates=50, seed=1)
    assert bands.points.count.sum() == 2
    assert np.isnan(bands.low).all()
    nothing = reliability_bands(["a"], p[2:], y[2:], replicates=50, seed=1)
    assert nothing.points.count.size == nothing.low.size == 0
