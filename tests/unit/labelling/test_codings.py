"""Codings of several coders are read from every form they come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling.annotations import Annotation, CodebookStamp, Item, Sampling, to_line
from pipeline.labelling.codings import read_codings
from pipeline.records import Attribution, RejectReason

Write = Callable[..., Path]


def flat(coder: str | None, i: int, **more: object) -> dict[str, object]:
    return {"doc_id": "d", "i": i, "coder": coder, "topic": [], "tone": "blame"} | more


def test_rows_of_one_sentence_and_coder(tiny: Codebook, write_jsonl: Write) -> None:
    held = [{"label": "food", "holder": "SPEAKER", "target": None}]
    path = write_jsonl(
        flat("A", 0, topic=held),
        flat("B", 0, topic=["food", "service"], tone=None),
        flat("B", 0),
        flat(None, 1),
        {"doc_id": "d", "coder": "A"},
        flat("A", 2, topic=["fod"]),
        "{",
    )
    found = read_codings([path], tiny)
    assert found.coders == ("A", "B")
    first, second = found.codings
    assert first.labels == {"topic": ("food",), "tone": ("blame",)}
    assert first.attributions == (Attribution("food", "SPEAKER", None),)
    assert second.labels == {"topic": ("food", "service"), "tone": None}
    assert {r.location: r.reason for r in found.rejections} == {
        "line 3": RejectReason.DUPLICATE,
        "line 4": RejectReason.NO_CODER,
        "line 5": RejectReason.BAD_ROW,
        "line 6": RejectReason.UNKNOWN_LABEL,
        "line 7": RejectReason.BAD_ROW,
    }


def test_labelled_documents_are_of_the_coder_of_their_file(
    tiny: Codebook, write_jsonl: Write
) -> None:
    sentence = {"text": "The soup was cold.", "topic": [{"label": "food", "holder": "SPEAKER"}]}
    facts = {"speaker": "A guest", "date": "2024-03-01", "genre": "review"}
    ann = write_jsonl({"doc_id": "d", **facts, "sentences": [sentence]}, name="ann.jsonl")
    bob = write_jsonl({"doc_id": "d", "sentences": [sentence | {"topic": []}]}, name="bob.jsonl")
    found = read_codings([ann, bob], tiny)
    assert [(c.coder, c.unit, c.labels["topic"]) for c in found.codings] == [
        ("ann", "d#0", ("food",)),
        ("bob", "d#0", ()),
    ]
    made = found.codings[0].annotation(tiny)
    assert made.labels == {"topic": ("food",)}
    assert made.item == Item("d", "d#0", sentence["text"], **facts)  # type: ignore[arg-type]
    assert found.codings[1].item.speaker is None


def test_annotations_and_other_forms_go_together(tiny: Codebook, tmp_path: Path) -> None:
    item = Item("d", "0", "The soup was cold.", context="We sat.")
    stamp = CodebookStamp.of(tiny)
    lines = [to_line(Annotation(item, c, stamp, labels={"tone": ("blame",)})) for c in "ab"]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(lines) + lines[0])
    found = read_codings([path], tiny)
    assert [(c.coder, c.item) for c in found.codings] == [("a", item), ("b", item)]
    assert [r.reason for r in found.rejections] == [RejectReason.DUPLICATE]


def test_an_annotation_comes_back_with_its_place_and_how_it_was_drawn(
    tiny: Codebook, tmp_path: Path
) -> None:
    item = Item("d", "d#1", "The soup was cold.", 8, 26, "We sat.", "A guest", "2024", "review")
    labels = {"tone": ("blame",)}
    sampling = Sampling("random", 0.5)
    said = Annotation(item, "a", CodebookStamp.of(tiny), sampling=sampling, labels=labels)
    (tmp_path / "a.jsonl").write_bytes(to_line(said))
    [coding] = read_codings([tmp_path / "a.jsonl"], tiny).codings
    assert coding.annotation(tiny) == said


def test_what_is_coded_twice_is_named_with_its_line(tiny: Codebook, write_jsonl: Write) -> None:
    sentence = {"sentence_id": "s", "text": "The soup was cold.", "tone": "blame"}
    rows = [{"doc_id": "d", "sentences": [sentence]}] * 2
    found = read_codings([write_jsonl(*rows)], tiny)
    assert [(r.location, r.reason) for r in found.rejections] == [
        ("line 2", RejectReason.DUPLICATE)
    ]


def test_another_text_of_the_same_name_is_set_aside(tiny: Codebook, write_jsonl: Write) -> None:
    """As where one of the files names its sentences by position."""
    soup = {"text": "The soup was cold.", "tone": "blame"}
    wine = {"text": "The wine was warm.", "tone": "blame"}
    ann = write_jsonl({"doc_id": "d", "sentences": [soup, wine]}, name="ann.jsonl")
    bob = write_jsonl({"doc_id": "d", "sentences": [wine]}, name="bob.jsonl")
    eve = write_jsonl(
        flat("eve", 0) | {"sentence_id": "d#0"},  # labels without text speak for any
        flat("fay", 0, text="The  soup was cold. ") | {"sentence_id": "d#0"},
        name="eve.jsonl",
    )
    found = read_codings([ann, bob, eve], tiny)
    assert [(c.coder, c.unit) for c in found.codings] == [
        ("ann", "d#0"), ("ann", "d#1"), ("eve", "d#0"), ("fay", "d#0"),
    ]  # fmt: skip
    [rejection] = found.rejections
    assert (rejection.source, rejection.location) == (str(bob), "line 1")
    assert (rejection.reason, rejection.record_id) == (RejectReason.BAD_ROW, "d#0")
    assert f"is not the one at {ann} line 1" in rejection.detail


def test_a_file_that_cannot_be_read_is_an_error(tiny: Codebook) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_codings([Path("nowhere.jsonl")], tiny)
