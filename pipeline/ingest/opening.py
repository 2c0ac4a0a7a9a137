"""Open what a user names and hand it to the right reader."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.errors import InputError, MissingExtra
from pipeline.ingest.confinement import groups_confined, read_confined
from pipeline.ingest.inputs import Input, Stdin
from pipeline.ingest.raw import ALL_ROWS, Group, RawDocument, Reader, Rows
from pipeline.ingest.readers import ADVICE, READERS, recognise, sniff
from pipeline.ingest.readers.parquet import ParquetReader
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

_IN_MEMORY = 16_000_000  # bytes of standard input held in memory; the rest goes to a file


def raw_documents(
    named: Input, settings: IngestSettings, stdin: BinaryIO | None, rows: Rows = ALL_ROWS
) -> Iterator[RawDocument | Rejection]:
    """Yield what the right reader finds; whatever keeps it from reading is a rejection.

    Args:
        named, settings, stdin: what to read, how, and what `-` stands for.
        rows: which rows to read, not all of them only of a table that has `row_groups`.

    Raises:
        InputError: standard input is to be read, but none was given.
    """
    source = str(named)

    def reject(reason: RejectReason, detail: str) -> Rejection:
        return Rejection(source, "", reason, detail)

    suffix = named.suffix.lower() if isinstance(named, Path) else ""
    try:
        mode = named.stat().st_mode if isinstance(named, Path) else 0
        if isinstance(named, Path) and stat.S_ISDIR(mode):
            next(named.iterdir(), None)  # says why it was not entered, if it could not be
            yield reject(RejectReason.WRONG_TYPE, "is a folder, expected a file")
            return
        special = isinstance(named, Path) and not stat.S_ISREG(mode)
        if isinstance(named, Path) and not special and suffix not in READERS:
            yield reject(RejectReason.WRONG_TYPE, _unknown(suffix))
            return
        with _opened(named, stdin, special=special) as stream:
            if isinstance(named, Stdin) and settings.stdin_format != "auto":
                suffix = f".{settings.stdin_format}"
            elif suffix not in READERS:
                suffix = sniff(stream, limit=settings.max_bytes, text=settings.columns.text)
            refused = _refuse(stream, suffix)
            if refused is not None:
                yield reject(*refused)
                return
            reader = READERS[suffix]
            # Without its library a reader says so at once; no process is needed to learn it.
            if reader.library and _installed(reader.library):
                yield from read_confined(reader, stream, source, settings, rows)
            else:
                yield from reader.read(stream, source, settings)
    except MissingExtra as error:
        yield reject(RejectReason.WRONG_TYPE, str(error))
    except OSError as error:
        yield reject(RejectReason.UNREADABLE, error.strerror or str(error))


def row_groups(path: Path, settings: IngestSettings) -> list[Group]:
    """Return how many rows and bytes the parts of a Parquet file have, in order, by its account.

    Nothing where that cannot be told: it is another file, damaged, or lacks the columns. Then
    reading it says why.
    """
    reader = READERS.get(path.suffix.lower())
    if not isinstance(reader, ParquetReader) or not _installed(reader.library):
        return []
    try:
        with path.open("rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode) or _refuse(
                stream, reader.suffixes[0]
            ):
                return []
            return groups_confined(reader, stream, settings)
    except OSError:
        return []


@contextmanager
def _opened(named: Input, stdin: BinaryIO | None, *, special: bool) -> Iterator[BinaryIO]:
    """Open an input as a seekable stream; pipes are copied to a temporary file first."""
    if isinstance(named, Path) and not special:
        with named.open("rb") as file:
            yield file
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        if isinstance(named, Path):
            with named.open("rb") as pipe:
                shutil.copyfileobj(pipe, copy)
        elif stdin is None:
            raise InputError("'-' names standard input, but there is none to read here.")
        else:
            shutil.copyfileobj(stdin, copy)
        copy.seek(0)
        yield cast(BinaryIO, copy)  # it is one in all but its declared type


def _refuse(stream: BinaryIO, suffix: str) -> tuple[RejectReason, str] | None:
    """Say why a stream is not even given to its reader."""
    reader: Reader = READERS[suffix]
    size = stream.seek(0, 2)
    stream.seek(0)
    if size == 0:
        return RejectReason.EMPTY, "is empty (0 bytes)"
    content = recognise(stream)
    if content is None or content.suffix in reader.suffixes or suffix == ".docx":
        return None  # the reader of .docx tells encrypted files from old ones
    if content.picture:
        return RejectReason.BINARY, f"is {content.name}; it holds no text"
    advice = f"name it {content.suffix}" if content.suffix else "save the text as .txt"
    detail = f"is read as {suffix} but holds {content.name}; {advice}"
    return RejectReason.WRONG_TYPE, detail


def _unknown(suffix: str) -> str:
    known = ", ".join(READERS)
    advice = f"{ADVICE[suffix]}; " if suffix in ADVICE else ""
    kind = f"files ending in '{suffix}'" if suffix else "files without an ending"
    return f"{kind} are not read; {advice}known endings: {known}"


def _installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # a finder refuses it
        return False
