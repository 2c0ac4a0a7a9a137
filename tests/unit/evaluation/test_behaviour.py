"""Behaviour tests on deciders that are made to fail or pass them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook, load_codebook
from pipeline.evaluation.behaviour import (
    BehaviourResult,
    behaviour_json,
    behaviour_table,
    direction,
    functionality,
    invariance,
    pooled,
    wilson,
)
from pipeline.labelling.cases import CaseKind, DirectionCase, FunctionalityCase
from pipeline.labelling.perturbation import Texts
from pipeline.output import json_text
from pipeline.records import Sentence

Given = npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def tiny() -> Codebook:
    return load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def decider(*words: str) -> Callable[[Sequence[Sentence]], Given]:
    """Give label j where the text holds the j-th word."""
    return lambda asked: np.array(
        [[word in one.text for word in words] for one in asked], dtype=bool
    ).reshape(len(asked), len(words))


DECIDE = decider("soup", "waiter", "good", "bad", "so-so")


def sentence(text: str) -> Sentence:
    return Sentence("s", "d", text)


def to_upper(texts: Texts, _: np.random.Generator) -> list[str]:
    return [text.upper() for text in texts]


def with_good(texts: Texts, _: np.random.Generator) -> list[str]:
    return [texts[0].replace("bad", "good"), *texts[1:]]


def test_invariance_counts_decisions_of_changed_sentences_only(tiny: Codebook) -> None:
    sentences = [sentence(text) for text in ("soup bad", "waiter bad", "soup", "RAIN", "so-so")]
    changes = {"good": with_good, "upper": to_upper}
    good, upper = invariance(DECIDE, tiny, sentences, changes, threshold=0.3, seed=1)
    assert (good.name, good.n, good.count, good.left_out) == ("invariance.good", 4, 2, 6)
    assert good.rate == 0.5
    assert not good.passed
    assert good.failures == ("soup bad -> soup good", "waiter bad -> waiter good")
    assert (upper.n, upper.count, upper.left_out) == (8, 6, 2)


def test_a_change_of_the_context_alone_does_not_count(tiny: Codebook) -> None:
    one = Sentence("s", "d", "SOUP", context="bad")
    (result,) = invariance(DECIDE, tiny, [one], {"upper": to_upper}, threshold=0.01, seed=1)
    assert (result.n, result.left_out) == (0, 2)


def test_invariance_is_strictly_below_its_threshold() -> None:
    assert BehaviourResult("invariance.x", 1000, 9, 0, 0.01).passed
    assert not BehaviourResult("invariance.x", 1000, 10, 0, 0.01).passed
    assert BehaviourResult("direction.x", 10, 9, 0, 0.9).passed
    assert not BehaviourResult("direction.x", 10, 8, 0, 0.9).passed


@pytest.mark.parametrize("name", ["invariance.x", "direction.x", "functionality.x"])
def test_a_test_without_decisions_is_not_passed(name: str) -> None:
    result = BehaviourResult(name, 0, 0, 3, 0.5)
    assert math.isnan(result.rate)
    assert not result.passed
    (row,) = json.loads(json_text(behaviour_json([result])))
    judged = name != "invariance.x"  # a file without names says nothing about names
    assert result.judged is judged
    assert (row["rate"], row["low"]) == (None, None)
    assert row["passed"] is (False if judged else None)
    assert behaviour_table([result])[1][-1] == ("NO" if judged else "-")


def test_direction_counts_pairs_whose_first_sentence_is_right() -> None:
    cases = [
        DirectionCase("taken", 0, "soup", True, "no stew", False),
        DirectionCase("taken", 0, "soup", True, "no soup", False),
        DirectionCase("taken", 0, "stew", True, "no stew", False),
        DirectionCase("added", 1, "staff", False, "waiter", True),
    ]
    taken, added = direction(DECIDE, cases, threshold=0.9)
    assert (taken.name, taken.n, taken.count, taken.left_out) == ("direction.taken", 2, 1, 1)
    assert taken.failures == ("no soup",)
    assert (added.n, added.count, added.passed) == (1, 1, True)


def test_functionality_by_label_and_kind(tiny: Codebook) -> None:
    cases = [
        FunctionalityCase("soup", 0, True, CaseKind.PLAIN),
        FunctionalityCase("broth", 0, True, CaseKind.PLAIN),
        FunctionalityCase("soup kitchen", 0, False, CaseKind.NEAR_MISS),
        FunctionalityCase("rain", 3, False, CaseKind.TRICKY),
    ]
    results = functionality(DECIDE, tiny, cases, threshold=0.9)
    assert [(one.name, one.n, one.count, one.passed) for one in results] == [
        ("functionality.topic.food.near_miss", 1, 0, False),
        ("functionality.topic.food.plain", 2, 1, False),
        ("functionality.tone.blame.tricky", 1, 1, True),
    ]
    assert results[1].failures == ("broth",)


def test_only_the_first_failures_are_kept(tiny: Codebook) -> None:
    cases = [FunctionalityCase(f"broth {i}", 0, True, CaseKind.PLAIN) for i in range(9)]
    (result,) = functionality(DECIDE, tiny, cases, threshold=0.9, shown=3)
    assert result.failures == ("broth 0", "broth 1", "broth 2")


def test_families_are_pooled() -> None:
    results = [
        BehaviourResult("direction.a", 1, 1, 0, 0.9),
        BehaviourResult("direction.b", 3, 1, 0, 0.9),
        BehaviourResult("invariance.c", 0, 0, 4, 0.01),
    ]
    assert pooled(results) == {"direction": 0.5}


def test_the_table_and_the_json() -> None:
    results = [
        BehaviourResult("invariance.names", 200, 1, 4, 0.01, ("a -> b",)),
        BehaviourResult("direction.x", 0, 0, 4, 0.9),
    ]
    header, first, second = behaviour_table(results)
    assert first[:2] == ("invariance.names", "0.005")
    assert first[3:] == ("200", "4", "< 0.01", "yes")
    assert second == ("direction.x", "-", "", "0", "4", ">= 0.9", "NO")
    assert len(header) == len(first)
    row = json.loads(json_text(behaviour_json(results)))[0]
    assert row["failures"] == ["a -> b"]
    assert row["low"] < row["rate"] < row["high"]


def test_wilson_known_values() -> None:
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for count, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(case: tuple[int, int]) -> None:
    count, n = case
    low, high = wilson(count, n)
    assert 0.0 <= low <= count / n + 1e-12
    assert count / n - 1e-12 <= high <= 1.0
