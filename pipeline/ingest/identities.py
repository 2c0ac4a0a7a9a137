"""Which of the documents of many parts are duplicates, or take an identifier that is given.

That hangs on all documents before, in the order of the inputs, while parts are read apart. So each
part is surveyed first, anywhere; the findings are judged one after the other, in one place. Rows
that are sentences are all kept; what is surveyed is how many there are before each part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.ingest.parts import Part, PartDocuments, PartsReading, Place
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.reading import Reading
from pipeline.records import Rejection
from pipeline.settings.ingest import IngestSettings


@dataclass(frozen=True, slots=True)
class Found:
    """A document: where it stands, the identifier its source gives, the hash of its content."""

    source: str
    location: str
    given: str | None
    content: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What parts hold: documents, or a number of rows (documents and rejections) that are not.

    `ended` says which sources are read no further; see `PartDocuments`. `refused` is the rejection
    that stands first.
    """

    found: tuple[Found, ...] = ()
    rows: int = 0
    ended: tuple[Rejection, ...] = ()
    refused: Rejection | None = None


def survey(parts: Iterable[Part], settings: IngestSettings) -> Survey:
    """Read parts and return the documents in them, in order.

    Raises:
        InputError: a file is not there as it was when it was cut.
    """
    surveying = _Survey(parts, settings)
    for _ in surveying:
        pass
    return Survey(tuple(surveying.found), ended=surveying.ended)


def count_rows(parts: Iterable[Part], settings: IngestSettings) -> Survey:
    """Read parts and return how many rows there are.

    Raises:
        InputError: a file is not there as it was when it was cut.
    """
    documents = PartDocuments(parts, settings)
    first = next(documents, None)
    rows = sum(1 for _ in documents) + (first is not None)
    refused = first if isinstance(first, Rejection) else None
    return Survey((), rows, tuple(documents.ended.values()), refused)


class Judge(Reading):
    """Knows every document judged so far, in about 100 bytes each."""

    def __init__(self, settings: IngestSettings) -> None:
        super().__init__((), settings)

    def judge(self, found: Iterable[Found]) -> dict[Place, str | Rejection]:
        """Return the new identifier, or the rejection, of those that do not keep their own."""
        changed: dict[Place, str | Rejection] = {}
        for one in found:
            raw = RawDocument("", one.source, one.location)
            verdict = self._identify(raw, one.given, one.content)
            if verdict != (one.given or one.content):
                changed[one.source, one.location] = verdict
        return changed


class _Survey(PartsReading):
    def __init__(self, parts: Iterable[Part], settings: IngestSettings) -> None:
        super().__init__(parts, settings)
        self.found: list[Found] = []

    def _identify(self, raw: RawDocument, given: str | None, content: str) -> str | Rejection:
        self.found.append(Found(raw.source, raw.location, given, content))
        return given or content
