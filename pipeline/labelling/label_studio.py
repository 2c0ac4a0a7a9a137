"""Sheets as tasks of Label Studio, with suggestions and annotations; no answer is lost.

A task's `data` holds the sentence and what must come back with it. An answer is one result of the
control that bears the task's name; "none of them" and "cannot decide" are choices like any other,
so that an untouched control means that nobody answered. Words are regions; a holder who is named
elsewhere, or is the speaker, is a choice or a text of the label's own controls.

Label Studio has no place for the coder of an imported annotation (unless he is one of its users),
its time, or which holder belongs to which target. These travel in a hidden control, PROVENANCE.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from pydantic import JsonValue as Json

from pipeline.labelling.annotation_csv import ABSTAIN, NONE, said_text
from pipeline.labelling.annotations import (
    FACTS,
    Annotation,
    Draft,
    Sheet,
    Span,
    Suggestion,
    to_draft,
)
from pipeline.records import SPEAKER

TEXT = "text"
COMMENT = "comment"
PROVENANCE = "provenance"


def words_control(task: str) -> str:
    """Return the name of the control that marks words of holders and targets."""
    return f"{task}-words"


def speaker_control(task: str, label: str) -> str:
    """Return the name of the control that says that the speaker holds a label."""
    return f"{task}-{label}-speaker"


def holder_control(task: str, label: str) -> str:
    """Return the name of the control that takes a holder who is named in another sentence."""
    return f"{task}-{label}-holder"


def to_task(sheet: Sheet) -> Draft:
    """Return a sheet as a task to import into Label Studio."""
    item: Draft = asdict(sheet.item)
    data: Draft = {
        **item,
        "statement": ", ".join(str(item[name]) for name in FACTS if item[name]),
        "codebook": asdict(sheet.codebook),
        "sampling": None if sheet.sampling is None else asdict(sheet.sampling),
        "said": "\n".join(f"{said.coder}: {said_text(said)}" for said in sheet.said),
    }
    task: Draft = {"data": data}
    if sheet.suggestion is not None:
        task["predictions"] = [_prediction(sheet.suggestion)]
    if sheet.annotations:
        task["annotations"] = [{"result": _results(given)} for given in sheet.annotations]
    return task


def write_tasks(sheets: Sequence[Sheet]) -> str:
    """Return sheets as the JSON file that Label Studio imports, one task a line."""
    lines = (json.dumps(to_task(sheet), ensure_ascii=False) for sheet in sheets)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _prediction(suggestion: Suggestion) -> Draft:
    results = [_choice(task, labels or (NONE,)) for task, labels in suggestion.labels.items()]
    return {
        "model_version": suggestion.model,
        "score": round(suggestion.confidence, 6),
        "result": [*results],
    }


def _results(annotation: Annotation) -> list[Json]:
    found: list[Json] = [
        _choice(task, labels or (NONE,)) for task, labels in annotation.labels.items()
    ]
    found += [_choice(task, (ABSTAIN,)) for task in annotation.abstained]
    for number, given in enumerate(annotation.attributions):
        for role, span in (("holder", given.holder), ("target", given.target)):
            if span is not None and span.start is not None:
                found.append(_region(given.task, given.label, role, span, number))
    elsewhere: dict[tuple[str, str], list[str]] = {}
    for given in annotation.attributions:
        if given.holder is not None and given.holder.start is None:
            elsewhere.setdefault((given.task, given.label), []).append(given.holder.text)
    for (task, label), holders in elsewhere.items():
        named = [holder for holder in holders if holder != SPEAKER]
        if len(named) < len(holders):
            found.append(_choice(speaker_control(task, label), (SPEAKER,)))
        if named:
            found.append(_textarea(holder_control(task, label), named))
    if annotation.comment:
        found.append(_textarea(COMMENT, [annotation.comment]))
    draft = to_draft(annotation)
    kept = {key: draft[key] for key in ("coder", "time", "codebook", "sampling", "attributions")}
    return [*found, _textarea(PROVENANCE, [json.dumps(kept, ensure_ascii=False)])]


def _choice(control: str, choices: Sequence[str]) -> Draft:
    return _result(control, "choices", {"choices": [*choices]})


def _textarea(control: str, texts: Sequence[str]) -> Draft:
    return _result(control, "textarea", {"text": [*texts]})


def _result(control: str, kind: str, value: Draft) -> Draft:
    return {"id": control, "from_name": control, "to_name": TEXT, "type": kind, "value": value}


def _region(task: str, label: str, role: str, span: Span, number: int) -> Draft:
    value: Draft = {**asdict(span), "labels": [f"{label}.{role}"]}
    name = words_control(task)
    return {**_result(name, "labels", value), "id": f"{name}-{number}-{role}"}
