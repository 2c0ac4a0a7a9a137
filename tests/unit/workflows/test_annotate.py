"""Sentences out to people and their annotations back in: what coders and adjudicators meet."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.labelling.annotations import Annotation, CodebookStamp, Item, to_line
from pipeline.records import RejectReason
from pipeline.settings.annotation import AnnotationFormat
from pipeline.workflows.annotate import adjudicate_files, export


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
