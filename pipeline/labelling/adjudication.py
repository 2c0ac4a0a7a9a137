"""From several annotations of a sentence, and an adjudicator's decisions, to one labelled sentence.

What all coders answered alike stands. Where they differ, the adjudicator's decision counts; without
one the task stays unknown, never "no label".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from pydantic import JsonValue as Json

from pipeline.codebook import Codebook, TaskType
from pipeline.labelling.annotations import Annotation, Item, SpanAttribution, shared_facts

AGREED, DECIDED, OPEN, UNANSWERED = "agreed", "decided", "still open", "unanswered"


@dataclass(frozen=True, slots=True)
class Adjudicated:
    """Labelled documents as rows of a labelled file; `settled` counts by task how it was settled.

    `unused` are decisions about sentences that nobody annotated, `differing` names by document what
    its sentences do not tell alike (speaker, date, genre), which it therefore lacks.
    """

    rows: tuple[dict[str, Json], ...]
    settled: Mapping[str, Counter[str]]
    unused: tuple[Annotation, ...] = field(default=())
    differing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def by_item(annotations: Sequence[Annotation]) -> dict[tuple[str, str], list[Annotation]]:
    """Group annotations by sentence, in order."""
    found: dict[tuple[str, str], list[Annotation]] = {}
    for annotation in annotations:
        found.setdefault(annotation.item.key, []).append(annotation)
    return found


def adjudicate(
    annotations: Sequence[Annotation], decisions: Sequence[Annotation], codebook: Codebook
) -> Adjudicated:
    """Settle every sentence; documents and sentences keep their order.

    An adjudicator's answer to a task replaces what the coders say, also where they agree; a task
    that he left untouched is no decision. An adjudicator who abstains leaves the task unknown.
    How a sentence was drawn goes along, so that what is settled is a sample to estimate from.
    """
    decided = {decision.item.key: decision for decision in decisions}
    settled = {task: Counter[str]() for task in codebook.tasks}
    documents: dict[str, list[tuple[int, dict[str, Json]]]] = {}
    told: dict[str, list[Item]] = {}
    items = by_item(annotations)
    for key, given in items.items():
        item = given[0].item
        sentence: dict[str, Json] = {"sentence_id": item.sentence_id, "text": item.text}
        if item.context:
            sentence["context"] = item.context
        if sampling := next((one.sampling for one in given if one.sampling), None):
            sentence["sampling"] = asdict(sampling)
        for name in codebook.tasks:
            how, value = _settle(given, decided.get(key), name, codebook)
            settled[name][how] += 1
            sentence[name] = value
        documents.setdefault(item.doc_id, []).append((item.start, sentence))
        told.setdefault(item.doc_id, []).extend(one.item for one in given)
    rows: list[dict[str, Json]] = []
    differing: dict[str, tuple[str, ...]] = {}
    for doc_id, found in documents.items():
        facts, unlike = shared_facts(told[doc_id])
        if unlike:
            differing[doc_id] = unlike
        sentences: list[Json] = [s for _, s in sorted(found, key=lambda pair: pair[0])]
        rows.append({"doc_id": doc_id, **facts, "sentences": sentences})
    unused = tuple(decision for key, decision in decided.items() if key not in items)
    return Adjudicated(tuple(rows), settled, unused, differing)


def _settle(
    given: Sequence[Annotation], decision: Annotation | None, task: str, codebook: Codebook
) -> tuple[str, Json]:
    if decision is not None and task in decision.labels:
        return DECIDED, _value(decision, task, codebook)
    if decision is not None and task in decision.abstained:
        return DECIDED, None
    agreed = _agreed(given, task, codebook)
    if agreed is not None:
        return AGREED, _value(agreed, task, codebook)
    touched = any(task in one.labels or task in one.abstained for one in given)
    return (OPEN if touched else UNANSWERED), None


def _agreed(given: Sequence[Annotation], task: str, codebook: Codebook) -> Annotation | None:
    """Return an annotation that speaks for all who answered the task, `None` where none does."""
    answered = [one for one in given if task in one.labels]
    if not answered:
        return None
    first = answered[0]
    same = all(
        one.labels[task] == first.labels[task]
        and (not codebook.tasks[task].attribution or _words(one, task) == _words(first, task))
        for one in answered
    )
    return first if same else None


def _words(annotation: Annotation, task: str) -> set[tuple[str, str | None, str | None]]:
    return {
        (given.label, _text(given, "holder"), _text(given, "target"))
        for given in annotation.attributions
        if given.task == task
    }


def _text(given: SpanAttribution, role: str) -> str | None:
    span = given.holder if role == "holder" else given.target
    return None if span is None else span.text


def _value(annotation: Annotation, task: str, codebook: Codebook) -> Json:
    labels = annotation.labels[task]
    if codebook.tasks[task].type is TaskType.MULTICLASS:
        return labels[0]
    entries: list[Json] = []
    for label in labels:
        words = [
            given for given in annotation.attributions if (given.task, given.label) == (task, label)
        ]
        entries += [
            {"label": label, "holder": _text(one, "holder"), "target": _text(one, "target")}
            for one in words
        ] or [label]
    return entries
