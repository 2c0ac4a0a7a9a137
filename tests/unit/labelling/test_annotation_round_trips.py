"""Annotations survive every format they travel in, with several coders a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.labelling.annotation_csv import read_csv, write_csv
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import (
    Annotation,
    CodebookStamp,
    Item,
    Sampling,
    Sheet,
    Span,
    SpanAttribution,
    Suggestion,
    normal,
    to_line,
)
from pipeline.labelling.label_studio import write_tasks
from pipeline.labelling.label_studio_export import read_tasks
from pipeline.records import SPEAKER

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
SHIPPED = load_codebook(ROOT / "configs" / "codebook.yaml")

# Few letters, so that words stand twice in a sentence; marks that formats give a meaning of theirs.
CHARACTERS = "ab c=+-@'\"[]{};,\n\r\t#()|.:\\é𝔘\u2028"
texts = st.text(st.sampled_from(CHARACTERS), min_size=1, max_size=30).filter(str.strip)
anything = st.one_of(st.text(max_size=20), texts)


@st.composite
def spans(draw: st.DrawFn, text: str, elsewhere: bool) -> Span:
    if elsewhere and draw(st.booleans()):
        return Span(draw(st.one_of(st.just(SPEAKER), texts)))
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start + 1, len(text)))
    return Span(text[start:end], start, end)


@st.composite
def annotations(draw: st.DrawFn, codebook: Codebook, item: Item, coder: str) -> Annotation:
    labels: dict[str, tuple[str, ...]] = {}
    abstained: list[str] = []
    attributions: list[SpanAttribution] = []
    for name, task in codebook.tasks.items():
        answer = draw(st.sampled_from(("answered", "abstained", "silent")))
        known = st.sampled_from(list(task.labels))
        if answer == "abstained":
            abstained.append(name)
        elif answer == "answered" and task.type is TaskType.MULTICLASS:
            labels[name] = (draw(known),)
        elif answer == "answered":
            labels[name] = tuple(draw(st.lists(known, unique=True)))
        for label in labels.get(name, ()) if task.attribution else ():
            for _ in range(draw(st.integers(0, 3))):
                holder = draw(st.none() | spans(item.text, True))
                target = draw(st.none() | spans(item.text, False))
                if holder or target:
                    attributions.append(SpanAttribution(name, label, holder, target))
    kept = [
        given
        for given in attributions
        if all(span is None or span.text.strip() for span in (given.holder, given.target))
    ]
    comment = draw(st.sampled_from(("", "unsure", "=1+1", "a;b\nc", " 'quoted'")))
    if not (labels or abstained or comment):
        comment = "nothing fits"
    made = Annotation(
        item=item,
        coder=coder,
        codebook=CodebookStamp.of(codebook),
        time=draw(st.none() | st.datetimes(timezones=st.just(UTC))),
        sampling=draw(
            st.none() | st.builds(Sampling, anything, st.floats(0, 1, exclude_min=True, width=32))
        ),
        labels=labels,
        abstained=tuple(abstained),
        attributions=tuple(kept),
        comment=comment,
    )
    return normal(made, codebook)


@st.composite
def sheet_lists(draw: st.DrawFn, codebook: Codebook) -> list[Sheet]:
    sheets = []
    for number in range(draw(st.integers(1, 3))):
        item = Item(
            doc_id=draw(anything),
            sentence_id=f"s{number}",
            text=draw(texts),
            start=draw(st.integers(0, 9)),
            end=draw(st.integers(0, 99)),
            context=draw(anything),
            speaker=draw(st.none() | anything),
            date=draw(st.none() | anything | st.dates().map(str)),
            genre=draw(st.none() | anything),
        )
        coders = draw(st.lists(st.sampled_from(("ann", "=bob", "Ç; d")), unique=True, min_size=1))
        given = tuple(draw(annotations(codebook, item, coder)) for coder in coders)
        suggestion = Suggestion("m-1", {}, 0.5) if draw(st.booleans()) else None
        stamp = CodebookStamp.of(codebook)
        sheets.append(Sheet(item, stamp, suggestion=suggestion, annotations=given))
    return sheets


def through_lines(sheets: Sequence[Sheet], reader: AnnotationReader) -> None:
    for sheet in sheets:
        for annotation in sheet.annotations:
            reader.read_json_line(to_line(annotation), "a.jsonl", "line 1")


def through_csv(sheets: Sequence[Sheet], reader: AnnotationReader) -> None:
    read_csv(write_csv(sheets, reader.codebook), "a.csv", reader)


def through_label_studio(sheets: Sequence[Sheet], reader: AnnotationReader) -> None:
    tasks = json.loads(write_tasks(sheets))
    for number, task in enumerate(tasks):  # what Label Studio adds
        task |= {"id": number, "meta": {}, "project": 1, "annotations": task.get("annotations", [])}
        for annotation in task["annotations"]:
            annotation |= {"id": 7, "completed_by": 1, "created_at": "2026-01-02T03:04:05.6Z"}
    read_tasks(json.dumps(tasks), "a.json", reader)


Travel = Callable[[Sequence[Sheet], AnnotationReader], None]
TRAVELS = pytest.mark.parametrize("travel", [through_lines, through_csv, through_label_studio])


@TRAVELS
@pytest.mark.parametrize("codebook", [TINY, SHIPPED], ids=["tiny", "shipped"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_everything_comes_back(travel: Travel, codebook: Codebook, data: st.DataObject) -> None:
    sheets = data.draw(sheet_lists(codebook))
    reader = AnnotationReader(codebook)
    travel(sheets, reader)
    assert reader.rejections == []
    assert reader.annotations == [given for sheet in sheets for given in sheet.annotations]
    assert reader.blank == 0


@TRAVELS
def test_a_sentence_may_be_long(travel: Travel) -> None:
    item, stamp = Item("d", "d#0", "word " * 40_000), CodebookStamp.of(TINY)
    said = Annotation(item, "ann", stamp, labels={"tone": ("blame",)})
    reader = AnnotationReader(TINY)
    travel([Sheet(item, stamp, annotations=(said,))], reader)
    assert reader.annotations == [said]


@TRAVELS
def test_a_sheet_without_annotations_is_blank(travel: Travel) -> None:
    item = Item("d", "d#0", "The soup was cold.")
    reader = AnnotationReader(TINY, coder="ann")
    travel([Sheet(item, CodebookStamp.of(TINY))], reader)
    assert (reader.annotations, reader.rejections) == ([], [])
    assert reader.blank == (0 if travel is through_lines else 1)


def test_a_spreadsheet_is_filled_in_with_plain_words() -> None:
    item = Item("d", "d#0", "My neighbour called the bread stale.")
    text = write_csv([Sheet(item, CodebookStamp.of(TINY), Sampling("random", 0.25))], TINY)
    header, row = text.splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    cells |= {"topic": "food", "topic-food-holder": "My neighbour", "topic-food-target": "bread"}
    cells |= {"tone": "(abstain)", "comment": "hm"}
    reader = AnnotationReader(TINY, coder="ann")
    read_csv(f"{header}\n{','.join(cells.values())}\n", "a.csv", reader)
    [annotation] = reader.annotations
    assert annotation.coder == "ann"
    assert annotation.sampling == Sampling("random", 0.25)
    assert annotation.labels == {"topic": ("food",)}
    assert annotation.abstained == ("tone",)
    [given] = annotation.attributions
    assert given.holder == Span("My neighbour", 0, 12)
    assert given.target == Span("bread", 24, 29)


def test_what_people_mark_in_label_studio_becomes_an_annotation() -> None:
    text = "𝔘: my neighbour and the cook called the bread stale."
    item = Item("d", "d#0", text)
    [task] = json.loads(write_tasks([Sheet(item, CodebookStamp.of(TINY))]))

    def region(words: str, mark: str, shift: int = 0) -> dict[str, object]:
        start = text.index(words) + shift
        value = {"start": start, "end": start + len(words), "text": words, "labels": [mark]}
        return {"id": words, "from_name": "topic-words", "type": "labels", "value": value}

    result = [
        {"from_name": "topic", "type": "choices", "value": {"choices": ["food", "service"]}},
        {"from_name": "tone", "type": "choices", "value": {"choices": ["(abstain)"]}},
        region("the cook", "food.holder", shift=1),  # as a browser counts
        region("my neighbour", "food.holder"),
        region("the bread", "food.target"),
        {"from_name": "topic-service-speaker", "type": "choices", "value": {"choices": [SPEAKER]}},
        {"from_name": "comment", "type": "textarea", "value": {"text": ["hm"]}},
    ]
    made = {"completed_by": {"id": 3, "email": "b@x.org"}, "created_at": "2026-01-02T03:04:05Z"}
    task["annotations"] = [
        made | {"result": result},
        {**made, "completed_by": 4, "result": [], "was_cancelled": True},
    ]
    reader = AnnotationReader(TINY)
    read_tasks(json.dumps([task]), "a.json", reader)
    assert reader.rejections == []
    first, second = reader.annotations
    assert (first.coder, first.time) == ("b@x.org", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert (first.labels, first.abstained) == ({"topic": ("food", "service")}, ("tone",))
    bread = Span("the bread", 36, 45)
    assert first.attributions == (
        SpanAttribution("topic", "food", Span("my neighbour", 3, 15), bread),
        SpanAttribution("topic", "food", Span("the cook", 20, 28), bread),
        SpanAttribution("topic", "service", Span(SPEAKER), None),
    )
    assert first.comment == "hm"
    assert (second.coder, second.abstained) == ("label-studio-user-4", ("topic", "tone"))


def test_words_changed_in_label_studio_win_over_those_exported() -> None:
    item = Item("d", "d#0", "The bread and the soup were stale.")
    bread, soup = Span("The bread", 0, 9), Span("the soup", 14, 22)
    given = Annotation(
        item,
        "ann",
        CodebookStamp.of(TINY),
        labels={"topic": ("food",)},
        attributions=(SpanAttribution("topic", "food", Span(SPEAKER), bread),),
    )
    [task] = json.loads(write_tasks([Sheet(item, given.codebook, annotations=(given,))]))
    [region] = [r for r in task["annotations"][0]["result"] if r["type"] == "labels"]
    region["value"] |= {"text": soup.text, "start": soup.start, "end": soup.end}
    reader = AnnotationReader(TINY)
    read_tasks(json.dumps([task]), "a.json", reader)
    changed = SpanAttribution("topic", "food", Span(SPEAKER), soup)
    assert reader.annotations == [replace(given, attributions=(changed,))]
