"""Read back what the sinks wrote, column by column: JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.csv_cells import field_limit, unguarded
from pipeline.errors import InputError, near_matches
from pipeline.inference.rows import NUMBERS, Row, RowFormat, Value
from pipeline.inference.sinks import LIST_SEPARATOR, SINKS


def read_rows(path: Path, rows: RowFormat, wanted: Sequence[str]) -> Iterator[tuple[int, Row]]:
    """Yield the number (a line, or a row of Parquet, from 1) and the wanted columns of every row.

    Blank lines are no rows. CSV does not tell an empty list or text from null: a task without
    labels is null there.

    Raises:
        InputError: the file is missing, is of no known format, lacks a wanted column, or holds a
            row that is not one.
    """
    readers = {".jsonl": _json_lines, ".csv": _csv, ".parquet": _parquet}
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise InputError(
            f"{path}: ends in no known format.{near_matches(suffix, SINKS)} Give what 'stance "
            "classify' wrote."
        )
    try:
        yield from readers[suffix](path, rows, wanted)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None


def _json_lines(path: Path, _: RowFormat, wanted: Sequence[str]) -> Iterator[tuple[int, Row]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path}:{number}: not JSON ({error}).") from None
            if not isinstance(data, dict):
                raise InputError(f"{path}:{number}: expected an object, got {type(data).__name__}.")
            _require(data, wanted, f"{path}:{number}")
            yield number, {name: _value(data[name], f"{path}:{number}") for name in wanted}


def _value(value: object, where: str) -> Value:
    if isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where}: expected a number, got {value!r}.")
    if value is None or isinstance(value, str | int | float):
        return value
    raise InputError(f"{where}: expected text, a number, a list of labels or null, got {value!r}.")


def _csv(path: Path, rows: RowFormat, wanted: Sequence[str]) -> Iterator[tuple[int, Row]]:
    lists, numbers = rows.codebook.multilabel_tasks(), {*NUMBERS, *rows.probability_columns}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            with field_limit():
                header = lines.fieldnames or ()
            _require(dict.fromkeys(header), wanted, str(path))
            while True:
                with field_limit():
                    cells = next(lines, None)
                if cells is None:
                    return
                number = lines.line_num
                row: Row = {}
                for name in wanted:
                    cell = cells[name]
                    if cell is None:
                        raise InputError(f"{path}:{number}: has fewer cells than the header.")
                    try:
                        row[name] = _cell(cell, name in lists, name in numbers)
                    except ValueError:
                        raise InputError(
                            f"{path}:{number}: '{name}' is {cell!r}, expected a number."
                        ) from None
                yield number, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not CSV in UTF-8 ({error}).") from None


def _cell(cell: str, is_list: bool, is_number: bool) -> Value:
    if not cell:
        return None
    if is_list:
        return cell.split(LIST_SEPARATOR)
    if is_number:
        number = float(cell)
        if not math.isfinite(number):
            raise ValueError(cell)
        return number
    return unguarded(cell)


def _parquet(path: Path, _: RowFormat, wanted: Sequence[str]) -> Iterator[tuple[int, Row]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _require(dict.fromkeys(file.schema_arrow.names), wanted, str(path))
            number = 0
            for batch in file.iter_batches(batch_size=4096, columns=list(wanted)):
                for found in batch.to_pylist():
                    number += 1
                    yield number, {k: _value(v, f"{path}: row {number}") for k, v in found.items()}
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not Parquet ({error}).") from None


def _require(found: dict[str, object], wanted: Sequence[str], where: str) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(
            f"{where}: lacks the column(s) {', '.join(missing)}.{near_matches(missing[0], found)} "
            "Give what 'stance classify' wrote with a model of this codebook."
        )
