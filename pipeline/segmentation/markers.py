"""Markers of list items and numbered points, and the lists they form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARKER = re.compile(
    r"(?P<bullet>[-–—−*•·●▪◦‣∙■□►➢✓⁃])(?:[ \t]+|(?<=[–—•●▪■►➢])(?=[^\W\d_a-z])|\Z)"
    r"|(?P<open>\(?)"
    r"(?:(?P<number>\d{1,3}(?:\.\d{1,2}){0,3})|(?P<letter>[A-Za-z])"
    r"|(?P<roman>[ivx]{2,5}|[IVX]{2,5}))"
    r"(?:(?P<close>\.?\)|\.)(?:[ \t]+|(?=[A-Z][a-z])|\Z)"
    r"|(?:(?<=\.\d)|(?<=\.\d\d))(?P<bare>[ \t]+)(?=[A-Z]))"
)
_ROMAN = re.compile(r"x{0,3}(?:ix|iv|v?i{0,3})\Z")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10}


class Marker(NamedTuple):
    """A marker at the head of a line: "–", "3.", "(b)", "II.", "2.1".

    `readings` are the (style, ordinal) pairs it may stand for: "(i)" is a letter or a numeral.
    Bullets have the ordinal 0.
    """

    text: str
    end: int
    readings: tuple[tuple[str, int], ...]

    @property
    def is_bullet(self) -> bool:
        return self.readings[0][1] == 0

    @property
    def is_number(self) -> bool:
        """Whether it numbers a point (1., (2), II.) rather than an item (a), (iii), –."""
        return not self.is_bullet and not self.text.islower()

    @property
    def is_weak(self) -> bool:
        """Whether it looks like an initial ("A.") or the end of an abbreviation."""
        return len(self.text) == 2 and self.text[0].isalpha() and self.text[1] == "."


def markers_at(text: str, start: int, end: int) -> Iterator[Marker]:
    """Yield the markers at the head of the line [start, end), from the outer to the inner."""
    while start < end:
        match = _MARKER.match(text, start, end)
        if match is None:
            return
        readings = _read(match)
        if not readings:
            return
        start = match.end()
        yield Marker(match[0].strip(), start, readings)
        if readings[0][1] == 0:  # "- 5. ..." and "– (a) ..." are text after the bullet
            return


def _read(match: re.Match[str]) -> tuple[tuple[str, int], ...]:
    """Return the readings of a marker, the likelier first; none for an unpaired "(3."."""
    if match["bullet"]:
        return ((match["bullet"], 0),)
    opening, closing = match["open"], match["close"] or ""
    if opening and ")" not in closing:
        return ()
    number = match["number"]
    if number:
        parts = number.split(".")
        if len(parts) > 1 and match["bare"] is None and closing != ".":
            return ()
        frame = closing if len(parts) == 1 else "."
        return ((f"{opening}{'number' * len(parts)}{frame}", int(parts[-1])),)
    letters = match["letter"] or match["roman"]
    names = ("ROMAN", "LETTER") if letters.isupper() else ("roman", "letter")
    readings = []
    value = _roman(letters.lower())
    if value:
        readings.append((f"{opening}{names[0]}{closing}", value))
    if len(letters) == 1:
        readings.append((f"{opening}{names[1]}{closing}", ord(letters.lower()) - ord("a") + 1))
    if value != 1:  # a single "v" or "x" is a letter unless its list says otherwise
        readings.reverse()
    return tuple(readings)


def _roman(letters: str) -> int:
    if not _ROMAN.match(letters):
        return 0
    values = [_ROMAN_VALUES[letter] for letter in letters]
    following = [*values[1:], 0]
    return sum(
        -value if value < after else value for value, after in zip(values, following, strict=True)
    )


class _Level(NamedTuple):
    style: str
    ordinal: int
    marker: str


class ListStack:
    """The lists open at a point of a text, from the outer to the inner."""

    def __init__(self) -> None:
        self._levels: list[_Level] = []
        self._suspended = False

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(level.marker for level in self._levels)

    def clear(self) -> None:
        """End all lists (a heading)."""
        self._levels.clear()

    def suspend(self) -> None:
        """Note a paragraph between items; only a counted list can go on after it."""
        self._suspended = True

    def continues(self, marker: Marker) -> bool:
        """Whether the marker is the next of a counted list that is open."""
        return any(
            level.style == style and ordinal == level.ordinal + 1
            for level in self._levels
            for style, ordinal in marker.readings
        )

    def place(self, marker: Marker) -> int | None:
        """Enter the item of a marker; return the number of outer levels if it opens a list."""
        suspended, self._suspended = self._suspended, False
        for depth in reversed(range(len(self._levels))):
            level = self._levels[depth]
            for style, ordinal in marker.readings:
                if style == level.style and ordinal == level.ordinal + 1:
                    self._enter(depth, style, ordinal, marker.text)
                    return None
        style, ordinal = marker.readings[0]
        same = [depth for depth, level in enumerate(self._levels) if level.style == style]
        if same and ordinal != 1 and not (suspended and ordinal == 0):
            self._enter(same[-1], style, ordinal, marker.text)
            return None
        if suspended:
            self._levels.clear()
            same.clear()
        depth = same[-1] if same else len(self._levels)
        self._enter(depth, style, ordinal, marker.text)
        return depth

    def _enter(self, depth: int, style: str, ordinal: int, marker: str) -> None:
        self._levels[depth:] = [_Level(style, ordinal, marker)]
