"""Stage `attribute`: one row for every label given, with its holder, target and actors."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from pipeline.actors import ActorLinker
from pipeline.attribution import Answer, Attributor, Passage, Question, Span
from pipeline.attribution.linking import LinkedActors, link_answers
from pipeline.codebook import Codebook
from pipeline.errors import InputError, OutputError
from pipeline.inference.attributed import FACTS, INTEGERS, PLACE, AttributionFormat
from pipeline.inference.row_files import read_rows
from pipeline.inference.rows import Row, RowFormat, Value
from pipeline.inference.sinks import Sink, format_of, sink_on
from pipeline.output import require_file_name, whole_file
from pipeline.records import SPEAKER, BlockKind, Sentence
from pipeline.workflows.watcher import Watcher

AT_ONCE = 512
"""Questions that are answered together; enough for batches of one length, small in memory."""


@dataclass(frozen=True, slots=True)
class AttributeSummary:
    """What was read and written: `speaker` of the `labels` rows are held by the speaker."""

    sentences: int
    labels: int
    speaker: int
    targets: int
    linked: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Given:
    """A label that a row gives, and where to put it."""

    row: Row
    task: str
    label: str
    question: Question


@dataclass(frozen=True, slots=True)
class _Statement:
    """The rows of one statement and what is asked of them."""

    passage: Passage
    date: str | None
    given: tuple[_Given, ...]


def attribute(
    predictions: Path,
    codebook: Codebook,
    attributor: Attributor,
    linker: ActorLinker,
    *,
    out: str,
    stdout: BinaryIO | None,
    watcher: Watcher,
) -> AttributeSummary:
    """Find holder and target of every label that a file of `stance classify` gives.

    The tasks are those of the codebook that ask for it (`attribution: true`). Rows come in the
    order of the sentences, and of the labels in the codebook.

    Raises:
        InputError: the file cannot be read, is not one of predictions by a model of this codebook,
            or the codebook asks for no attribution.
        SettingsError: the ending of `out` names no format.
        OutputError: the output cannot be written.
    """
    tasks = [name for name, task in codebook.tasks.items() if task.attribution]
    if not tasks:
        raise InputError(
            f"codebook '{codebook.name}' {codebook.version} asks for no holder or target: none of "
            "its tasks has 'attribution: true'."
        )
    began = time.perf_counter()
    labels = speaker = targets = linked = 0
    counted = _Counted()
    statements = _statements(counted.of(_rows(predictions, codebook, tasks)), codebook, tasks)
    with _open(out, stdout) as sink:
        for some in _batches(statements):
            rows = list(_answered(some, attributor, linker))
            sink.write(rows)
            labels += len(rows)
            speaker += sum(row["holder"] == SPEAKER for row in rows)
            targets += sum(row["target"] is not None for row in rows)
            linked += sum(bool(row["holder_actors"]) for row in rows)
            watcher.progress("sentences", counted.sentences, None)
    seconds = time.perf_counter() - began
    return AttributeSummary(counted.sentences, labels, speaker, targets, linked, seconds)


class _Counted:
    """Counts the rows that pass."""

    def __init__(self) -> None:
        self.sentences = 0

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.sentences += 1
            yield row


@contextmanager
def _open(out: str, stdout: BinaryIO | None) -> Iterator[Sink]:
    shape = AttributionFormat()
    format_ = format_of(out)
    if out == "-":
        if stdout is None:
            raise OutputError("There is no standard output to write to; give a file name.")
        sink = format_.make(stdout, shape, True)
        yield sink
        sink.finish()
        return
    path = Path(out)
    require_file_name(path)
    with whole_file(path) as file, sink_on(file, format_, shape) as sink:
        yield sink


def _rows(path: Path, codebook: Codebook, tasks: Sequence[str]) -> Iterator[Row]:
    rows = RowFormat(codebook)
    probabilities = [c for c, (task, _) in rows.probability_columns.items() if task in tasks]
    wanted = [*PLACE, *tasks, *probabilities, "model", *FACTS]
    for number, row in read_rows(path, rows, wanted):
        for task in tasks:
            unknown = [one for one in _labels(row[task]) if one not in codebook.tasks[task].labels]
            if unknown:
                raise InputError(
                    f"{path}:{number}: '{task}' holds {', '.join(unknown)}; codebook "
                    f"'{codebook.name}' knows {', '.join(codebook.tasks[task].labels)}. Name the "
                    "model that made the file with --model."
                )
        try:
            BlockKind(str(row["block"]))
            for name in ("start", "end", "source_start", "source_end", "page"):
                _number(row[name])
        except (ValueError, OverflowError) as error:
            raise InputError(
                f"{path}:{number}: not a row of 'stance classify' ({error})."
            ) from None
        yield row


def _labels(value: Value) -> list[str]:
    if value is None:
        return []
    return value if isinstance(value, list) else [str(value)]


def _statements(
    rows: Iterable[Row], codebook: Codebook, tasks: Sequence[str]
) -> Iterator[_Statement]:
    """Group the rows of each statement; rows that were sentences already are of none."""

    def statement(numbered: tuple[int, Row]) -> tuple[Value, int | None]:
        number, row = numbered
        return row["doc_id"], number if row["source_start"] is None else None

    for _, numbered in groupby(enumerate(rows), key=statement):
        group = [row for _, row in numbered]
        together = sorted(group, key=lambda row: _number(row["start"]))
        first = together[0]
        sentences = tuple(_sentence(row) for row in together)
        passage = Passage(sentences, _text(first["speaker"]))
        given = tuple(
            _Given(row, task, label, Question(passage, i, codebook.tasks[task].labels[label].title))
            for i, row in enumerate(together)
            for task in tasks
            for label in _labels(row[task])
        )
        yield _Statement(passage, _text(first["date"]), given)


def _sentence(row: Row) -> Sentence:
    text = _text(row["text"]) or ""
    start = _number(row["start"])
    return Sentence(
        sentence_id=str(row["sentence_id"]),
        doc_id=str(row["doc_id"]),
        text=text,
        start=start,
        end=start + len(text),
        block=BlockKind(str(row["block"])),
    )


def _batches(statements: Iterable[_Statement]) -> Iterator[list[_Statement]]:
    waiting: list[_Statement] = []
    questions = 0
    for statement in statements:
        waiting.append(statement)
        questions += len(statement.given)
        if questions >= AT_ONCE:
            yield waiting
            waiting, questions = [], 0
    yield waiting


def _answered(
    statements: Sequence[_Statement], attributor: Attributor, linker: ActorLinker
) -> Iterator[Row]:
    asked = [given.question for statement in statements for given in statement.given]
    answers = iter(attributor.answer(asked))
    for statement in statements:
        questions = [given.question for given in statement.given]
        found = [next(answers) for _ in questions]
        links = link_answers(linker, statement.passage, statement.date, questions, found)
        for given, answer, actors in zip(statement.given, found, links, strict=True):
            yield _row(given, answer, actors, attributor.name)


def _row(given: _Given, answer: Answer, actors: LinkedActors, model: str) -> Row:
    passage = given.question.passage
    row = {name: given.row[name] for name in (*PLACE, "model", *FACTS)}
    for name in set(INTEGERS).intersection(row):
        row[name] = None if row[name] is None else _number(row[name])
    probability = given.row[f"p_{given.task}_{given.label}"]
    row |= {"task": given.task, "label": given.label, "probability": probability}
    row |= _named("holder", passage, answer.holder, SPEAKER, actors.holder, answer.p_holder)
    row |= _named("target", passage, answer.target, None, actors.target, answer.p_target)
    row["attribution_model"] = model
    return {name: row[name] for name in AttributionFormat().columns}


def _named(
    what: str,
    passage: Passage,
    span: Span | None,
    otherwise: str | None,
    actors: Sequence[str],
    probability: float | None,
) -> Row:
    return {
        what: otherwise if span is None else passage.words(span),
        f"{what}_start": None if span is None else span.start,
        f"{what}_end": None if span is None else span.end,
        f"{what}_actors": list(actors),
        f"p_{what}": None if probability is None else round(probability, 4),
    }


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _number(value: Value) -> int:
    """Return a position; CSV gives numbers with a point."""
    return 0 if value is None else int(float(str(value)))
