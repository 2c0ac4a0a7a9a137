"""Where rows go: JSON lines, CSV or Parquet, whole or not at all; or standard output."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.errors import OutputError, SettingsError, near_matches
from pipeline.inference.rows import Row, RowFormat, Value
from pipeline.output import whole_file

LIST_SEPARATOR = ";"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Sink(Protocol):
    """Takes rows; what was written becomes visible when its context ends without an error."""

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows in order."""

    def finish(self) -> None:
        """Write what the format needs at the end of a file."""


class JsonlSink:
    """One JSON object a line, UTF-8."""

    def __init__(self, file: BinaryIO, _: RowFormat) -> None:
        self._file = file

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, allow_nan=False)
            self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def finish(self) -> None:
        self._file.flush()


class CsvSink:
    """CSV (RFC 4180), lists joined by semicolons.

    A cell that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, CSV
    injection).
    """

    def __init__(self, file: BinaryIO, rows: RowFormat) -> None:
        self._text = io.TextIOWrapper(
            file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True
        )
        self._writer = csv.writer(self._text)
        self._columns = rows.columns
        self._writer.writerow(self._columns)

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._writer.writerow([_cell(row[name]) for name in self._columns])

    def finish(self) -> None:
        self._text.flush()
        self._text.detach()


class ParquetSink:
    """Parquet with the schema of the row format."""

    def __init__(self, file: BinaryIO, rows: RowFormat) -> None:
        import pyarrow.parquet as pq

        self._schema = rows.schema()
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        safe = [{name: _encodable(value) for name, value in row.items()} for row in rows]
        self._writer.write_table(pa.Table.from_pylist(safe, schema=self._schema))

    def finish(self) -> None:
        self._writer.close()


SinkMaker = Callable[[BinaryIO, RowFormat], Sink]
SINKS: dict[str, SinkMaker] = {
    ".jsonl": JsonlSink,
    ".csv": CsvSink,
    ".parquet": ParquetSink,
}


def open_sink(
    target: str, rows: RowFormat, stdout: BinaryIO | None
) -> AbstractContextManager[Sink]:
    """Open the sink for a file name (format by its ending) or "-" (JSON lines on `stdout`).

    Raises:
        SettingsError: the ending names no format.
        OutputError: the file cannot be written.
    """
    suffix = ".jsonl" if target == "-" else Path(target).suffix.lower()
    if suffix not in SINKS:
        mistake = f"'{target}' ends in no known format.{near_matches(suffix, SINKS)}"
        raise SettingsError([mistake], where="output")
    return _opened(target, SINKS[suffix], rows, stdout)


@contextmanager
def _opened(
    target: str,
    make: Callable[[BinaryIO, RowFormat], Sink],
    rows: RowFormat,
    stdout: BinaryIO | None,
) -> Iterator[Sink]:
    if target == "-":
        if stdout is None:
            raise OutputError("There is no standard output to write to; give a file name.")
        sink = make(stdout, rows)
        yield sink
        sink.finish()
        return
    with whole_file(Path(target)) as file:
        sink = make(file, rows)
        yield sink
        sink.finish()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return LIST_SEPARATOR.join(value)
    text = str(value)
    return "'" + text if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text


def _encodable(value: Value) -> Value:
    """Replace lone surrogates, which Arrow strings cannot hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
