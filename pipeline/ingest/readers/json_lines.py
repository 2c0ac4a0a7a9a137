"""Read JSONL: one JSON object a line, one statement an object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from pipeline.ingest.decoding import Encoding, Undecodable, detect
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import is_output, resolve, row_document, unread_columns
from pipeline.ingest.readers.lines import Lines, LineTooLongError
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings


class JsonLinesReader:
    """Rows are read one at a time; a bad line is rejected alone. Blank lines are no rows."""

    name: ClassVar[str] = "JSONL"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")
    library: ClassVar[str] = ""

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document or rejection a line."""
        encoding = detect(stream)
        if isinstance(encoding, Undecodable):
            yield Rejection(source, "", encoding.reason, encoding.detail)
            return
        lines = Lines(stream, encoding, limit=settings.max_bytes, ends="\n")
        try:
            yield from _rows(lines, source, settings, encoding)
        finally:
            lines.release()


def _rows(
    lines: Lines, source: str, settings: IngestSettings, encoding: Encoding
) -> Iterator[RawDocument | Rejection]:
    first = True
    while True:
        try:
            line = next(lines, None)
        except LineTooLongError:
            location = f"line {lines.number}"
            detail = f"the line is longer than {settings.max_bytes:,} characters (max_bytes)"
            yield Rejection(source, location, RejectReason.TOO_LARGE, detail)
            continue
        if line is None:
            return
        if not line.strip():
            continue
        if first and line.strip() in ("[", "[{"):
            detail = "holds one JSON list over many lines; expected one object a line (JSONL)"
            yield Rejection(source, f"line {lines.number}", RejectReason.WRONG_TYPE, detail)
            return
        first = False
        yield read_row(line, f"line {lines.number}", source, settings, encoding)


def read_row(
    line: str, location: str, source: str, settings: IngestSettings, encoding: Encoding
) -> RawDocument | Rejection:
    """Return the document of one line, or why it has none."""

    def bad(detail: str) -> Rejection:
        return Rejection(source, location, RejectReason.BAD_ROW, detail)

    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return bad(f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return bad(f"not readable JSON: {error}")
    if not isinstance(row, dict):
        return bad(f"a JSON {type(row).__name__}, expected an object such as {{'text': '...'}}")
    fields = resolve(list(row), settings.columns)
    if isinstance(fields, str):
        return bad(fields)
    return row_document(
        row,
        fields,
        unread=unread_columns(row, fields),
        output=is_output(row),
        source=source,
        location=location,
        settings=settings,
        encoding=encoding.name,
    )
