from __future__ import annotations

import pytest

from pipeline.actors.files import load_shipped_grammar
from pipeline.actors.grammar import HeadReader, is_person, person_of
from pipeline.actors.text import name_key, tokens

HEADS = HeadReader(load_shipped_grammar())


@pytest.mark.parametrize(
    ("words", "owners", "role", "person"),
    [
        ("armed forces", {"country"}, "military", ""),
        ("Foreign Ministry spokeswoman Maria Zakharova", {"country"}, "office", "maria zakharova"),
        ("Secretary of State Antony Blinken", {"country"}, "government", "antony blinken"),
        ("ambassador to Syria", {"country"}, "office", ""),
        ("invasion of Ukraine", {"country"}, "conduct", ""),
        ("fighters", {"group"}, "fighters", ""),
        ("member States", {"organisation"}, "members", ""),
    ],
)
def test_what_stands_behind_an_owner(words: str, owners: set[str], role: str, person: str) -> None:
    found = HEADS.behind(tokens(words), owners, named=False)
    assert found is not None
    assert (found.role, found.person) == (role, person)


@pytest.mark.parametrize(
    ("words", "owners"),
    [
        ("backed forces", {"country"}),
        ("government in exile", {"country"}),
        ("fighters", {"country"}),
        ("people", {"country"}),
        ("attacks", {"country"}),
        ("new members", {"organisation"}),
        ("forces of the opposition", {"country"}),
        ("", {"country"}),
    ],
)
def test_what_is_not_the_owner_s(words: str, owners: set[str]) -> None:
    assert HEADS.behind(tokens(words), owners, named=False) is None


def test_behind_a_bare_name_a_deed_may_be_suffered() -> None:
    assert HEADS.behind(tokens("offensive"), {"country"}, named=True) is None


def test_plain_words_may_stand_before_who_did_something() -> None:
    assert HEADS.before(tokens("the indiscriminate"), conduct=True)
    assert not HEADS.before(tokens("the indiscriminate"), conduct=False)
    assert not HEADS.before(tokens("against"), conduct=True)


def test_persons() -> None:
    assert is_person(tokens("Mr. Pecsteen de Buytswerve"))
    assert person_of(tokens("Mr. Pecsteen de Buytswerve")) == "pecsteen de buytswerve"
    assert not is_person(tokens("Mr."))
    assert not is_person(tokens("the delegate"))
    assert not is_person(tokens("Putin"), least=2)


def test_the_lists_are_written_as_they_are_compared() -> None:
    grammar = load_shipped_grammar()
    heads = {word for head in grammar.heads.values() for word in head.words}
    for word in (
        heads | (grammar.modifiers - {"the"}) | grammar.blocked | grammar.sets | grammar.forms
    ):
        assert word == name_key(word)
    assert not heads & grammar.blocked
