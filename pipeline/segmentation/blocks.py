"""Cut a text into blocks: headings, paragraphs, numbered points, items, and what surrounds them.

Blocks come first because no sentence runs over their borders, while their borders often bear no
full stop: titles, items of a list, signatures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pipeline.records import BlockKind
from pipeline.segmentation.furniture import furniture_kind, is_closing, opens_sources
from pipeline.segmentation.lines import Line, Wrapping, ends_with_stop, split_lines, starts_lower
from pipeline.segmentation.markers import ListStack, Marker, markers_at
from pipeline.segmentation.sentences import split_sentences

_HASHES = re.compile(r"#{1,6}[ \t]+")
_PREAMBLE = re.compile(
    r"(?=[A-Z])(?:(?:Also|Further|Deeply|Gravely|Strongly|Fully|Again) )?(?i:acknowledging|acting"
    r"|affirming|alarmed|bearing|commending|concerned|condemning|considering|convinced|deploring"
    r"|determin(?:ed|ing)|emphasi[sz]ing|expressing|guided|having|mindful|noting|reaffirming"
    r"|recalling|recogni[sz]ing|reiterating|stressing|taking|underlining|underscoring|welcoming)\b"
)
_LONGEST_HEADING = 200
_LONGEST_LETTERED = 80
_LONGEST_SIGNATURE = 100
_SIGNATURE_LINES = 4
_RUNNING = (BlockKind.PARAGRAPH, BlockKind.NUMBERED, BlockKind.LIST_ITEM)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that no sentence leaves; markers of lists stand before `start`.

    `list_path` holds the markers from the outer to the inner list. `opens` is `None` unless the
    block begins a new list: then it is the number of lists around that one.
    """

    kind: BlockKind
    start: int
    end: int
    list_path: tuple[str, ...] = ()
    opens: int | None = None


@dataclass(slots=True)
class _Draft:
    """A block while its lines are gathered; empty (`start == end`) while it is only a marker."""

    start: int
    end: int
    kind: BlockKind = BlockKind.PARAGRAPH
    markers: list[Marker] = field(default_factory=list)

    @property
    def is_bare(self) -> bool:
        return self.start == self.end


def find_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a text in order; they do not overlap and none is empty.

    Outside them lie white space, markers of lists and headings, and rules such as "* * *".
    """
    drafts = _Gathering(text).drafts
    _mark_headings(text, drafts)
    lists = ListStack()
    for draft in drafts:
        opens: int | None = None
        path: tuple[str, ...] = ()
        if draft.kind is BlockKind.HEADING:
            lists.clear()
            path = tuple(marker.text for marker in draft.markers)
        elif draft.markers:
            for marker in draft.markers:
                opened = lists.place(marker)
                opens = opened if opens is None else opens
            path = lists.path
        elif draft.kind is BlockKind.PARAGRAPH:
            lists.suspend()
        yield Block(draft.kind, draft.start, draft.end, path, opens)


class _Gathering:
    """Joins the lines of a text into drafts, one line at a time; headings are marked later."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = split_lines(text)
        self._wrapping = Wrapping(text, self._lines)
        self._readings: set[tuple[str, int]] | None = None  # of all lines, once needed
        self._lists = ListStack()  # here only to know the next marker of a counted list
        self._previous: Line | None = None
        self._signature_lines = 0
        self._signature_gap = False
        self._in_sources = False
        self.drafts: list[_Draft] = []
        for line in self._lines:
            self._add(line)
            self._previous = line
        if self.drafts and self.drafts[-1].is_bare:  # a marker that marks nothing is text
            bare = self.drafts[-1]
            bare.start, bare.kind = bare.end - len(bare.markers[-1].text), BlockKind.PARAGRAPH
            bare.markers = []

    def _add(self, line: Line) -> None:
        last = self.drafts[-1] if self.drafts else None
        if last is not None and last.is_bare:
            markers = list(markers_at(self._text, line.start, line.end))
            last.markers += markers
            last.start = markers[-1].end if markers else line.start
            last.end = line.end
            return
        goes_on = last is not None and last.kind in _RUNNING and self._goes_on(line)
        kind = None if goes_on and not self._is_finished() else self._surrounding(line)
        if kind is not None:
            self.drafts.append(_Draft(line.start, line.end, kind))
            return
        hashes = _HASHES.match(self._text, line.start, line.end)
        start = hashes.end() if hashes else line.start
        markers = list(markers_at(self._text, start, line.end))
        if markers and not self._is_plausible(markers[0], line):
            markers = []
        if markers or hashes or not goes_on or last is None:
            self._open(_Draft(markers[-1].end if markers else start, line.end), markers)
            if hashes:
                self.drafts[-1].kind = BlockKind.HEADING
        else:
            last.end = line.end

    def _open(self, draft: _Draft, markers: list[Marker]) -> None:
        for marker in markers:
            self._lists.place(marker)
        if markers:
            numbered = markers[-1].is_number
            draft.kind = BlockKind.NUMBERED if numbered else BlockKind.LIST_ITEM
            draft.markers = markers
        else:
            self._lists.suspend()
        self.drafts.append(draft)

    def _goes_on(self, line: Line) -> bool:
        """Whether the line goes on with the paragraph of the line before."""
        previous = self._previous
        if previous is None or not self._wrapping.joins(previous, line):
            return False
        new_paragraph = ends_with_stop(self._text, previous, ",;") and _PREAMBLE.match(
            self._text, line.start, line.end
        )
        return not new_paragraph

    def _surrounding(self, line: Line) -> BlockKind | None:
        """Return the kind of a line that is no running text, `None` for running text."""
        content = self._text[line.start : line.end]
        kind = furniture_kind(content)
        if kind is BlockKind.SIGNATURE:
            self._signature_lines = _SIGNATURE_LINES
            self._signature_gap = is_closing(content)
            return kind
        self._in_sources = self._in_sources or opens_sources(content)
        if kind is not None:
            return kind
        open_end = not ends_with_stop(self._text, line)
        if self._signature_lines:
            self._signature_lines -= 1
            near = self._signature_gap or not line.gap
            if open_end and near and len(content) <= _LONGEST_SIGNATURE:
                return BlockKind.SIGNATURE
            self._signature_lines = 0
        self._in_sources = self._in_sources and open_end and len(content) <= _LONGEST_HEADING
        return BlockKind.FOOTER if self._in_sources else None

    def _is_plausible(self, marker: Marker, line: Line) -> bool:
        """Whether what looks like a marker is none of wrapped text ("... article / 51. The")."""
        previous = self._previous
        if self._lists.continues(marker):
            return True
        if marker.is_weak and not self._opens_lettered(marker, line):
            return False
        if previous is None or line.gap or self._is_finished():
            return True
        return not self._wrapping.is_full(previous, line)

    def _is_finished(self) -> bool:
        return self._previous is not None and ends_with_stop(self._text, self._previous)

    def _opens_lettered(self, marker: Marker, line: Line) -> bool:
        """Whether "A." or "I." is no initial: a title follows, or "B." or "II." further on."""
        style, ordinal = marker.readings[0]
        if ordinal != 1:
            return False
        short = line.end - marker.end <= _LONGEST_LETTERED
        if marker.text.islower() or (short and not ends_with_stop(self._text, line)):
            return True
        if self._readings is None:
            heads = (next(markers_at(self._text, ln.start, ln.end), None) for ln in self._lines)
            self._readings = {reading for head in heads if head for reading in head.readings}
        return (style, 2) in self._readings


def _mark_headings(text: str, drafts: Sequence[_Draft]) -> None:
    """Mark short blocks without a stop as headings where running text follows."""
    body_follows = False
    for index in reversed(range(len(drafts))):
        draft = drafts[index]
        if draft.kind is BlockKind.HEADING:
            body_follows = True
        elif draft.kind is BlockKind.SIGNATURE:
            body_follows = False
        elif draft.kind in _RUNNING:
            could_be = _looks_like_heading(text, draft)
            if could_be and draft.markers:
                could_be = _stands_alone(text, drafts, index)
            if could_be and body_follows:
                draft.kind = BlockKind.HEADING
            body_follows = body_follows or not could_be


def _looks_like_heading(text: str, draft: _Draft) -> bool:
    line = Line(draft.start, draft.end, gap=True)
    return (
        draft.end - draft.start <= _LONGEST_HEADING
        and draft.kind is not BlockKind.LIST_ITEM
        and not starts_lower(text, line)
        and not ends_with_stop(text, line, ".!?…:;,。！？؟۔।")
        and len(list(islice(split_sentences(text[draft.start : draft.end]), 2))) == 1
    )


def _stands_alone(text: str, drafts: Sequence[_Draft], index: int) -> bool:
    """Whether a numbered line is no point of a list: no neighbour numbered, no sentence before."""
    around = [*drafts[max(index - 1, 0) : index], *drafts[index + 1 : index + 2]]
    if any(neighbour.markers for neighbour in around):
        return False
    before = drafts[index - 1] if index else None
    return before is None or not ends_with_stop(text, Line(before.start, before.end, True), ":")
