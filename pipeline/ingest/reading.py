"""Read inputs into statements: one stream of statements and rejections, with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import BinaryIO

from pipeline.ingest.cleaning import clean
from pipeline.ingest.decoding import mend
from pipeline.ingest.inputs import Input
from pipeline.ingest.opening import raw_documents
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.remarks import Remarks
from pipeline.ingest.seen import DigestTable, Places, digest
from pipeline.records import Rejection, RejectReason, Statement, content_hash
from pipeline.settings.ingest import IngestSettings


@dataclass(slots=True)
class IngestCounts:
    """What was read so far. `mended` counts documents with mojibake, `encodings` documents each."""

    inputs: int = 0
    statements: int = 0
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    mended: int = 0
    encodings: Counter[str] = field(default_factory=Counter)


class Reading(Iterator[Statement | Rejection]):
    """Statements and rejections in the order of the inputs, which are read lazily.

    `counts` and `remarks` grow while it is iterated.

    Every document, or row of a table, comes out as exactly one of the two; bad content is a
    rejection and never an error. An input that gives no document at all comes out as one rejection.

    A document's id is the one its source gives, else the hash of its cleaned text with the speaker
    and date it names. `stdin` is read (to its end, before its first document) for the input `-`.
    """

    def __init__(
        self, inputs: Iterable[Input], settings: IngestSettings, stdin: BinaryIO | None = None
    ) -> None:
        self.counts = IngestCounts()
        self.remarks = Remarks(settings)
        self._settings = settings
        self._stdin = stdin
        self._places = Places()
        self._first = DigestTable()  # content -> where it was first read
        self._ids = DigestTable()  # identifier -> its content
        self._copies: dict[int, int] = {}  # identifier -> how many documents have it or a copy's
        self._items = self._read(inputs)

    def __next__(self) -> Statement | Rejection:
        """Return the next statement or rejection.

        Raises:
            InputError: standard input is to be read, but none was given.
        """
        item = next(self._items)
        if isinstance(item, Rejection):
            self.counts.rejected[item.reason] += 1
        else:
            self.counts.statements += 1
        return item

    def _read(self, inputs: Iterable[Input]) -> Iterator[Statement | Rejection]:
        for named in inputs:
            self.counts.inputs += 1
            source, given = str(named), 0
            for item in raw_documents(named, self._settings, self._stdin):
                given += 1
                made = item if isinstance(item, Rejection) else self._statement(item)
                self.remarks.see(made if isinstance(made, Rejection) else item)
                yield made
            if not given:
                yield Rejection(source, "", RejectReason.EMPTY, "holds no rows")

    def _statement(self, raw: RawDocument) -> Statement | Rejection:
        if raw.encoding:
            self.counts.encodings[raw.encoding] += 1
        if raw.output:  # in a folder that holds both, every sentence would count twice
            detail = (
                "is a labelled sentence that 'stance' wrote, no document; name other inputs, or "
                "the table alone with --unit sentence to label its rows again"
            )
            return Rejection(raw.source, raw.location, RejectReason.BAD_ROW, detail)
        if len(raw.text) > self._settings.max_characters:
            detail = (
                f"{len(raw.text):,} characters, the limit is {self._settings.max_characters:,} "
                "(max_characters); split it"
            )
            return Rejection(raw.source, raw.location, RejectReason.TOO_LARGE, detail)
        mended = _mended(raw)
        self.counts.mended += mended is not raw
        cleaned = clean(mended.text, markup=self._settings.clean_markup, body=mended.body)
        if not cleaned.text.strip():
            detail = "holds no text to read (only blanks, marks or control characters)"
            return Rejection(raw.source, raw.location, RejectReason.EMPTY, detail)
        speaker, date, title = _tidy(raw.speaker), _tidy(raw.date), _tidy(raw.title)
        given_id, genre = _tidy(raw.given_id), _tidy(raw.genre)
        content = content_hash(cleaned.text, speaker or "", date or "")
        doc_id = self._identify(raw, given_id, content)
        if isinstance(doc_id, Rejection):
            return doc_id
        return Statement(
            doc_id=doc_id,
            text=cleaned.text,
            source=raw.source,
            location=raw.location,
            speaker=speaker or self._settings.speaker,
            date=date or self._settings.date,
            genre=genre or self._settings.genre,
            title=title,
            offsets=cleaned.offsets,
            pages=mended.pages,
        )

    def _identify(self, raw: RawDocument, given: str | None, content: str) -> str | Rejection:
        """Return a new identifier, or the rejection of a duplicate or of an identifier used twice.

        A duplicate that the settings keep gets the identifier of the first with "-2", "-3", ...
        """
        content_key = int(content, 16)
        first = self._first.get(content_key)
        if first is not None and not self._settings.keep_duplicates:
            detail = f"same text, speaker and date as {self._places.name(first)}"
            return Rejection(raw.source, raw.location, RejectReason.DUPLICATE, detail)
        doc_id = base = given or content
        base_key = digest(base)
        owner = self._ids.get(base_key)
        if owner not in (None, content_key):
            detail = f"the id '{doc_id}' was given before to a document with another text"
            return Rejection(raw.source, raw.location, RejectReason.BAD_ROW, detail)
        if first is None:
            self._first.put(content_key, self._places.number(raw))
        if owner is not None:
            copy = self._copies.get(base_key, 1)
            while self._ids.get(digest(doc_id)) is not None:
                copy += 1
                doc_id = f"{base}-{copy}"
            self._copies[base_key] = copy
        self._ids.put(digest(doc_id), content_key)
        return doc_id


def read_document(raw: RawDocument, settings: IngestSettings) -> Statement | Rejection:
    """Make a statement of one document that is text already, as if it were read alone."""
    return Reading((), settings)._statement(raw)


def _mended(raw: RawDocument) -> RawDocument:
    """Mend mojibake between the positions that a document marks, so that these move along."""
    cuts = sorted({0, raw.body, *raw.pages, len(raw.text)})
    moved, pieces, changed = {0: 0}, [], 0
    for start, end in pairwise(cuts):
        piece, lines = mend(raw.text[start:end])
        pieces.append(piece)
        moved[end] = moved[start] + len(piece)
        changed += lines
    if not changed:
        return raw
    pages = tuple(moved[page] for page in raw.pages)
    return replace(raw, text="".join(pieces), body=moved[raw.body], pages=pages)


def _tidy(value: str | None) -> str | None:
    """Mend and clean a value that stands beside the text, on one line."""
    if value is None:
        return None
    return " ".join(clean(mend(value)[0], markup=False).text.split()) or None
