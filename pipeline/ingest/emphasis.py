"""Find the marks of markdown emphasis: asterisks and underscores that embrace words.

Pairing follows the delimiter stack of CommonMark 0.31 (section 6.2), with stricter marks: neither
asterisks nor underscores count inside words, and a mark must touch what it embraces, so that
footnote stars, products (`2*3*4`), list marks and names with underscores are left alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

Span = tuple[int, int]

_RUN = re.compile(r"(?<![*\\])\*{1,3}(?!\*)|(?<![_\\])_{1,3}(?!_)|\n[ \t]*\n")
_OPENS_BEFORE = frozenset(
    "\"'“‘«„([{*_€$£§¿¡…#@\\"
)  # what may follow an opening mark, beside words
_CLOSES_AFTER = frozenset("\"'”’»)]}*_.,;:!?…%°")  # what may precede a closing mark, beside words
_GLUE = frozenset("@#\\=&+")  # next to these, a mark belongs to an address or a formula


@dataclass(slots=True)
class _Opener:
    start: int
    end: int  # moves left as closing marks use the run up


def emphasis_marks(text: str, untouchable: list[Span]) -> list[Span]:
    """Return the spans of the marks of all emphasis, outside the sorted `untouchable` spans."""
    starts = [start for start, _ in untouchable]
    open_runs: dict[str, list[_Opener]] = {"*": [], "_": []}
    marks: list[Span] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        char = text[start]
        if char == "\n":  # emphasis never reaches over an empty line
            open_runs = {"*": [], "_": []}
            continue
        nearest = bisect_right(starts, start) - 1
        if nearest >= 0 and start < untouchable[nearest][1]:
            continue
        if _closes(text, start, end):
            other = open_runs["_" if char == "*" else "*"]
            start = _pair(open_runs[char], other, marks, start, end)
        if start < end and _opens(text, start, end):
            open_runs[char].append(_Opener(start, end))
    return marks


def _pair(
    openers: list[_Opener], others: list[_Opener], marks: list[Span], start: int, end: int
) -> int:
    """Match a closing run with the openers that fit it; return where its unused rest begins.

    Openers of the other character that stand inside a matched pair can no longer be closed.
    """
    while start < end and openers:
        opener, left = openers[-1], end - start
        size = opener.end - opener.start
        if left < size < 3:  # "**word*" is no emphasis
            break
        used = min(size, left)
        marks += [(opener.end - used, opener.end), (start, start + used)]
        opener.end -= used
        start += used
        if opener.end == opener.start:
            openers.pop()
        while others and others[-1].start > opener.start:
            others.pop()
    return start


def _opens(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else "\n"
    after = text[end] if end < len(text) else "\n"
    if before.isalnum() or before in _GLUE:
        return False
    return after.isalnum() or after in _OPENS_BEFORE


def _closes(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else "\n"
    after = text[end] if end < len(text) else "\n"
    if after.isalnum() or after in _GLUE:
        return False
    return before.isalnum() or before in _CLOSES_AFTER
