"""CSV, JSONL and Parquet: columns, bad rows with their place, and no row lost."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.inference.sinks import csv_cell
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import as_text, resolve
from pipeline.ingest.readers.delimited import DelimitedReader
from pipeline.ingest.readers.json_lines import JsonLinesReader
from pipeline.ingest.readers.parquet import BATCH_ROWS, ParquetReader
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import ColumnMap, IngestSettings


def read(reader, data: bytes | str, **options) -> list[RawDocument | Rejection]:
    data = data.encode() if isinstance(data, str) else data
    return list(reader.read(io.BytesIO(data), "t", IngestSettings.model_validate(options)))


def shown(items: list[RawDocument | Rejection]) -> list[tuple[str, str]]:
    return [
        (item.location, item.reason if isinstance(item, Rejection) else item.text) for item in items
    ]


# Columns


def test_well_known_names_are_found_in_any_case_and_order_of_preference() -> None:
    found = resolve(["Body", " TEXT ", "Country", "Speaker", "Headline", "x"], ColumnMap())
    assert found == {"text": " TEXT ", "speaker": "Speaker", "title": "Headline"}


def test_an_author_speaks_only_if_he_is_said_to() -> None:
    columns = ["text", "author", "country"]
    assert resolve(columns, ColumnMap()) == {"text": "text", "speaker": "country"}
    assert resolve(columns, ColumnMap(speaker="author")) == {"text": "text", "speaker": "author"}


def test_a_date_loses_the_apostrophe_that_spreadsheets_need() -> None:
    rows = "text,date\nWe act.,'2031-05-01\nWe act.,'tis May\n"
    assert [item.date for item in read(DelimitedReader(), rows)] == ["2031-05-01", "'tis May"]


def test_a_table_of_ones_own_may_name_sentences_and_models() -> None:
    (item,) = read(DelimitedReader(), "sentence_id,text,model\n1,We act.,m\n")
    assert not item.output


def test_a_mapped_column_wins_and_an_empty_name_means_none() -> None:
    wanted = ColumnMap(text="remarks", speaker="", id="nr")
    assert resolve(["text", "remarks", "speaker", "nr"], wanted) == {"text": "remarks", "id": "nr"}


def test_a_missing_mapped_column_is_named_with_what_is_there() -> None:
    problem = resolve(["texts", "speaker"], ColumnMap(text="text"))
    assert isinstance(problem, str)
    assert "'text'" in problem
    assert "Did you mean 'texts'?" in problem
    assert "Columns found: 'texts', 'speaker'." in problem


def test_no_text_column_and_a_column_twice_are_errors() -> None:
    assert "columns.text" in str(resolve(["a", "b"], ColumnMap()))
    assert "more than once" in str(resolve(["text", "text"], ColumnMap()))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("  a\n b ", "a b"),
        ("", None),
        (2018, "2018"),
        (date(2018, 2, 7), "2018-02-07"),
        (datetime(2018, 2, 7, tzinfo=UTC), "2018-02-07"),
        (datetime(2018, 2, 7, 12, 30, tzinfo=UTC), "2018-02-07T12:30:00+00:00"),
        (["France", " ", "Germany"], "France; Germany"),
    ],
)
def test_values_as_text(value: object, expected: str | None) -> None:
    assert as_text(value) == expected


def test_a_mapping_is_no_text() -> None:
    with pytest.raises(TypeError, match="dict"):
        as_text({"a": 1})


# CSV


def test_csv_with_quotes_line_ends_and_all_fields() -> None:
    data = (
        "id,text,speaker,date,genre,title\r\n"
        '7,"He said ""no"",\r\nthen left.",Belgium,2018-02-07,letter,On war\r\n'
        "\r\n"
        "8,Second.,,,,\r\n"
    )
    first, second = read(DelimitedReader(), data)
    assert first == RawDocument(
        'He said "no",\r\nthen left.',
        "t",
        "lines 2-3",
        speaker="Belgium",
        date="2018-02-07",
        genre="letter",
        title="On war",
        given_id="7",
        encoding="utf-8",
    )
    assert isinstance(second, RawDocument)
    assert (second.location, second.speaker, second.given_id) == ("line 5", None, "8")


@pytest.mark.parametrize("hint", ["sep=;", "SEP=;", '"sep=;"'])
def test_the_delimiter_may_be_named_before_the_header(hint: str) -> None:
    items = read(DelimitedReader(), f"{hint}\r\n\r\ntext;a,b,c\r\nWe act.;x\r\nWe;go;on\r\n")
    assert shown(items) == [("line 4", "We act."), ("line 5", RejectReason.BAD_ROW)]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_nothing_but_the_name_of_a_delimiter_holds_no_rows(end: str) -> None:
    assert read(DelimitedReader(), f"sep=;{end}") == []


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
@example("@UN We act.")
@example("'=1")
def test_csv_that_was_written_is_read_back(text: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["text", "speaker"], [csv_cell(text), csv_cell("-")]])
    (item,) = read(DelimitedReader(), out.getvalue())
    assert isinstance(item, RawDocument) is bool(text.strip())
    if isinstance(item, RawDocument):
        assert (item.text, item.speaker) == (text, "-")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_taken_from_the_header(delimiter: str) -> None:
    data = f"\ntext{delimiter}speaker\nHello.{delimiter}Belgium\n"
    (item,) = read(DelimitedReader(), data)
    assert isinstance(item, RawDocument)
    assert (item.text, item.speaker, item.location) == ("Hello.", "Belgium", "line 3")


def test_bad_csv_rows_are_rejected_alone_with_their_lines() -> None:
    data = 'text,speaker\na,b,c\nonly\n"x"y,b\ngood,b\n ,b\n"never,closed\nmore,more\n'
    assert shown(read(DelimitedReader(), data)) == [
        ("line 2", "bad row"),
        ("line 3", "bad row"),
        ("line 4", "bad row"),
        ("line 5", "good"),
        ("line 6", "bad row"),
        ("lines 7-8", "bad row"),
    ]


def test_csv_texts_over_the_limit_reject_their_row_alone() -> None:
    data = 'text,speaker\n"' + "x" * 300 + '",b\ngood,b\n"' + "y\n" * 150 + '",b\ngood,b\n'
    before = csv.field_size_limit()
    assert shown(read(DelimitedReader(), data, max_bytes=150)) == [
        ("line 2", "too large"),
        ("line 3", "good"),
        ("lines 4-154", "too large"),
        ("line 155", "good"),
    ]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("rest", ["z" * 900, "a,b\n" * 300], ids=["line", "field"])
def test_a_csv_field_far_over_the_limit_ends_the_file_with_one_rejection(rest: str) -> None:
    data = f'text,speaker\ngood,b\n"{rest}\nlost,b\n'
    assert shown(read(DelimitedReader(), data, max_bytes=150)) == [
        ("line 2", "good"),
        ("from line 3 on", "bad row"),
    ]


def test_a_header_that_cannot_be_read_rejects_the_file() -> None:
    assert shown(read(DelimitedReader(), 'text,"x"y\na,b\n')) == [("line 1", "bad row")]
    assert shown(read(DelimitedReader(), "a,b\nc,d\n")) == [("line 1", "bad row")]


# Control characters apart from line ends would make the file a binary one.
CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\r\t"))


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), max_size=12))
def test_every_csv_record_comes_out_once_and_unchanged(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("text", "speaker"), *rows])
    items = read(DelimitedReader(), out.getvalue())
    assert len(items) == len(rows)
    for item, (text, _) in zip(items, rows, strict=True):
        assert isinstance(item, Rejection) == (not text.strip())
        assert isinstance(item, Rejection) or item.text == text


# JSONL


def test_bad_json_lines_are_rejected_alone_with_their_line() -> None:
    lines = [
        '{"text": "good", "speaker": "Belgium", "id": 7}',
        "{'text': 'quotes'}",
        "[1]",
        "",
        '{"speaker": "x"}',
        '{"text": null}',
        '{"text": 5}',
        '{"text": " "}',
        '{"text": "x", "speaker": {"name": "y"}}',
        "[" * 100_000,
        '{"text": "half \\ud800"}',
    ]
    items = read(JsonLinesReader(), "\n".join(lines))
    assert shown(items) == [
        ("line 1", "good"),
        ("line 2", "bad row"),
        ("line 3", "bad row"),
        *((f"line {number}", "bad row") for number in range(5, 11)),
        ("line 11", "half \ud800"),
    ]
    assert isinstance(items[0], RawDocument)
    assert (items[0].speaker, items[0].given_id) == ("Belgium", "7")
    details = [item.detail for item in items if isinstance(item, Rejection)]
    assert "column 2" in details[0]
    assert "list" in details[1]
    assert "Columns found: 'speaker'." in details[2]


def test_a_mapped_key_must_be_in_every_row() -> None:
    data = '{"text": "a", "who": null}\n{"text": "b"}'
    items = read(JsonLinesReader(), data, columns={"speaker": "who"})
    assert shown(items) == [("line 1", "a"), ("line 2", "bad row")]


def test_a_json_list_over_many_lines_is_one_rejection() -> None:
    assert shown(read(JsonLinesReader(), '[\n{"text": "a"},\n{"text": "b"}\n]')) == [
        ("line 1", "wrong type")
    ]


def test_a_long_json_line_is_passed_over() -> None:
    data = json.dumps({"text": "x" * 500}) + '\n{"text": "good"}\n'
    assert shown(read(JsonLinesReader(), data, max_bytes=100)) == [
        ("line 1", "too large"),
        ("line 2", "good"),
    ]


def test_separators_inside_json_strings_do_not_split_lines() -> None:
    data = '{"text": "one\u2028two\u0085three"}\r\n{"text": "four"}\r\n'
    assert shown(read(JsonLinesReader(), data)) == [
        ("line 1", "one\u2028two\u0085three"),
        ("line 2", "four"),
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["text", "speaker", "date", "x"]), st.none() | st.text())
        | st.integers()
        | st.lists(st.integers())
    )
)
def test_every_json_row_comes_out_once(rows) -> None:
    data = "\n".join(map(json.dumps, rows))
    items = read(JsonLinesReader(), data)
    assert [item.location for item in items] == [f"line {i + 1}" for i in range(len(rows))]
    good = [
        row["text"] for row in rows if isinstance(row, dict) and (row.get("text") or "").strip()
    ]
    assert [item.text for item in items if isinstance(item, RawDocument)] == good


# Parquet


def a_parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_parquet_rows_over_several_batches_keep_their_order() -> None:
    count = BATCH_ROWS * 2 + 3
    table = pa.table(
        {
            "Speech": [f"text {i}" for i in range(count)],
            "date": pa.array([date(2018, 2, 7)] * count),
            "other": [[{"deep": 1}]] * count,
        }
    )
    items = read(ParquetReader(), a_parquet(table))
    assert [item.text for item in items] == [f"text {i}" for i in range(count)]
    assert items[-1].location == f"row {count}"
    assert {item.date for item in items} == {"2018-02-07"}


def test_bad_parquet_values_reject_their_row_alone() -> None:
    broken = pa.StringArray.from_buffers(
        2, pa.array([0, 2, 4], pa.int32()).buffers()[1], pa.py_buffer(b"ok\xff\xfe")
    )
    assert shown(read(ParquetReader(), a_parquet(pa.table({"text": broken})))) == [
        ("row 1", "ok"),
        ("row 2", "bad row"),
    ]
    assert shown(read(ParquetReader(), a_parquet(pa.table({"text": ["a", None, " "]})))) == [
        ("row 1", "a"),
        ("row 2", "bad row"),
        ("row 3", "bad row"),
    ]
    assert shown(read(ParquetReader(), a_parquet(pa.table({"text": [b"bytes"]})))) == [
        ("row 1", "bad row")
    ]


def test_parquet_without_a_text_column_or_with_one_in_a_dotted_name() -> None:
    assert shown(read(ParquetReader(), a_parquet(pa.table({"a": ["x"]})))) == [
        ("columns", "bad row")
    ]
    data = a_parquet(pa.table({"my.text": ["x"]}))
    assert shown(read(ParquetReader(), data, columns={"text": "my.text"})) == [("row 1", "x")]


def test_parquet_damaged_in_the_middle_says_from_which_row_on() -> None:
    out = io.BytesIO()
    texts = [f"text number {i} " + "z" * 50 for i in range(2000)]
    table = pa.table({"text": texts})
    pq.write_table(table, out, row_group_size=500, use_dictionary=False, compression="zstd")
    data = bytearray(out.getvalue())
    start = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(2).column(0).data_page_offset
    data[start : start + 200] = b"\xff" * 200
    items = read(ParquetReader(), bytes(data))
    good = [item.text for item in items if isinstance(item, RawDocument)]
    assert good == texts[: len(good)]
    assert items[-1].reason == "unreadable"
    assert items[-1].location == f"from row {len(good) + 1} on"


def test_parquet_with_a_broken_column_name_is_unreadable() -> None:
    data = a_parquet(pa.table({"text": ["x"], "speaker": ["y"]}))
    assert shown(read(ParquetReader(), data.replace(b"speaker", b"sp\xdcaker"))) == [
        ("", "unreadable")
    ]
