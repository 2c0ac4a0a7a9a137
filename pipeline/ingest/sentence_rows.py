"""Read a table whose rows are sentences already: every row comes out as exactly one, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.ingest.cleaning import clean
from pipeline.ingest.decoding import mend
from pipeline.ingest.inputs import Input, find_inputs
from pipeline.ingest.opening import raw_documents
from pipeline.ingest.parts import PartDocuments
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.remarks import Remarks, Seen
from pipeline.records import Rejection, RejectReason, Sentence
from pipeline.settings.ingest import IngestSettings

ROW_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True, slots=True)
class SentenceRow:
    """One row: its sentence and, if it holds no readable text, why; the text is then empty.

    The other fields are what the row (or, where it is silent, the settings) says of its statement.
    """

    sentence: Sentence
    rejection: Rejection | None = None
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    title: str | None = None


def one_table(pattern: str, outputs: Sequence[Path] = ()) -> Input:
    """Return the table that a pattern names.

    Args:
        outputs: what will be written; found by a pattern it is left out.

    Raises:
        InputError: the pattern does not name one table, or names an output.
    """
    inputs = find_inputs([pattern], outputs=outputs)
    wrong = [named for named in inputs if isinstance(named, Path) and not _is_table(named)]
    if len(inputs) != 1 or wrong:
        got = f"{len(inputs)} inputs" if len(inputs) != 1 else f"'{wrong[0]}'"
        known = ", ".join(ROW_SUFFIXES)
        raise InputError(f"'{pattern}': got {got}, expected one table of sentences ({known}).")
    return inputs[0]


def read_sentence_rows(
    table: Input,
    settings: IngestSettings,
    stdin: BinaryIO | None,
    remarks: Remarks | None = None,
) -> Iterator[SentenceRow]:
    """Yield one sentence a row; its id is the row's `id`, else "row-" and its number from 1.

    Text is mended and cleaned as that of statements is, and its white space is folded. Blank lines
    between rows are no rows. `remarks` sees every row.

    Raises:
        InputError: the table cannot be read at all.
    """
    items = raw_documents(table, settings, stdin)
    first = next(items, None)
    if first is None:
        raise InputError(f"{table}: holds no rows.")
    second = next(items, None)
    if isinstance(first, Rejection) and second is None:
        raise unreadable_table(first)
    rest = () if second is None else chain([second], items)
    for number, item in enumerate(chain([first], rest), start=1):
        row = sentence_row(item, number, str(table), settings)
        if remarks is not None:
            remarks.see(row.rejection or item)
        yield row


def unreadable_table(only: Rejection) -> InputError:
    """Return the error for a table whose only row is a rejection.

    Without a readable header or file no row can be told from another: nothing can be labelled.
    """
    where = f"{only.source} {only.location}".strip()
    return InputError(f"{where}: {only.detail.rstrip('.')}.")


def read_parts(
    documents: PartDocuments, before: int, settings: IngestSettings, seen: Seen
) -> Iterator[SentenceRow]:
    """Yield the sentences of parts of one table that come behind so many rows; `seen` sees each.

    Raises:
        InputError: a file is not there as it was when it was cut.
    """
    for number, item in enumerate(documents, start=before + 1):
        row = sentence_row(item, number, item.source, settings)
        seen.see(row.rejection or item)
        yield row


def _is_table(named: Input) -> bool:
    return isinstance(named, Path) and named.suffix.lower() in ROW_SUFFIXES


def sentence_row(
    item: RawDocument | Rejection, number: int, source: str, settings: IngestSettings
) -> SentenceRow:
    """Make a sentence of row `number` of `source`; what holds no readable text says why."""
    name = f"row-{number}"
    if isinstance(item, Rejection):
        return SentenceRow(Sentence(item.record_id or name, source, ""), item)
    text = _folded(item.text)
    if not text:
        detail = "holds no text to read (only blanks, marks or control characters)"
        rejection = Rejection(item.source, item.location, RejectReason.EMPTY, detail, item.given_id)
        return SentenceRow(Sentence(item.given_id or name, source, ""), rejection)
    sentence = Sentence(
        sentence_id=item.given_id or name,
        doc_id=source,
        text=text,
        end=len(text),
        context=_folded(item.context or ""),
    )
    return SentenceRow(
        sentence,
        speaker=item.speaker or settings.speaker,
        date=item.date or settings.date,
        genre=item.genre or settings.genre,
        title=item.title,
    )


def _folded(text: str) -> str:
    return " ".join(clean(mend(text)[0]).text.split())
