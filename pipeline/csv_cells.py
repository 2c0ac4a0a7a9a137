"""Cells of CSV: kept from being run as formulas, and read back whatever their length.

A cell that a spreadsheet would run gets a leading apostrophe (OWASP, CSV injection), which reading
takes away. So that this is exact, one that looks as if it had got one already gets another.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 2**31 - 1
"""Characters; the largest limit that the csv module takes on every system."""

_RUN_OR_GUARDED = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    return "'" + text if _RUN_OR_GUARDED.match(text) else text


def unguarded(cell: str) -> str:
    """Return the text of which `guarded` made the cell.

    Whether a cell was guarded cannot be seen: one written raw loses an apostrophe that stands
    before such a character.
    """
    return cell[1:] if _GUARDED.match(cell) else cell


@contextmanager
def field_limit(limit: int = LONGEST) -> Iterator[None]:
    """Let the csv module read fields of up to `limit` characters, instead of 131,072.

    Its limit is one for the whole process: set it for one call of a reader, never across a `yield`.
    """
    before = csv.field_size_limit(limit)
    try:
        yield
    finally:
        csv.field_size_limit(before)
