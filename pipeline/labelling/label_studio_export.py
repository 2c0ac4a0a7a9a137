"""Annotations out of the JSON that Label Studio exports; see `label_studio` for what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic import JsonValue as Json

from pipeline.codebook import Codebook, TaskType
from pipeline.labelling.annotation_csv import ABSTAIN, NONE
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import Draft, Span, SpanAttribution
from pipeline.labelling.label_studio import (
    COMMENT,
    PROVENANCE,
    holder_control,
    speaker_control,
    words_control,
)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Data(_Row):
    """The `data` of a task."""

    doc_id: str
    sentence_id: str
    text: str
    start: int
    end: int
    context: str = ""
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    codebook: Json
    sampling: Json = None


class _Task(_Row):
    data: _Data
    annotations: list[Json]


class _Value(_Row):
    choices: list[str] = []
    labels: list[str] = []
    text: str | list[str] = []
    start: int = 0
    end: int = 0

    @property
    def texts(self) -> list[str]:
        return [self.text] if isinstance(self.text, str) else self.text


class _Result(_Row):
    from_name: str
    value: _Value


class _User(_Row):
    id: int | None = None
    email: str = ""


class _Annotation(_Row):
    result: list[_Result]
    completed_by: int | str | _User | None = None
    created_at: str | None = None
    was_cancelled: bool = False

    @property
    def coder(self) -> str | None:
        """Who annotated: the address, else the number in the installation."""
        user = self.completed_by
        if isinstance(user, _User):
            user = user.email or user.id
        return f"label-studio-user-{user}" if isinstance(user, int) else user


class _Provenance(_Row):
    coder: Json
    time: Json
    codebook: Json
    sampling: Json
    attributions: list[Json]


_MARKED: TypeAdapter[list[SpanAttribution]] = TypeAdapter(list[SpanAttribution])


def read_tasks(text: str, source: str, reader: AnnotationReader) -> None:
    """Read the annotations of a JSON export; predictions are no annotations.

    Whole tasks before the end of a truncated file are read, the rest is set aside.
    """
    for line, element in _elements(text, source, reader):
        location = f"line {line}"
        try:
            task = _Task.model_validate(element)
        except ValidationError as error:
            detail = f"not a task that 'stance annotate export' made: {_first(error)}"
            reader.reject(source, location, detail)
            continue
        if not task.annotations:
            reader.blank += 1
        for number, given in enumerate(task.annotations, start=1):
            where = f"{location} annotation {number}"
            try:
                draft = _draft(task.data, _Annotation.model_validate(given), reader.codebook)
            except ValidationError as error:
                detail = f"not an annotation of Label Studio: {_first(error)}"
                reader.reject(source, where, detail, task.data.sentence_id)
            except ValueError as error:
                reader.reject(source, where, str(error), task.data.sentence_id)
            else:
                reader.read(draft, source, where)


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    return f"'{'.'.join(map(str, found['loc']))}': {found['msg']}"


def _elements(text: str, source: str, reader: AnnotationReader) -> Iterator[tuple[int, Json]]:
    """Yield the elements of a JSON array with the lines they begin on, as far as they are whole."""
    decoder = json.JSONDecoder()
    at, line, counted = _blanks(text, 0), 1, 0
    if text[at : at + 1] != "[":
        reader.reject(source, "line 1", "expected a JSON array of tasks, as Label Studio exports")
        return
    at = _blanks(text, at + 1)
    while text[at : at + 1] != "]":
        line += text.count("\n", counted, at)
        counted = at
        try:
            element, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            detail = f"not JSON from here on ({error}); the file may have been cut"
            reader.reject(source, f"line {line}", detail)
            return
        yield line, element
        at = _blanks(text, at)
        if text[at : at + 1] == ",":
            at = _blanks(text, at + 1)


def _blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


@dataclass(slots=True)
class _Answers:
    """What the results of an annotation say; words per (task, label, role)."""

    labels: dict[str, Json] = field(default_factory=dict)
    abstained: list[Json] = field(default_factory=list)
    words: dict[tuple[str, str, str], list[Span]] = field(default_factory=dict)
    comment: str = ""
    provenance: _Provenance | None = None


def _draft(data: _Data, annotation: _Annotation, codebook: Codebook) -> Draft:
    """Turn an annotation of Label Studio into a draft of ours.

    Raises:
        ValueError: it is not an annotation of the interface of `codebook`.
    """
    answers = _answers(annotation.result, data.text, codebook)
    kept = answers.provenance
    skipped = annotation.was_cancelled
    return {
        "item": data.model_dump(exclude={"codebook", "sampling"}),
        "coder": annotation.coder if kept is None else kept.coder,
        "codebook": data.codebook if kept is None else kept.codebook,
        "time": annotation.created_at if kept is None else kept.time,
        "sampling": data.sampling if kept is None else kept.sampling,
        "labels": {} if skipped else answers.labels,
        "abstained": [*codebook.tasks] if skipped else answers.abstained,
        "attributions": [] if skipped else _attributions(answers),
        "comment": answers.comment,
    }


def _answers(results: Sequence[_Result], text: str, codebook: Codebook) -> _Answers:
    found = _Answers()
    attributed = [name for name, task in codebook.tasks.items() if task.attribution]
    marking = {words_control(task): task for task in attributed}
    elsewhere = {
        control(task, label): (task, label, "holder")
        for task in attributed
        for label in codebook.tasks[task].labels
        for control in (speaker_control, holder_control)
    }
    for result in results:
        name, value = result.from_name, result.value
        if name in codebook.tasks:
            _answer(name, value.choices, codebook, found)
        elif name in marking:
            for mark in value.labels:
                label, _, role = mark.rpartition(".")
                found.words.setdefault((marking[name], label, role), []).append(_span(value, text))
        elif name in elsewhere:
            spans = map(Span, value.choices or value.texts)
            found.words.setdefault(elsewhere[name], []).extend(spans)
        elif name == COMMENT:
            found.comment = "\n".join(value.texts)
        elif name == PROVENANCE:
            found.provenance = _Provenance.model_validate_json("".join(value.texts))
        else:
            raise ValueError(f"'{name}' is no control of codebook '{codebook.name}'")
    return found


def _answer(name: str, choices: Sequence[str], codebook: Codebook, found: _Answers) -> None:
    """Put the choices made in the control of a task where they belong."""
    special = [choice for choice in choices if choice in (NONE, ABSTAIN)]
    if special and len(choices) > 1:
        raise ValueError(f"'{name}': {special[0]} cannot be chosen beside other answers")
    if special == [ABSTAIN]:
        found.abstained.append(name)
    elif special and codebook.tasks[name].type is TaskType.MULTILABEL:
        found.labels[name] = []
    elif choices:
        found.labels[name] = [*choices]


def _attributions(answers: _Answers) -> list[Json]:
    """Return who holds what toward whom: as it was exported, unless its words were changed.

    Label Studio does not say which holder belongs to which target. One holder has all targets of
    his label; of several, the first has the first, and so on.
    """
    if answers.provenance is not None:
        kept = answers.provenance.attributions
        if _places(_MARKED.validate_json(json.dumps(kept))) == {
            (*place, span) for place, spans in answers.words.items() for span in spans
        }:
            return kept
    found: list[Json] = []
    for task, label in dict.fromkeys((task, label) for task, label, _ in answers.words):
        holders, targets = (
            sorted(answers.words.get((task, label, role), ()), key=_reading_order)
            for role in ("holder", "target")
        )
        count = max(len(holders), len(targets))
        for holder, target in zip(_spread(holders, count), _spread(targets, count), strict=True):
            found.append({"task": task, "label": label, "holder": holder, "target": target})
    return found


def _places(attributions: Sequence[SpanAttribution]) -> set[tuple[str, str, str, Span]]:
    return {
        (given.task, given.label, role, span)
        for given in attributions
        for role, span in (("holder", given.holder), ("target", given.target))
        if span is not None
    }


def _reading_order(span: Span) -> tuple[bool, int]:
    return span.start is None, span.start or 0


def _spread(spans: Sequence[Span], count: int) -> list[Json]:
    """Return `count` spans as JSON: those given, and where there is only one, that one again."""
    given: list[Json] = [asdict(span) for span in spans]
    return [*given, *[given[0] if len(given) == 1 else None] * (count - len(given))]


def _span(value: _Value, text: str) -> Span:
    """Return the words of a region. Browsers count UTF-16 units, where a rare character is two."""
    words = "".join(value.texts)
    if text[value.start : value.end] != words:
        before = text.encode("utf-16-le")[: 2 * value.start].decode("utf-16-le", "ignore")
        if text.startswith(words, len(before)):
            return Span(words, len(before), len(before) + len(words))
    return Span(words, value.start, value.end)
