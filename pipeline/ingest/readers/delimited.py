"""Read CSV and TSV: a header line, then one statement a record."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from pipeline.csv_cells import field_limit, unguarded
from pipeline.ingest.decoding import Encoding, Undecodable, detect
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import (
    LEFT_OUT,
    SYNONYMS,
    is_output,
    resolve,
    row_document,
    unread_columns,
)
from pipeline.ingest.readers.lines import Lines, LineTooLongError
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

_DELIMITERS = ",;\t|"
_HINT = re.compile(r"""(?i)"?sep=([^\w\s"]|\t)"?""")  # a line of Excel's before the header
_COLUMN = re.compile(r"[^\W\d](?:[\w.:()-]{0,38}[\w)])?")
"""A name that begins with a letter and has no blank, no slash and no stop at its end."""
_LONGEST_HEADER = 10_000  # characters; what is longer is not looked into
# A text over the limit rejects its row. Only what is far longer ends the file, because what stands
# after the middle of a field cannot be told from rows.
_MARGIN = 4


class DelimitedReader:
    """Records are read one at a time (RFC 4180); the delimiter is taken from the header line."""

    name: ClassVar[str] = "CSV"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")
    library: ClassVar[str] = ""

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document or rejection a record; the header is none."""
        encoding = detect(stream)
        if isinstance(encoding, Undecodable):
            yield Rejection(source, "", encoding.reason, encoding.detail)
            return
        lines = Lines(stream, encoding, limit=settings.max_bytes * _MARGIN, ends="")
        try:
            yield from _rows(lines, source, settings, encoding)
        finally:
            lines.release()


def table_suffix(line: str, text: str | None) -> str:
    """Return ".csv" or ".tsv" if a first line is the header of such a table, else nothing.

    Its cells are names, one of them that of the text column (`text`, or else a well-known one).
    Prose has white space behind a comma ("Statement, 5 May"), dates, symbols of documents, or more
    words than a name ("Statement,by the President"); what is in doubt is prose.
    """
    line = line.strip(" \r\n")
    if len(line) > _LONGEST_HEADER:
        return ""
    if _HINT.fullmatch(line):
        return ".csv"
    delimiter = max(_DELIMITERS, key=line.count)
    cells = [cell.strip().strip('"').strip().casefold() for cell in line.split(delimiter)]
    names = SYNONYMS["text"] if text is None else (text.casefold(),)
    known = {name for synonyms in SYNONYMS.values() for name in synonyms}.union(names)
    if len(cells) < 2 or set(names).isdisjoint(cells):
        return ""
    spaced = re.search(r"\t[^\S\t]" if delimiter == "\t" else re.escape(delimiter) + r"\s", line)
    if spaced and not known.issuperset(cells):
        return ""
    if not all(cell in known or _COLUMN.fullmatch(cell) for cell in cells):
        return ""
    return ".tsv" if delimiter == "\t" else ".csv"


def _rows(
    lines: Lines, source: str, settings: IngestSettings, encoding: Encoding
) -> Iterator[RawDocument | Rejection]:
    records = _records(lines, source, settings.max_bytes * _MARGIN)
    header: list[str] | None = None
    fields: dict[str, str] = {}
    unread: tuple[str, ...] = ()
    output = False
    for location, record in records:
        if isinstance(record, Rejection):
            yield record
            if header is None:  # without its header nothing in the file can be read
                return
        elif header is None:
            header = [name.strip() for name in record]
            resolved = resolve(header, settings.columns)
            if isinstance(resolved, str):
                detail = f"{LEFT_OUT} {resolved}"
                yield Rejection(source, location, RejectReason.BAD_ROW, detail)
                return
            fields, unread = resolved, unread_columns(header, resolved)
            output = is_output(header)
        elif len(record) != len(header):
            detail = f"{len(record)} fields, expected {len(header)} as in the header"
            if len(record) > len(header):
                detail += "; a field that holds the delimiter must stand in quotation marks"
            yield Rejection(source, location, RejectReason.BAD_ROW, detail)
        else:
            yield row_document(
                dict(zip(header, map(unguarded, record), strict=True)),
                fields,
                unread=unread,
                output=output,
                source=source,
                location=location,
                settings=settings,
                encoding=encoding.name,
            )


def _records(lines: Lines, source: str, limit: int) -> Iterator[tuple[str, list[str] | Rejection]]:
    """Yield (location, record), where a record that cannot be parsed is a rejection.

    A quotation mark that is never closed makes one record of the rest of the file. One rejection
    then names all these lines; to read on from the second would take text for rows.
    """

    def rejected(place: str, detail: str) -> tuple[str, Rejection]:
        return place, Rejection(source, place, RejectReason.BAD_ROW, detail)

    begin = 1
    try:
        first = next((line for line in lines if line.strip()), None)
        if first is None:
            return
        begin = lines.number
        delimiter = max(_DELIMITERS, key=first.count)
        if hint := _HINT.fullmatch(first.strip(" \r\n")):
            delimiter = hint[1]
            first = next((line for line in lines if line.strip()), None)
            if first is None:
                return
            begin = lines.number
        reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=True)
        while True:
            try:
                with field_limit(limit):
                    record = next(reader, None)
            except csv.Error as error:
                if str(error).startswith("field larger"):
                    raise LineTooLongError from error
                known = {"unexpected end of data": "a quotation mark is opened and never closed"}
                place = _place(begin, lines.number)
                yield rejected(place, known.get(str(error), str(error)))
            else:
                if record is None:
                    return
                if record:  # a blank line is no record
                    yield _place(begin, lines.number), record
            begin = lines.number + 1
    except LineTooLongError:
        yield rejected(
            f"from line {begin} on",
            f"a field or line is longer than {limit:,} characters; is a quotation mark not closed?",
        )


def _place(begin: int, end: int) -> str:
    return f"line {begin}" if end <= begin else f"lines {begin}-{end}"
