"""Lines of a text and whether a line break inside a paragraph is only a hard wrap."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from pipeline.segmentation.furniture import furniture_kind

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]++")
"""What `str.splitlines` takes for a line, without its end and unless it is empty."""
_ORNAMENT = re.compile(r"[\s\-–—_=*~#+·.\u200b\ufeff]*\Z")
_LONGEST_WRAP = 160
"""Columns; longer lines are paragraphs."""
_LONG_SHARE = 0.2
_BROKEN_SHARE = 1 / 3
_FULL = 0.85
_ENDS_OPEN = re.compile(
    r"\b(?:a|an|and|are|as|at|be|by|for|from|has|have|her|his|in|is|its|of|on|or|our|that|the|their"
    r"|this|to|was|we|were|which|who|will|with)\Z"
)
"""No title or item ends so."""
_CLOSING = "\"'”’»)]} "


class Line(NamedTuple):
    """A line with visible words: trimmed span, and whether a gap (blank, ornament) precedes it."""

    start: int
    end: int
    gap: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text in 17 bytes each, since a hostile text may have millions."""

    _starts: array[int] = field(default_factory=lambda: array("q"))
    _ends: array[int] = field(default_factory=lambda: array("q"))
    _gaps: bytearray = field(default_factory=bytearray)

    def append(self, line: Line) -> None:
        """Add a line at the end."""
        self._starts.append(line.start)
        self._ends.append(line.end)
        self._gaps.append(line.gap)

    def __iter__(self) -> Iterator[Line]:
        return map(Line, self._starts, self._ends, map(bool, self._gaps))


def split_lines(text: str) -> Lines:
    """Return the lines that hold more than white space and rules such as "* * *" or "-----"."""
    lines = Lines()
    after, gap = 0, True
    for match in _LINE.finditer(text):
        start, end = match.span()
        gap = gap or (start - after > 1 and text[after:start] != "\r\n")
        after = end
        raw = match[0]
        body = raw.strip()
        if _ORNAMENT.match(body):
            gap = True
        else:
            start += raw.index(body[0])
            lines.append(Line(start, start + len(body), gap))
            gap = False
    return lines


def ends_with_stop(text: str, line: Line, stops: str = ".!?…:;。！？؟۔।") -> bool:
    """Whether the line's last character is one of the stops, closing marks left aside."""
    end = line.end
    while end > line.start and text[end - 1] in _CLOSING:
        end -= 1
    return end > line.start and text[end - 1] in stops


def starts_lower(text: str, line: Line) -> bool:
    """Whether the line's first letter, opening marks left aside, is a small one."""
    return text[line.start : line.start + 3].lstrip("\"'“‘([")[:1].islower()


class Wrapping:
    """The hard wrap of a text: none, or a width in characters measured on its lines.

    Lines are wrapped when few are longer than any usual width and at least a third of the breaks
    without a stop stand before a small letter or after a word such as "of". A break is then a wrap
    when the first word of the next line would not have fitted.
    """

    def __init__(self, text: str, lines: Iterable[Line]) -> None:
        self._text = text
        self.width = _measure(text, lines)

    def joins(self, previous: Line, line: Line) -> bool:
        """Whether `line` continues the paragraph of `previous`."""
        if self.width is None:
            return False
        text = self._text
        full = self.is_full(previous, line)
        lower = starts_lower(text, line)
        if line.gap:  # a page break
            return full and lower and not ends_with_stop(text, previous)
        long = previous.end - previous.start >= self.width / 2
        return full or (lower and (long or _ends_open(text, previous)))

    def is_full(self, previous: Line, line: Line) -> bool:
        """Whether the first word of `line` had no room on `previous`."""
        if self.width is None:
            return False
        word = self._text.find(" ", line.start, line.end)
        length = (line.end if word < 0 else word) - line.start
        return previous.end - previous.start + 1 + length >= _FULL * self.width


def _measure(text: str, lines: Iterable[Line]) -> int | None:
    lengths = sorted(line.end - line.start for line in lines)
    long = sum(length for length in lengths if length > _LONGEST_WRAP)
    if not lengths or long > _LONG_SHARE * sum(lengths):
        return None
    unfinished = broken = 0
    for previous, line in pairwise(lines):
        if not line.gap and not ends_with_stop(text, previous):
            unfinished += 1
            broken += _shows_wrap(text, previous, line)
    if not broken or broken < _BROKEN_SHARE * unfinished:
        return None
    return lengths[int(0.9 * (len(lengths) - 1))]


def _shows_wrap(text: str, previous: Line, line: Line) -> bool:
    if _ends_open(text, previous):
        return True
    return starts_lower(text, line) and furniture_kind(text[line.start : line.end]) is None


def _ends_open(text: str, line: Line) -> bool:
    return bool(_ENDS_OPEN.search(text, max(line.start, line.end - 8), line.end))
