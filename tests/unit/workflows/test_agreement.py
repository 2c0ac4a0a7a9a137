"""Stage agreement: files of coders that have something in common, and what is disputed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling.annotations import (
    DISPUTED,
    Annotation,
    CodebookStamp,
    Item,
    Sampling,
    to_line,
)
from pipeline.workflows.agreement import measure_agreement


def said(codebook: Codebook, coder: str, doc_id: str, **more: object) -> bytes:
    """Return a line in which a coder blames the first sentence of a document."""
    item = Item(doc_id, f"{doc_id}#0", f"The soup of {doc_id} was cold.", 40, 60)
    facts: dict[str, object] = {"labels": {"topic": (), "tone": ("blame",)}}
    made = Annotation(item, coder, CodebookStamp.of(codebook), **{**facts, **more})  # type: ignore[arg-type]
    return to_line(made)


def test_coders_without_a_sentence_in_common_are_refused(tiny: Codebook, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(said(tiny, "ann", "a") + said(tiny, "bob", "b"))
    expected = r"no sentence is coded by two; .*ann: 'a#0' of 'a', bob: 'b#0' of 'b'; 0 set aside"
    with pytest.raises(InputError, match=expected):
        measure_agreement([path], tiny, replicates=0, seed=0)
    with path.open("ab") as file:
        file.write(said(tiny, "bob", "a"))
    assert measure_agreement([path], tiny, replicates=0, seed=0).report.shared == 1


def test_a_document_of_two_spellings_is_named(tiny: Codebook, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = json.loads(said(tiny, "bob", "0012"))
    line["item"]["doc_id"] = "12"
    path.write_bytes(said(tiny, "ann", "0012") + json.dumps(line).encode())
    with pytest.raises(InputError, match=r"got ann; 1 set aside.*'0012#0' is of '12' here and of"):
        measure_agreement([path], tiny, replicates=0, seed=0)


def test_disputed_sentences_keep_their_place_and_how_they_were_drawn(
    tiny: Codebook, tmp_path: Path
) -> None:
    path, disputed = tmp_path / "a.jsonl", tmp_path / "disputed.csv"
    sampling = Sampling("random, seed 13", 0.25)
    praise = {"topic": (), "tone": ("praise",)}
    path.write_bytes(
        said(tiny, "ann", "a", sampling=sampling)
        + said(tiny, "bob", "a", sampling=sampling, labels=praise)
    )
    measure_agreement([path], tiny, replicates=0, seed=0, disputed=disputed)
    [row] = csv.DictReader(disputed.read_text("utf-8-sig").splitlines())
    assert (row["start"], row["end"]) == ("40", "60")
    assert row["inclusion_probability"] == "0.25"
    assert row["sampling_design"] == f"random, seed 13{DISPUTED}"


def test_whoever_decides_sees_who_speaks(tiny: Codebook, tmp_path: Path) -> None:
    """Also where the first annotation was made before items told it."""
    path, disputed = tmp_path / "a.jsonl", tmp_path / "disputed.csv"
    facts = {"speaker": "A guest", "date": "2024-03-01", "genre": "review"}
    praise = json.loads(said(tiny, "bob", "a", labels={"topic": (), "tone": ("praise",)}))
    praise["item"] |= facts
    path.write_bytes(said(tiny, "ann", "a") + json.dumps(praise).encode())
    measure_agreement([path], tiny, replicates=0, seed=0, disputed=disputed)
    [row] = csv.DictReader(disputed.read_text("utf-8-sig").splitlines())
    assert (row["speaker"], row["date"], row["genre"]) == ("A guest", "'2024-03-01", "review")
