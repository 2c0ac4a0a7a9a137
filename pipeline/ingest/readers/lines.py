"""Decoded lines of a table, one at a time, none longer than the limit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.ingest.decoding import Encoding


class LineTooLongError(Exception):
    """A line is longer than the limit; it was passed over, reading may go on after it."""


class Lines(Iterator[str]):
    """Iterate over the lines of `stream`; `number` counts those given out (or passed over).

    `ends` are as for `open`: "\\n" splits there alone (JSONL); "" at every kind of line end and
    keeps it as it stands (CSV, whose quoted fields may hold any).

    Raises:
        LineTooLongError: while iterating; the iteration may be continued.
    """

    def __init__(self, stream: BinaryIO, encoding: Encoding, *, limit: int, ends: str) -> None:
        self._text = io.TextIOWrapper(
            stream, encoding=encoding.codec, errors=encoding.errors, newline=ends
        )
        self._limit = limit
        self._ends = ("\n", "\r") if ends == "" else "\n"
        self.number = 0

    def __next__(self) -> str:
        """Return the next line with its end."""
        line = self._text.readline(self._limit + 2)
        if not line:
            raise StopIteration
        self.number += 1
        complete = line.endswith(self._ends) or len(line) < self._limit + 2
        if complete and len(line.rstrip("\r\n")) <= self._limit:
            return line
        while line and not line.endswith(self._ends):
            line = self._text.readline(self._limit + 2)
        raise LineTooLongError

    def release(self) -> None:
        """Give the stream back unclosed."""
        self._text.detach()
