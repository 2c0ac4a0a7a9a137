from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.codebook import Codebook, Label, Task, TaskType
from pipeline.decision import Decisions
from pipeline.errors import SettingsError, ShapeError
from pipeline.evaluation.bootstrap import (
    document_weights,
    paired_differences,
    percentile_interval,
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


def test_a_model_does_not_differ_from_itself(codebook: Codebook, draw_sample: Draw) -> None:
    one = outcomes_of(draw_sample(300, 0, documents=30, unknown=0.2), codebook)
    for name, found in paired_differences(one, one, codebook, replicates=200, seed=1).items():
        assert found.name == name
        assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_differences_are_those_of_the_scores_and_turn_round_with_the_models(
    codebook: Codebook, draw_sample: Draw
) -> None:
    good = outcomes_of(draw_sample(600, 2, documents=40), codebook)
    worse = blurred(good, 0.4, 3)
    ones = np.ones((1, good.document_count))
    scores, scores_of_worse = (measure(one, codebook, ones) for one in (good, worse))
    down = paired_differences(worse, good, codebook, replicates=300, seed=4)
    up = paired_differences(good, worse, codebook, replicates=300, seed=4)
    assert down.keys() == scores.keys()
    for name, found in down.items():
        gap = float(scores_of_worse[name].values[0] - scores[name].values[0])
        assert found.value == pytest.approx(gap)
        assert found.low is not None
        assert found.high is not None
        assert up[name].low == pytest.approx(-found.high)
        assert up[name].high == pytest.approx(-found.low)
    for task in codebook.tasks:
        assert down[f"{task}.macro_f1"].high < 0.0  # type: ignore[operator]
        assert down[f"{task}.macro_f1"].p == 0.0
        assert up[f"{task}.macro_f1"].p == 1.0
        # Less is better for errors, and p still tells how often the first is as good.
        assert down[f"{task}.brier"].value > 0.0
        assert down[f"{task}.brier"].p == 0.0


def test_pairing_tells_apart_what_separate_intervals_cannot(
    codebook: Codebook, draw_sample: Draw
) -> None:
    """Documents are hard or easy for both models, and one is a little worse everywhere."""
    good = outcomes_of(draw_sample(2000, 5, documents=25), codebook)
    worse = blurred(good, 0.1, 6)
    name = f"{next(iter(codebook.tasks))}.macro_f1"
    weights = document_weights(good.document_count, replicates=400, seed=7)
    alone, other = (
        percentile_interval(measure(one, codebook, weights)[name].values) for one in (good, worse)
    )
    assert alone is not None
    assert other is not None
    found = paired_differences(worse, good, codebook, replicates=400, seed=7)[name]
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low < min(alone[1] - alone[0], other[1] - other[0])
    assert found.high < 0.0


def test_p_is_the_share_of_replicates_that_are_at_least_as_good(
    codebook: Codebook, draw_sample: Draw
) -> None:
    good = outcomes_of(draw_sample(200, 8, documents=10), codebook)
    other = blurred(good, 0.05, 9)
    weights = document_weights(good.document_count, replicates=250, seed=3)
    found = paired_differences(other, good, codebook, replicates=250, seed=3)
    first, second = (measure(one, codebook, weights) for one in (other, good))
    for task in codebook.tasks:
        gaps = first[f"{task}.macro_f1"].values - second[f"{task}.macro_f1"].values
        assert found[f"{task}.macro_f1"].p == pytest.approx((gaps >= 0).mean())


def test_no_difference_where_a_score_is_undefined_or_there_is_one_document(
    codebook: Codebook, draw_sample: Draw
) -> None:
    single = outcomes_of(draw_sample(40, 1, documents=1), codebook)
    unknown = outcomes_of(draw_sample(40, 1, documents=5, unknown=1.0), codebook)
    for one in (single, unknown):
        for found in paired_differences(one, one, codebook, replicates=50, seed=1).values():
            assert found.low is None
            assert found.high is None
            assert math.isnan(found.p)


def test_models_on_other_sentences_are_not_compared(codebook: Codebook, draw_sample: Draw) -> None:
    one = outcomes_of(draw_sample(60, 1), codebook)
    shorter = outcomes_of(draw_sample(50, 1), codebook)
    reordered = replace(one, documents=one.documents[::-1])
    relabelled = replace(one, targets=1.0 - one.targets)
    for other in (shorter, reordered, relabelled):
        with pytest.raises(ShapeError, match="same sentences in the same order"):
            paired_differences(one, other, codebook, replicates=50, seed=1)
    with pytest.raises(SettingsError, match="1 or more"):
        paired_differences(one, one, codebook, replicates=0, seed=1)


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
