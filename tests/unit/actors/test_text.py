from __future__ import annotations

import pytest

from pipeline.actors.text import key_of, name_key, tokens, undotted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hay'at Tahrir al-Sham", "HAY’AT TAHRIR AL SHAM"),
        ("Côte d'Ivoire", "the Cote d’Ivoire"),
        ("U.S.", "US"),
        ("St. Lucia", "Saint Lucia"),
        ("Antigua & Barbuda", "Antigua and Barbuda"),
        ("A3+", "A3 plus"),
        ("Korea, Republic of", "Korea (Republic of)"),
        ("Łódź", "Lodz"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Niger", "Nigeria"), ("us", "US"), ("who", "WHO"), ("is", "IS")]
)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_a_possessive_ending_is_no_part_of_the_name() -> None:
    assert key_of(tokens("Russia's")) == key_of(tokens("Russia’s")) == name_key("Russia")
    assert key_of(tokens("the United States'")) == name_key("United States")
    assert name_key("People's Republic") == "peoples republic"


def test_words_know_where_they_stand() -> None:
    text = undotted("the U.S.-Israeli plot")
    assert [text[word.start : word.end] for word in tokens(text)] == [
        "the",
        "US",
        "Israeli",
        "plot",
    ]


def test_a_name_without_letters_has_no_key() -> None:
    assert name_key("the ... !") == ""
