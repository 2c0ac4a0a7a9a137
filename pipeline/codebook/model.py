"""What a codebook is: tasks with labels, what counts and what does not, rules and examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from pipeline.codebook.constraints import Constraint, Linked, linked
from pipeline.codebook.patterns import compile_pattern, words_pattern
from pipeline.errors import near_matches
from pipeline.records import content_hash
from pipeline.validated_yaml import StrictModel, written

Name = Annotated[
    str,
    written(
        r"[a-z][a-z0-9_]{0,39}",
        "a small letter a-z, then at most 39 small letters, digits or underscores",
    ),
]
Colour = Annotated[str, written(r"#[0-9a-fA-F]{6}", 'a colour as "#RRGGBB", in quotation marks')]
Line = Annotated[str, Field(min_length=1)]

# fmt: off
RESERVED = frozenset({
    "doc_id", "sentence_id", "id", "file", "sentences", "text", "raw", "start", "end", "block",
    "heading", "lead_in", "context", "model", "speaker", "date", "genre", "title", "part", "source",
    "probabilities", "votes", "sampling",
})
# fmt: on
"""Keys that labelled files and result tables use beside the tasks; no task can bear such a name."""


class TaskType(StrEnum):
    """How many labels of a task a sentence may carry."""

    MULTILABEL = "multilabel"
    MULTICLASS = "multiclass"


class WhenNegated(StrEnum):
    """What becomes of a rule whose words stand in the scope of a negation."""

    IGNORE = "ignore"
    BLOCK = "block"
    FLIP = "flip"


class Negation(StrictModel):
    """Words that negate what follows them (Chapman et al., 2001, "NegEx").

    The scope of a negator is the next `scope` words, up to a punctuation mark or one of `ends`. In
    the phrases of `pseudo` ("not only") a negator negates nothing. All are whole words and phrases
    as they stand, without other forms.
    """

    words: Annotated[tuple[Line, ...], Field(min_length=1)]
    scope: Annotated[int, Field(ge=1, le=50)] = 6
    pseudo: tuple[Line, ...] = ()
    ends: tuple[Line, ...] = ()


DEFAULT_WEIGHT = 3.0
"""Log-odds of a vote; more than a label lacks on which nothing speaks (-2.5), so that one tells."""


class LabellingRule(StrictModel):
    """A named rule that speaks for a label, and abstains where it does not fire.

    It looks for `pattern`, a regular expression, or for `words`, whole words and phrases in all
    their regular forms, and fires on a sentence in which these stand and `unless` (a regular
    expression) does not. Case is ignored. `weight` is evidence in log-odds; negative speaks against
    the label. Where all that it looks for is `negated`, it fires all the same ("ignore"), abstains
    ("block"), or speaks for the opposite ("flip").

    All patterns match in linear time; see `patterns`.
    """

    name: Name
    pattern: Line | None = None
    words: tuple[Line, ...] = ()
    unless: str | None = None
    negated: WhenNegated = WhenNegated.IGNORE
    weight: float = Field(default=DEFAULT_WEIGHT, ge=-10, le=10)

    @field_validator("pattern", "unless")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            compile_pattern(pattern)
        return pattern

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if (self.pattern is None) == (not self.words):
            raise ValueError(f"rule '{self.name}' takes either 'pattern' or 'words'")
        compile_pattern(self.looks_for)
        return self

    @property
    def looks_for(self) -> str:
        """The regular expression that stands for `pattern` or `words`."""
        return words_pattern(self.words) if self.pattern is None else self.pattern


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


def _known(constraint: Constraint, info: ValidationInfo) -> Constraint:
    """Refuse a constraint on labels that are not of the codebook or exclude each other anyway."""
    tasks: Mapping[str, Task] = info.data.get("tasks", {})
    for reference in (constraint.when, constraint.other) if tasks else ():
        name, label = reference.split(".")
        if mistake := _label_mistake(tasks, name, label):
            raise ValueError(mistake)
    one, other = (name.split(".")[0] for name in (constraint.when, constraint.other))
    if tasks and one == other and tasks[one].type is TaskType.MULTICLASS:
        raise ValueError(f"labels of '{one}' exclude each other as they are; drop the constraint")
    return constraint


class Codebook(StrictModel):
    """The single source of truth for tasks and labels.

    Labels of all tasks, in file order, make up the columns of every score array; `columns[j]` names
    the task and label of column j. `constraints` are heeded by label models and by `stance data
    check`; trained models do not know them.
    """

    name: Name
    version: Annotated[str, written(r"\d+(\.\d+)*", 'numbers with points, such as "1.0"')]
    about: Line
    unit: Line
    negation: Negation | None = None
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    constraints: tuple[Annotated[Constraint, AfterValidator(_known)], ...] = ()

    @field_validator("constraints")
    @classmethod
    def _leave_every_label(
        cls, constraints: tuple[Constraint, ...], info: ValidationInfo
    ) -> tuple[Constraint, ...]:
        tasks: Mapping[str, Task] = info.data.get("tasks", {})
        if tasks:
            names = [f"{name}.{label}" for name, task in tasks.items() for label in task.labels]
            linked(_choices(tasks), names, constraints)
        return constraints

    @model_serializer(mode="wrap")
    def _without_what_is_not_stated(
        self, handler: SerializerFunctionWrapHandler
    ) -> dict[str, object]:
        # keeps hashes of codebooks without constraints, and their files in models, as they were
        data: dict[str, object] = handler(self)
        if not self.constraints:
            data.pop("constraints", None)
        return data

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

    @model_validator(mode="after")
    def _negations_are_known(self) -> Self:
        if self.negation is None:
            for task, label in self.columns:
                for rule in self.tasks[task].labels[label].rules:
                    if rule.negated is not WhenNegated.IGNORE:
                        raise ValueError(
                            f"rule '{task}.{label}.{rule.name}' is for 'negated: {rule.negated}', "
                            "but the codebook has no 'negation' with the words that negate"
                        )
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
    def choices(self) -> tuple[slice, ...]:
        """Columns that exclude each other: all of a multiclass task, or one label of another."""
        return tuple(_choices(self.tasks))

    @cached_property
    def linked(self) -> tuple[Linked, ...]:
        """Columns that `constraints` link, with the combinations that they allow."""
        return tuple(linked(self.choices, self.column_names, self.constraints))

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

    def label_mistake(self, task: str, label: str) -> str | None:
        """Return what is wrong with a label, with near matches; `None` where it is of `task`."""
        return _label_mistake(self.tasks, task, label)

    def multilabel_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that allow several labels."""
        return tuple(n for n, task in self.tasks.items() if task.type is TaskType.MULTILABEL)

    def multiclass_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that take exactly one label."""
        return tuple(n for n, task in self.tasks.items() if task.type is TaskType.MULTICLASS)


def _label_mistake(tasks: Mapping[str, Task], task: str, label: str) -> str | None:
    if task not in tasks:
        return f"unknown task '{task}'.{near_matches(task, tasks)}"
    if label in (known := tasks[task].labels):
        return None
    return f"unknown label '{label}' of task '{task}'.{near_matches(label, known)}"


def _choices(tasks: Mapping[str, Task]) -> list[slice]:
    found: list[slice] = []
    for task in tasks.values():
        start = found[-1].stop if found else 0
        if task.type is TaskType.MULTICLASS:
            found.append(slice(start, start + len(task.labels)))
        else:
            found += [slice(j, j + 1) for j in range(start, start + len(task.labels))]
    return found
