from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.codebook import Codebook, Label, Task, TaskType
from pipeline.decision import Decisions
from pipeline.errors import ShapeError
from pipeline.evaluation.bootstrap import (
    document_weights,
    percentile_interval,
    require_paired,
)
from pipeline.evaluation.metrics import Outcomes, measure, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Sample

    Draw = Callable[..., Sample]


def outcomes_of(sample: Sample, codebook: Codebook) -> Outcomes:
    return outcomes(
        sample.documents, sample.probabilities, sample.decisions, sample.targets, codebook
    )


def blurred(good: Outcomes, share: float, seed: int) -> Outcomes:
    """The same with that share of the sentences decided and scored as another sentence."""
    draw = np.random.default_rng(seed)
    source = np.arange(len(good.documents))
    picked = draw.random(len(source)) < share
    source[picked] = draw.permutation(source[picked])
    return replace(good, probabilities=good.probabilities[source], given=good.given[source])


def test_every_replicate_draws_as_many_documents_as_there_are() -> None:
    weights = document_weights(7, replicates=500, seed=1)
    assert weights.shape == (500, 7)
    assert (weights.sum(axis=1) == 7).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.2)
    assert (weights == document_weights(7, replicates=500, seed=1)).all()
    assert (weights != document_weights(7, replicates=500, seed=2)).any()


def test_the_interval_holds_the_middle_95_percent() -> None:
    assert percentile_interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))


def test_no_interval_where_replicates_are_undefined() -> None:
    values = np.arange(100.0)
    values[:10] = np.nan
    assert percentile_interval(values) is not None
    values[10] = np.nan
    assert percentile_interval(values) is None
    assert percentile_interval(np.zeros(0)) is None


def test_models_on_other_sentences_are_not_compared(codebook: Codebook, draw_sample: Draw) -> None:
    one = outcomes_of(draw_sample(60, 1), codebook)
    shorter = outcomes_of(draw_sample(50, 1), codebook)
    reordered = replace(one, documents=one.documents[::-1])
    relabelled = replace(one, targets=1.0 - one.targets)
    for other in (shorter, reordered, relabelled):
        with pytest.raises(ShapeError, match="same sentences in the same order"):
            require_paired(one, other)
    require_paired(one, one)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_clustered_data_where_sentences_would_not() -> None:
    """Documents differ in how well the model does in them; the truth is F1 in a huge population."""
    label = Label(title="t", colour="#000000", definition="d")
    task = Task(type=TaskType.MULTILABEL, question="q", labels={"a": label})
    codebook = Codebook(name="b", version="1", about="a", unit="u", tasks={"t": task})
    draw = np.random.default_rng(11)

    def population(documents: int) -> tuple[np.ndarray, np.ndarray]:
        prevalence = np.repeat(draw.beta(1.0, 2.0, size=documents), 12)
        recall = np.repeat(draw.beta(2.0, 1.0, size=documents), 12)
        y = draw.random(12 * documents) < prevalence
        given = np.where(y, draw.random(len(y)) < recall, draw.random(len(y)) < 0.1)
        return y, given

    y, given = population(200_000)
    truth = 2 * (y & given).sum() / (y.sum() + given.sum())
    covered = {"documents": 0, "sentences": 0}
    rounds = 200
    for round_ in range(rounds):
        y, given = population(60)
        names = {
            "documents": [f"d{row // 12}" for row in range(720)],
            "sentences": [f"s{row}" for row in range(720)],
        }
        for unit, unit_names in names.items():
            seen = outcomes(
                unit_names,
                given[:, None].astype(np.float32),
                Decisions(given[:, None], np.zeros((720, 1), dtype=bool)),
                y[:, None].astype(np.float32),
                codebook,
            )
            weights = document_weights(seen.document_count, replicates=200, seed=round_)
            interval = percentile_interval(measure(seen, codebook, weights)["t.a.f1"].values)
            assert interval is not None
            covered[unit] += interval[0] <= truth <= interval[1]
    assert 0.91 <= covered["documents"] / rounds <= 0.98
    assert covered["sentences"] / rounds < 0.88
