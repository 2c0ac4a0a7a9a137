"""Inputs cut into parts that are read apart; what they give together is what the inputs give.

A part is a file, a stretch of lines of a large JSONL file, or one of rows of a large Parquet file.
CSV stays whole: a line end may stand inside a quoted field, and only reading from the beginning
tells.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.errors import InputError
from pipeline.ingest.decoding import CHUNK, Encoding, Undecodable, detect
from pipeline.ingest.opening import raw_documents, row_groups
from pipeline.ingest.raw import ALL_ROWS, Group, RawDocument
from pipeline.ingest.readers import READERS, recognise
from pipeline.ingest.readers.json_lines import JsonLinesReader, read_row
from pipeline.ingest.readers.lines import Lines, LineTooLongError
from pipeline.ingest.readers.parquet import BATCH_ROWS, ParquetReader, of_one_row
from pipeline.ingest.reading import Reading
from pipeline.ingest.remarks import Seen
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings

PART_BYTES = 4_000_000
"""Text of about 25,000 sentences: some thirty seconds of work for one processor."""
MOST_FILES = 1000
"""Files that are read together, however small."""
MOST_ROWS = 25_600
"""Rows of a Parquet file that are read together, however well they are packed."""
_MOST_STRETCHES = 100_000
"""A Parquet file that claims to hold more is read whole; in truth it holds less."""

_ASCII_LINE_ENDS = ("utf-8", "utf-8-sig", "cp1252")
"""Codecs in which the byte of a line end is nothing else."""

Place = tuple[str, str]
"""Source and location of a document; no two documents share it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a stretch of its lines or rows.

    `path` is absolute, `source` what the user named. `size` (bytes) and `changed` (nanoseconds) are
    those of the file when it was cut, -1 if it could not be looked at. A stretch is the bytes from
    `start` up to `stop`, with `before` lines before it, decoded with the `encoding` of the whole
    file; `stop` and `encoding` are `None` where the part is a whole file. Of Parquet, `rows` says
    which they are, from 0, and the bytes are those of the needed columns, unpacked.
    """

    path: str
    source: str
    size: int = -1
    changed: int = -1
    start: int = 0
    stop: int | None = None
    before: int = 0
    encoding: Encoding | None = None
    rows: tuple[int, int] | None = None

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
    return isinstance(reader, JsonLinesReader | ParquetReader) and part.size > size


def cut(part: Part, settings: IngestSettings, size: int = PART_BYTES) -> list[Part]:
    """Cut a whole file into parts of at least `size` bytes: JSONL at line ends, read once for that.

    A file whose lines cannot be told apart by their bytes, or one that is refused or rejected as a
    whole, stays one part.
    """
    path = Path(part.path)
    if not can_be_cut(part, size) or not stat.S_ISREG(path.stat().st_mode):
        return [part]
    if isinstance(READERS[path.suffix.lower()], ParquetReader):
        return _cut_rows(part, row_groups(path, settings), size)
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


def _cut_rows(part: Part, groups: Sequence[Group], size: int) -> list[Part]:
    """Cut a Parquet file into stretches of whole batches; groups that follow share stretches."""
    claimed = sum(rows for rows, _ in groups)
    if claimed > MOST_ROWS * _MOST_STRETCHES or any(min(group) < 0 for group in groups):
        return [part]
    parts: list[Part] = []
    row = start = 0  # where the stretch begins: its first row, and the bytes before it
    first, begun = 0, 0.0  # the same of the group
    for rows, held in groups:
        for more in range(BATCH_ROWS, rows + BATCH_ROWS, BATCH_ROWS):
            here = first + min(more, rows)
            stop = begun + held * min(more, rows) / rows
            if stop - start >= size or here - row >= MOST_ROWS:
                parts.append(replace(part, start=start, stop=round(stop), rows=(row, here)))
                row, start = here, round(stop)
        first, begun = first + rows, begun + held
    if row < first:
        parts.append(replace(part, start=start, stop=round(begun), rows=(row, first)))
    return parts if len(parts) > 1 else [part]


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
    new identifier, of every document that does not simply keep its own; see `identities`. `seen`
    grows in place of `remarks`, since an input may go on in parts that are read elsewhere.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        settings: IngestSettings,
        known: Mapping[Place, str | Rejection] | None = None,
        ending: Iterable[Rejection] = (),
    ) -> None:
        super().__init__((), settings)
        self._documents = PartDocuments(parts, settings, ending)
        self._known = known or {}
        self.seen = Seen()

    @property
    def ended(self) -> tuple[Rejection, ...]:
        """Why sources are read no further; see `PartDocuments`."""
        return tuple(self._documents.ended.values())

    def _read(self, _: object) -> Iterator[Statement | Rejection]:
        for item in self._documents:
            made = item if isinstance(item, Rejection) else self._statement(item)
            self.seen.see(made if isinstance(made, Rejection) else item)
            yield made

    def _identify(self, raw: RawDocument, given: str | None, content: str) -> str | Rejection:
        return self._known.get((raw.source, raw.location), given or content)


class PartDocuments(Iterator[RawDocument | Rejection]):
    """The documents of parts, as `raw_documents` yields those of files.

    What damage, a limit or a crash ends is not read any further, in other parts neither: `ended`
    says of which sources that is so, and why. A source without any document comes out as one
    rejection.

    Args:
        ending: what ended sources in these parts before. Whoever passed over the parts behind them
            did so because of it, so it is yielded even if reading goes to the end this time.
    """

    def __init__(
        self, parts: Iterable[Part], settings: IngestSettings, ending: Iterable[Rejection] = ()
    ) -> None:
        self.ended: dict[str, Rejection] = {}
        self._ending = ending
        self._items = self._read(parts, settings)

    def __next__(self) -> RawDocument | Rejection:
        """Return the next one.

        Raises:
            InputError: a file is not there as it was when it was cut.
        """
        return next(self._items)

    def _read(
        self, parts: Iterable[Part], settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        for part in parts:
            if part.source in self.ended:
                continue
            item: RawDocument | Rejection | None = None
            for item in _documents(part, settings):
                if part.rows and isinstance(item, Rejection) and not of_one_row(item):
                    self.ended[part.source] = item
                yield item
            if item is None and part.stop is None:
                yield Rejection(part.source, "", RejectReason.EMPTY, "holds no rows")
        yield from (one for one in self._ending if one.source not in self.ended)


def _documents(part: Part, settings: IngestSettings) -> Iterator[RawDocument | Rejection]:
    path = Path(part.path)
    found = whole(path)
    if part.size >= 0 and (found.size, found.changed) != (part.size, part.changed):
        there = f"{found.size:,} bytes" if found.size >= 0 else "no such file"
        raise InputError(
            f"{part.path}: {there} here, expected {part.size:,} bytes, unchanged since the job "
            "began. All machines must see the same files under the same names (a shared file "
            "system), and files must not change while they are read."
        )
    if part.encoding is None:
        for item in raw_documents(path, settings, None, part.rows or ALL_ROWS):
            yield replace(item, source=part.source)
        return
    with path.open("rb") as file:
        stretch = io.BufferedReader(_Stretch(file, part.start, part.bytes))
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
    """Bytes of a file from a position on."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._left = file, length
        file.seek(start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        data = self._file.read(min(len(view), self._left))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)
