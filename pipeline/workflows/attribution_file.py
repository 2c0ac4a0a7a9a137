"""Read what `stance attribute` wrote; rows that cannot be used are set aside with the reason."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline.csv_cells import field_limit, unguarded
from pipeline.errors import InputError, near_matches
from pipeline.inference.attributed import INTEGERS, LISTS, NUMBERS
from pipeline.inference.sinks import LIST_SEPARATOR
from pipeline.records import Rejection, RejectReason

Text = Annotated[str, Field(min_length=1)]


def _whole(value: object) -> object:
    """Take 12.0 for 12: a data frame writes a column of whole numbers with gaps so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Position = Annotated[int | None, Field(ge=0), BeforeValidator(_whole)]
Chance = Annotated[float | None, Field(ge=0, le=1)]
Found = dict[str, object] | str


class AttributionRow(BaseModel):
    """The columns of `AttributionFormat` that tables and the dossier are made of.

    Those with a default may be missing; columns not named here are not read.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    doc_id: Text
    sentence_id: Text
    text: str
    task: Text
    label: Text
    probability: Annotated[float, Field(ge=0, le=1)]
    holder: Text
    holder_actors: list[Text]
    target: Text | None
    target_actors: list[Text]
    model: Text
    attribution_model: Text
    speaker: str | None
    date: str | None
    title: str | None
    source: str | None
    source_start: Position = None
    holder_start: Position = None
    holder_end: Position = None
    p_holder: Chance = None
    target_start: Position = None
    target_end: Position = None
    p_target: Chance = None


def statement_of(doc_id: str, speaker: str | None, date: str | None, title: str | None) -> str:
    """Name the statement of a sentence that was given without it, `doc_id` being its file.

    Sentences of a file with the same speaker, date and title are taken for one statement.
    """
    name = ", ".join(filter(None, (doc_id, speaker, date, title)))
    return name.encode("utf-8", "replace").decode()


COLUMNS = tuple(AttributionRow.model_fields)
REQUIRED = tuple(n for n, field in AttributionRow.model_fields.items() if field.is_required())


def read_attributions(path: Path) -> Iterator[AttributionRow | Rejection]:
    """Yield every row of the file, or why it was set aside; the place is a line or row from 1.

    Blank lines are no rows.

    Raises:
        InputError: the file cannot be read, is of no known format, or lacks a column.
    """
    readers: Mapping[str, Callable[[Path], Iterator[tuple[int, Found]]]] = {
        ".jsonl": _json_lines,
        ".csv": _csv,
        ".parquet": _parquet,
    }
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise InputError(
            f"{path}: ends in no known format.{near_matches(suffix, readers)} Give what 'stance "
            "attribute' wrote."
        )
    unit = "row" if suffix == ".parquet" else "line"
    try:
        for number, found in readers[suffix](path):
            yield _validated(found, str(path), f"{unit} {number}")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None


def _validated(found: Found, source: str, location: str) -> AttributionRow | Rejection:
    if isinstance(found, str):
        return Rejection(source, location, RejectReason.BAD_ROW, found)
    try:
        return AttributionRow.model_validate(found)
    except ValidationError as error:
        mistakes = [
            f"'{'.'.join(map(str, item['loc']))}' is missing"
            if item["type"] == "missing"
            else f"'{'.'.join(map(str, item['loc']))}' is {item['input']!r:.80}: {item['msg']}"
            for item in error.errors()
        ]
    name = found.get("sentence_id")
    record = name if isinstance(name, str) else None
    return Rejection(source, location, RejectReason.BAD_ROW, "; ".join(mistakes), record)


def _json_lines(path: Path) -> Iterator[tuple[int, Found]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, f"not JSON ({error})"
                continue
            if isinstance(data, dict):
                yield number, {name: _encodable(value) for name, value in data.items()}
            else:
                yield number, f"not an object: {line[:60]!r}"


def _encodable(value: object) -> object:
    """Replace lone surrogates, which JSON can hold and text cannot, as in Parquet output."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _csv(path: Path) -> Iterator[tuple[int, Found]]:
    # Bytes that are not UTF-8 become surrogates, which no row that was written has.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = csv.reader(file)
        try:
            with field_limit():
                header = next(lines, [])
        except csv.Error as error:
            raise InputError(f"{path}: not CSV ({error}).") from None
        _require(header, path)
        while True:
            try:
                with field_limit():
                    cells = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                yield lines.line_num, f"not CSV ({error})"
                continue
            if cells:
                yield lines.line_num, _row(header, cells)


def _row(header: list[str], cells: list[str]) -> Found:
    if len(cells) != len(header):
        return f"has {len(cells)} cells, expected {len(header)}"
    row: dict[str, object] = {}
    for name, cell in zip(header, cells, strict=True):
        if name not in COLUMNS:
            continue
        if any("\udc80" <= c <= "\udcff" for c in cell):
            return f"'{name}' is not UTF-8"
        row[name] = _value(name, cell)
    return row


def _value(name: str, cell: str) -> object:
    if name in LISTS:
        return cell.split(LIST_SEPARATOR) if cell else []
    if name in (*NUMBERS, *INTEGERS):
        try:
            return float(cell) if cell else None
        except ValueError:
            return cell  # validation says what is wrong with it
    return unguarded(cell) or ("" if name == "text" else None)


def _parquet(path: Path) -> Iterator[tuple[int, Found]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _require(file.schema_arrow.names, path)
            number = 0
            present = [name for name in COLUMNS if name in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=4096, columns=present):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not Parquet ({error}).") from None


def _require(found: list[str], path: Path) -> None:
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise InputError(
            f"{path}: lacks the column(s) {', '.join(missing)}.{near_matches(missing[0], found)} "
            "Give what 'stance attribute' wrote."
        )
