"""The records that flow through the pipeline; frozen, and free of input and output.

    file -> Statement -> Sentence -> LabelledSentence -> Prediction -> EvaluationReport
               |
               v
           Rejection

Offsets are half-open character positions: `statement.text[s.start:s.end] == s.text`. A label set of
`None` means "not known" and is masked in training and metrics; it is never read as "no label".
"""

from __future__ import annotations

import hashlib
import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SPEAKER = "SPEAKER"
"""Holder of a stance that the author of the statement takes himself."""

DATE_FORMS = "YYYY-MM-DD, YYYY-MM or YYYY"
"""The dates that are counted over time, in words for messages."""
DATE_WITHOUT_TIME = r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?"
_DATE = re.compile(DATE_WITHOUT_TIME)


def year_and_month(date: str) -> tuple[str, str | None] | None:
    """Return the year (YYYY) and, where it is named, the month (MM); `None` for other forms."""
    found = _DATE.match(date)
    # Behind a full date a time of day may follow, but not more digits.
    if found is None or date[found.end() : found.end() + 1] not in ("", "T", " "):
        return None
    return found["year"], found["month"]


def content_hash(*parts: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the parts (joined by NUL)."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Piecewise map from positions in cleaned text back to positions in the source text.

    `cleaned[i]` and `source[i]` open a run in which both texts advance together; characters that
    cleaning removed lie between the runs. An empty map is the identity.
    """

    cleaned: tuple[int, ...] = ()
    source: tuple[int, ...] = ()

    def to_source(self, position: int) -> int:
        """Return the source position of the character at `position` of the cleaned text."""
        if not self.cleaned:
            return position
        run = max(bisect_right(self.cleaned, position) - 1, 0)
        return self.source[run] + (position - self.cleaned[run])

    def span_to_source(self, start: int, end: int) -> tuple[int, int]:
        """Return the half-open source span that covers the cleaned span [start, end)."""
        if end <= start:
            at = self.to_source(start)
            return at, at
        return self.to_source(start), self.to_source(end - 1) + 1


@dataclass(frozen=True, slots=True)
class Statement:
    """One document by one author, cleaned for reading.

    `text` is cleaned text; `offsets` leads back to the text of the source. `location` says where in
    the source the statement stands (a row, a page), empty for a whole file. `pages` holds the
    position in the source text where each page begins, and is empty where the source has no pages.
    """

    doc_id: str
    text: str
    source: str
    location: str = ""
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    title: str | None = None
    offsets: OffsetMap = field(default_factory=OffsetMap)
    pages: tuple[int, ...] = ()

    def page_at(self, position: int) -> int | None:
        """Return the page, from 1, of `text[position]`; `None` where there are no pages."""
        return bisect_right(self.pages, self.offsets.to_source(position)) if self.pages else None


class RejectReason(StrEnum):
    """Why a record was set aside instead of being processed."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too large"
    WRONG_TYPE = "wrong type"
    BINARY = "binary"
    ENCRYPTED = "encrypted"
    BAD_ROW = "bad row"
    DUPLICATE = "duplicate"
    TIME_LIMIT = "over the time limit"
    MEMORY_LIMIT = "over the memory limit"
    NO_CODER = "no coder"
    OTHER_CODEBOOK = "other codebook"
    UNKNOWN_LABEL = "unknown label"
    WRONG_SPAN = "span off its text"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record set aside: where it stood, why, and what would help.

    `record_id` is the identifier that the source gives it, where that could be read.
    """

    source: str
    location: str
    reason: RejectReason
    detail: str
    record_id: str | None = None

    @property
    def where(self) -> str:
        """Its source and where it stood there."""
        return f"{self.source} {self.location}".strip()

    @property
    def told(self) -> str:
        """What is said of it: where it stood, the reason and what would help."""
        return f"{self.where}: {self.reason}: {self.detail}"


class BlockKind(StrEnum):
    """Kind of text block a sentence stands in."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    NUMBERED = "numbered point"
    LIST_ITEM = "list item"
    SIGNATURE = "signature"
    DATELINE = "dateline"
    FOOTER = "footer"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with its place in the statement.

    `list_path` holds the markers that lead to it ("2.", "(a)"); `heading` the nearest heading
    above; `lead_in` the sentence that introduces the list whose item this is; `context` the
    sentence before it in the document (empty for the first).
    """

    sentence_id: str
    doc_id: str
    text: str
    start: int = 0
    end: int = 0
    block: BlockKind = BlockKind.PARAGRAPH
    list_path: tuple[str, ...] = ()
    heading: str = ""
    lead_in: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who holds a label of a sentence, and toward whom; both verbatim words or `None`."""

    label: str
    holder: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """A sentence with its labels per task; a task whose value is `None` (or absent) is unknown.

    `probabilities[task][label]` says how sure a label model is, for every label of known tasks that
    it labelled. They are learned from in place of the labels; all else goes by the labels.
    """

    sentence: Sentence
    labels: Mapping[str, tuple[str, ...] | None]
    attributions: tuple[Attribution, ...] = ()
    probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document whose sentences carry labels; the unit of splitting and of resampling.

    `part` names the portion of a corpus it belongs to, `path` and `line` where it was read.
    """

    doc_id: str
    sentences: tuple[LabelledSentence, ...]
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    title: str | None = None
    part: str | None = None
    source: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Prediction:
    """Decided labels of one sentence and the calibrated probability of every label.

    `labels[task]` is a tuple of labels; an abstention is `None`. `probabilities[task][label]` is in
    [0, 1]; in a multiclass task they sum to one.
    """

    sentence: Sentence
    labels: Mapping[str, tuple[str, ...] | None]
    probabilities: Mapping[str, Mapping[str, float]]
    model_id: str


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value with its 95 % interval (document bootstrap) and the number behind it.

    `low` and `high` are `None` where no interval can be given (fewer than two documents); `support`
    is the number of gold positives (or sentences) the value rests on. `value` is NaN where the
    quantity is undefined on these data.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    support: int

    @property
    def defined(self) -> bool:
        """Whether these data define the quantity: its value is not NaN."""
        return not math.isnan(self.value)


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """All scores of one model on one data set."""

    dataset: str
    documents: int
    sentences: int
    scores: Mapping[str, Score]
