"""Records as JSON lines: whatever is written comes back, and nothing else is taken for a record."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, OutputError
from pipeline.records import (
    BlockKind,
    OffsetMap,
    Rejection,
    RejectReason,
    Sentence,
    Statement,
)
from pipeline.workflows.record_files import (
    Rejects,
    read_records,
    rejects_path,
    to_line,
    write_records,
)

texts = st.text(st.characters(), max_size=30)  # lone surrogates and newlines included
optional = st.none() | texts
numbers = st.integers(0, 10**9)
several = st.lists(numbers, max_size=4).map(tuple)
maps = st.lists(st.tuples(numbers, numbers), max_size=4).map(
    lambda pairs: OffsetMap(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))
)
statements = st.builds(
    Statement,
    doc_id=texts,
    text=texts,
    source=texts,
    location=texts,
    speaker=optional,
    date=optional,
    genre=optional,
    title=optional,
    offsets=maps,
    pages=several,
)
sentences = st.builds(
    Sentence,
    sentence_id=texts,
    doc_id=texts,
    text=texts,
    start=numbers,
    end=numbers,
    block=st.sampled_from(BlockKind),
    list_path=st.lists(texts, max_size=3).map(tuple),
    heading=texts,
    lead_in=texts,
    context=texts,
)
rejections = st.builds(
    Rejection, source=texts, location=texts, reason=st.sampled_from(RejectReason), detail=texts
)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@same_folder
@given(st.lists(statements, max_size=4))
def test_statements_come_back(tmp_path: Path, records: list[Statement]) -> None:
    path = tmp_path / "records.jsonl"
    assert write_records(path, iter(records)) == len(records)
    assert list(read_records(path, Statement)) == records


@same_folder
@given(st.lists(sentences, max_size=4))
def test_sentences_come_back(tmp_path: Path, records: list[Sentence]) -> None:
    path = tmp_path / "records.jsonl"
    assert write_records(path, records) == len(records)
    assert list(read_records(path, Sentence)) == records


@same_folder
@given(st.lists(rejections, max_size=4))
def test_rejections_come_back(tmp_path: Path, records: list[Rejection]) -> None:
    path = tmp_path / "records.jsonl"
    assert write_records(path, records) == len(records)
    assert list(read_records(path, Rejection)) == records


@given(statements)
def test_a_record_is_one_line_of_utf8(record: Statement) -> None:
    line = to_line(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    line.decode("utf-8")


GOOD = to_line(Statement("d", "Text.", "a.txt"))


@pytest.mark.parametrize(
    "bad",
    [
        b"junk\n",
        b"\n",
        b"[]\n",
        b"3\n",
        b"{}\n",
        b"\xff\n",
        b'{"doc_id": "d", "text": "a"}\n',
        b'{"doc_id": 3, "text": "a", "source": "s"}\n',
        to_line(Sentence("s", "d", "Text.")),
        to_line(Rejection("a", "", RejectReason.EMPTY, "x")),
        b"[" * 100_000 + b"\n",
        GOOD[:-20],
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(GOOD + bad)
    reading = read_records(path, Statement)
    assert next(reading).doc_id == "d"
    with pytest.raises(InputError, match=r"records\.jsonl:2: not a Statement record.*Make the"):
        next(reading)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.jsonl", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            list(read_records(path, Statement))


def test_an_error_on_the_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"old")

    def failing() -> object:
        yield Statement("d", "Text.", "a.txt")
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        write_records(path, failing())  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["records.jsonl"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_records(tmp_path, [])


def test_rejects_are_counted_and_kept(tmp_path: Path) -> None:
    rejects = Rejects()
    path = tmp_path / "out.rejects.jsonl"
    for reason in (RejectReason.EMPTY, RejectReason.BINARY, RejectReason.EMPTY):
        rejects.add(Rejection("a.txt", "", reason, "detail"))
    assert rejects.counts == {RejectReason.EMPTY: 2, RejectReason.BINARY: 1}
    assert rejects.first == Rejection("a.txt", "", RejectReason.EMPTY, "detail")
    rejects.write(path)
    assert list(read_records(path, Rejection)) == list(rejects)
    assert [one.reason for one in rejects] == ["empty", "binary", "empty"]
    Rejects().write(path)
    assert not path.exists()
    Rejects().write(path)


@pytest.mark.parametrize(
    ("output", "rejects"),
    [
        ("out.jsonl", "out.jsonl.rejects.jsonl"),
        ("a/b.csv", "a/b.csv.rejects.jsonl"),
        ("a.b.parquet", "a.b.parquet.rejects.jsonl"),
        ("plain", "plain.rejects.jsonl"),
    ],
)
def test_rejects_lie_beside_their_output(output: str, rejects: str) -> None:
    assert rejects_path(Path(output)) == Path(rejects)


def test_a_folder_with_the_name_of_the_rejects_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "out.rejects.jsonl"
    path.mkdir()
    rejects = Rejects()
    with pytest.raises(OutputError, match=r"out\.rejects\.jsonl: nothing was set aside, but"):
        rejects.write(path)
    rejects.add(Rejection("a.txt", "", RejectReason.EMPTY, "detail"))
    with pytest.raises(OutputError, match="is a folder"):
        rejects.write(path)
    assert path.is_dir()


def test_rejects_that_are_given_count_and_the_first_is_the_example(tmp_path: Path) -> None:
    one = Rejection("a.jsonl", "line 3", RejectReason.BAD_ROW, "expected a text.")
    two = Rejection("b.txt", "", RejectReason.EMPTY, "holds no text")
    rejects = Rejects([one, two, two])
    assert rejects.counts == {RejectReason.BAD_ROW: 1, RejectReason.EMPTY: 2}
    assert rejects.example == " First: a.jsonl line 3: expected a text."
    assert Rejects([two]).example == " First: b.txt: holds no text."
    assert Rejects().example == ""
