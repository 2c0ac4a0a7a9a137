"""What a reader yields: the text of one document before cleaning, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, Protocol

from pipeline.records import Rejection
from pipeline.settings.ingest import IngestSettings


@dataclass(frozen=True, slots=True)
class RawDocument:
    """Extracted text of one document.

    `body` is the position where the statement begins in `text` (after front matter); `pages` the
    position of the start of each page in `text`, empty where the format has none; `given_id` the
    identifier the source gives; `context` the sentence before, where a row is a sentence;
    `encoding` how its bytes were decoded, empty for binary formats. `unread` are the columns that
    are not read of a table which lacks one for speaker or date. `output` says that it is a labelled
    sentence, a row of what a stage wrote.
    """

    text: str
    source: str
    location: str = ""
    body: int = 0
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    title: str | None = None
    given_id: str | None = None
    context: str | None = None
    encoding: str = ""
    pages: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()
    output: bool = False


Rows = tuple[int, int | None]
"""Rows of a table from the first up to the second, counted from 0; `None` is the end."""
ALL_ROWS: Rows = (0, None)

Group = tuple[int, int]
"""How many rows of a table follow each other, and how many bytes they have."""


class Reader(Protocol):
    """One format. `read` never raises for bad content; it yields a rejection instead.

    The limit of size holds for the stream where it is one document, for each row of a table.
    `library` is the package that does the reading where it is one that hostile files may drive into
    endless loops, crashes or gigabytes; such a reader runs in a process of its own. Otherwise it is
    empty, and `read` takes time in proportion to the size.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    library: ClassVar[str]

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield the documents of a seekable stream that stands at its beginning.

        Raises:
            MissingExtra: the package for this format is not installed.
            OSError: the stream cannot be read.
            MemoryError: the memory that may be used is not enough (readers with a library).
        """
        ...


class RowsReader(Reader, Protocol):
    """A reader of tables that can begin at any row."""

    def read_rows(
        self, stream: BinaryIO, source: str, settings: IngestSettings, rows: Rows
    ) -> Iterator[RawDocument | Rejection | None]:
        """Yield what `read` yields of these rows, and `None` now and then while it gets there."""
        ...

    def groups(self, stream: BinaryIO, settings: IngestSettings) -> list[Group]:
        """Return what the table says it holds, in order; nothing if it cannot be read."""
        ...
