"""Logits to probabilities to labels, against a plain computation in Python floats."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.decision import DecisionRule, Decisions, to_predictions
from pipeline.errors import ShapeError
from pipeline.records import Sentence

ROOT = Path(__file__).parents[2]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
DIPLOMACY = load_codebook(ROOT / "configs" / "codebook.yaml")
Array = npt.NDArray[np.float32]

codebooks = pytest.mark.parametrize("codebook", [TINY, DIPLOMACY], ids=["tiny", "diplomacy"])
numbers = st.floats(-1e4, 1e4, width=32)


@st.composite
def logits_and_rule(draw: st.DrawFn, codebook: Codebook = TINY) -> tuple[Array, DecisionRule]:
    k = codebook.width
    rows = draw(st.lists(st.lists(numbers, min_size=k, max_size=k), max_size=5))
    logits = np.array(rows, dtype=np.float32).reshape(-1, k)
    column = st.lists(st.floats(0.01, 10), min_size=k, max_size=k)
    rule = DecisionRule(
        scale=tuple(draw(column)),
        bias=tuple(draw(st.lists(st.floats(-20, 20), min_size=k, max_size=k))),
        threshold=tuple(draw(st.lists(st.floats(0, 1), min_size=k, max_size=k))),
        abstain_within=draw(st.sampled_from([0.0, 0.0, 0.1, 0.5])),
    )
    return logits, rule


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def expected_row(logits: list[float], rule: DecisionRule, codebook: Codebook) -> list[float]:
    scaled = [z * a + b for z, a, b in zip(logits, rule.scale, rule.bias, strict=True)]
    out: list[float] = []
    for name, task in codebook.tasks.items():
        part = scaled[codebook.slice_of(name)]
        if task.type is TaskType.MULTILABEL:
            out += [sigmoid(x) for x in part]
        else:
            powers = [math.exp(x - max(part)) for x in part]
            out += [p / sum(powers) for p in powers]
    return out


@given(logits_and_rule())
def test_probabilities_are_what_the_formula_says(drawn: tuple[Array, DecisionRule]) -> None:
    logits, rule = drawn
    got = rule.probabilities(logits, TINY)
    assert got.dtype == np.float32
    assert got.shape == logits.shape
    assert ((got >= 0) & (got <= 1)).all()
    for row, expected in zip(got, logits.tolist(), strict=True):
        np.testing.assert_allclose(row, expected_row(expected, rule, TINY), rtol=1e-5, atol=1e-7)


@given(logits_and_rule(DIPLOMACY))
def test_a_multiclass_task_sums_to_one(drawn: tuple[Array, DecisionRule]) -> None:
    logits, rule = drawn
    got = rule.probabilities(logits, DIPLOMACY)
    for task in DIPLOMACY.multiclass_tasks():
        np.testing.assert_allclose(got[:, DIPLOMACY.slice_of(task)].sum(axis=1), 1, atol=1e-6)


def test_a_hand_computed_row() -> None:
    rule = DecisionRule(
        scale=(1.0, 2.0, 1.0, 1.0, 1.0),
        bias=(0.0, -1.0, 0.0, 0.0, 0.0),
        threshold=(0.5, 0.9, 0.5, 0.5, 0.5),
    )
    logits = np.array([[0.0, 1.0, 0.0, math.log(2), 0.0]], dtype=np.float32)
    probabilities = rule.probabilities(logits, TINY)
    np.testing.assert_allclose(probabilities, [[0.5, 0.7310586, 0.25, 0.5, 0.25]], rtol=1e-6)
    decisions = rule.decide(probabilities, TINY)
    assert decisions.given.tolist() == [[True, False, False, True, False]]
    assert not decisions.withheld.any()


def test_nothing_overflows() -> None:
    logits = np.array([[1e38, -1e38, 1e38, -1e38, 0]], dtype=np.float32)
    got = DecisionRule.plain(TINY).probabilities(logits, TINY)
    assert got.tolist() == [[1, 0, 1, 0, 0]]


@codebooks
def test_plain_neither_calibrates_nor_abstains(codebook: Codebook) -> None:
    rule = DecisionRule.plain(codebook)
    zeros = np.zeros((3, codebook.width), dtype=np.float32)
    probabilities = rule.probabilities(zeros, codebook)
    decisions = rule.decide(probabilities, codebook)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        even = 0.5 if task.type is TaskType.MULTILABEL else 1 / len(task.labels)
        np.testing.assert_allclose(probabilities[:, part], even, rtol=1e-6)
        count = len(task.labels) if task.type is TaskType.MULTILABEL else 1
        assert (decisions.given[:, part].sum(axis=1) == count).all()
    assert not decisions.withheld.any()


@codebooks
def test_no_rows_are_no_problem(codebook: Codebook) -> None:
    rule = DecisionRule.plain(codebook)
    empty = np.zeros((0, codebook.width), dtype=np.float32)
    decisions = rule.decide(rule.probabilities(empty, codebook), codebook)
    assert decisions.given.shape == decisions.withheld.shape == (0, codebook.width)
    assert to_predictions([], empty, decisions, codebook, model_id="m") == []


@given(logits_and_rule())
def test_decisions_follow_thresholds_and_the_band(drawn: tuple[Array, DecisionRule]) -> None:
    logits, rule = drawn
    probabilities = rule.probabilities(logits, TINY)
    decisions = rule.decide(probabilities, TINY)
    for row, p in enumerate(probabilities):
        for j in range(*TINY.slice_of("topic").indices(TINY.width)):
            threshold = np.float32(rule.threshold[j])
            near = abs(p[j] - threshold) < rule.abstain_within
            assert decisions.withheld[row, j] == near
            assert decisions.given[row, j] == (p[j] >= threshold and not near)
        part = TINY.slice_of("tone")
        second, first = sorted(p[part])[-2:]
        near = first - second < rule.abstain_within
        assert decisions.withheld[row, part].tolist() == [near] * 3
        assert decisions.given[row, part].sum() == (0 if near else 1)
        if not near:
            assert p[part][decisions.given[row, part]] == first


def test_a_probability_at_its_threshold_is_given() -> None:
    rule = DecisionRule((1.0,) * 5, (0.0,) * 5, (0.3, 0.3, 0.5, 0.5, 0.5))
    below = float(np.nextafter(np.float32(0.3), np.float32(0)))
    p = np.array([[0.3, below, 1, 0, 0]], dtype=np.float32)
    assert rule.decide(p, TINY).given[0, :2].tolist() == [True, False]


def test_the_band_reaches_as_far_as_it_says() -> None:
    rule = DecisionRule((1.0,) * 5, (0.0,) * 5, (0.5,) * 5, abstain_within=0.125)
    p = np.array(
        [[0.375, 0.625, 0.5, 0.375, 0.125], [0.376, 0.624, 0.5, 0.376, 0.124]], dtype=np.float32
    )
    decisions = rule.decide(p, TINY)
    assert decisions.withheld.tolist() == [[False] * 5, [True] * 5]
    assert decisions.given.tolist() == [[False, True, True, False, False], [False] * 5]


@codebooks
@pytest.mark.parametrize("shape", [(2, 1), (2, 99), (7,), (1, 2, 3)])
def test_a_wrong_shape_names_both_shapes_and_the_labels(
    codebook: Codebook, shape: tuple[int, ...]
) -> None:
    rule, wrong = DecisionRule.plain(codebook), np.zeros(shape, dtype=np.float32)
    for call in (rule.probabilities, rule.decide):
        with pytest.raises(ShapeError) as caught:
            call(wrong, codebook)
        message = str(caught.value)
        assert f"got an array of shape {shape}, expected (n, {codebook.width})" in message
        assert all(name in message for name in codebook.column_names)


def sentences(n: int) -> list[Sentence]:
    return [Sentence(f"s{i}", "d", f"Sentence {i}.") for i in range(n)]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_predictions_need_one_row_a_sentence(rows: int) -> None:
    p = np.zeros((rows, TINY.width), dtype=np.float32)
    decisions = DecisionRule.plain(TINY).decide(p, TINY)
    with pytest.raises(ShapeError, match=rf"shape \({rows}, 5\), expected \(2, 5\)"):
        to_predictions(sentences(2), p, decisions, TINY, model_id="m")


@pytest.mark.parametrize("which", ["given", "withheld"])
def test_predictions_need_one_decision_a_sentence(which: str) -> None:
    p = np.zeros((2, TINY.width), dtype=np.float32)
    arrays = {name: np.zeros((2, TINY.width), dtype=bool) for name in ("given", "withheld")}
    arrays[which] = np.zeros((3, TINY.width), dtype=bool)
    with pytest.raises(ShapeError, match=r"shape \(3, 5\), expected \(2, 5\)"):
        to_predictions(sentences(2), p, Decisions(**arrays), TINY, model_id="m")


def test_predictions_carry_labels_and_every_probability() -> None:
    p = np.array([[0.75, 0.25, 0.5, 0.25, 0.25], [0, 0, 0, 0, 1]], dtype=np.float32)
    decisions = DecisionRule.plain(TINY).decide(p, TINY)
    first, second = to_predictions(sentences(2), p, decisions, TINY, model_id="m-1")
    assert first.sentence == sentences(2)[0]
    assert first.labels == {"topic": ("food",), "tone": ("praise",)}
    assert first.probabilities == {
        "topic": {"food": 0.75, "service": 0.25},
        "tone": {"praise": 0.5, "blame": 0.25, "neither": 0.25},
    }
    assert first.model_id == "m-1"
    assert second.labels == {"topic": (), "tone": ("neither",)}


def test_one_label_withheld_withholds_its_multilabel_task_only() -> None:
    p = np.array([[0.9, 0.45, 0.2, 0.7, 0.1]], dtype=np.float32)
    rule = DecisionRule((1.0,) * 5, (0.0,) * 5, (0.5,) * 5, abstain_within=0.1)
    (prediction,) = to_predictions(sentences(1), p, rule.decide(p, TINY), TINY, model_id="m")
    assert prediction.labels == {"topic": None, "tone": ("blame",)}


def test_each_task_may_need_a_margin_of_its_own() -> None:
    p = np.array([[0.9, 0.45, 0.2, 0.7, 0.1], [0.9, 0.1, 0.4, 0.5, 0.1]], dtype=np.float32)
    rule = DecisionRule((1.0,) * 5, (0.0,) * 5, (0.5,) * 5, abstain_within={"tone": 0.3})
    assert (rule.within("topic"), rule.within("tone")) == (0.0, 0.3)
    decided = rule.decide(p, TINY)
    assert decided.withheld.tolist() == [[False] * 5, [False, False, True, True, True]]
    assert decided.given.tolist() == [
        [True, False, False, True, False],
        [True, False, False, False, False],
    ]
    assert rule.margin(p, TINY).round(3).tolist() == pytest.approx(
        np.array([[0.4, 0.05, 0.5, 0.5, 0.5], [0.4, 0.4, 0.1, 0.1, 0.1]], dtype=np.float32)
    )
    always = DecisionRule((1.0,) * 5, (0.0,) * 5, (0.5,) * 5, abstain_within={"tone": 1.1})
    assert always.decide(p, TINY).withheld.any(axis=0).tolist() == [False, False, True, True, True]


@settings(max_examples=50)
@given(logits_and_rule())
def test_predictions_say_what_the_decisions_say(drawn: tuple[Array, DecisionRule]) -> None:
    logits, rule = drawn
    p = rule.probabilities(logits, TINY)
    decisions = rule.decide(p, TINY)
    made = to_predictions(sentences(len(p)), p, decisions, TINY, model_id="m")
    assert [one.sentence.sentence_id for one in made] == [f"s{i}" for i in range(len(p))]
    for row, one in enumerate(made):
        for j, (task, label) in enumerate(TINY.columns):
            assert one.probabilities[task][label] == p[row, j]
            labels = one.labels[task]
            if labels is None:
                assert decisions.withheld[row, TINY.slice_of(task)].any()
            else:
                assert (label in labels) == decisions.given[row, j]
