"""One output row a sentence: which columns, in which order, of which type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.codebook import Codebook, TaskType
from pipeline.records import BlockKind, Prediction, Sentence, Statement

if TYPE_CHECKING:
    import pyarrow as pa

Value = str | int | float | list[str] | None
Row = dict[str, Value]

PLACE = (
    *("doc_id", "sentence_id", "start", "end", "source_start", "source_end", "page"),
    *("block", "heading", "lead_in", "list_path", "gap", "text"),
)
NUMBERS = ("start", "end", "source_start", "source_end", "page")
FACTS = ("speaker", "date", "genre", "title", "source")


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What a row repeats of the statement its sentence stands in."""

    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    title: str | None = None
    source: str | None = None

    @classmethod
    def of(cls, statement: Statement) -> StatementFacts:
        """Take the facts from a statement."""
        return cls(
            statement.speaker, statement.date, statement.genre, statement.title, statement.source
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sentence stands in its statement; all `None` where there is no statement.

    `gap` is the text between the sentence before (or the start of the statement) and this one:
    white space, markers and rules. `source_start` and `source_end` are half-open positions in the
    text of the source as it was decoded, `page` counts from 1.
    """

    gap: str | None = None
    source_start: int | None = None
    source_end: int | None = None
    page: int | None = None

    @classmethod
    def of(cls, sentence: Sentence, statement: Statement, after: int) -> Origin:
        """Find the origin of a sentence; `after` is where the sentence before it ends, else 0."""
        source = statement.offsets.span_to_source(sentence.start, sentence.end)
        gap = statement.text[after : sentence.start]
        return cls(gap, *source, statement.page_at(sentence.start))


NO_ORIGIN = Origin()


@dataclass(frozen=True)
class RowFormat:
    """The row format of a codebook: place and text, labels per task, a probability per label.

    `start` and `end` are positions in cleaned text, which `gap` and `text` of the rows of a
    document make up in order; `source_start` and `source_end` are positions in the source. The
    markers of `list_path` are joined by spaces.

    A multilabel task is a list of labels, a multiclass task one label; both are null where the
    model abstains or the row had no text. Probability columns are named "p_<task>_<label>".
    """

    codebook: Codebook

    @cached_property
    def probability_columns(self) -> dict[str, tuple[str, str]]:
        """Column name -> (task, label)."""
        return {f"p_{task}_{label}": (task, label) for task, label in self.codebook.columns}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """All column names in order."""
        return (*PLACE, *self.codebook.tasks, *self.probability_columns, "model", *FACTS)

    def row(self, prediction: Prediction, facts: StatementFacts, origin: Origin = NO_ORIGIN) -> Row:
        """Return the row of a prediction."""
        row = self._place(prediction.sentence, facts, origin)
        for name, task in self.codebook.tasks.items():
            given = prediction.labels[name]
            if given is None:
                row[name] = None
            else:
                row[name] = list(given) if task.type is TaskType.MULTILABEL else given[0]
        for column, (task_name, label) in self.probability_columns.items():
            row[column] = round(prediction.probabilities[task_name][label], 6)
        row["model"] = prediction.model_id
        return row

    def unlabelled(self, sentence: Sentence, facts: StatementFacts, model_id: str) -> Row:
        """Return the row of a sentence that could not be read: null labels and probabilities."""
        return {**self._place(sentence, facts, NO_ORIGIN), "model": model_id}

    def read(self, row: Mapping[str, Value]) -> tuple[Prediction, StatementFacts, Origin]:
        """Return what a row was made from; inverse of `row`, but for what no column holds.

        Probabilities have six decimals; the sentence lacks its context. A row without labels has
        no probabilities.

        Raises:
            KeyError: a column is missing.
            ValueError: a value does not fit its column.
        """
        labels = {name: self._labels(name, row.get(name)) for name in self.codebook.tasks}
        probabilities: dict[str, dict[str, float]] = {task: {} for task in self.codebook.tasks}
        for column, (task, label) in self.probability_columns.items():
            if (value := row.get(column)) is not None:
                probability = float(str(value))
                if not 0 <= probability <= 1:
                    raise ValueError(f"'{column}' is {value!r}, expected 0 to 1")
                probabilities[task][label] = probability
        sentence = Sentence(
            sentence_id=str(row["sentence_id"]),
            doc_id=str(row["doc_id"]),
            text=str(row["text"]),
            start=int(str(row["start"])),
            end=int(str(row["end"])),
            block=BlockKind(str(row["block"])),
            list_path=tuple((_text(row["list_path"]) or "").split()),
            heading=str(row.get("heading") or ""),
            lead_in=str(row.get("lead_in") or ""),
        )
        facts = StatementFacts(**{name: _text(row.get(name)) for name in FACTS})
        origin = Origin(
            gap=_text(row["gap"]),
            source_start=_number(row.get("source_start")),
            source_end=_number(row.get("source_end")),
            page=_number(row.get("page")),
        )
        return Prediction(sentence, labels, probabilities, str(row.get("model"))), facts, origin

    def _labels(self, name: str, value: Value) -> tuple[str, ...] | None:
        if value is None:
            return None
        task = self.codebook.tasks[name]
        multilabel = task.type is TaskType.MULTILABEL
        given = tuple(value) if isinstance(value, list) else (value,)
        if isinstance(value, list) is not multilabel or not set(given) <= set(task.labels):
            expected = "a list of labels" if multilabel else "a label"
            raise ValueError(
                f"'{name}' is {value!r}, expected {expected}: {', '.join(task.labels)}"
            )
        return tuple(map(str, given))

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the rows."""
        import pyarrow as pa

        types = dict.fromkeys(self.columns, pa.string())
        types |= dict.fromkeys(NUMBERS, pa.int64())
        types |= dict.fromkeys(self.probability_columns, pa.float32())
        types |= dict.fromkeys(self.codebook.multilabel_tasks(), pa.list_(pa.string()))
        return pa.schema([(name, types[name]) for name in self.columns])

    def _place(self, sentence: Sentence, facts: StatementFacts, origin: Origin) -> Row:
        row: Row = dict.fromkeys(self.columns)
        row |= {
            "doc_id": sentence.doc_id,
            "sentence_id": sentence.sentence_id,
            "start": sentence.start,
            "end": sentence.end,
            "source_start": origin.source_start,
            "source_end": origin.source_end,
            "page": origin.page,
            "block": sentence.block.value,
            "heading": sentence.heading or None,
            "lead_in": sentence.lead_in or None,
            "list_path": " ".join(sentence.list_path) or None,
            "gap": origin.gap,
            "text": sentence.text,
        }
        for name in FACTS:
            row[name] = getattr(facts, name)
        return row


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _number(value: Value) -> int | None:
    return None if value is None else int(str(value))
