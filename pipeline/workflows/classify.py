"""Stage `classify`: label the sentences of statements, or rows that are sentences already."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from pipeline.bundle import Bundle
from pipeline.errors import InputError, SettingsError
from pipeline.inference import RowFormat, StatementFacts, label_sentences, open_sink
from pipeline.inference.rows import NO_ORIGIN, Origin, Row
from pipeline.ingest import Reading, find_inputs
from pipeline.ingest.sentence_rows import SentenceRow, read_sentence_rows
from pipeline.records import Prediction, Rejection, RejectReason, Sentence, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.documents import nothing_usable, table_apart_from, written_with
from pipeline.workflows.record_files import Rejects, read_records, rejects_path
from pipeline.workflows.watcher import Watcher

TABLES = ("csv", "tsv", "jsonl", "parquet")
WRITE_EVERY = 1024
"""Rows handed to the sink at once."""


@dataclass(frozen=True, slots=True)
class ClassifySummary:
    """What was labelled and what was set aside.

    `labels` counts sentences by (task, label); `abstained` those by task without a decision.
    """

    statements: int
    sentences: int
    labels: dict[tuple[str, str], int]
    abstained: dict[str, int]
    rejected: dict[RejectReason, int]
    rejects: tuple[Rejection, ...]
    rejects_file: Path | None
    seconds: float
    model_id: str


class _Tally:
    """Writes rows to a sink in blocks and counts what passes."""

    def __init__(self, rows: RowFormat, watcher: Watcher) -> None:
        self.rows = rows
        self.watcher = watcher
        self.sentences = 0
        self.labels: Counter[tuple[str, str]] = Counter()
        self.abstained: Counter[str] = Counter()

    def row(self, prediction: Prediction, facts: StatementFacts, origin: Origin = NO_ORIGIN) -> Row:
        for task, given in prediction.labels.items():
            if given is None:
                self.abstained[task] += 1
            else:
                self.labels.update((task, label) for label in given)
        return self.rows.row(prediction, facts, origin)

    def write(
        self, rows: Iterable[Row], rejects: Rejects, out: str, stdout: BinaryIO | None
    ) -> None:
        """Write all rows; without any, `out` stays as it was and the reason is raised."""
        file = None if out == "-" else rejects_path(Path(out))
        with open_sink(out, self.rows, stdout) as sink:
            block: list[Row] = []
            for row in rows:
                block.append(row)
                self.sentences += 1
                if len(block) == WRITE_EVERY:
                    sink.write(block)
                    block = []
                    self.watcher.progress("sentences labelled", self.sentences, None)
            if file is not None:
                rejects.write(file)
            if not self.sentences:
                raise InputError(nothing_usable(rejects.all, file))
            sink.write(block)
            self.watcher.progress("sentences labelled", self.sentences, None)


def classify_documents(
    patterns: Sequence[str],
    settings: IngestSettings,
    bundle: Bundle,
    *,
    out: str,
    stdin: BinaryIO,
    stdout: BinaryIO,
    watcher: Watcher,
) -> ClassifySummary:
    """Read documents, cut them into sentences, label these and write one row each.

    Raises:
        InputError: a pattern names nothing, or no statement could be read at all.
        OutputError: the output cannot be written.
    """
    inputs = find_inputs(patterns, outputs=written_with(out))
    reading = Reading(inputs, settings, stdin=stdin)
    return classify_statements(reading, bundle, out=out, stdout=stdout, watcher=watcher)


def classify_statement_file(
    path: Path, bundle: Bundle, *, out: Path, watcher: Watcher
) -> ClassifySummary:
    """Label the statements of a file that `ingest` wrote, and carry its rejects along."""
    rejects = rejects_path(path)
    set_aside = list(read_records(rejects, Rejection)) if rejects.exists() else []
    items: Iterator[Statement | Rejection] = chain(set_aside, read_records(path, Statement))
    return classify_statements(items, bundle, out=str(out), stdout=None, watcher=watcher)


def classify_statements(
    items: Iterable[Statement | Rejection],
    bundle: Bundle,
    *,
    out: str,
    stdout: BinaryIO | None,
    watcher: Watcher,
) -> ClassifySummary:
    """Cut statements into sentences, label these and write one row each, in reading order.

    A statement from which no sentence is cut is set aside.
    """
    begun = time.perf_counter()
    tally = _Tally(RowFormat(bundle.codebook), watcher)
    rejects = Rejects()
    waiting: deque[tuple[StatementFacts, Origin]] = deque()  # one for each sentence under way
    statements = 0

    def sentences() -> Iterator[Sentence]:
        nonlocal statements
        for item in items:
            if isinstance(item, Rejection):
                rejects.add(item)
                continue
            cut = segment(item)
            if not cut:
                detail = "holds no sentence"
                rejects.add(Rejection(item.source, item.location, RejectReason.EMPTY, detail))
                continue
            statements += 1
            facts = StatementFacts.of(item)
            after = 0
            for sentence in cut:
                waiting.append((facts, Origin.of(sentence, item, after)))
                after = sentence.end
                yield sentence

    def rows() -> Iterator[Row]:
        for prediction in label_sentences(sentences(), bundle):
            yield tally.row(prediction, *waiting.popleft())

    tally.write(rows(), rejects, out, stdout)
    return _summary(tally, rejects, bundle, out, statements, begun)


def classify_sentence_rows(
    path: str,
    settings: IngestSettings,
    bundle: Bundle,
    *,
    out: str,
    stdin: BinaryIO,
    stdout: BinaryIO,
    watcher: Watcher,
) -> ClassifySummary:
    """Label rows that are sentences already: exactly one output row for each, in order.

    A row without readable text gets null labels and is listed in the rejects file.

    Raises:
        InputError: the file is missing, is no table, lacks the text column, or has no rows.
        OutputError: the output cannot be written.
        SettingsError: standard input is to be read, but its format is not said to be that of a
            table; taken for text, all its rows would be one.
    """
    if path == "-" and settings.stdin_format not in TABLES:
        got = f"stdin_format is '{settings.stdin_format}'; rows on standard input need one of "
        raise SettingsError([got + ", ".join(TABLES)], where="options")
    begun = time.perf_counter()
    tally = _Tally(RowFormat(bundle.codebook), watcher)
    rejects = Rejects()
    waiting: deque[SentenceRow] = deque()

    def facts_of(row: SentenceRow) -> StatementFacts:
        return StatementFacts(row.speaker, row.date, row.genre, row.title, path)

    def readable() -> Iterator[Sentence]:
        for row in read_sentence_rows(table_apart_from(out, path), settings, stdin):
            waiting.append(row)
            if row.rejection is None:
                yield row.sentence
            else:
                rejects.add(row.rejection)

    def passed(upto: Sentence | None) -> Iterator[Row]:
        """Yield the unreadable rows that stand before `upto`, in their place."""
        while waiting and (row := waiting[0]).sentence is not upto:
            waiting.popleft()
            yield tally.rows.unlabelled(row.sentence, facts_of(row), bundle.model_id)

    def rows() -> Iterator[Row]:
        for prediction in label_sentences(readable(), bundle):
            yield from passed(prediction.sentence)
            yield tally.row(prediction, facts_of(waiting.popleft()))
        yield from passed(None)

    tally.write(rows(), rejects, out, stdout)
    return _summary(tally, rejects, bundle, out, 0, begun)


def _summary(
    tally: _Tally, rejects: Rejects, bundle: Bundle, out: str, statements: int, begun: float
) -> ClassifySummary:
    return ClassifySummary(
        statements=statements,
        sentences=tally.sentences,
        labels=dict(tally.labels),
        abstained=dict(tally.abstained),
        rejected=rejects.counts,
        rejects=tuple(rejects.all),
        rejects_file=rejects_path(Path(out)) if rejects.all and out != "-" else None,
        seconds=time.perf_counter() - begun,
        model_id=bundle.model_id,
    )
