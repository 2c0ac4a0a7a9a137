"""Inputs cut into parts that are read apart; what they give together is what the inputs give.

A part is a file, or a stretch of lines of a large JSONL file. CSV stays whole: a line end may stand
inside a quoted field, and only reading from the beginning tells. So does Parquet: the process that
reads it knows whole files only.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.errors import InputError
from pipeline.ingest.decoding import CHUNK, Encoding, Undecodable, detect
from pipeline.ingest.opening import raw_documents
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers import READERS, recognise
from pipeline.ingest.readers.json_lines import JsonLinesReader, read_row
from pipeline.ingest.readers.lines import Lines, LineTooLongError
from pipeline.ingest.reading import Reading
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings

PART_BYTES = 4_000_000
"""Text of about 25,000 sentences: some thirty seconds of work for one processor."""
MOST_FILES = 1000
"""Files that are read together, however small."""

_ASCII_LINE_ENDS = ("utf-8", "utf-8-sig", "cp1252")
"""Codecs in which the byte of a line end is nothing else."""

Place = tuple[str, str]
"""Source and location of a document; no two documents share it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a stretch of its lines.

    `path` is absolute, `source` what the user named. `size` (bytes) and `changed` (nanoseconds) are
    those of the file when it was cut, -1 if it could not be looked at. A stretch is the bytes from
    `start` up to `stop`, with `before` lines before it, decoded with the `encoding` of the whole
    file; `stop` and `encoding` are `None` where the part is a whole file.
    """

    path: str
    source: str
    size: int = -1
    changed: int = -1
    start: int = 0
    stop: int | None = None
    before: int = 0
    encoding: Encoding | None = None

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return self.size if self.stop is None else self.stop - self.start


def whole(named: Path) -> Part:
    """Return a file as one part."""
    try:
        status = named.stat()
    except OSError:  # reading it will say why
        return Part(str(named.absolute()), str(named))
    return Part(str(named.absolute()), str(named), status.st_size, status.st_mtime_ns)


def can_be_cut(part: Part, size: int = PART_BYTES) -> bool:
    """Return whether looking into the file may give more than one part."""
    reader = READERS.get(Path(part.path).suffix.lower())
    return isinstance(reader, JsonLinesReader) and part.size > size


def cut(part: Part, settings: IngestSettings, size: int = PART_BYTES) -> list[Part]:
    """Cut a whole file at line ends into parts of at least `size` bytes; read it once for that.

    A file whose lines cannot be told apart by their bytes, or one that is refused or rejected as a
    whole, stays one part.
    """
    path = Path(part.path)
    if not can_be_cut(part, size) or not stat.S_ISREG(path.stat().st_mode):
        return [part]
    with path.open("rb") as file:
        if recognise(file) is not None:  # no JSONL but another format
            return [part]
        encoding = detect(file)
        if isinstance(encoding, Undecodable) or encoding.codec not in _ASCII_LINE_ENDS:
            return [part]
        if not _begins_with_row(file, encoding, settings.max_bytes):
            return [part]
        file.seek(0)
        # The mark of UTF-8 stands at the beginning of the file only.
        later = replace(encoding, codec=encoding.codec.removesuffix("-sig"))
        return [
            replace(
                part,
                start=start,
                stop=stop,
                before=before,
                encoding=later if start else encoding,
            )
            for start, stop, before in _stretches(file, size)
        ]


def packed(parts: Iterable[Part], size: int = PART_BYTES) -> Iterator[tuple[Part, ...]]:
    """Put neighbouring small parts together, so that a unit of work is worth its overhead."""
    unit: list[Part] = []
    held = 0
    for part in parts:
        if unit and (len(unit) == MOST_FILES or held + part.bytes > size):
            yield tuple(unit)
            unit, held = [], 0
        unit.append(part)
        held += part.bytes
    if unit:
        yield tuple(unit)


class PartsReading(Reading):
    """Reads parts as `Reading` reads inputs.

    Duplicates and identifiers used twice are known beforehand: `known` holds the rejection, or the
    new identifier, of every document that does not simply keep its own; see `identities`.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        settings: IngestSettings,
        known: Mapping[Place, str | Rejection] | None = None,
    ) -> None:
        super().__init__((), settings)
        self._parts = parts
        self._known = known or {}

    def _read(self, _: object) -> Iterator[Statement | Rejection]:
        for part in self._parts:
            self.counts.inputs += 1
            given = 0
            for item in _documents(part, self._settings):
                given += 1
                yield item if isinstance(item, Rejection) else self._statement(item)
            if not given and part.stop is None:
                yield Rejection(part.source, "", RejectReason.EMPTY, "holds no rows")

    def _identify(self, raw: RawDocument, given: str | None, content: str) -> str | Rejection:
        return self._known.get((raw.source, raw.location), given or content)


def _documents(part: Part, settings: IngestSettings) -> Iterator[RawDocument | Rejection]:
    """Yield the documents of a part.

    Raises:
        InputError: the file is not there as it was when it was cut.
    """
    path = Path(part.path)
    found = whole(path)
    if part.size >= 0 and (found.size, found.changed) != (part.size, part.changed):
        there = f"{found.size:,} bytes" if found.size >= 0 else "no such file"
        raise InputError(
            f"{part.path}: {there} here, expected {part.size:,} bytes, unchanged since the job "
            "began. All machines must see the same files under the same names (a shared file "
            "system), and files must not change while they are read."
        )
    if part.stop is None or part.encoding is None:
        for item in raw_documents(path, settings, None):
            yield replace(item, source=part.source)
        return
    with path.open("rb") as file:
        stretch = io.BufferedReader(_Stretch(file, part.start, part.stop))
        lines = Lines(stretch, part.encoding, limit=settings.max_bytes, ends="\n")
        lines.number = part.before
        yield from _rows(lines, part.source, settings, part.encoding)


def _rows(
    lines: Lines, source: str, settings: IngestSettings, encoding: Encoding
) -> Iterator[RawDocument | Rejection]:
    while True:
        try:
            line = next(lines, None)
        except LineTooLongError:
            detail = f"the line is longer than {settings.max_bytes:,} characters (max_bytes)"
            yield Rejection(source, f"line {lines.number}", RejectReason.TOO_LARGE, detail)
            continue
        if line is None:
            return
        if line.strip():
            yield read_row(line, f"line {lines.number}", source, settings, encoding)


def _begins_with_row(file: BinaryIO, encoding: Encoding, limit: int) -> bool:
    """Return whether the first line that is not blank may be a row.

    If it opens a list the file is rejected as a whole, and if there is none the file is empty. Only
    its first readable line decides that; what a line that is too long holds is not known.
    """
    file.seek(0)
    lines = Lines(file, encoding, limit=limit, ends="\n")
    try:
        first = next((line.strip() for line in lines if line.strip()), "[")
    except LineTooLongError:
        return False
    finally:
        lines.release()
    return first not in ("[", "[{")


def _stretches(file: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (start, stop, lines before) of stretches of whole lines, together the whole file."""
    start = before = position = lines = 0
    while chunk := file.read(CHUNK):
        while (at := chunk.find(b"\n", max(0, start + size - 1 - position))) >= 0:
            stop = position + at + 1
            yield start, stop, before
            start, before = stop, lines + chunk.count(b"\n", 0, at + 1)
        position += len(chunk)
        lines += chunk.count(b"\n")
    if start < position:
        yield start, position, before


class _Stretch(io.RawIOBase):
    """The bytes of a file between two positions."""

    def __init__(self, file: BinaryIO, start: int, stop: int) -> None:
        self._file, self._left = file, stop - start
        file.seek(start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        data = self._file.read(min(len(view), self._left))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)
