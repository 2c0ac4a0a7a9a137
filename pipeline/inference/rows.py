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

PLACE = ("doc_id", "sentence_id", "start", "end", "block", "heading", "lead_in", "text")
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


@dataclass(frozen=True)
class RowFormat:
    """The row format of a codebook: place and text, labels per task, a probability per label.

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

    def row(self, prediction: Prediction, facts: StatementFacts) -> Row:
        """Return the row of a prediction."""
        row = self._place(prediction.sentence, facts)
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
        return {**self._place(sentence, facts), "model": model_id}

    def read(self, row: Mapping[str, Value]) -> tuple[Prediction, StatementFacts]:
        """Return what a row was made from; inverse of `row`, but for what no column holds.

        Probabilities have six decimals; the sentence lacks its context and list path. A row
        without labels has no probabilities.

        Raises:
            KeyError: a column is missing.
            ValueError: a value does not fit its column.
        """
        labels = {name: self._labels(name, row.get(name)) for name in self.codebook.tasks}
        probabilities: dict[str, dict[str, float]] = {task: {} for task in self.codebook.tasks}
        for column, (task, label) in self.probability_columns.items():
            if (value := row.get(column)) is not None:
                probabilities[task][label] = float(str(value))
        sentence = Sentence(
            sentence_id=str(row["sentence_id"]),
            doc_id=str(row["doc_id"]),
            text=str(row["text"]),
            start=int(str(row["start"])),
            end=int(str(row["end"])),
            block=BlockKind(str(row["block"])),
            heading=str(row.get("heading") or ""),
            lead_in=str(row.get("lead_in") or ""),
        )
        facts = StatementFacts(**{name: _text(row.get(name)) for name in FACTS})
        return Prediction(sentence, labels, probabilities, str(row.get("model"))), facts

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
        types |= {"start": pa.int64(), "end": pa.int64()}
        types |= dict.fromkeys(self.probability_columns, pa.float32())
        types |= dict.fromkeys(self.codebook.multilabel_tasks(), pa.list_(pa.string()))
        return pa.schema([(name, types[name]) for name in self.columns])

    def _place(self, sentence: Sentence, facts: StatementFacts) -> Row:
        row: Row = dict.fromkeys(self.columns)
        row |= {
            "doc_id": sentence.doc_id,
            "sentence_id": sentence.sentence_id,
            "start": sentence.start,
            "end": sentence.end,
            "block": sentence.block.value,
            "heading": sentence.heading or None,
            "lead_in": sentence.lead_in or None,
            "text": sentence.text,
        }
        for name in FACTS:
            row[name] = getattr(facts, name)
        return row


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
