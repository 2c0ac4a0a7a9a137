"""What was read before: exact as a dict, small, and quick with many duplicates."""

from __future__ import annotations

import io
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Reading, Stdin
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.seen import DigestTable, Places, digest
from pipeline.settings.ingest import IngestSettings

NUMBERS = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(NUMBERS | st.integers(0, 3), NUMBERS), max_size=60))
def test_a_table_is_a_dict(pairs: list[tuple[int, int]]) -> None:
    table, expected = DigestTable(), {}
    for key, value in pairs:
        assert table.get(key) == expected.get(key or 1)
        table.put(key, value)
        expected[key or 1] = value
    assert len(table) == len(expected)
    assert all(table.get(key) == value for key, value in expected.items())


def test_a_table_grows() -> None:
    table = DigestTable()
    for number in range(10_000):
        table.put(digest(str(number)), number)
    assert [table.get(digest(str(number))) for number in range(10_000)] == list(range(10_000))
    assert table.get(digest("no number")) is None


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("", "a.csv"),
        ("line 7", "a.csv, line 7"),
        ("lines 7-9", "a.csv, line 7"),
        ("row 1", "a.csv, row 1"),
    ],
)
def test_places_come_back(location: str, shown: str) -> None:
    places = Places()
    places.number(RawDocument("", "b.csv", "line 7"))
    number = places.number(RawDocument("", "a.csv", location))
    places.number(RawDocument("", "c.csv", "line 8"))
    assert places.name(number) == shown


def jsonl(rows: list[str]) -> io.BytesIO:
    return io.BytesIO("\n".join(rows).encode())


def test_a_document_that_was_read_costs_less_than_a_hundred_bytes() -> None:
    rows = [f'{{"text": "We act in {n}.", "id": "document-number-{n}"}}' for n in range(6_000)]
    reading = Reading([Stdin()], IngestSettings(stdin_format="jsonl"), jsonl(rows))
    next(reading)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in reading:
            pass
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown / len(rows) < 100


def test_many_copies_that_are_kept_take_linear_time() -> None:
    settings = IngestSettings(stdin_format="jsonl", keep_duplicates=True)
    begun = time.process_time()
    items = list(Reading([Stdin()], settings, jsonl(['{"text": "We act."}'] * 20_000)))
    assert time.process_time() - begun < 15  # 0.5 s; it would be minutes if every copy counted anew
    assert len({item.doc_id for item in items}) == 20_000
    assert items[-1].doc_id == f"{items[0].doc_id}-20000"
