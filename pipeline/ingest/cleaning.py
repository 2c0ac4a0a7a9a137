"""Clean extracted text for reading, with an exact map back to it.

Cleaning only deletes characters or replaces one character by one other, so that every position of
the cleaned text belongs to exactly one of the source. *Source* is here the extracted text: the
decoded text of the file for .txt and .md, the value of the cell for a row, the text that the
reader took out of an HTML, PDF or DOCX file. Mending of mojibake has happened before, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.ingest.emphasis import Span, emphasis_marks
from pipeline.records import OffsetMap

_SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_LINE_ENDS = "\v\f\x85\u2028\u2029"
_REPLACED = str.maketrans(
    dict.fromkeys(_SPACES, " ")
    | dict.fromkeys(_LINE_ENDS, "\n")
    | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)}  # half characters cannot be written
)
_LONE_RETURN = re.compile(r"\r(?!\n)")
# Everything that may have to be replaced or removed lies outside these; most texts hold none of it.
_UNUSUAL = re.compile(r"[^\t\n\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e]")
# Joiners are kept in the scripts whose spelling needs them (Arabic to Sinhala).
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u2069\ufeff]+|(?<![\u0600-\u0dff])[\u200c\u200d]+|\r(?=\n)"
)

_ESCAPE = re.compile(r"""(?<!\\)\\+(?=["'“”‘’])|\\(?=[*_#\[\]`])""")
_LINE_START = re.compile(r"^ {0,3}(?:#{1,6}[ \t]+(?=\S)|(?:>[ \t]+)+(?=\S))", re.MULTILINE)
_HEADING_END = re.compile(r"(?<=\S)[ \t]+#+[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*([-*_=])(?:[ \t]*\1){2,}[ \t]*$", re.MULTILINE)
_LINK = re.compile(
    r"(?P<open>!?\[)(?:[^\[\]\n]|\n(?!\s*\n))*"
    r"(?P<close>\]\((?P<target>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:[ \t]+\"[^\"\n]*\")?\))"
)
# "[2](a)" in a legal text is no link: the target must look like an address or a file.
_TARGET = re.compile(r"(?i)https?://|mailto:|www\.|[#/.]|[\w./-]*\w\.(?:html?|md|pdf|docx?|txt)\b")
_ADDRESS = re.compile(r"(?:\b\w+://|\bwww\.)[^\s*<>()\[\]]+")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Cleaned text and the map from its positions to those of the text it was made of."""

    text: str
    offsets: OffsetMap


def clean(text: str, *, markup: bool = True, body: int = 0) -> Cleaned:
    r"""Remove what is not meant to be read; return the rest with its offsets.

    Always: line ends become `\n`, no-break and other wide spaces a space, half characters U+FFFD;
    control, zero-width and direction characters go. With `markup`: emphasis (`**x**`, `_x_`, but
    not `2*3*4` or `snake_case`), marks of headings and quotations at the start of a line, ruled
    lines, the addresses of links, and backslashes before quotation and markdown marks go. What
    stands before `body` (front matter) goes as well.

    `cleaned.text[i]` equals `text[cleaned.offsets.to_source(i)]`, except for the replacements.
    """
    removed = [(0, body)] if body else []
    even = text
    if _UNUSUAL.search(text):
        even = _LONE_RETURN.sub("\n", text).translate(_REPLACED)
        removed += [match.span() for match in _INVISIBLE.finditer(even, body)]
    visible = _without(even, removed)
    if markup:
        marks = _merged(_markup(visible.text))
        removed += [visible.offsets.span_to_source(start, end) for start, end in marks]
        visible = _without(even, _merged(removed))
    return visible


def _markup(text: str) -> list[Span]:
    """Return the spans of all marks; each search is made only where its mark occurs at all."""
    spans = [match.span() for match in _RULE.finditer(text)]
    if "\\" in text:
        spans += [match.span() for match in _ESCAPE.finditer(text)]
    if "#" in text or ">" in text:
        spans += _line_starts(text)
    if "](" in text:
        for match in _LINK.finditer(text):
            if _TARGET.match(match["target"]):
                spans += [match.span("open"), match.span("close")]
    if "*" in text or "_" in text:
        untouchable = spans + [match.span() for match in _ADDRESS.finditer(text)]
        spans += emphasis_marks(text, _merged(untouchable))
    return spans


def _line_starts(text: str) -> list[Span]:
    spans: list[Span] = []
    for match in _LINE_START.finditer(text):
        spans.append(match.span())
        if "#" in match.group():
            line_end = text.find("\n", match.end())
            end = len(text) if line_end < 0 else line_end
            closing = _HEADING_END.search(text, match.end(), end)
            spans += [closing.span()] if closing else []
    return spans


def _merged(spans: list[Span]) -> list[Span]:
    """Sort spans and join those that overlap or touch; empty ones are left out."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if start == end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _without(text: str, removed: list[Span]) -> Cleaned:
    """Cut sorted spans that do not overlap out of `text`."""
    if not removed:
        return Cleaned(text, OffsetMap())
    pieces: list[str] = []
    cleaned: list[int] = []
    source: list[int] = []
    length = at = 0
    for start, end in [*removed, (len(text), len(text))]:
        if start > at:
            cleaned.append(length)
            source.append(at)
            pieces.append(text[at:start])
            length += start - at
        at = end
    return Cleaned("".join(pieces), OffsetMap(tuple(cleaned), tuple(source)))
