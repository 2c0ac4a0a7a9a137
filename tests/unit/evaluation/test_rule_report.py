"""Figures of rules, counted by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import load_codebook
from pipeline.errors import ShapeError
from pipeline.evaluation.rule_report import RuleReport, report_rules
from pipeline.labelling import RuleSet

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
RULES = RuleSet(TINY)
TEXTS = [
    "The soup was excellent.",
    "We ordered soup.",  # food spoken for and against
    "The rude waiter was friendly.",  # praise and blame
    "It rained.",
    "The roast was good.",  # food, and no rule says so
    "We ordered nothing.",
]
FOOD = [1, 0, 0, 0, 1, math.nan]


def report(replicates: int = 0) -> RuleReport:
    targets = np.full((len(TEXTS), TINY.width), np.nan)
    targets[:, 0] = FOOD
    documents = ["a", "a", "b", "b", "c", "c"]
    votes = RULES.votes(TEXTS)
    return report_rules(votes, targets, documents, RULES, replicates=replicates, seed=1)


def test_every_figure_of_a_rule() -> None:
    found = report()
    rules = {one.rule.rule: one for one in found.rules}
    dish, against = rules["names_a_dish"], rules["ordered_only"]
    assert (dish.spoke, dish.coverage, dish.overlap, dish.conflict) == (2, 2 / 6, 0.5, 0.5)
    assert (dish.precision.value, dish.precision.support) == (0.5, 2)
    assert (dish.recall.value, dish.recall.support) == (0.5, 2)
    assert dish.wrong == (1,)
    # Against food: right on the one known sentence it speaks on, of three without the label.
    assert (against.spoke, against.precision.value) == (2, 1.0)
    assert against.recall.value == pytest.approx(1 / 3)
    kind, harsh = rules["kind_words"], rules["harsh_words"]
    assert (kind.conflict, harsh.conflict) == (0.5, 1.0)
    assert kind.overlap == 0.0
    assert math.isnan(kind.precision.value)
    assert (found.sentences, found.documents, found.known) == (6, 3, 5)
    assert found.silent == {"topic": 2, "tone": 4}


def test_rules_of_a_label_together_and_what_they_miss() -> None:
    food = report().labels[0]
    assert (food.column, food.rules) == ("topic.food", 2)
    assert (food.precision.value, food.recall.value) == (0.5, 0.5)
    assert food.missed == (4,)


def test_intervals_come_from_documents_and_hold_the_value() -> None:
    of_sentences = report(replicates=500)
    recall = of_sentences.rules[0].recall
    assert recall.low is None or recall.low <= recall.value <= (recall.high or 0)
    against = next(one for one in of_sentences.rules if one.rule.rule == "ordered_only")
    assert against.recall.low is not None
    assert 0 <= against.recall.low < 1 / 3 < against.recall.high <= 1


def test_without_gold_there_is_coverage_and_nothing_else() -> None:
    votes = RULES.votes(TEXTS)
    unknown = np.full((len(TEXTS), TINY.width), np.nan)
    found = report_rules(votes, unknown, ["a"] * 6, RULES, replicates=10, seed=1)
    assert found.known == 0
    assert found.rules[0].coverage == 2 / 6
    assert all(math.isnan(one.precision.value) and not one.wrong for one in found.rules)


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ShapeError, match="rules"):
        report_rules(RULES.votes(TEXTS), np.zeros((6, 1)), ["a"] * 6, RULES, replicates=0, seed=1)
