"""What coders agree on stands, an adjudicator decides the rest, and what is open stays unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.labelling.adjudication import adjudicate
from pipeline.labelling.annotations import (
    Annotation,
    CodebookStamp,
    Item,
    Sampling,
    Span,
    SpanAttribution,
    normal,
)
from pipeline.labelling.codings import read_codings
from pipeline.labelling.corpus import read_labelled

SOUP = "The soup was cold."


def said(codebook: Codebook, coder: str, number: int, **answers: object) -> Annotation:
    item = Item("d", f"d#{number}", f"{SOUP} ({number})", start=10 * number)
    made = Annotation(item, coder, CodebookStamp.of(codebook), **answers)  # type: ignore[arg-type]
    return normal(made, codebook)


def food(holder: str = "SPEAKER") -> tuple[SpanAttribution, ...]:
    return (SpanAttribution("topic", "food", Span(holder), Span("soup")),)


def test_all_ways_to_settle_a_sentence(
    tiny: Codebook, tmp_path: Path, write_jsonl: Callable[..., Path]
) -> None:
    blame = {"labels": {"topic": ("food",), "tone": ("blame",)}, "attributions": food()}
    praise = {**blame, "labels": {"topic": ("food",), "tone": ("praise",)}}
    other = {**blame, "attributions": food("a guest")}
    annotations = [
        *(said(tiny, coder, 2, **blame) for coder in ("ann", "bob")),  # out of reading order
        *(said(tiny, coder, 0, **answers) for coder, answers in (("ann", blame), ("bob", praise))),
        *(said(tiny, coder, 1, **answers) for coder, answers in (("ann", blame), ("bob", other))),
        said(tiny, "ann", 3, labels={"topic": ()}, abstained=("tone",)),
        said(tiny, "bob", 3, labels={"topic": ()}),
        said(tiny, "ann", 4, **blame),
        said(tiny, "bob", 4, **praise),
    ]
    decisions = [
        said(tiny, "chair", 0, labels={"tone": ("neither",)}),
        said(tiny, "chair", 1, labels={"topic": ("food",)}, attributions=food("a guest")),
        said(tiny, "chair", 4, abstained=("tone",)),
        said(tiny, "chair", 9, labels={"tone": ("blame",)}),
    ]
    result = adjudicate(annotations, decisions, tiny)
    assert {task: dict(n) for task, n in result.settled.items()} == {
        "topic": {"agreed": 4, "decided": 1},
        "tone": {"agreed": 2, "decided": 2, "still open": 1},
    }
    assert [one.item.sentence_id for one in result.unused] == ["d#9"]
    [document], rejections = read_labelled(write_jsonl(*result.rows), tiny)
    assert rejections == []
    texts = [one.sentence.text for one in document.sentences]
    assert texts == [f"{SOUP} ({number})" for number in range(5)]
    assert [one.sentence.sentence_id for one in document.sentences] == [
        f"d#{number}" for number in range(5)
    ]
    assert [one.labels["tone"] for one in document.sentences] == [
        ("neither",), ("blame",), ("blame",), None, None,
    ]  # fmt: skip
    assert [one.labels["topic"] for one in document.sentences] == [
        ("food",), ("food",), ("food",), (), ("food",),
    ]  # fmt: skip
    assert [a.holder for a in document.sentences[1].attributions] == ["a guest"]
    assert json.loads(json.dumps(result.rows))[0]["sentences"][3]["topic"] == []


def test_sentences_of_the_middle_of_a_document_keep_their_ids(
    tiny: Codebook, write_jsonl: Callable[..., Path]
) -> None:
    seventh = [said(tiny, coder, 7, labels={"tone": ("blame",)}) for coder in ("ann", "bob")]
    path = write_jsonl(*adjudicate(seventh, [], tiny).rows, name="adjudicated.jsonl")
    codings = read_codings([path], tiny).codings
    assert [(one.coder, one.unit) for one in codings] == [("adjudicated", "d#7")]


def test_how_a_sentence_was_drawn_goes_along(
    tiny: Codebook, write_jsonl: Callable[..., Path]
) -> None:
    """With the coders', not with the adjudicator's, who saw only what was disputed."""
    drawn, disputed = Sampling("random", 0.25), Sampling("random; disputed", 0.25)
    given = [
        said(tiny, "ann", 0, labels={"tone": ("blame",)}),
        said(tiny, "bob", 0, labels={"tone": ("praise",)}, sampling=drawn),
        said(tiny, "ann", 1, labels={"tone": ("blame",)}),
    ]
    decision = said(tiny, "chair", 0, labels={"tone": ("praise",)}, sampling=disputed)
    rows = adjudicate(given, [decision], tiny).rows
    sentences = json.loads(json.dumps(rows))[0]["sentences"]
    assert sentences[0]["sampling"] == {"design": "random", "probability": 0.25}
    assert "sampling" not in sentences[1]
    assert read_labelled(write_jsonl(*rows), tiny)[1] == []


def test_the_document_has_what_its_sentences_tell_of_the_statement(
    tiny: Codebook, write_jsonl: Callable[..., Path]
) -> None:
    """As far as they do it alike; a date that a spreadsheet rewrote is no other date."""
    blame = {"labels": {"tone": ("blame",)}}
    before, ann, bob = (said(tiny, coder, i, **blame) for i, coder in enumerate(("eve", "a", "b")))
    facts = {"speaker": "A guest", "date": "2024-03-01", "genre": "review"}
    ann = replace(ann, item=replace(ann.item, **facts))  # type: ignore[arg-type]
    other = replace(bob.item, speaker="A cook", date="01/03/2024", genre="review")
    result = adjudicate([before, ann], [], tiny)
    assert list(result.rows[0]) == ["doc_id", *facts, "sentences"]
    [document], _ = read_labelled(write_jsonl(*result.rows), tiny)
    assert (document.speaker, document.date, document.genre) == tuple(facts.values())
    assert result.differing == {}
    result = adjudicate([before, ann, replace(bob, item=other)], [], tiny)
    assert list(result.rows[0]) == ["doc_id", "date", "genre", "sentences"]
    assert result.rows[0]["date"] == "2024-03-01"
    assert result.differing == {"d": ("speaker",)}
