"""From lines on pages to paragraphs: by distance, indent and size; words cut at line ends mended.

Thresholds are multiples of the document's own line height and width, whatever its size of type.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from math import inf
from statistics import median

_MARKER = re.compile(r"(?:\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]|[•●▪◦–—\-*])\s+\S|\([a-z\d]{1,3}\)\s")
_PAGE_NUMBER = re.compile(r"(?i)(?:page\s*)?[-–—(]?\s*\d{1,4}\s*(?:(?:/|of)\s*\d{1,4})?\s*[-–—)]?")
# What stands at the edges of a page of a United Nations document, and alone in its line: symbols
# at the head; page, job number and bar code at the foot. Left and right change with the page.
_SYMBOL = r"(?=[^ ]*\d)[ASE]/[A-Za-z\d./()-]{1,28}[A-Za-z\d)]"
_NUMBERS = (
    r"\d{1,3}/\d{1,3}(?: \d\d-\d{5})?|\d\d-\d{5}(?: \d{1,3}/\d{1,3})?"
    r"|\d\d-\d{5} \([A-Z]\)(?: \d{6}){0,3}|\*\d{7,8}\*"
)
_UN_HEAD = re.compile(rf"{_SYMBOL}(?: ?[–—] ?{_SYMBOL})?|{_NUMBERS}")
_UN_FOOT = re.compile(_NUMBERS)
_MOST_UN_EDGES = 2
_WRAPPED = 3
"""Lines of one width that show text filling its column; fewer may be those of a title page."""
_SENTENCE_END = tuple(".!?:;…”\"')")
_DIGITS = re.compile(r"\d+")
# Prefixes that keep their hyphen in the spelling of the field (United Nations Editorial Manual).
_HYPHENATED = frozenset({"non", "self", "counter", "anti"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page; coordinates in points from its lower left corner.

    `hyphen` says that the line ended with a hyphen, which `text` no longer has.
    """

    text: str
    left: float
    right: float
    bottom: float
    top: float
    hyphen: bool = False


def join_pages(pages: Sequence[Sequence[Line]]) -> tuple[str, tuple[int, ...]]:
    """Return the text, paragraphs apart by an empty line, and where in it each page begins.

    Page numbers and running heads are left out. A paragraph that a page breaks is joined again; the
    page then begins inside it.
    """
    kept = _without_running_heads(pages)
    words = Counter(
        word
        for lines in kept
        for line in lines
        for word in re.findall(r"[\w-]+", line.text.lower())
    )
    shape = _Shape.of(kept)
    text = ""
    starts: list[int] = []
    before: Line | None = None
    column = _Column()
    for lines in kept:
        page_start: int | None = None
        for number, line in enumerate(lines):
            if before is None:
                glue = ""
            elif before.hyphen:
                glue = _hyphen(text, line.text, words)
            elif number == 0 or _jumps(before, line):
                glue = " " if column.runs_on(before, line) else "\n\n"
            else:
                glue = "\n\n" if shape.begins_paragraph(before, line) else " "
            text += glue
            page_start = len(text) if page_start is None else page_start
            text += line.text
            if before is None or number == 0 or _jumps(before, line):
                column = _Column()
            column.add(line)
            before = line
        starts.append(len(text) if page_start is None else page_start)
    return text, tuple(starts)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The usual measures of a document, in points."""

    pitch: float  # from one line to the next inside a paragraph
    left: float
    right: float

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]]) -> _Shape:
        gaps = [a.bottom - b.bottom for lines in pages for a, b in pairwise(lines)]
        falling = sorted(gap for gap in gaps if gap > 0)
        lines = [line for page in pages for line in page]
        rights = sorted(line.right for line in lines)
        return cls(
            # The lower quartile: lines inside paragraphs, even where most paragraphs are one line.
            pitch=falling[len(falling) // 4] if falling else 0.0,
            left=median(line.left for line in lines) if lines else 0.0,
            right=rights[len(rights) * 19 // 20] if rights else 0.0,
        )

    def begins_paragraph(self, before: Line, line: Line) -> bool:
        """Tell whether `line` begins a new paragraph after `before`."""
        height = max(line.top - line.bottom, 1.0)
        gap = before.bottom - line.bottom
        # Double spacing is 2.0 line heights; what is farther apart is no paragraph.
        usual = min(max(self.pitch, height), 2.1 * height)
        if gap > 1.3 * usual:  # white space
            return True
        if abs((before.top - before.bottom) - height) > 0.15 * height:  # another size of type
            return True
        if _MARKER.match(line.text):
            return True
        ended = before.text.endswith(_SENTENCE_END)
        short = before.right < self.right - 0.15 * (self.right - self.left)
        indented = line.left > before.left + 0.8 * height
        return ended and (short or indented)


def _jumps(before: Line, line: Line) -> bool:
    """Tell whether a line stands above the one before: in another column."""
    return line.bottom - before.bottom > max(line.top - line.bottom, 1.0)


@dataclass(slots=True)
class _Column:
    """How far the lines of a column, or of a page that has one, have reached so far."""

    left: float = inf
    rights: list[float] = field(default_factory=list)

    def add(self, line: Line) -> None:
        self.left = min(self.left, line.left)
        self.rights.append(line.right)

    def runs_on(self, before: Line, line: Line) -> bool:
        """Tell whether a paragraph goes on from the column's last line over its end to `line`.

        The line has no end of a sentence, and a small letter follows; or it is full and breaks off
        behind a word, and a full line in the same size of type follows ("the Security | Council").
        """
        if before.text.endswith(_SENTENCE_END) or _MARKER.match(line.text):
            return False
        if line.text[:1].islower():
            return True
        right, height = max(self.rights), before.top - before.bottom
        width = right - self.left
        full = [reach for reach in self.rights if reach > right - 0.1 * width]
        return (
            before.text[-1:].isalnum()
            and line.text[:1].isalnum()
            and before.right in full
            and len(full) >= _WRAPPED
            and line.right - line.left > 0.6 * width
            and abs((line.top - line.bottom) - height) <= 0.15 * height
            and not (before.text.isupper() or line.text.isupper())  # headings
        )


def _hyphen(text: str, following: str, words: Counter[str]) -> str:
    """Return "-" where the word cut at the line end is spelt with a hyphen, else nothing."""
    first = re.search(r"[\w-]*$", text[-60:])
    second = re.match(r"[\w-]*", following)
    head = first[0].lower() if first else ""
    tail = second[0] if second else ""
    if not tail[:1].islower():  # Al-Assad, S-2
        return "-"
    with_hyphen, joined = words[f"{head}-{tail.lower()}"], words[head + tail.lower()]
    if with_hyphen != joined:
        return "-" if with_hyphen > joined else ""
    return "-" if head in _HYPHENATED else ""


def _edge(text: str) -> str:
    """Return what an edge line shares with those of other pages: "S/12 3 May", "5 May S/12"."""
    return " ".join(sorted(_DIGITS.sub("0", text).split()))


def _un_edges(lines: Sequence[Line], pitch: float) -> set[int]:
    """Return which lines of a page are edges in the form of the United Nations.

    A symbol may also stand alone in a line of a text, so it is an edge only at the head, white
    space must lie between edge and text, and there are no more than two such lines; more are a
    list.
    """
    found: set[int] = set()
    falling = sorted(range(len(lines)), key=lambda number: -lines[number].bottom)
    heads, feet = (
        {number for number, line in enumerate(lines) if form.fullmatch(line.text)}
        for form in (_UN_HEAD, _UN_FOOT)
    )
    for order, edges in ((falling, heads), (falling[::-1], feet)):
        edge = list(takewhile(edges.__contains__, order))
        if not 0 < len(edge) <= _MOST_UN_EDGES or len(edge) == len(lines):
            continue
        last, text = lines[edge[-1]], lines[order[len(edge)]]
        height = max(text.top - text.bottom, 1.0)
        if abs(last.bottom - text.bottom) > 1.3 * min(max(pitch, height), 2.1 * height):
            found.update(edge)
    return found


def _without_running_heads(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Drop page numbers, and first and last lines that most pages share.

    They are the same but for digits and the order of their words.
    """
    edges = Counter(
        text for lines in pages for text in {_edge(line.text) for line in (*lines[:2], *lines[-2:])}
    )
    enough = min(max(3, len(pages) // 2 + 1), max(2, len(pages)))
    running = {text for text, count in edges.items() if count >= enough}
    pitch = _Shape.of(pages).pitch
    kept: list[list[Line]] = []
    for lines in pages:
        un_edges = _un_edges(lines, pitch)
        last = len(lines) - 1
        kept.append(
            [
                line
                for number, line in enumerate(lines)
                if not (
                    (number in (0, last) and len(lines) > 1 and _PAGE_NUMBER.fullmatch(line.text))
                    or ((number < 2 or number > last - 2) and _edge(line.text) in running)
                    or number in un_edges
                )
            ]
        )
    return kept
