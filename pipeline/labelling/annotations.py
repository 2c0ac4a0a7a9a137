"""Annotations: what one coder says of one sentence, as canonical JSON lines.

One annotation a line. A task is answered (`labels`), declined (`abstained`), or in neither, which
means that nobody said anything about it. An empty tuple of labels is the answer "none of them".
Words of holders and targets carry half-open character offsets in the text of their sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter
from pydantic import JsonValue as Json

from pipeline.codebook import Codebook
from pipeline.records import SPEAKER, year_and_month

Draft = dict[str, Json]
"""An annotation as JSON, not yet checked."""

_NUMBER = re.compile(r"(?a)[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d{1,4})?")
_EXPONENT = re.compile(r"[eE]\+\d")
_STRICT = ConfigDict(extra="forbid", strict=True)

FACTS = ("speaker", "date", "genre")
"""What an item tells of its statement; for reading, no annotation is set aside for them."""


@dataclass(frozen=True, slots=True)
class Item:
    """The sentence that is annotated; `start` and `end` are its place in the cleaned statement.

    `speaker`, `date` and `genre` are the statement's, `None` where they are not known.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    doc_id: str
    sentence_id: str
    text: str
    start: int = 0
    end: int = 0
    context: str = ""
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells sentences apart: document and sentence id."""
        return self.doc_id, self.sentence_id


@dataclass(frozen=True, slots=True)
class Span:
    """Words with their place in the sentence; without one they stand outside of it.

    `Span(SPEAKER)` is the author of the statement.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    text: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class SpanAttribution:
    """Who holds a label of a sentence and toward whom; one of the two may be unknown."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    task: str
    label: str
    holder: Span | None = None
    target: Span | None = None


@dataclass(frozen=True, slots=True)
class CodebookStamp:
    """The codebook an annotation was made with."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    version: str
    signature: str

    @classmethod
    def of(cls, codebook: Codebook) -> CodebookStamp:
        """Take the stamp of a codebook."""
        return cls(codebook.name, codebook.version, codebook.signature)

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.signature})"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the sentence came to be annotated, and with which probability it was drawn."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    design: str
    probability: Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one coder says of one sentence. `sampling` and `time` are `None` where not known."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    item: Item
    coder: str
    codebook: CodebookStamp
    time: AwareDatetime | None = None
    sampling: Sampling | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    abstained: tuple[str, ...] = ()
    attributions: tuple[SpanAttribution, ...] = ()
    comment: str = ""

    def said(self) -> tuple[object, ...]:
        """Return the answers alone, for comparing two annotations of a sentence."""
        return dict(self.labels), self.abstained, self.attributions, self.comment


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Labels that a model suggests; a task on which it abstains is absent.

    `confidence`, in [0, 1], is the probability of the least certain decision.
    """

    model: str
    labels: Mapping[str, tuple[str, ...]]
    confidence: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sentence for annotation, with what is known of it already.

    `annotations` go along as annotations; `said` is shown to an adjudicator, who decides anew.
    """

    item: Item
    codebook: CodebookStamp
    sampling: Sampling | None = None
    suggestion: Suggestion | None = None
    annotations: tuple[Annotation, ...] = ()
    said: tuple[Annotation, ...] = ()


DISPUTED = "; disputed"
"""Ends the design of sentences that were drawn and then disputed: alone they stand for nothing."""

ADAPTER: TypeAdapter[Annotation] = TypeAdapter(Annotation)
"""Reads and writes annotations as JSON, strictly: nothing is converted, no key is unknown."""


def to_line(annotation: Annotation) -> bytes:
    """Return an annotation as one JSON line."""
    return ADAPTER.dump_json(annotation) + b"\n"


def to_draft(annotation: Annotation) -> Draft:
    """Return an annotation as JSON."""
    draft: Draft = ADAPTER.dump_python(annotation, mode="json")
    return draft


def form(sheet: Sheet) -> Draft:
    """Return the draft of an annotation that a person is to fill in, without its reader's aids."""
    return {
        "item": asdict(sheet.item),
        "coder": None,
        "codebook": asdict(sheet.codebook),
        "time": None,
        "sampling": None if sheet.sampling is None else asdict(sheet.sampling),
        "labels": {},
        "abstained": [],
        "attributions": [],
        "comment": "",
    }


def shared_facts(items: Iterable[Item]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what the items that know say alike of their statement, and in which FACTS they differ.

    A spreadsheet may have written dates anew, so where some can be counted the others do not count.
    """
    told = list(items)
    known: dict[str, str] = {}
    differing: list[str] = []
    for name in FACTS:
        values = {value for item in told if (value := getattr(item, name))}
        if name == "date":
            values = set(filter(year_and_month, values)) or values
        if len(values) == 1:
            known[name] = values.pop()
        elif values:
            differing.append(name)
    return known, tuple(differing)


def is_blank(draft: Mapping[str, Json]) -> bool:
    """Tell whether a form was not filled in; the name of a coder alone is no annotation."""
    return not any(draft.get(key) for key in ("labels", "abstained", "attributions", "comment"))


def same_number(one: str, other: str) -> bool:
    """Tell whether two texts are one number, which a spreadsheet writes in a way of its own.

    Zeros before and after it, the decimal sign and the exponent may differ. Of a long number it
    writes six digits and the exponent ("1.23457E+19").
    """
    if not (_NUMBER.fullmatch(one.strip()) and _NUMBER.fullmatch(other.strip())):
        return False
    if any(_EXPONENT.search(text) for text in (one, other)):
        first, second = (float(text.replace(",", ".")) for text in (one, other))
        return math.isfinite(first) and math.isclose(first, second, rel_tol=1e-5)
    return Decimal(one.strip().replace(",", ".")) == Decimal(other.strip().replace(",", "."))


def same_document(one: str, other: str, sentence_id: str) -> bool:
    """Tell whether two document ids were one before a spreadsheet rewrote it ("0012" as 12).

    It is so where the sentence is named after one of them, or both are one number. Sentences that
    are named anew in every document have a name in common and are others.
    """
    named = sentence_id.rpartition("#")[0]
    return (bool(named) and named in (one, other)) or same_number(one, other)


def locate(span: Span, text: str) -> Span:
    """Return the span with the place where its words stand first in `text`, if they do."""
    if span.start is not None or span.text == SPEAKER or not span.text.strip():
        return span
    at = text.find(span.text)
    return span if at < 0 else Span(span.text, at, at + len(span.text))


def normal(annotation: Annotation, codebook: Codebook) -> Annotation:
    """Return the annotation with everything in codebook order and words located in the text.

    Facts of the statement that are blank are not known.
    """
    order = {task: list(facts.labels) for task, facts in codebook.tasks.items()}
    columns = {column: j for j, column in enumerate(codebook.columns)}
    text = annotation.item.text
    return replace(
        annotation,
        item=replace(
            annotation.item,
            speaker=_words(annotation.item.speaker),
            date=_words(annotation.item.date),
            genre=_words(annotation.item.genre),
        ),
        coder=annotation.coder.strip(),
        labels={
            task: tuple(sorted(set(labels), key=lambda name: _rank(order.get(task, []), name)))
            for task, labels in sorted(
                annotation.labels.items(), key=lambda entry: _rank(list(order), entry[0])
            )
        },
        abstained=tuple(
            sorted(set(annotation.abstained), key=lambda name: _rank(list(order), name))
        ),
        attributions=tuple(
            sorted(
                (
                    replace(
                        given,
                        holder=None if given.holder is None else locate(given.holder, text),
                        target=None if given.target is None else locate(given.target, text),
                    )
                    for given in annotation.attributions
                ),
                key=lambda given: columns.get((given.task, given.label), len(columns)),
            )
        ),
    )


def _words(fact: str | None) -> str | None:
    return (fact or "").strip() or None


def _rank(order: Sequence[str], name: str) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order)), name
