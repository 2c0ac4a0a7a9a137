"""What every output format must do: keep all rows in order, and show nothing until it is whole."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import subprocess
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.codebook import load_codebook
from pipeline.errors import OutputError, SettingsError
from pipeline.inference import RowFormat, Unfinished, job, open_output
from pipeline.inference.engine import SPAN
from pipeline.inference.job import CountedRow
from pipeline.inference.rows import NUMBERS, Row, Value
from pipeline.inference.sinks import SINKS, format_of
from pipeline.records import Sentence

ROOT = Path(__file__).parents[2]
CODEBOOKS = {
    "tiny": load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml"),
    "diplomacy": load_codebook(ROOT / "configs" / "codebook.yaml"),
}


def read_jsonl(path: Path, rows: RowFormat) -> list[Row]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def read_csv(path: Path, rows: RowFormat) -> list[Row]:
    """Typed by the row format, as a reader who knows it would."""

    def typed(name: str, cell: str) -> Value:
        if name in rows.codebook.multilabel_tasks():
            return cell.split(";") if cell else None
        if cell == "":
            return None
        if name in NUMBERS:
            return int(cell)
        return float(cell) if name in rows.probability_columns else cell

    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{k: typed(k, v) for k, v in row.items()} for row in csv.DictReader(file)]


def read_parquet(path: Path, rows: RowFormat) -> list[Row]:
    table = pq.read_table(path)
    assert table.schema.equals(rows.schema())
    made: list[Row] = table.to_pylist()
    return [{k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()} for row in made]


@dataclass(frozen=True)
class Case:
    """A format: how to read it, and what it cannot hold."""

    suffix: str
    read: Callable[[Path, RowFormat], list[Row]]
    keeps_empty_list: bool = True
    keeps_surrogates: bool = False

    def expected(self, row: Row) -> Row:
        return {name: self._held(value) for name, value in row.items()}

    def _held(self, value: Value) -> Value:
        if isinstance(value, str) and self.suffix == ".csv":
            runs = value.lstrip("'").startswith(("=", "+", "-", "@", "\t", "\r"))
            value = f"'{value}" if runs else value
            return value.encode("utf-8", "backslashreplace").decode() or None
        if isinstance(value, str) and not self.keeps_surrogates:
            return value.encode("utf-8", "replace").decode()
        return None if value == [] and not self.keeps_empty_list else value


CASES = [
    pytest.param(Case(".jsonl", read_jsonl, keeps_surrogates=True), id="jsonl"),
    pytest.param(Case(".csv", read_csv, keeps_empty_list=False), id="csv"),
    pytest.param(Case(".parquet", read_parquet), id="parquet"),
]
every_format = pytest.mark.parametrize("case", CASES)


def test_every_format_is_under_test() -> None:
    assert {case.values[0].suffix for case in CASES} == set(SINKS)


TEXTS = (
    "Plain.",
    "naïve — “quotes” 👩‍👩‍👧 مرحبا",
    'comma, "quote"; semicolon',
    "line\nbreak\r\nand\u2028more",
    "\ttab",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "'apostrophe",
    "'=1+1",
    "\x00 and \x1f",
    "lone \ud800 surrogate",
    "back\\slash",
    " ",
)


def row_of(rows: RowFormat, number: int, text: str) -> Row:
    """A row whose labels and gaps differ from those of its neighbours."""
    codebook = rows.codebook
    sentence = Sentence(f"s{number}", f"d{number // 3}", text, number, number + len(text))
    row: Row = dict.fromkeys(rows.columns)
    row |= {
        "doc_id": sentence.doc_id,
        "sentence_id": sentence.sentence_id,
        "start": sentence.start,
        "end": sentence.end,
        "source_start": [None, number][number % 2],
        "page": [None, 1, 12][number % 3],
        "gap": [None, "\n\n", " \u2013 ", "\n- "][number % 4],
        "list_path": "1. (a)" if number % 2 else None,
        "block": sentence.block.value,
        "text": text,
        "model": "m-1",
        "speaker": "Éric" if number % 2 else None,
    }
    for task in codebook.multilabel_tasks():
        names = list(codebook.tasks[task].labels)
        row[task] = [None, [], names[:1], names[:2]][number % 4]  # type: ignore[assignment]
    for task in codebook.multiclass_tasks():
        row[task] = [None, *codebook.tasks[task].labels][number % 3]
    if number % 5:
        row |= dict.fromkeys(rows.probability_columns, number % 7 / 8)
    return row


def rows_of(rows: RowFormat, count: int) -> list[Row]:
    texts = itertools.cycle(TEXTS)
    return [row_of(rows, number, text) for number, text in zip(range(count), texts, strict=False)]


@pytest.fixture(params=sorted(CODEBOOKS))
def rows(request: pytest.FixtureRequest) -> RowFormat:
    return RowFormat(CODEBOOKS[request.param])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(target: Path | str, rows: RowFormat, given: Iterable[Row], stdout: Any = None) -> None:
    with open_output(str(target), rows, stdout, {}, Unfinished.REFUSE) as output:
        output.write(map(CountedRow, given), lambda _: None)
        output.finish()


def unread() -> Iterator[Row]:
    raise AssertionError("no row must be asked for")
    yield {}


@every_format
@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize(("span", "every"), [(100, 100), (30, 1), (7, 3), (1, 1)])
def test_all_rows_come_out_in_order(
    case: Case,
    rows: RowFormat,
    count: int,
    span: int,
    every: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job, "SPAN", span)
    monkeypatch.setattr(job, "WRITE_EVERY", every)
    target = tmp_path / f"out{case.suffix}"
    given = rows_of(rows, count)
    write(target, rows, given)
    assert case.read(target, rows) == [case.expected(row) for row in given]
    assert names(tmp_path) == [target.name]


@every_format
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(texts=st.lists(st.text(st.characters(), max_size=20), min_size=1, max_size=4))
def test_any_text_is_one_row(case: Case, texts: list[str], tmp_path: Path) -> None:
    rows = RowFormat(CODEBOOKS["tiny"])
    target = tmp_path / f"out{case.suffix}"
    given = [row_of(rows, number, text) for number, text in enumerate(texts)]
    write(target, rows, given)
    assert case.read(target, rows) == [case.expected(row) for row in given]


@every_format
def test_nothing_is_visible_until_it_is_whole(case: Case, rows: RowFormat, tmp_path: Path) -> None:
    target = tmp_path / f"out{case.suffix}"
    target.write_bytes(b"old")
    with open_output(str(target), rows, None, {}, Unfinished.REFUSE) as output:
        output.write(map(CountedRow, rows_of(rows, 3)), lambda _: None)
        assert target.read_bytes() == b"old"
        output.finish()
    assert len(case.read(target, rows)) == 3


class Stopped(BaseException):
    """The process was asked to end."""


@every_format
@pytest.mark.parametrize("error", [ValueError("bug"), Stopped()])
@pytest.mark.parametrize("written", [0, 3])
def test_an_error_leaves_nothing(
    case: Case, rows: RowFormat, tmp_path: Path, error: BaseException, written: int
) -> None:
    """Not even a complaint of a half-open file when it is collected: warnings are errors here."""
    target = str(tmp_path / f"out{case.suffix}")

    def failing() -> Iterator[Row]:
        yield from rows_of(rows, written)
        raise error

    def fail() -> None:
        write(target, rows, failing())

    with pytest.raises(type(error)):
        fail()
    assert names(tmp_path) == []


@every_format
def test_a_full_disk_is_one_clear_error(case: Case, tmp_path: Path) -> None:
    """The kernel refuses bytes beyond a limit, as a full disk does; nothing is left behind."""
    code = f"""
import resource, sys
from hashlib import sha256
from pathlib import Path
from pipeline.codebook import load_codebook
from pipeline.errors import OutputError
from pipeline.inference import RowFormat, Unfinished, open_output
from pipeline.inference.job import CountedRow
rows = RowFormat(load_codebook(Path({str(ROOT / "tests/codebooks/tiny.yaml")!r})))
row = dict.fromkeys(rows.columns)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
def long():
    for number in range(200):
        text = "".join(sha256(f"{{number}} {{i}}".encode()).hexdigest() for i in range(8))
        yield CountedRow({{**row, "doc_id": str(number), "text": text, "start": number}})
try:
    with open_output("out{case.suffix}", rows, None, {{}}, Unfinished.REFUSE) as output:
        output.write(long(), lambda _: None)
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    part = f".out{case.suffix}.job/part-000000{case.suffix}"
    assert done.stdout == f"{part}: cannot be written (File too large).\n", done.stderr
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr
    assert names(tmp_path) == []


@every_format
def test_a_place_that_cannot_be_written(case: Case, rows: RowFormat, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    target = tmp_path / "file" / f"out{case.suffix}"
    with pytest.raises(OutputError, match="cannot be written"):
        write(target, rows, unread())


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_runs_a_cell_of_csv(cell: str, tmp_path: Path) -> None:
    rows = RowFormat(CODEBOOKS["tiny"])
    row = {**row_of(rows, 1, cell), "speaker": cell, "heading": cell}
    write(tmp_path / "out.csv", rows, [row])
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["text"] == read["speaker"] == read["heading"] == "'" + cell
    assert read["start"] == "1"


@pytest.mark.parametrize(("raw", "marks"), [(False, 1), (True, 0)])
def test_only_csv_for_spreadsheets_begins_with_a_byte_order_mark(
    raw: bool, marks: int, tmp_path: Path
) -> None:
    rows = RowFormat(CODEBOOKS["tiny"])
    many = [CountedRow(row_of(rows, i, f"“{i}”")) for i in range(SPAN + 1)]  # of two parts
    target = str(tmp_path / "out.csv")
    with open_output(target, rows, None, {}, Unfinished.REFUSE, raw_cells=raw) as output:
        output.write(many, lambda _: None)
        output.finish()
    written = (tmp_path / "out.csv").read_bytes()
    assert written.count(BOM_UTF8) == written[:3].count(BOM_UTF8) == marks


@given(texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
def test_raw_cells_of_csv_are_the_text_itself(texts: list[str], tmp_path: Path) -> None:
    rows = RowFormat(CODEBOOKS["tiny"])
    given = [row_of(rows, i, text) for i, text in enumerate([*texts, *"=+-@\t\r"])]
    with open_output(
        str(tmp_path / "out.csv"), rows, None, {}, Unfinished.REFUSE, raw_cells=True
    ) as output:
        output.write(map(CountedRow, given), lambda _: None)
        output.finish()
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == [row["text"] for row in given]


@pytest.mark.parametrize("target", ["out.jsonl", "out.parquet", "-"])
def test_only_csv_has_raw_cells(target: str) -> None:
    with pytest.raises(SettingsError, match="raw cells are of CSV only"):
        format_of(target, raw_cells=True)


@pytest.mark.parametrize("count", [1, 9])
def test_csv_has_one_header(
    rows: RowFormat, tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "SPAN", 2)
    write(tmp_path / "out.csv", rows, rows_of(rows, count))
    header = ",".join(rows.columns).encode() + b"\r\n"
    assert (tmp_path / "out.csv").read_bytes().startswith(BOM_UTF8 + header)
    assert (tmp_path / "out.csv").read_bytes().count(header) == 1


def test_parquet_has_a_row_group_a_span(
    rows: RowFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "SPAN", 4)
    write(tmp_path / "out.parquet", rows, rows_of(rows, 10))
    file = pq.ParquetFile(tmp_path / "out.parquet")
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [4, 4, 2]


def test_standard_output_is_json_lines(rows: RowFormat) -> None:
    stdout = io.BytesIO()
    given = rows_of(rows, 5)
    write("-", rows, given, stdout)
    assert [json.loads(line) for line in stdout.getvalue().splitlines()] == given
    assert not stdout.closed


def test_without_standard_output_a_file_is_needed(rows: RowFormat) -> None:
    with pytest.raises(OutputError, match="give a file name"):
        write("-", rows, unread())


@pytest.mark.parametrize(
    ("target", "near"), [("out.jsnl", "Did you mean '.jsonl'"), ("out.txt", ""), ("out", "Known:")]
)
def test_an_unknown_ending_is_refused(
    target: str, near: str, rows: RowFormat, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="ends in no known format") as caught:
        write(tmp_path / target, rows, unread())
    assert near in str(caught.value)
    assert names(tmp_path) == []


def test_the_case_of_an_ending_does_not_matter(rows: RowFormat, tmp_path: Path) -> None:
    write(tmp_path / "OUT.CSV", rows, rows_of(rows, 1))
    assert names(tmp_path) == ["OUT.CSV"]
