"""From a request to sentences and back: read as `stance classify` reads, answered in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.codebook import Codebook, TaskType
from pipeline.inference.rows import NO_ORIGIN, Origin
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.reading import read_document
from pipeline.ingest.sentence_rows import sentence_row
from pipeline.records import Prediction, Rejection, Sentence, Statement
from pipeline.segmentation import segment
from pipeline.service.schemas import (
    Classification,
    LabelledSentence,
    SentencesRequest,
    StatementInfo,
    StatementRequest,
)
from pipeline.settings.ingest import IngestSettings

SOURCE = "request"
"""What a sentence of a request is said to come from."""

_SETTINGS = IngestSettings()


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence of the answer; with a `problem` it is not given to the model."""

    sentence: Sentence
    origin: Origin = NO_ORIGIN
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The sentences of a request; `problem` says why a statement gives none."""

    rows: tuple[Row, ...]
    statement: Statement | None = None
    problem: str | None = None

    @property
    def readable(self) -> list[Sentence]:
        """The sentences that the model is to label."""
        return [row.sentence for row in self.rows if row.problem is None]


def prepare(request: StatementRequest | SentencesRequest) -> Prepared:
    """Clean the texts of a request and cut a statement into sentences.

    What cannot be read becomes a problem in its place, never an error.
    """
    if isinstance(request, StatementRequest):
        return _statement(request)
    rows = []
    for number, item in enumerate(request.sentences, start=1):
        text, context = (item, "") if isinstance(item, str) else (item.text, item.context)
        raw = RawDocument(text, SOURCE, context=context)
        row = sentence_row(raw, number, SOURCE, _SETTINGS)
        problem = row.rejection.detail if row.rejection else None
        rows.append(Row(row.sentence, problem=problem))
    return Prepared(tuple(rows))


def answer(
    prepared: Prepared, predictions: Sequence[Prediction], codebook: Codebook, model_id: str
) -> Classification:
    """Join the rows of a request and the predictions for the readable ones."""
    waiting = iter(predictions)
    sentences = [
        _labelled(row, next(waiting) if row.problem is None else None, codebook)
        for row in prepared.rows
    ]
    found = prepared.statement
    return Classification(
        model_id=model_id,
        statement=found
        and StatementInfo(
            doc_id=found.doc_id,
            speaker=found.speaker,
            date=found.date,
            genre=found.genre,
            title=found.title,
        ),
        sentences=sentences,
        problem=prepared.problem,
    )


def _statement(request: StatementRequest) -> Prepared:
    raw = RawDocument(
        request.text,
        SOURCE,
        speaker=request.speaker,
        date=request.date,
        genre=request.genre,
        title=request.title,
    )
    found = read_document(raw, _SETTINGS)
    if isinstance(found, Rejection):
        return Prepared((), problem=found.detail)
    rows: list[Row] = []
    after = 0
    for sentence in segment(found):
        rows.append(Row(sentence, Origin.of(sentence, found, after)))
        after = sentence.end
    return Prepared(tuple(rows), found, None if rows else "holds no sentence")


def _labelled(row: Row, prediction: Prediction | None, codebook: Codebook) -> LabelledSentence:
    labels: dict[str, list[str] | str | None] = dict.fromkeys(codebook.tasks)
    probabilities: dict[str, dict[str, float] | None] = dict.fromkeys(codebook.tasks)
    if prediction is not None:
        for name, task in codebook.tasks.items():
            given = prediction.labels[name]
            if given is not None:
                labels[name] = list(given) if task.type is TaskType.MULTILABEL else given[0]
            shown = prediction.probabilities[name]
            probabilities[name] = {label: round(p, 6) for label, p in shown.items()}
    sentence = row.sentence
    return LabelledSentence(
        id=sentence.sentence_id,
        text=sentence.text,
        start=sentence.start,
        end=sentence.end,
        source_start=row.origin.source_start,
        source_end=row.origin.source_end,
        block=sentence.block,
        labels=labels,
        probabilities=probabilities,
        problem=row.problem,
    )
