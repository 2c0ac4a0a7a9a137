"""Sentences out to people and their annotations back in: what coders and adjudicators meet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.codebook import Codebook
from pipeline.labelling.annotations import Annotation, CodebookStamp, Item, to_line
from pipeline.records import RejectReason
from pipeline.settings.annotation import AnnotationFormat
from pipeline.workflows.annotate import adjudicate_files, export, import_annotations


def test_a_rewritten_document_is_not_adjudicated_twice(tiny: Codebook, tmp_path: Path) -> None:
    said = Annotation(
        Item("0012", "0012#0", "The soup was cold."),
        "ann",
        CodebookStamp.of(tiny),
        labels={"topic": ("food",), "tone": ("blame",)},
    )
    line = to_line(said)
    (tmp_path / "ann.jsonl").write_bytes(line)
    other = line.replace(b'"ann"', b'"bob"').replace(b'"doc_id":"0012"', b'"doc_id":"12"')
    (tmp_path / "bob.jsonl").write_bytes(other)
    out = tmp_path / "labelled.jsonl"
    files = [tmp_path / "ann.jsonl", tmp_path / "bob.jsonl"]
    _, [rejection] = adjudicate_files(files, [], tiny, out=out)
    assert (rejection.reason, rejection.record_id) == (RejectReason.BAD_ROW, "0012#0")
    [row] = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert (row["doc_id"], len(row["sentences"])) == ("0012", 1)


FACTS = {"speaker": "A guest", "date": "2024-03-01", "genre": "review"}


@pytest.mark.parametrize(
    "facts", [FACTS, dict.fromkeys(FACTS), {}], ids=["told", "not known", "of `segment`"]
)
def test_annotators_see_whose_statement_it_is(
    facts: dict[str, str | None], tiny: Codebook, tmp_path: Path
) -> None:
    row = {"doc_id": "d", "sentence_id": "d#0", "start": 0, "end": 3, "text": "So.", **facts}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    told = [facts.get(name) for name in FACTS]
    export(
        [tmp_path / "rows.jsonl"], tiny, to=AnnotationFormat.LABEL_STUDIO, out=tmp_path / "t.json"
    )
    [task] = json.loads((tmp_path / "t.json").read_bytes())
    assert [task["data"][name] for name in FACTS] == told
    assert task["data"]["statement"] == ", ".join(filter(None, told))
    export([tmp_path / "rows.jsonl"], tiny, to=AnnotationFormat.JSONL, out=tmp_path / "t.jsonl")
    form = json.loads((tmp_path / "t.jsonl").read_bytes())
    assert [form["item"][name] for name in FACTS] == told


def test_labelled_documents_tell_whose_statement_it_is(tiny: Codebook, tmp_path: Path) -> None:
    """And have it again when they are adjudicated."""
    document = {"doc_id": "d", **FACTS, "sentences": [{"text": "So.", "tone": "blame"}]}
    (tmp_path / "ann.jsonl").write_text(json.dumps(document), encoding="utf-8")
    import_annotations([tmp_path / "ann.jsonl"], tiny, out=tmp_path / "a.jsonl")
    [annotation] = map(json.loads, (tmp_path / "a.jsonl").read_bytes().splitlines())
    assert annotation["item"].items() >= FACTS.items()
    adjudicate_files([tmp_path / "a.jsonl"], [], tiny, out=tmp_path / "labelled.jsonl")
    assert json.loads((tmp_path / "labelled.jsonl").read_bytes()).items() >= FACTS.items()


def test_a_list_item_is_shown_with_its_lead_in(tiny: Codebook, tmp_path: Path) -> None:
    """Not with the item before, which it does not continue."""
    texts = {
        "We ask for:": "",
        "warm soup;": "We ask for:",
        "fresh bread.": "We ask for:",
        "So.": "",
    }
    rows: list[dict[str, object]] = [
        {"doc_id": "d", "sentence_id": f"d#{i}", "start": i, "end": i, "text": text, "lead_in": led}
        for i, (text, led) in enumerate(texts.items())
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    rows[2]["context"] = "warm soup;"  # as `stance segment` writes it
    (tmp_path / "told.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for name in ("rows.jsonl", "told.jsonl"):
        export(
            [tmp_path / name], tiny, to=AnnotationFormat.LABEL_STUDIO, out=tmp_path / "tasks.json"
        )
        tasks = json.loads((tmp_path / "tasks.json").read_bytes())
        assert [task["data"]["context"] for task in tasks] == [
            *("", "We ask for:", "We ask for:", "fresh bread."),
        ]
