"""Labelling rules: what fires, what it weighs, and that a failing rule is never an abstention."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook, Negation, load_codebook
from pipeline.codebook.patterns import folded
from pipeline.errors import SettingsError
from pipeline.labelling import Firing, RuleSet
from pipeline.labelling import rules as module
from pipeline.labelling.negation import Scopes

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
        Firing("topic", "service", "names_staff", 3.0),
        Firing("tone", "praise", "kind_words", 3.0),
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


def test_typographic_characters_of_patterns_are_read_as_plain_ones() -> None:
    rules = RuleSet(with_rule("that’s bad"))
    assert [firing.rule for firing in rules.fire("And that's bad.")]
    assert [firing.rule for firing in rules.fire("And that’s bad.")]


def test_evidence_sums_the_weights_a_column(rules: RuleSet) -> None:
    got = rules.evidence(["We ordered soup from a rude waiter.", "We came by train."])
    assert got.dtype == np.float32
    assert got.tolist() == [[1.0, 3.0, 0.0, 3.0, 0.0], [0.0] * 5]


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

    def search(self, text: bytes) -> None:
        raise RuntimeError(f"gave up after {len(text)} bytes")


def test_a_rule_that_cannot_run_is_an_error_and_names_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "compile_pattern", lambda _: _Exploding())
    broken = RuleSet(with_rule("soup"))
    with pytest.raises(SettingsError, match=r"topic\.food\.only.*'Soup\.'.*RuntimeError"):
        broken.fire("Soup.")
    with pytest.raises(SettingsError, match=r"topic\.food\.only"):
        broken.evidence(["Soup."])
    with pytest.raises(SettingsError, match=r"topic\.food\.only"):
        broken.votes(["Soup."])


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(?:.*a){12}$", r"(\w+\s?)*!"])
def test_hostile_patterns_take_time_linear_in_the_text(pattern: str) -> None:
    rules = RuleSet(with_rule(pattern))
    times = []
    for length in (25_000, 50_000, 100_000):
        began = time.process_time()
        rules.fire("a" * length + "c")
        times.append(time.process_time() - began)
    assert times[-1] < 2.0, times  # an engine that backtracks needs longer than the universe is old


def test_votes_tell_for_and_against_from_silence(rules: RuleSet) -> None:
    votes = rules.votes(["We ordered soup.", "We came by train.", "Rude staff."])
    names = [rule.name for rule in rules.rules]
    assert votes.dtype == np.int8
    spoken = [{names[j]: int(vote) for j, vote in enumerate(row) if vote} for row in votes]
    assert spoken == [
        {"topic.food.names_a_dish": 1, "topic.food.ordered_only": -1},
        {},
        {"topic.service.names_staff": 1, "tone.blame.harsh_words": 1},
    ]
    assert [TINY.column_names[j] for j in rules.columns] == [n.rpartition(".")[0] for n in names]


def negating(when: str, **rule: object) -> RuleSet:
    data = json.loads(with_rule("soup").model_dump_json())
    data["negation"] = {
        "words": ["not", "never", "cannot"],
        "scope": 4,
        "pseudo": ["not only"],
        "ends": ["but"],
    }
    data["tasks"]["topic"]["labels"]["food"]["rules"][0] |= {"negated": when, **rule}
    return RuleSet(Codebook.model_validate(data))


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("We praise the soup.", False),
        ("We do not praise the soup.", True),
        ("We never praise. The soup is here.", False),
        ("We do not, as you say, want soup.", False),
        ("Not only the soup pleased us.", False),
        ("It was not bread but soup.", False),
        ("We cannot in any way whatever praise the soup.", False),  # the sixth word behind it
        ("Do not order the soup; the soup is stale.", False),  # one of the two is not negated
        ("NEVER the soup", True),
        ("soup", False),
    ],
)
def test_a_negation_hides_the_words_in_its_scope(text: str, negated: bool) -> None:
    weight = [firing.weight for firing in negating("ignore").fire(text)]
    assert weight == [1.0]
    assert [f.weight for f in negating("block").fire(text)] == ([] if negated else [1.0])
    assert [f.weight for f in negating("flip").fire(text)] == [-1.0 if negated else 1.0]


def test_a_rule_of_words_knows_their_forms_and_no_parts_of_words() -> None:
    data = json.loads(with_rule("soup").model_dump_json())
    rule = {"name": "only", "words": ["condemn", "cry out", "café"], "weight": 1.0}
    data["tasks"]["topic"]["labels"]["food"]["rules"] = [rule]
    rules = RuleSet(Codebook.model_validate(data))
    for text in (
        "He CONDEMNED it",
        "condemning",
        "They cried\tout.",
        "(condemns)",
        "the cafe",
        "Café",
    ):
        assert rules.fire(text), text
    for text in ("condemnation", "uncondemned", "cry", "cafeteria", ""):
        assert not rules.fire(text), text


def test_word_boundaries_hold_beside_letters_with_accents() -> None:
    assert RuleSet(with_rule("\\bcommuniqué\\b")).fire("The communiqué says so.")
    assert RuleSet(with_rule(r"\bcommunique\b")).fire("Un Communiqué")


@given(st.text())
def test_hiding_keeps_every_position(text: str) -> None:
    negation = Negation(words=("not",), ends=("but",), pseudo=("not only",))
    hidden = Scopes(negation).hidden(text)
    assert len(hidden) == len(text)
    assert all(new in (old, "\x1a") for old, new in zip(text, hidden, strict=True))


@given(st.text())
def test_folding_keeps_every_position(text: str) -> None:
    assert len(folded(text)) == len(text)
