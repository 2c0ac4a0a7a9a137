"""Cleaning: what goes, what stays, and that every position leads back to its source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Cleaned, clean
from pipeline.records import OffsetMap

SEEDS = Path(__file__).parents[3] / "seeds"
GOLD = [
    json.loads(line)
    for line in (SEEDS / "gold" / "gold.jsonl").read_text(encoding="utf-8").splitlines()
]
MARKED = st.text(
    alphabet=st.sampled_from([*"ab1 .\n\r*_#[]()\\\"'>-=/:", "\u00a0", "\u200b", "“", "é", "\x07"])
)


def inside(cleaned: Cleaned, start: int, end: int) -> str:
    """Return the cleaned characters whose source lies in [start, end)."""
    places = enumerate(cleaned.text)
    return "".join(c for i, c in places if start <= cleaned.offsets.to_source(i) < end)


@pytest.mark.parametrize("document", GOLD, ids=lambda document: document["file"])
def test_cleaned_seed_sentences_equal_their_gold_text(document) -> None:
    text = (SEEDS / "statements" / document["file"]).read_bytes().decode()
    cleaned = clean(text)
    for sentence in document["sentences"]:
        assert inside(cleaned, sentence["start"], sentence["end"]) == sentence["text"]


def test_all_gold_sentences_are_covered() -> None:
    assert sum(len(document["sentences"]) for document in GOLD) == 92


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the **fight against terrorism**. Now", "the fight against terrorism. Now"),
        ("must *never* exempt", "must never exempt"),
        ("_we_ and __they__", "we and they"),
        ("***both*** and **one *in* two**", "both and one in two"),
        ("**outer *inner***", "outer inner"),
        ("***inner* outer**", "inner outer"),
        ("“*quoted*”, (**note**)", "“quoted”, (note)"),
        ("**1.** Point", "1. Point"),
        ("**over\ntwo lines**", "over\ntwo lines"),
        (r"he said: \"No,\" and \'so\'", "he said: \"No,\" and 'so'"),
        (r"twice \\\"escaped\\\"", 'twice "escaped"'),
        (r"\*kept\* as stars", "*kept* as stars"),
        ("# Heading\ntext", "Heading\ntext"),
        ("## Closed ##\ntext", "Closed\ntext"),
        ("> quoted\n> more", "quoted\nmore"),
        ("above\n\n---\n\nbelow", "above\n\n\n\nbelow"),
        ("Title\n=====\ntext", "Title\n\ntext"),
        ("see [the report](https://x.org/_a_(b)) now", "see the report now"),
        ('see [it](report.pdf "a title")', "see it"),
        ("![flag](flag.html)", "flag"),
        ("a\u00a0b\u202fc\u3000d", "a b c d"),
        ("zero\u200bwidth\ufeff\u00ad\u2060", "zerowidth"),
        ("soft\u200djoin", "softjoin"),
        ("line\r\nend\rold\u2028new", "line\nend\nold\nnew"),
        ("bell\x07 and\x1b esc\x9f", "bell and esc"),
        ("page\x0cbreak", "page\nbreak"),
        ("half \ud800 character", "half \ufffd character"),
        ("**\u200bhidden**\u200b", "hidden"),
    ],
)
def test_cleans(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4 and 5 * 6 * 7",
        "snake_case_name and __slots",
        "* Reissued for technical reasons; see States*",
        "The delegation* said; *see annex",
        "(*) first (*) second",
        "* item one\n* item two",
        "*open\n\nnot closed*",
        "**uneven*",
        "article [2](a) and [1] (see below)",
        "https://x.org/_private_/file_a_ stays",
        "write to @_user_ and a_b_c@example.org",
        "#hashtag and No. # 5",
        ">5 deaths were counted",
        "C:\\folder and a\\b",
        "– Enforce a ceasefire;\n– Bring pressure",
        "Ma‘arrat al-Nu‘man, “de escalation zone” — naïve",
        "می\u200cخواهم",
        "fill in ____ here",
        "",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert clean(text) == Cleaned(text, OffsetMap())


def test_markup_can_be_kept_but_characters_are_cleaned_all_the_same() -> None:
    assert clean('**a**\u00a0\\"b\\"\r\n', markup=False).text == '**a** \\"b\\"\n'


def test_front_matter_is_cut_and_offsets_count_from_the_start_of_the_file() -> None:
    text = "---\nx: *1*\n---\nWe **act**."
    cleaned = clean(text, body=text.index("We"))
    assert cleaned.text == "We act."
    start, end = cleaned.offsets.span_to_source(0, len(cleaned.text))
    assert text[start:end] == "We **act**."


@given(st.text() | MARKED, st.booleans())
def test_every_cleaned_character_is_its_source_character(text: str, markup: bool) -> None:
    cleaned = clean(text, markup=markup)
    places = [cleaned.offsets.to_source(i) for i in range(len(cleaned.text))]
    assert places == sorted(set(places))
    for char, place in zip(cleaned.text, places, strict=True):
        source = text[place]
        replaced = (char == " " and source.isspace()) or (
            char == "\n" and source in "\r\v\f\x85\u2028\u2029"
        )
        assert char == source or replaced or (char == "\ufffd" and "\ud800" <= source <= "\udfff")


@given(st.text() | MARKED)
def test_words_are_never_lost(text: str) -> None:
    def words(value: str) -> str:
        return "".join(char for char in value if char.isalnum())

    linked = "](" in text  # the address of a link is removed with its letters
    assert linked or words(clean(text).text) == words(text)


@given(MARKED, st.integers(0, 40), st.integers(0, 40))
def test_spans_lead_back_to_spans_that_hold_them(text: str, a: int, b: int) -> None:
    cleaned = clean(text)
    start, end = sorted((min(a, len(cleaned.text)), min(b, len(cleaned.text))))
    first, last = cleaned.offsets.span_to_source(start, end)
    assert inside(cleaned, first, last) == cleaned.text[start:end]


@given(st.text())
def test_cleaning_characters_twice_changes_nothing(text: str) -> None:
    once = clean(text, markup=False).text
    assert clean(once, markup=False).text == once


@pytest.mark.parametrize(
    "text",
    [
        "_a " * 60_000 + "b* " * 60_000,
        "\\" * 300_000,
        "[" * 300_000,
        "[a](" * 60_000,
        " " * 300_000,
    ],
    ids=["openers", "backslashes", "brackets", "links", "blanks"],
)
@pytest.mark.timeout(20)
def test_hostile_text_takes_linear_time(text: str) -> None:
    assert clean(text).text == text
