"""Sentences out to people and their annotations back in: what coders and adjudicators meet."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.labelling.annotations import Annotation, CodebookStamp, Item, to_line
from pipeline.records import RejectReason
from pipeline.workflows.annotate import adjudicate_files


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
