"""Bad annotations are set aside one by one, with what is wrong and where; nothing else is lost."""

from __future__ import annotations

import json
import sys
from collections import Counter

import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling.annotation_csv import columns, read_csv, write_csv
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import Annotation, CodebookStamp, Item, Sheet, to_line
from pipeline.labelling.label_studio import write_tasks
from pipeline.labelling.label_studio_export import read_tasks
from pipeline.records import RejectReason

ITEM = Item("d", "d#0", "My neighbour called the bread stale.")


def draft(codebook: Codebook, /, **changes: object) -> dict[str, object]:
    made = {
        "item": {"doc_id": "d", "sentence_id": "d#0", "text": ITEM.text, "start": 0, "end": 36},
        "coder": "ann",
        "codebook": {
            "name": codebook.name, "version": codebook.version, "signature": codebook.signature,
        },
        "labels": {"topic": ["food"], "tone": ["blame"]},
        "attributions": [],
    }  # fmt: skip
    return made | changes


def food(**roles: object) -> list[object]:
    return [{"task": "topic", "label": "food", **roles}]


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"coder": None}, RejectReason.NO_CODER, "'coder' is missing"),
        ({"coder": " "}, RejectReason.NO_CODER, "'coder' is missing"),
        ({"labels": {"topic": ["fod"]}}, RejectReason.UNKNOWN_LABEL, "Did you mean 'food'?"),
        ({"labels": {"tonne": ["blame"]}}, RejectReason.UNKNOWN_LABEL, "Did you mean 'tone'?"),
        ({"abstained": ["other"]}, RejectReason.UNKNOWN_LABEL, "unknown task 'other'"),
        ({"labels": {"tone": []}}, RejectReason.BAD_ROW, "exactly one label, got none"),
        ({"labels": {"tone": ["blame", "praise"]}}, RejectReason.BAD_ROW, "got praise, blame"),
        ({"abstained": ["tone"]}, RejectReason.BAD_ROW, "both answered and abstained from"),
        ({"labels": {"topic": "food"}}, RejectReason.BAD_ROW, "'labels.topic'"),
        ({"labells": {}}, RejectReason.BAD_ROW, "'labells'"),
        (
            {"item": {"doc_id": "d", "sentence_id": "d#0", "text": "So.", "speker": "A guest"}},
            RejectReason.BAD_ROW,
            "'item.speker'",
        ),
        (
            {"item": {"doc_id": "d", "sentence_id": "d#0", "text": "So.", "date": 2024}},
            RejectReason.BAD_ROW,
            "'item.date'",
        ),
        ({"time": "2026-01-02"}, RejectReason.BAD_ROW, "'time'"),
        ({"sampling": {"design": "x", "probability": 0}}, RejectReason.BAD_ROW, "probability"),
        (
            {"codebook": {"name": "kitchen_reviews", "version": "0.2", "signature": "s"}},
            RejectReason.OTHER_CODEBOOK,
            "kitchen_reviews 0.2 (s), expected kitchen_reviews 0.3",
        ),
        (
            {"attributions": food(target={"text": "soup"})},
            RejectReason.WRONG_SPAN,
            "target 'soup' of 'topic.food' does not stand in the sentence",
        ),
        (
            {"attributions": food(holder={"text": "the bread", "start": 3, "end": 12})},
            RejectReason.WRONG_SPAN,
            "where 'neighbour' stands",
        ),
        (
            {"attributions": food(target={"text": "stale.", "start": -6, "end": 36})},
            RejectReason.WRONG_SPAN,
            "[-6, 36)",
        ),
        (
            {"attributions": food(target={"text": "stale.", "start": 30})},
            RejectReason.WRONG_SPAN,
            "belong together",
        ),
        ({"attributions": food(holder={"text": " "})}, RejectReason.WRONG_SPAN, "has no words"),
        ({"attributions": food()}, RejectReason.BAD_ROW, "names neither"),
        (
            {"attributions": [{"task": "tone", "label": "blame", "holder": {"text": "SPEAKER"}}]},
            RejectReason.BAD_ROW,
            "labels of 'tone' have none",
        ),
        (
            {"attributions": [{"task": "topic", "label": "service", "holder": {"text": "x"}}]},
            RejectReason.BAD_ROW,
            "this label is not given",
        ),
    ],
)
def test_a_mistake_is_named(
    tiny: Codebook, changes: dict[str, object], reason: RejectReason, words: str
) -> None:
    reader = AnnotationReader(tiny)
    reader.read_json_line(json.dumps(draft(tiny, **changes)).encode(), "a.jsonl", "line 7")
    assert reader.annotations == []
    [rejection] = reader.rejections
    assert (rejection.source, rejection.location) == ("a.jsonl", "line 7")
    assert rejection.record_id == "d#0"
    assert rejection.reason is reason, rejection
    assert words in rejection.detail


def test_nesting_that_can_be_read_but_not_written_is_set_aside(tiny: Codebook) -> None:
    # Where that is depends on how deep the caller stands, so every depth around it is tried.
    limit = sys.getrecursionlimit()
    for depth in range(limit - 100, limit):
        reader = AnnotationReader(tiny)
        line = json.dumps(draft(tiny))[:-1] + f', "comment": {"[" * depth}{"]" * depth}}}'
        reader.read_json_line(line.encode(), "a.jsonl", "line 1")
        [rejection] = reader.rejections
        assert rejection.reason is RejectReason.BAD_ROW


def test_nothing_else_is_lost(tiny: Codebook) -> None:
    good = json.dumps(draft(tiny))
    lines = [
        good,
        good[: len(good) // 2],  # cut
        json.dumps(draft(tiny, coder="bob")),
        json.dumps(draft(tiny, labels={"topic": []})),  # ann again
        json.dumps(draft(tiny, coder=None, labels={})),  # not filled in
        '"text"',
        json.dumps(draft(tiny, coder="cy", item={**draft(tiny)["item"], "text": "Other."})),  # type: ignore[dict-item]
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        json.dumps(draft(tiny, coder="dee", suggested={"tone": "x"}, said={"ann": "x"})),
        "",
    ]
    reader = AnnotationReader(tiny)
    for number, line in enumerate(lines, start=1):
        reader.read_json_line(line.encode("utf-8"), "a.jsonl", f"line {number}")
    assert [one.coder for one in reader.annotations] == ["ann", "bob", "dee"]
    assert reader.blank == 1
    reasons = {r.location: (r.reason, r.detail) for r in reader.rejections}
    assert list(reasons) == ["line 2", "line 4", "line 6", "line 7", "line 8"]
    assert reasons["line 2"][1].startswith("not JSON: ")
    assert reasons["line 4"][0] is RejectReason.DUPLICATE
    assert "at a.jsonl line 1, with other answers" in reasons["line 4"][1]
    assert "is not the one at a.jsonl line 1" in reasons["line 7"][1]


@pytest.mark.parametrize(
    ("one", "other", "sentence_id", "same"),
    [
        ("0012", "12", "0012#3", True),
        ("12", "0012", "0012#3", True),
        ("0012", "12", "s3", True),
        ("3-1", "03. Jan", "3-1#0", True),
        ("a", "b", "3", False),  # named anew in every document
        ("a", "b", "c#3", False),
    ],
)
def test_a_sentence_is_of_one_document(
    one: str, other: str, sentence_id: str, same: bool, tiny: Codebook
) -> None:
    """A spreadsheet may have rewritten the id, which would make two sentences of one."""
    reader = AnnotationReader(tiny)
    for coder, doc_id in (("ann", one), ("bob", other)):
        item = {"doc_id": doc_id, "sentence_id": sentence_id, "text": ITEM.text}
        reader.read(draft(tiny, coder=coder, item=item), "a.csv", f"line of {coder}")  # type: ignore[arg-type]
    assert [a.coder for a in reader.annotations] == (["ann"] if same else ["ann", "bob"])
    for rejection in reader.rejections:
        assert rejection.reason is RejectReason.BAD_ROW
        assert f"of '{other}' here and of '{one}' at a.csv line of ann" in rejection.detail


def test_the_coder_of_a_whole_file_can_be_named(tiny: Codebook) -> None:
    reader = AnnotationReader(tiny, coder="eve", names={"ann": "Anna"})
    reader.read(draft(tiny, coder=None), "a.jsonl", "line 1")  # type: ignore[arg-type]
    reader.read(draft(tiny), "a.jsonl", "line 2")  # type: ignore[arg-type]
    assert [one.coder for one in reader.annotations] == ["eve", "Anna"]


def annotated(codebook: Codebook, coder: str, text: str = ITEM.text) -> Sheet:
    item = Item("d", f"d-{coder}", text)
    stamp = CodebookStamp.of(codebook)
    made = Annotation(item, coder, stamp, labels={"topic": ("food",), "tone": ("blame",)})
    return Sheet(item, stamp, annotations=(made,))


def test_bad_rows_of_a_spreadsheet(tiny: Codebook) -> None:
    sheets = [annotated(tiny, coder) for coder in ("ann", "bob", "cy", "dee", "eve")]
    lines = write_csv(sheets, tiny).splitlines()
    lines[2] = lines[2].replace(",food,", ",fud,")
    lines[3] = ",".join(lines[3].split(",")[:5])
    lines[4] = lines[4].replace("d,d-dee,0,", "d,d-dee,zero,")
    reader = AnnotationReader(tiny)
    read_csv("\n".join(lines), "a.csv", reader)
    assert [one.coder for one in reader.annotations] == ["ann", "eve"]
    assert [(r.location, r.reason) for r in reader.rejections] == [
        ("line 3", RejectReason.UNKNOWN_LABEL),
        ("line 4", RejectReason.BAD_ROW),
        ("line 5", RejectReason.BAD_ROW),
    ]
    assert "has 5 cells" in reader.rejections[1].detail
    assert "expected a whole number, got 'zero'" in reader.rejections[2].detail


def test_a_spreadsheet_that_was_cut(tiny: Codebook) -> None:
    text = write_csv(
        [annotated(tiny, "ann"), annotated(tiny, "bob", 'He said "no, thanks".')], tiny
    )
    reader = AnnotationReader(tiny)
    read_csv(text[: text.index("thanks")], "a.csv", reader)
    assert [one.coder for one in reader.annotations] == ["ann"]
    assert [r.location for r in reader.rejections] == ["line 3"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_spreadsheets_write_other_delimiters(tiny: Codebook, delimiter: str) -> None:
    text = write_csv([annotated(tiny, "ann")], tiny).replace(",", delimiter)
    reader = AnnotationReader(tiny)
    read_csv("\ufeff" + text, "a.csv", reader)
    assert [one.coder for one in reader.annotations] == ["ann"]


def test_columns_must_be_those_of_the_codebook(tiny: Codebook) -> None:
    header = ",".join(columns(tiny)).replace("tone", "tome") + ",mine,note: mine"
    with pytest.raises(
        InputError, match=r"no column .tone.*Did you mean .tone.*unknown column .mine."
    ):
        read_csv(header + "\n", "a.csv", AnnotationReader(tiny))


def test_an_export_of_label_studio_that_was_cut(tiny: Codebook) -> None:
    text = write_tasks([annotated(tiny, coder) for coder in ("ann", "bob", "cy")])
    reader = AnnotationReader(tiny)
    read_tasks(text[: text.index("d-cy") + 50], "a.json", reader)
    assert [one.coder for one in reader.annotations] == ["ann", "bob"]
    [rejection] = reader.rejections
    assert rejection.location == "line 4"
    assert "may have been cut" in rejection.detail


def test_bad_annotations_of_label_studio(tiny: Codebook) -> None:
    tasks = json.loads(write_tasks([annotated(tiny, "ann"), annotated(tiny, "bob")]))

    def said(control: str, *choices: str) -> dict[str, object]:
        return {"from_name": control, "type": "choices", "value": {"choices": [*choices]}}

    made = {"completed_by": 5, "created_at": "2026-01-02T03:04:05Z"}
    tasks[0]["annotations"] += [
        made | {"result": [said("topic", "(none)", "food")]},
        made | {"result": [said("smell", "good")]},
        made | {"result": "nothing"},
        {"result": [said("tone", "blame")]},
        made | {"result": [said("tone", "blame")]},
        "annotation",
    ]
    tasks += [{"data": {"text": "x"}}, [], {**tasks[1], "annotations": None}]
    reader = AnnotationReader(tiny)
    read_tasks(json.dumps(tasks), "a.json", reader)
    assert [one.coder for one in reader.annotations] == ["ann", "label-studio-user-5", "bob"]
    assert Counter(r.reason for r in reader.rejections) == {
        RejectReason.BAD_ROW: 7,
        RejectReason.NO_CODER: 1,
    }
    details = " ".join(r.detail for r in reader.rejections)
    assert "(none) cannot be chosen beside other answers" in details
    assert "'smell' is no control of codebook 'kitchen_reviews'" in details
    read_tasks('{"tasks": []}', "b.json", reader)
    assert "expected a JSON array" in reader.rejections[-1].detail


@pytest.mark.parametrize("facts", [{}, {"speaker": None, "date": "", "genre": " "}])
def test_what_is_not_told_of_the_statement_is_not_known(
    facts: dict[str, object], tiny: Codebook
) -> None:
    reader = AnnotationReader(tiny)
    item = {"doc_id": "d", "sentence_id": "d#0", "text": ITEM.text, **facts}
    reader.read(draft(tiny, item=item), "a.jsonl", "line 1")  # type: ignore[arg-type]
    assert [one.item for one in reader.annotations] == [ITEM]


def test_what_is_told_of_the_statement_sets_nothing_aside(tiny: Codebook) -> None:
    reader = AnnotationReader(tiny)
    for coder, date in (("ann", "2024-03-01"), ("bob", "01/03/2024")):
        item = {"doc_id": "d", "sentence_id": "d#0", "text": ITEM.text, "date": date}
        reader.read(draft(tiny, coder=coder, item=item), "a.jsonl", "line 1")  # type: ignore[arg-type]
    assert [one.item.date for one in reader.annotations] == ["2024-03-01", "01/03/2024"]


def test_lines_are_canonical(tiny: Codebook) -> None:
    line = to_line(annotated(tiny, "ann").annotations[0])
    assert line.endswith(b"}\n")
    assert json.loads(line)["codebook"] == {
        "name": "kitchen_reviews",
        "version": "0.3",
        "signature": tiny.signature,
    }
