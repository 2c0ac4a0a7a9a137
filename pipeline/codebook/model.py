"""What a codebook is: tasks with labels, what counts and what does not, rules and examples."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from pipeline.errors import near_matches
from pipeline.records import content_hash
from pipeline.validated_yaml import StrictModel

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Line = Annotated[str, Field(min_length=1)]

# fmt: off
RESERVED = frozenset({
    "doc_id", "sentence_id", "id", "file", "sentences", "text", "raw", "start", "end", "block",
    "heading", "lead_in", "context", "model", "speaker", "date", "genre", "title", "part", "source",
})
# fmt: on
"""Keys that labelled files and result tables use beside the tasks; no task can bear such a name."""


class TaskType(StrEnum):
    """How many labels of a task a sentence may carry."""

    MULTILABEL = "multilabel"
    MULTICLASS = "multiclass"


class LabellingRule(StrictModel):
    """A named pattern that speaks for a label, and abstains where it does not match.

    `pattern` and `unless` are case-insensitive regular expressions; the rule fires on a sentence in
    which `pattern` matches and `unless` does not. `weight` is evidence in log-odds; negative speaks
    against the label.
    """

    name: Name
    pattern: Line
    unless: str | None = None
    weight: float = Field(default=2.0, ge=-10, le=10)

    @field_validator("pattern", "unless")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern, re.IGNORECASE)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return pattern


class Label(StrictModel):
    """One label: what it means, what counts, what does not."""

    title: Line
    colour: Colour
    definition: Line
    count: tuple[Line, ...] = ()
    do_not_count: tuple[Line, ...] = ()
    examples: tuple[Line, ...] = ()
    counterexamples: tuple[Line, ...] = ()
    rules: tuple[LabellingRule, ...] = ()


class Task(StrictModel):
    """A question asked of every sentence.

    In a multilabel task no label is a normal answer. With `attribution`, every label given has a
    holder and may have a target.
    """

    type: TaskType
    question: Line
    attribution: bool = False
    labels: dict[Name, Label]
    conventions: tuple[Line, ...] = ()

    @model_validator(mode="after")
    def _enough_labels(self) -> Self:
        least = 2 if self.type is TaskType.MULTICLASS else 1
        if len(self.labels) < least:
            raise ValueError(f"a {self.type} task needs at least {least} label(s)")
        names = [rule.name for label in self.labels.values() for rule in label.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rule names must be unique within a task; twice: {', '.join(twice)}")
        return self


class Codebook(StrictModel):
    """The single source of truth for tasks and labels.

    Labels of all tasks, in file order, make up the columns of every score array; `columns[j]` names
    the task and label of column j.
    """

    name: Name
    version: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")]
    about: Line
    unit: Line
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_make_columns(self) -> Self:
        taken = sorted(RESERVED.intersection(self.tasks))
        if taken:
            raise ValueError(
                f"a task cannot be named {', '.join(taken)}: labelled files and result tables use "
                f"{'this name' if len(taken) == 1 else 'these names'} for something else"
            )
        flat = [f"{task}_{label}" for task, label in self.columns]
        twice = sorted({name for name in flat if flat.count(name) > 1})
        twice += sorted(f"p_{name}" for name in flat if f"p_{name}" in self.tasks)
        if twice:
            raise ValueError(f"two columns would be called {', '.join(twice)}; rename one label")
        return self

    @cached_property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """All (task, label) pairs in order."""
        return tuple((t, label) for t, task in self.tasks.items() for label in task.labels)

    @property
    def width(self) -> int:
        """Number of columns of a score array."""
        return len(self.columns)

    def slice_of(self, task: str) -> slice:
        """Return the columns that belong to `task`."""
        positions = [j for j, (name, _) in enumerate(self.columns) if name == task]
        if not positions:
            raise KeyError(f"unknown task '{task}'.{near_matches(task, self.tasks)}")
        return slice(positions[0], positions[-1] + 1)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Flat names "task.label", unique across tasks; used in tables and metrics."""
        return tuple(f"{task}.{label}" for task, label in self.columns)

    @cached_property
    def signature(self) -> str:
        """Hash of what a model depends on: tasks, their types and labels in order."""
        parts = [[t, task.type.value, list(task.labels)] for t, task in self.tasks.items()]
        return content_hash(json.dumps(parts))

    @cached_property
    def digest(self) -> str:
        """Hash of the whole codebook, wording included."""
        return content_hash(self.model_dump_json())

    def multilabel_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that allow several labels."""
        return tuple(n for n, task in self.tasks.items() if task.type is TaskType.MULTILABEL)

    def multiclass_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that take exactly one label."""
        return tuple(n for n, task in self.tasks.items() if task.type is TaskType.MULTICLASS)
