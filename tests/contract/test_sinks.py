"""What every output format must do: keep all rows in order, and show nothing until it is whole."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.codebook import load_codebook
from pipeline.errors import OutputError, SettingsError
from pipeline.inference import RowFormat, open_sink
from pipeline.inference.rows import NUMBERS, Row, Value
from pipeline.inference.sinks import SINKS
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

    with path.open(encoding="utf-8", newline="") as file:
        return [{k: typed(k, v) for k, v in row.items()} for row in csv.DictReader(file)]


def read_parquet(path: Path, rows: RowFormat) -> list[Row]:
    import pyarrow.parquet as pq

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
            value = "'" + value if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
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


@every_format
@pytest.mark.parametrize("blocks", [[30], [1] * 30, [7, 0, 23], [0], []])
def test_all_rows_come_out_in_order(
    case: Case, rows: RowFormat, blocks: list[int], tmp_path: Path
) -> None:
    target = tmp_path / f"out{case.suffix}"
    given = rows_of(rows, sum(blocks))
    waiting = iter(given)
    with open_sink(str(target), rows, None) as sink:
        for size in blocks:
            sink.write(list(itertools.islice(waiting, size)))
    assert case.read(target, rows) == [case.expected(row) for row in given]
    assert names(tmp_path) == [target.name]


@every_format
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(texts=st.lists(st.text(st.characters(), max_size=20), max_size=4))
def test_any_text_is_one_row(case: Case, texts: list[str], tmp_path: Path) -> None:
    rows = RowFormat(CODEBOOKS["tiny"])
    target = tmp_path / f"out{case.suffix}"
    given = [row_of(rows, number, text) for number, text in enumerate(texts)]
    with open_sink(str(target), rows, None) as sink:
        sink.write(given)
    assert case.read(target, rows) == [case.expected(row) for row in given]


@every_format
def test_nothing_is_visible_until_it_is_whole(case: Case, rows: RowFormat, tmp_path: Path) -> None:
    target = tmp_path / f"out{case.suffix}"
    target.write_bytes(b"old")
    with open_sink(str(target), rows, None) as sink:
        sink.write(rows_of(rows, 3))
        assert target.read_bytes() == b"old"
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

    def fail() -> None:
        with open_sink(target, rows, None) as sink:
            sink.write(rows_of(rows, written))
            raise error

    with pytest.raises(type(error)):
        fail()
    assert names(tmp_path) == []


@every_format
def test_a_full_disk_is_one_clear_error(case: Case, tmp_path: Path) -> None:
    """The kernel refuses bytes beyond a limit, as a full disk does; nothing is left behind."""
    code = f"""
import resource, sys
from pathlib import Path
from pipeline.codebook import load_codebook
from pipeline.errors import OutputError
from pipeline.inference import RowFormat, open_sink
rows = RowFormat(load_codebook(Path({str(ROOT / "tests/codebooks/tiny.yaml")!r})))
row = dict.fromkeys(rows.columns)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with open_sink("out{case.suffix}", rows, None) as sink:
        for number in range(200):
            text = "".join(chr(33 + (number * 7919 + i * i * 31) % 90) for i in range(500))
            sink.write([{{**row, "doc_id": str(number), "text": text, "start": number}}])
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
    assert done.stdout == f"out{case.suffix}: cannot be written (File too large).\n", done.stderr
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr
    assert names(tmp_path) == []


@every_format
def test_a_place_that_cannot_be_written(case: Case, rows: RowFormat, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    target = tmp_path / "file" / f"out{case.suffix}"
    with pytest.raises(OutputError, match="cannot be written"), open_sink(str(target), rows, None):
        raise AssertionError("the block must not run")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_runs_a_cell_of_csv(cell: str, tmp_path: Path) -> None:
    rows = RowFormat(CODEBOOKS["tiny"])
    row = {**row_of(rows, 1, cell), "speaker": cell, "heading": cell}
    with open_sink(str(tmp_path / "out.csv"), rows, None) as sink:
        sink.write([row])
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["text"] == read["speaker"] == read["heading"] == "'" + cell
    assert read["start"] == "1"


def test_csv_has_its_header_even_without_rows(rows: RowFormat, tmp_path: Path) -> None:
    with open_sink(str(tmp_path / "out.csv"), rows, None):
        pass
    assert (tmp_path / "out.csv").read_bytes() == ",".join(rows.columns).encode() + b"\r\n"


def test_standard_output_is_json_lines(rows: RowFormat) -> None:
    stdout = io.BytesIO()
    given = rows_of(rows, 5)
    with open_sink("-", rows, stdout) as sink:
        sink.write(given)
    assert [json.loads(line) for line in stdout.getvalue().splitlines()] == given
    assert not stdout.closed


def test_without_standard_output_a_file_is_needed(rows: RowFormat) -> None:
    with pytest.raises(OutputError, match="give a file name"), open_sink("-", rows, None):
        raise AssertionError("the block must not run")


@pytest.mark.parametrize(
    ("target", "near"), [("out.jsnl", "Did you mean '.jsonl'"), ("out.txt", ""), ("out", "Known:")]
)
def test_an_unknown_ending_is_refused(
    target: str, near: str, rows: RowFormat, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="ends in no known format") as caught:
        open_sink(str(tmp_path / target), rows, None)
    assert near in str(caught.value)
    assert names(tmp_path) == []


def test_the_case_of_an_ending_does_not_matter(rows: RowFormat, tmp_path: Path) -> None:
    with open_sink(str(tmp_path / "OUT.CSV"), rows, None) as sink:
        sink.write(rows_of(rows, 1))
    assert names(tmp_path) == ["OUT.CSV"]
