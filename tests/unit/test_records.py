"""The records that flow: frozen, with offsets that lead back to the source."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import (
    LabelledDocument,
    LabelledSentence,
    OffsetMap,
    Prediction,
    Rejection,
    RejectReason,
    Score,
    Sentence,
    Statement,
    content_hash,
)


def removing(source: str, unwanted: str) -> tuple[str, OffsetMap]:
    """Remove characters and map back: the plainest cleaning there can be."""
    cleaned: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    running = False
    for position, character in enumerate(source):
        if character in unwanted:
            running = False
            continue
        if not running:
            starts.append(len(cleaned))
            origins.append(position)
            running = True
        cleaned.append(character)
    return "".join(cleaned), OffsetMap(tuple(starts), tuple(origins))


@given(st.text(alphabet="ab*\\ \n"))
def test_every_kept_character_is_found_again_in_the_source(source: str) -> None:
    cleaned, offsets = removing(source, "*\\")
    if not cleaned:
        return
    assert [source[offsets.to_source(i)] for i in range(len(cleaned))] == list(cleaned)


@given(st.text(alphabet="ab*\\ \n"), st.data())
def test_a_span_leads_to_the_source_that_cleans_to_it(source: str, data: st.DataObject) -> None:
    cleaned, offsets = removing(source, "*\\")
    start = data.draw(st.integers(0, len(cleaned)))
    end = data.draw(st.integers(start, len(cleaned)))
    low, high = offsets.span_to_source(start, end)
    assert removing(source[low:high], "*\\")[0] == cleaned[start:end]


def test_a_span_does_not_take_in_the_markup_around_it() -> None:
    cleaned, offsets = removing("We **support** it", "*")
    start = cleaned.index("support")
    low, high = offsets.span_to_source(start, start + 7)
    assert "We **support** it"[low:high] == "support"


def test_an_empty_map_is_the_identity() -> None:
    assert OffsetMap().to_source(17) == 17
    assert OffsetMap().span_to_source(3, 8) == (3, 8)
    assert OffsetMap((0,), (4,)).span_to_source(2, 2) == (6, 6)


def test_pages_are_counted_from_one_in_positions_of_the_source() -> None:
    statement = Statement("d", "abcdef", "d.pdf", offsets=OffsetMap((0, 3), (0, 10)), pages=(0, 10))
    assert [statement.page_at(i) for i in (0, 2, 3, 5)] == [1, 1, 2, 2]
    assert Statement("d", "abc", "d.txt").page_at(1) is None


def test_content_hash_separates_its_parts() -> None:
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert content_hash("ab", "c") == content_hash("ab", "c")
    assert content_hash() != content_hash("", "")


@given(st.text(alphabet=st.characters(), max_size=20))
def test_content_hash_is_sixteen_hexadecimal_digits_for_any_text(text: str) -> None:
    assert len(content_hash(text)) == 16
    int(content_hash(text), 16)


def test_content_hash_takes_half_a_surrogate_pair() -> None:
    assert content_hash("\ud800") != content_hash("\ud801")


SENTENCE = Sentence("d#0", "d", "Hello.")


@pytest.mark.parametrize(
    "record",
    [
        Statement("d", "Hello.", "d.txt"),
        Rejection("d.txt", "line 1", RejectReason.EMPTY, "holds nothing"),
        SENTENCE,
        LabelledSentence(SENTENCE, {"tone": ("praise",)}),
        LabelledDocument("d", ()),
        Prediction(SENTENCE, {"tone": None}, {}, "m"),
        Score("f1", 0.5, None, None, 3),
        OffsetMap(),
    ],
    ids=lambda record: type(record).__name__,
)
def test_records_are_frozen(record: object) -> None:
    name = dataclasses.fields(record)[0].name  # type: ignore[arg-type]  # all are dataclasses
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, name, "changed")


def test_a_rejection_says_where_it_stood_why_and_what_helps() -> None:
    row = Rejection("a.csv", "row 2", RejectReason.EMPTY, "holds no text")
    assert row.told == "a.csv row 2: empty: holds no text"
    assert Rejection("a.txt", "", RejectReason.BINARY, "give text").told == (
        "a.txt: binary: give text"
    )
