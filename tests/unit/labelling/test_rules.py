"""Labelling rules: what fires, what it weighs, and that a failing rule is never an abstention."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import SettingsError
from pipeline.labelling import Firing, RuleSet
from pipeline.labelling import rules as module

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return RuleSet(TINY)


def with_rule(pattern: str, unless: str | None = None) -> Codebook:
    data = json.loads(TINY.model_dump_json())
    rule = {"name": "only", "pattern": pattern, "unless": unless, "weight": 1.0}
    for task in data["tasks"].values():
        for label in task["labels"].values():
            label["rules"] = []
    data["tasks"]["topic"]["labels"]["food"]["rules"] = [rule]
    return Codebook.model_validate(data)


def test_rules_fire_in_codebook_order_with_their_weights(rules: RuleSet) -> None:
    assert rules.fire("The waiter brought an excellent soup.") == (
        Firing("topic", "food", "names_a_dish", 2.5),
        Firing("topic", "service", "names_staff", 2.0),
        Firing("tone", "praise", "kind_words", 2.0),
    )


def test_a_text_no_rule_speaks_on_is_an_abstention(rules: RuleSet) -> None:
    assert rules.fire("We came by train.") == ()
    assert rules.fire("") == ()


def test_case_is_ignored(rules: RuleSet) -> None:
    assert rules.fire("SOUP!") == rules.fire("soup!")


def test_unless_silences_a_rule(rules: RuleSet) -> None:
    assert [f.rule for f in rules.fire("We ordered soup.")] == ["names_a_dish", "ordered_only"]
    assert "ordered_only" not in [f.rule for f in rules.fire("We ordered an excellent soup.")]


def test_typographic_characters_are_read_as_plain_ones() -> None:
    plain = RuleSet(with_rule(r"chef's \"best\" - so-so"))
    assert plain.fire("The chef’s “best” – so‑so.")
    assert not plain.fire("The chefs best, so so.")


def test_evidence_sums_the_weights_a_column(rules: RuleSet) -> None:
    got = rules.evidence(["We ordered soup from a rude waiter.", "We came by train."])
    assert got.dtype == np.float32
    assert got.tolist() == [[1.0, 2.0, 0.0, 2.0, 0.0], [0.0] * 5]


def test_evidence_of_no_texts_has_the_width_of_the_codebook(rules: RuleSet) -> None:
    assert rules.evidence([]).shape == (0, TINY.width)


def test_a_codebook_without_rules_always_abstains() -> None:
    silent = RuleSet(with_rule("nothing at all like this"))
    assert len(silent) == 1
    assert silent.evidence(["Soup."]).sum() == 0


@given(st.lists(st.text(), max_size=5))
def test_evidence_agrees_with_firing_on_any_text(texts: list[str]) -> None:
    rules = RuleSet(TINY)
    column = {pair: j for j, pair in enumerate(TINY.columns)}
    expected = np.zeros((len(texts), TINY.width), dtype=np.float32)
    for row, text in enumerate(texts):
        for firing in rules.fire(text):
            expected[row, column[firing.task, firing.label]] += firing.weight
    np.testing.assert_array_equal(rules.evidence(texts), expected)


class _Exploding:
    """Stands in for a pattern that the engine cannot run on a text."""

    def search(self, text: str) -> None:
        raise RecursionError(f"gave up after {len(text)} characters")


def test_a_rule_that_cannot_run_is_an_error_and_names_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_compile", lambda _: (_Exploding(), None))
    broken = RuleSet(with_rule("soup"))
    with pytest.raises(SettingsError, match=r"topic\.food\.only.*'Soup\.'.*RecursionError"):
        broken.fire("Soup.")
    with pytest.raises(SettingsError, match=r"topic\.food\.only"):
        broken.evidence(["Soup."])


def test_patterns_that_do_not_compile_are_reported_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(rule: object) -> None:
        raise re.error("unknown construct")

    monkeypatch.setattr(module, "_compile", fail)
    with pytest.raises(SettingsError) as caught:
        RuleSet(TINY)
    assert len(caught.value.mistakes) == sum(
        len(TINY.tasks[task].labels[label].rules) for task, label in TINY.columns
    )
