"""Formats of rows: JSON lines, CSV or Parquet; whole files, or parts that are joined."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from pipeline.csv_cells import guarded
from pipeline.errors import SettingsError, near_matches
from pipeline.inference.rows import Row, Value

if TYPE_CHECKING:
    import pyarrow as pa

LIST_SEPARATOR = ";"


class RowShape(Protocol):
    """Which columns rows have, in which order and of which type."""

    @property
    def columns(self) -> Sequence[str]:
        """All column names in order."""

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the rows."""


class Sink(Protocol):
    """Takes rows of one file, or of one part of it."""

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows in order."""

    def finish(self) -> None:
        """Write what the format needs at the end of a file."""

    def abandon(self) -> None:
        """Write no more: the file is thrown away."""


class JsonlSink:
    """One JSON object a line, UTF-8."""

    def __init__(self, file: BinaryIO, _: RowShape, begins: bool = True) -> None:
        del begins  # every line stands for itself
        self._file = file

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, allow_nan=False)
            self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def finish(self) -> None:
        self._file.flush()

    def abandon(self) -> None:
        """Nothing waits to be written."""


class CsvSink:
    """CSV (RFC 4180), lists joined by semicolons.

    Made for spreadsheets, with a byte order mark and cells guarded against being run as formulas
    (`csv_cells`); raw, neither.
    """

    def __init__(
        self, file: BinaryIO, rows: RowShape, begins: bool = True, *, raw: bool = False
    ) -> None:
        self._text = io.TextIOWrapper(
            file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True
        )
        self._writer = csv.writer(self._text)
        self._columns = rows.columns
        self._cell = _raw_cell if raw else csv_cell
        if begins:
            if not raw:  # without it Excel reads UTF-8 as the system's own character set
                self._text.write("\ufeff")
            self._writer.writerow(self._columns)

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._writer.writerow([self._cell(row[name]) for name in self._columns])

    def finish(self) -> None:
        self._text.flush()
        self._text.detach()

    def abandon(self) -> None:
        """Nothing waits to be written."""


class ParquetSink:
    """Parquet with the schema of the row format, one row group a file (or part)."""

    def __init__(self, file: BinaryIO, rows: RowShape, begins: bool = True) -> None:
        import pyarrow.parquet as pq

        del begins  # every part is a whole file
        self._schema = rows.schema()
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        safe = [{name: _encodable(value) for name, value in row.items()} for row in rows]
        self._writer.write_table(pa.Table.from_pylist(safe, schema=self._schema))

    def finish(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        self._writer.is_open = False  # else it would write its footer when it is collected


@dataclass(frozen=True, slots=True)
class Format:
    """How rows become a file: in one go, or in parts that are joined.

    `make` opens a sink on a file; its last argument says whether the file begins there or goes on.
    `join` writes the parts, in order, into one file.
    """

    make: Callable[[BinaryIO, RowShape, bool], Sink]
    join: Callable[[Sequence[Path], BinaryIO, RowShape], None]


def _concatenate(parts: Sequence[Path], file: BinaryIO, _: RowShape) -> None:
    for part in parts:
        with part.open("rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)


def _join_parquet(parts: Sequence[Path], file: BinaryIO, rows: RowShape) -> None:
    """Copy row group by row group, so that memory holds one at a time."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, rows.schema(), compression="zstd") as writer:
        for part in parts:
            with pq.ParquetFile(part) as source:
                for group in range(source.num_row_groups):
                    writer.write_table(source.read_row_group(group))


SINKS: dict[str, Format] = {
    ".jsonl": Format(JsonlSink, _concatenate),
    ".csv": Format(CsvSink, _concatenate),
    ".parquet": Format(ParquetSink, _join_parquet),
}
RAW_CSV = Format(partial(CsvSink, raw=True), _concatenate)
"""CSV for programs: no cell is guarded against being run as a formula.

Readers cannot know and take a text that itself begins with `'=` for a guarded one.
"""


def format_of(target: str, *, raw_cells: bool = False) -> Format:
    """Return the format that an output's ending says; "-" is JSON lines.

    Raises:
        SettingsError: the ending names no format, or has no cells that could be raw.
    """
    suffix = ".jsonl" if target == "-" else Path(target).suffix.lower()
    if suffix not in SINKS:
        mistake = f"'{target}' ends in no known format.{near_matches(suffix, SINKS)}"
        raise SettingsError([mistake], where="output")
    if raw_cells and suffix != ".csv":
        mistake = f"raw cells are of CSV only, but '{target}' is to be {suffix}"
        raise SettingsError([mistake], where="output")
    return RAW_CSV if raw_cells else SINKS[suffix]


@contextmanager
def sink_on(
    file: BinaryIO, format_: Format, rows: RowShape, *, begins: bool = True
) -> Iterator[Sink]:
    """Open a sink on a file that is thrown away if anything is raised; finish it at the end."""
    sink = format_.make(file, rows, begins)
    try:
        yield sink
        sink.finish()
    except BaseException:
        sink.abandon()
        raise


def csv_cell(value: Value) -> str:
    """Return a cell that no spreadsheet runs as a formula; null is empty."""
    text = _raw_cell(value)
    return guarded(text) if isinstance(value, str) else text


def _raw_cell(value: Value) -> str:
    if value is None:
        return ""
    return LIST_SEPARATOR.join(value) if isinstance(value, list) else str(value)


def _encodable(value: Value) -> Value:
    """Replace lone surrogates, which Arrow strings cannot hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
