"""Stage `classify`: label the sentences of statements, or rows that are sentences already."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from pipeline import __version__
from pipeline.bundle import Bundle
from pipeline.errors import InputError, SettingsError
from pipeline.inference import (
    RowFormat,
    StatementFacts,
    Unfinished,
    label_sentences,
    open_output,
)
from pipeline.inference.job import (
    ROWS,
    SENTENCES,
    CountedRow,
    JobOutput,
    Key,
    inputs_identity,
    resumable,
)
from pipeline.inference.rows import NO_ORIGIN, Origin
from pipeline.ingest import Input, Reading, find_inputs
from pipeline.ingest.remarks import Remarks
from pipeline.ingest.sentence_rows import SentenceRow, one_table, read_sentence_rows
from pipeline.records import Prediction, Rejection, RejectReason, Sentence, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.documents import nothing_usable, written_with
from pipeline.workflows.record_files import Rejects, read_records, rejects_path
from pipeline.workflows.watcher import Watcher

TABLES = ("csv", "tsv", "jsonl", "parquet")
GIVEN, ABSTAINED = "given", "abstained"


@dataclass(frozen=True, slots=True)
class ClassifySummary:
    """What was labelled and what was set aside.

    `sentences` counts output rows, `labels` sentences by (task, label), `abstained` those by task
    without a decision.
    """

    statements: int
    sentences: int
    labels: dict[tuple[str, str], int]
    abstained: dict[str, int]
    rejected: dict[RejectReason, int]
    rejects: Rejects
    rejects_file: Path | None
    seconds: float
    model_id: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: a file name (or "-" and standard output), and what to do with a job there.

    `raw_cells` is for CSV: no cell is guarded against being run as a formula.
    """

    out: str
    stdout: BinaryIO | None = None
    unfinished: Unfinished = Unfinished.REFUSE
    raw_cells: bool = False


def classify_documents(
    patterns: Sequence[str],
    settings: IngestSettings,
    bundle: Bundle,
    target: Target,
    *,
    stdin: BinaryIO,
    watcher: Watcher,
) -> ClassifySummary:
    """Read documents, cut them into sentences, label these and write one row each.

    Raises:
        InputError: a pattern names nothing, or no statement could be read at all.
        OutputError: the output cannot be written, or holds an unfinished job that does not fit.
    """
    inputs = find_inputs(patterns, outputs=written_with(target.out))
    reading = Reading(inputs, settings, stdin=stdin)
    asked = _asked(inputs, settings, "document")
    summary = _write(DocumentRows(reading, bundle), target, asked, watcher)
    # Without a rejects file, all that was set aside is told by itself.
    left_out = reading.remarks.left_out() if summary.rejects_file else ()
    for line in (*left_out, *reading.remarks.lines()):
        watcher.note(line)
    return summary


def classify_statement_file(
    path: Path, bundle: Bundle, *, out: Path, watcher: Watcher
) -> ClassifySummary:
    """Label the statements of a file that `ingest` wrote, and carry its rejects along.

    An unfinished job of an earlier run is begun anew: stages are whole or not there.
    """
    rejects = rejects_path(path)
    set_aside = list(read_records(rejects, Rejection)) if rejects.exists() else []
    items: Iterator[Statement | Rejection] = chain(set_aside, read_records(path, Statement))
    target = Target(str(out), unfinished=Unfinished.RESTART)
    return _write(DocumentRows(items, bundle), target, inputs_identity([path]), watcher)


def classify_sentence_rows(
    path: str,
    settings: IngestSettings,
    bundle: Bundle,
    target: Target,
    *,
    stdin: BinaryIO,
    watcher: Watcher,
) -> ClassifySummary:
    """Label rows that are sentences already: exactly one output row for each, in order.

    A row without readable text gets null labels and is listed in the rejects file.

    Raises:
        InputError: the file is missing, is no table, lacks the text column, or has no rows.
        OutputError: the output cannot be written, or holds an unfinished job that does not fit.
        SettingsError: standard input is to be read, but its format is not said to be that of a
            table; taken for text, all its rows would be one.
    """
    if path == "-" and settings.stdin_format not in TABLES:
        got = f"stdin_format is '{settings.stdin_format}'; rows on standard input need one of "
        raise SettingsError([got + ", ".join(TABLES)], where="options")
    table = one_table(path, written_with(target.out))
    remarks = Remarks(settings)
    rows = read_sentence_rows(table, settings, stdin, remarks)
    asked = _asked([table], settings, "sentence")
    summary = _write(SentenceTable(rows, bundle), target, asked, watcher)
    for line in remarks.lines():
        watcher.note(line)
    return summary


class LabelledRows(ABC):
    """Labels what it reads; `rows` may be taken once."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.format = RowFormat(bundle.codebook)
        self.rejects = Rejects()
        self.statements = 0

    @abstractmethod
    def rows(self, kept: int) -> Iterator[CountedRow]:
        """Yield the rows in reading order, without those up to the sentence number `kept`."""

    def counted(
        self, prediction: Prediction, facts: StatementFacts, origin: Origin = NO_ORIGIN
    ) -> CountedRow:
        """Return the row of a prediction with what it counts as."""
        counts: list[Key] = []
        for task, given in prediction.labels.items():
            if given is None:
                counts.append((ABSTAINED, task))
            else:
                counts += [(GIVEN, task, label) for label in given]
        return CountedRow(self.format.row(prediction, facts, origin), tuple(counts))


class DocumentRows(LabelledRows):
    """Statements, cut into sentences; one from which none is cut is set aside."""

    def __init__(self, items: Iterable[Statement | Rejection], bundle: Bundle) -> None:
        super().__init__(bundle)
        self._items = items

    def rows(self, kept: int) -> Iterator[CountedRow]:
        waiting: deque[tuple[StatementFacts, Origin]] = deque()  # one for each sentence under way

        def sentences() -> Iterator[Sentence]:
            passed = 0
            for statement, cut in self._cut():
                facts, after = StatementFacts.of(statement), 0
                for sentence in cut:
                    passed += 1
                    if passed > kept:
                        waiting.append((facts, Origin.of(sentence, statement, after)))
                        yield sentence
                    after = sentence.end

        for prediction in label_sentences(sentences(), self.bundle):
            yield self.counted(prediction, *waiting.popleft())

    def _cut(self) -> Iterator[tuple[Statement, Iterator[Sentence]]]:
        for item in self._items:
            if isinstance(item, Rejection):
                self.rejects.add(item)
                continue
            cut = segment(item)
            first = next(cut, None)
            if first is not None:
                self.statements += 1
                yield item, chain([first], cut)
            else:
                detail = "holds no sentence"
                self.rejects.add(Rejection(item.source, item.location, RejectReason.EMPTY, detail))


class SentenceTable(LabelledRows):
    """Rows that are sentences."""

    def __init__(self, table: Iterable[SentenceRow], bundle: Bundle) -> None:
        super().__init__(bundle)
        self._table = table

    def rows(self, kept: int) -> Iterator[CountedRow]:
        waiting: deque[SentenceRow] = deque()

        def readable() -> Iterator[Sentence]:
            passed = 0
            for row in self._table:
                if row.rejection is not None:
                    self.rejects.add(row.rejection)
                    if passed >= kept:
                        waiting.append(row)
                    continue
                passed += 1
                if passed > kept:
                    waiting.append(row)
                    yield row.sentence

        def unreadable(upto: Sentence | None) -> Iterator[CountedRow]:
            """Yield the unreadable rows that stand before `upto`, in their place."""
            while waiting and (row := waiting[0]).sentence is not upto:
                waiting.popleft()
                facts = self._facts(row)
                unlabelled = self.format.unlabelled(row.sentence, facts, self.bundle.model_id)
                yield CountedRow(unlabelled, labelled=False)

        for prediction in label_sentences(readable(), self.bundle):
            yield from unreadable(prediction.sentence)
            yield self.counted(prediction, self._facts(waiting.popleft()))
        yield from unreadable(None)

    def _facts(self, row: SentenceRow) -> StatementFacts:
        return StatementFacts(row.speaker, row.date, row.genre, row.title, row.sentence.doc_id)


def _write(
    source: LabelledRows, target: Target, asked: dict[str, str], watcher: Watcher
) -> ClassifySummary:
    """Write all rows; without any, the output stays as it was and the reason is raised."""
    begun = time.perf_counter()
    bundle, rejects = source.bundle, source.rejects
    file = None if target.out == "-" else rejects_path(Path(target.out))
    identity = asked | {"model": bundle.model_id, "abstain": f"{bundle.rule.abstain_within}"}
    if target.raw_cells:
        identity["cells"] = "raw"
    with open_output(
        target.out,
        source.format,
        target.stdout,
        identity,
        target.unfinished,
        raw_cells=target.raw_cells,
    ) as output:
        kept = output.counts[SENTENCES]
        if kept:
            watcher.note(f"{kept:,} sentences were labelled before; going on behind them")
        try:
            output.write(
                source.rows(kept), lambda done: watcher.progress("sentences labelled", done, None)
            )
            if file is not None:
                rejects.write(file)
            if not output.counts[ROWS]:
                raise InputError(nothing_usable(rejects, file))
            output.finish()
        except BaseException:
            if isinstance(output, JobOutput) and output.kept and resumable(identity):
                watcher.note(f"{output.kept:,} labelled sentences are kept; go on with --resume")
            raise
    counts = output.counts
    return ClassifySummary(
        statements=source.statements,
        sentences=counts[ROWS],
        labels={(key[1], key[2]): n for key, n in counts.items() if key[0] == GIVEN},
        abstained={key[1]: n for key, n in counts.items() if key[0] == ABSTAINED},
        rejected=dict(rejects.counts),
        rejects=rejects,
        rejects_file=file if rejects.first else None,
        seconds=time.perf_counter() - begun,
        model_id=bundle.model_id,
    )


def _asked(inputs: Sequence[Input], settings: IngestSettings, unit: str) -> dict[str, str]:
    """Return what the rows hang on besides the model."""
    read = json.dumps(settings.model_dump(mode="json"), sort_keys=True)
    return {**inputs_identity(inputs), "settings": read, "unit": unit, "version": __version__}
