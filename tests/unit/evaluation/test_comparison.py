from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codebook import Codebook, Label, Task, TaskType
from pipeline.errors import SettingsError, ShapeError
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.comparison import (
    SHUFFLES,
    ScoreComparison,
    compare,
    compare_all,
    holm,
    score_names,
    smallest_p,
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


@pytest.fixture(scope="module")
def one_label() -> Codebook:
    label = Label(title="t", colour="#000000", definition="d")
    task = Task(type=TaskType.MULTILABEL, question="q", labels={"a": label})
    return Codebook(name="b", version="1", about="a", unit="u", tasks={"t": task})


def binary(documents: list[int], gold: list[int], given: list[int]) -> Outcomes:
    """Outcomes of one label; a 1 in `given` is a label given."""
    column = np.array(given, dtype=float)[:, None]
    return Outcomes(
        probabilities=column,
        given=column == 1.0,
        withheld=np.zeros((len(gold), 1), dtype=bool),
        targets=np.array(gold, dtype=float)[:, None],
        documents=np.array(documents, dtype=np.intp),
    )


def by_name(scores: tuple[ScoreComparison, ...]) -> dict[str, ScoreComparison]:
    return {score.name: score for score in scores}


def test_scores_and_intervals_are_those_of_measure_and_of_the_paired_bootstrap(
    codebook: Codebook, draw_sample: Draw
) -> None:
    good = outcomes_of(draw_sample(500, 2, documents=40, unknown=0.2, abstain_within=0.1), codebook)
    worse = blurred(good, 0.4, 3)
    found = by_name(compare(good, worse, codebook, replicates=200, seed=4, shuffles=50))
    assert tuple(found) == score_names(codebook)
    ones = np.ones((1, good.document_count))
    ours, theirs = (measure(one, codebook, ones) for one in (good, worse))
    weights = document_weights(good.document_count, replicates=200, seed=4)
    drawn, drawn_worse = (measure(one, codebook, weights) for one in (good, worse))
    assert {n for n in ours if n.endswith((".f1", ".macro_f1")) and "decided" not in n} == set(
        found
    )
    for name, score in found.items():
        assert score.first == pytest.approx(float(ours[name].values[0]))
        assert score.second == pytest.approx(float(theirs[name].values[0]))
        assert score.support == ours[name].support
        assert score.difference == pytest.approx(score.first - score.second)
        gaps = drawn[name].values - drawn_worse[name].values
        assert (score.low, score.high) == pytest.approx(percentile_interval(gaps))


def test_the_exact_test_by_hand(one_label: Codebook) -> None:
    """Three documents of one positive each; the first model finds all, the second none.

    Of the 8 ways to swap, only swapping none and swapping all make |difference| 1.
    """
    first, second = (binary([0, 1, 2], [1, 1, 1], [v] * 3) for v in (1, 0))
    scores = by_name(compare(first, second, one_label, replicates=100, seed=1))
    assert scores["t.a.f1"].difference == 1.0
    assert scores["t.a.f1"].p == 2 / 8
    assert scores["t.macro_f1"].p == 2 / 8


def test_the_exact_test_equals_an_enumeration_with_measure(
    codebook: Codebook, draw_sample: Draw
) -> None:
    good = outcomes_of(draw_sample(60, 5, documents=7, unknown=0.1), codebook)
    other = blurred(good, 0.5, 6)
    found = by_name(compare(good, other, codebook, replicates=10, seed=1))
    ones = np.ones((1, 7))
    gaps: dict[str, list[float]] = {name: [] for name in found}
    for swapped in itertools.product([False, True], repeat=7):
        rows = np.array(swapped)[good.documents][:, None]
        one = replace(good, given=np.where(rows, other.given, good.given))
        two = replace(other, given=np.where(rows, good.given, other.given))
        a, b = measure(one, codebook, ones), measure(two, codebook, ones)
        for name, values in gaps.items():
            values.append(float(a[name].values[0] - b[name].values[0]))
    assert len(next(iter(gaps.values()))) == 128
    different = 0
    for name, values in gaps.items():
        extreme = np.abs(values) >= abs(found[name].difference) - 1e-9
        assert found[name].p == pytest.approx(extreme.mean()), name
        different += found[name].p < 1.0
    assert different > 2


def test_random_swaps_come_near_the_exact_test_and_add_one(
    codebook: Codebook, draw_sample: Draw
) -> None:
    good = outcomes_of(draw_sample(150, 8, documents=12), codebook)
    other = blurred(good, 0.3, 9)
    exact = compare(good, other, codebook, replicates=10, seed=1, shuffles=4096)
    drawn = compare(good, other, codebook, replicates=10, seed=1, shuffles=4095)
    assert {score.p for score in exact} != {score.p for score in drawn}
    for one, two in zip(exact, drawn, strict=True):
        assert one.p * 4096 == pytest.approx(round(one.p * 4096))
        assert two.p * 4096 == pytest.approx(round(two.p * 4096))  # 4095 swaps and the data
        assert abs(one.p - two.p) < 4 * math.sqrt(one.p * (1 - one.p) / 4095) + 2 / 4096


def test_the_smallest_p_is_reached_where_one_model_is_always_right(one_label: Codebook) -> None:
    for documents in (4, 13, 14, 40):
        gold, rows = [1] * documents, list(range(documents))
        first, second = binary(rows, gold, gold), binary(rows, gold, [0] * documents)
        (macro, _) = compare(first, second, one_label, replicates=10, seed=1)
        assert macro.p == pytest.approx(smallest_p(documents))
    assert smallest_p(5) == 2 / 32
    assert smallest_p(40) == 1 / (SHUFFLES + 1)


def test_a_model_does_not_differ_from_itself(codebook: Codebook, draw_sample: Draw) -> None:
    for documents in (8, 30):
        one = outcomes_of(draw_sample(300, 0, documents=documents, unknown=0.2), codebook)
        for score in compare(one, one, codebook, replicates=50, seed=1, shuffles=500):
            assert (score.difference, score.low, score.high, score.p) == (0.0, 0.0, 0.0, 1.0)
            assert score.standard_error == 0.0
            assert math.isnan(score.design_effect)
            assert math.isnan(score.detectable)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.05, 0.9), documents=st.integers(2, 25))
def test_swapping_the_models_turns_signs_and_nothing_else(
    codebook: Codebook, draw_sample: Draw, seed: int, share: float, documents: int
) -> None:
    good = outcomes_of(draw_sample(80, seed, documents=documents, unknown=0.1), codebook)
    other = blurred(good, share, seed + 1)
    there = compare(good, other, codebook, replicates=100, seed=seed, shuffles=200)
    back = compare(other, good, codebook, replicates=100, seed=seed, shuffles=200)
    for one, two in zip(there, back, strict=True):
        assert two.p == pytest.approx(one.p, nan_ok=True)
        assert two.difference == pytest.approx(-one.difference, nan_ok=True)
        assert two.design_effect == pytest.approx(one.design_effect, nan_ok=True)
        assert two.detectable == pytest.approx(one.detectable, nan_ok=True)
        assert (one.low is None) == (two.high is None)
        if one.low is not None and one.high is not None:
            assert two.high == pytest.approx(-one.low)
            assert two.low == pytest.approx(-one.high)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_the_sentences_does_not_matter(
    codebook: Codebook, draw_sample: Draw, seed: int
) -> None:
    sample, other = draw_sample(90, seed, documents=20), draw_sample(90, seed + 1, documents=20)
    # Another model of the same sentences.
    other = replace(other, documents=sample.documents, targets=sample.targets)
    order = np.random.default_rng(seed).permutation(90)
    plain = [outcomes_of(one, codebook) for one in (sample, other)]
    mixed = [outcomes_of(one.rows(order), codebook) for one in (sample, other)]
    before = compare(*plain, codebook, replicates=50, seed=3, shuffles=300)
    after = compare(*mixed, codebook, replicates=50, seed=3, shuffles=300)
    for one, two in zip(before, after, strict=True):
        assert (two.p, two.low, two.high) == (one.p, one.low, one.high)
        assert two.design_effect == pytest.approx(one.design_effect, nan_ok=True)


def test_holm_by_the_textbook() -> None:
    """Steps by hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, then 0.04 raised to the step before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.6, 0.5]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_what_is_no_test_is_not_corrected_for() -> None:
    found = holm([0.02, math.nan, 0.03])
    assert found[0] == pytest.approx(0.04)
    assert math.isnan(found[1])
    assert found[2] == pytest.approx(0.04)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_p_values_and_bonferroni_and_keeps_their_order(
    p: list[float],
) -> None:
    found = holm(p)
    for raw, corrected in zip(p, found, strict=True):
        assert raw <= corrected <= min(1.0, len(p) * raw) + 1e-12
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(found)[order]) >= 0).all()


def test_all_models_make_one_family(codebook: Codebook, draw_sample: Draw) -> None:
    good = outcomes_of(draw_sample(300, 2, documents=30), codebook)
    others = [blurred(good, share, 7) for share in (0.05, 0.5)]
    pairs = compare_all(others, good, codebook, replicates=20, seed=1, shuffles=400)
    raw = [
        score.p
        for one in others
        for score in compare(one, good, codebook, replicates=20, seed=1, shuffles=400)
    ]
    assert [score.p for scores in pairs for score in scores] == raw
    assert [score.p_holm for scores in pairs for score in scores] == holm(raw)


def test_the_design_effect_of_copies_is_the_size_of_the_clusters(one_label: Codebook) -> None:
    """Where all sentences of a document are the same, m of them tell as much as one."""
    draw = np.random.default_rng(3)
    gold, ours, theirs = (list(map(int, draw.random(400) < p)) for p in (0.5, 0.6, 0.4))
    single = [binary(list(range(400)), gold, given) for given in (ours, theirs)]
    (alone, _) = compare(*single, one_label, replicates=10, seed=1, shuffles=1)
    assert alone.design_effect == pytest.approx(1.0)
    for copies in (2, 5):
        rows = [d for d in range(400) for _ in range(copies)]
        copied = [
            binary(rows, [gold[d] for d in rows], [given[d] for d in rows])
            for given in (ours, theirs)
        ]
        (several, _) = compare(*copied, one_label, replicates=10, seed=1, shuffles=1)
        assert several.design_effect == pytest.approx(copies, rel=0.01)
        assert several.standard_error == pytest.approx(alone.standard_error)


def test_the_design_effect_of_documents_without_likeness_is_one(one_label: Codebook) -> None:
    draw = np.random.default_rng(4)
    gold, ours, theirs = (list(map(int, draw.random(6000) < p)) for p in (0.5, 0.6, 0.4))
    rows = list(map(int, draw.integers(0, 600, size=6000)))
    models = [binary(rows, gold, given) for given in (ours, theirs)]
    (found, _) = compare(*models, one_label, replicates=10, seed=1, shuffles=1)
    assert found.design_effect == pytest.approx(1.0, abs=0.2)


def test_the_linearised_error_is_that_of_the_bootstrap(
    codebook: Codebook, draw_sample: Draw
) -> None:
    good = outcomes_of(draw_sample(1000, 5, documents=80), codebook)
    other = blurred(good, 0.3, 6)
    weights = document_weights(80, replicates=500, seed=7)
    ours, theirs = (measure(one, codebook, weights) for one in (good, other))
    for score in compare(good, other, codebook, replicates=10, seed=1, shuffles=1):
        spread = float(np.std(ours[score.name].values - theirs[score.name].values))
        assert score.standard_error == pytest.approx(spread, rel=0.15)
        assert score.detectable == pytest.approx(2.8016 * score.standard_error, rel=1e-4)


def test_what_the_data_leave_undefined(one_label: Codebook) -> None:
    """Nobody gives or has the label: no score, no test, and no member of the family."""
    nothing = binary([0, 1], [0, 0], [0, 0])
    for score in compare(nothing, nothing, one_label, replicates=10, seed=1):
        assert math.isnan(score.difference)
        assert math.isnan(score.p)
        assert score.low is None
    # One model gives a label that is never right: the F1 of the other is undefined.
    wrong = binary([0, 1], [0, 0], [1, 0])
    assert all(math.isnan(s.p) for s in compare(wrong, nothing, one_label, replicates=10, seed=1))


def test_models_on_other_sentences_and_wrong_numbers(codebook: Codebook, draw_sample: Draw) -> None:
    one = outcomes_of(draw_sample(60, 1), codebook)
    with pytest.raises(ShapeError, match="same sentences in the same order"):
        compare(one, replace(one, targets=1.0 - one.targets), codebook, replicates=10, seed=1)
    with pytest.raises(SettingsError, match=r"replicates is 0(.|\n)*shuffles is -1"):
        compare(one, one, codebook, replicates=0, seed=1, shuffles=-1)


def test_ten_thousand_shuffles_of_a_real_test_set_take_seconds(
    codebook: Codebook, draw_sample: Draw
) -> None:
    import time

    good = outcomes_of(draw_sample(650, 2, documents=125), codebook)
    other = blurred(good, 0.2, 3)
    began = time.process_time()
    compare(good, other, codebook, replicates=1000, seed=1)
    assert time.process_time() - began < 10.0
