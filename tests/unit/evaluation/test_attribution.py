"""Agreement of holders and targets, and labels whose holder is right as well."""

from __future__ import annotations

import pytest

from pipeline.evaluation.attribution import (
    Expressed,
    Found,
    attribution_scores,
    expressed_f1,
    same_holder,
    token_f1,
)
from pipeline.records import SPEAKER


def test_holders_are_compared_without_articles_and_case() -> None:
    assert same_holder("The Council", "the council,")
    assert not same_holder("The Council", "The Security Council")
    assert same_holder(SPEAKER, SPEAKER)
    assert not same_holder(SPEAKER, "speaker")


@pytest.mark.parametrize(
    ("found", "right", "f1"),
    [
        (None, None, 1.0),
        (None, "the raid", 0.0),
        ("the raid", None, 0.0),
        ("The raid!", "raid", 1.0),
        ("the raid on the market", "the raid", 0.5),
        ("a cat", "the dog", 0.0),
        ("the", "a", 1.0),
    ],
)
def test_token_f1(found: str | None, right: str | None, f1: float) -> None:
    assert token_f1(found, right) == pytest.approx(f1)


def test_scores_of_holders_and_targets() -> None:
    found = [
        Found("a", SPEAKER, SPEAKER, "the raid", "the raid"),
        Found("a", "the Pope", "Pope", None, None),
        Found("b", SPEAKER, "the Pope", "the raid on town", "the raid"),
        Found("b", SPEAKER, SPEAKER, None, "the raid"),
    ]
    scores = attribution_scores(found, replicates=100, seed=1)
    assert scores["holder_exact"].value == 0.75
    assert scores["reported_holder_exact"].value == 0.5
    assert scores["reported_holder_exact"].support == 2
    assert scores["target_f1"].value == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert scores["named_target_f1"].value == pytest.approx((1 + 0.5 + 0) / 3)
    assert scores["target_named"].value == 0.75
    low, high = scores["holder_exact"].low, scores["holder_exact"].high
    assert low is not None
    assert high is not None
    assert low <= 0.75 <= high


def test_one_document_has_no_interval() -> None:
    scores = attribution_scores([Found("a", SPEAKER, SPEAKER, None, None)], replicates=100, seed=1)
    assert scores["holder_exact"].value == 1.0
    assert scores["holder_exact"].low is None
    assert scores["reported_holder_exact"].value != scores["reported_holder_exact"].value


def test_a_label_counts_only_with_its_holder() -> None:
    right = [
        Expressed("a", "a#0", "food", SPEAKER),
        Expressed("a", "a#1", "food", "the cook"),
        Expressed("b", "b#0", "service", SPEAKER),
    ]
    given = [
        Expressed("a", "a#0", "food", SPEAKER),
        Expressed("a", "a#1", "food", SPEAKER),
        Expressed("b", "b#0", "service", SPEAKER),
        Expressed("b", "b#1", "service", SPEAKER),
    ]
    scores = expressed_f1(
        given, right, ["a", "b", "c"], ["food", "service"], replicates=100, seed=1
    )
    assert scores["food"].value == pytest.approx(0.5)
    assert scores["service"].value == pytest.approx(2 / 3)
    assert scores["macro_f1"].value == pytest.approx((0.5 + 2 / 3) / 2)
    assert scores["macro_f1"].support == 3
