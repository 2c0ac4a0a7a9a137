"""Marks of list items in DOCX, which Word stores as rules: "1.", "(a)", a dash for a bullet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_VAL = W + "val"
_LEVELS = 9
_DEPTHS = frozenset(map(str, range(_LEVELS)))
# Word's own limits (ECMA-376, 17.9); without them a small file could ask for endless marks.
_LARGEST_START = 32_767
_LONGEST_PATTERN = 255
_LETTERS = 26 * 30  # the letter is repeated up to thirty times, then it begins anew


class Element(Protocol):
    """The part of an XML element's interface that is used here."""

    tag: str
    text: str | None

    def __iter__(self) -> Iterator[Element]: ...
    def iter(self, tag: str) -> Iterator[Element]: ...
    def iterancestors(self, tag: str) -> Iterator[Element]: ...
    def find(self, path: str) -> Element | None: ...
    def findall(self, path: str) -> list[Element]: ...
    def get(self, name: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _Level:
    format: str
    pattern: str
    start: int


@dataclass(slots=True)
class Numbering:
    """Counts list items as Word does; call `mark` once for each paragraph, in order.

    `numbering` and `styles` are the root elements of the parts of these names.
    """

    numbering: Element | None
    styles: Element
    _levels: dict[str, dict[int, _Level]] = field(init=False)
    _styles: dict[str, tuple[str | None, str | None, str | None]] = field(init=False)
    _inherited: dict[str, tuple[str | None, str | None]] = field(init=False, default_factory=dict)
    _counts: dict[str, list[int | None]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._levels = {} if self.numbering is None else _read_levels(self.numbering)
        self._styles = {}
        for style in self.styles.iter(W + "style"):
            name = style.get(W + "styleId")
            if name is not None:
                based = _value(style.find(W + "basedOn"))
                self._styles[name] = (*_list_of(style), based)

    def mark(self, paragraph: Element) -> str:
        """Return the mark of a list item with a space after it, empty for other paragraphs."""
        number, level = self._list(paragraph)
        rules = self._levels.get(number or "")
        if number is None or rules is None or level not in rules:
            return ""
        counts = self._counts.setdefault(number, [None] * _LEVELS)
        current = counts[level]
        counts[level] = rules[level].start if current is None else current + 1
        counts[level + 1 :] = [None] * (_LEVELS - level - 1)
        rule = rules[level]
        if rule.format == "bullet":
            return "– "
        if rule.format == "none" or not rule.pattern.strip():
            return ""

        def shown(match: re.Match[str]) -> str:
            other = int(match[1]) - 1
            if other not in rules:
                return ""
            count = counts[other]
            return _numeral(rules[other].start if count is None else count, rules[other].format)

        return re.sub(r"%([1-9])", shown, rule.pattern).strip() + " "

    def _list(self, paragraph: Element) -> tuple[str | None, int]:
        """Return the list and the level of a paragraph; its own properties win over its style's."""
        number, level = _list_of(paragraph)
        style = _value(paragraph.find(f"{W}pPr/{W}pStyle"))
        style_number, style_level = self._of_style(style)
        number = style_number if number is None else number
        level = style_level if level is None else level
        depth = int(level) if level is not None and level.isdecimal() else 0
        return number, min(depth, _LEVELS - 1)

    def _of_style(self, style: str | None) -> tuple[str | None, str | None]:
        """Return the list and the level of a style, or of those that it is based on."""
        chain: list[str] = []
        while style is not None and style in self._styles and style not in self._inherited:
            self._inherited[style] = (None, None)  # ends a chain that leads back to itself
            chain.append(style)
            style = self._styles[style][2]
        found = self._inherited.get(style or "", (None, None))
        for name in reversed(chain):
            number, level, _ = self._styles[name]
            found = (found[0] if number is None else number, found[1] if level is None else level)
            self._inherited[name] = found
        return found


def _read_levels(numbering: Element) -> dict[str, dict[int, _Level]]:
    abstract: dict[str | None, dict[int, _Level]] = {}
    for definition in numbering.findall(W + "abstractNum"):
        levels = {
            depth: _level(level)
            for level in definition.findall(W + "lvl")
            if (depth := _depth(level)) is not None
        }
        abstract[definition.get(W + "abstractNumId")] = levels
    found: dict[str, dict[int, _Level]] = {}
    for instance in numbering.findall(W + "num"):
        number = instance.get(W + "numId")
        levels = abstract.get(_value(instance.find(W + "abstractNumId")), {})
        if number is not None:
            found[number] = {**levels, **_overridden(instance, levels)}
    return found


def _overridden(instance: Element, levels: dict[int, _Level]) -> dict[int, _Level]:
    """Return the levels that a list has of its own: written anew, or with another start."""
    found: dict[int, _Level] = {}
    for override in instance.findall(W + "lvlOverride"):
        depth, anew = _depth(override), override.find(W + "lvl")
        start = _value(override.find(W + "startOverride"))
        if depth is None:
            continue
        level = levels.get(depth) if anew is None else _level(anew)
        if level is not None:
            found[depth] = level if start is None else replace(level, start=_start(start))
    return found


def _depth(level: Element) -> int | None:
    depth = level.get(W + "ilvl")
    return int(depth) if depth in _DEPTHS else None


def _level(level: Element) -> _Level:
    return _Level(
        format=_value(level.find(W + "numFmt")) or "decimal",
        pattern=(_value(level.find(W + "lvlText")) or "")[:_LONGEST_PATTERN],
        start=_start(_value(level.find(W + "start"))),
    )


def _start(value: str | None) -> int:
    if value is None or not value.isdecimal() or len(value) > len(str(_LARGEST_START)):
        return 1
    return min(int(value), _LARGEST_START)


def _list_of(holder: Element) -> tuple[str | None, str | None]:
    properties = f"{W}pPr/{W}numPr/"
    return (
        _value(holder.find(properties + W + "numId")),
        _value(holder.find(properties + W + "ilvl")),
    )


def _value(element: Element | None) -> str | None:
    return None if element is None else element.get(_VAL)


def _numeral(count: int, style: str) -> str:
    if style in ("lowerLetter", "upperLetter"):
        # After z Word doubles the letter: aa, bb, ...
        place = (count - 1) % _LETTERS
        letters = chr(ord("a") + place % 26) * (place // 26 + 1) if count > 0 else "0"
        return letters if style == "lowerLetter" else letters.upper()
    if style in ("lowerRoman", "upperRoman"):
        roman = _roman(count)
        return roman if style == "lowerRoman" else roman.upper()
    return str(count)


def _roman(count: int) -> str:
    if not 0 < count < 4000:
        return str(count)
    values = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
    letters = ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i")
    result = ""
    for value, letter in zip(values, letters, strict=True):
        result += letter * (count // value)
        count %= value
    return result
