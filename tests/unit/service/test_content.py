"""A request is read exactly as `stance classify` reads, and nothing of it gets lost."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.bundle import Bundle
from pipeline.inference import RowFormat, StatementFacts, label_sentences
from pipeline.inference.rows import NO_ORIGIN, Origin
from pipeline.ingest import Reading, Stdin
from pipeline.ingest.sentence_rows import read_sentence_rows
from pipeline.records import Sentence, Statement
from pipeline.segmentation import segment
from pipeline.service.content import answer, prepare
from pipeline.service.schemas import SentencesRequest, SentenceWithContext, StatementRequest
from pipeline.settings.ingest import IngestSettings

TEXT = (
    "# Statement\n\nWe **condemn** the attack. The soup was excellent; the waiter was rude!\n\n"
    "We call on all parties:\n\n1. to cease fire;\n2. to let a\u00adid\u200b through.\n\n"
    "It is Peopleâ€™s duty. العربية جملة.\u202e Mr. Smith\u00a0left.\n"
)


SETTINGS = IngestSettings(stdin_format="jsonl")


def labelled(
    sentences: Sequence[Sentence], bundle: Bundle, origins: Sequence[Origin]
) -> list[dict[str, object]]:
    """Rows as the command writes them."""
    rows = RowFormat(bundle.codebook)
    found = zip(label_sentences(sentences, bundle), origins, strict=True)
    return [{**rows.row(p, StatementFacts(), origin)} for p, origin in found]


def rows_of_statement(bundle: Bundle, row: dict[str, str]) -> list[dict[str, object]]:
    (statement,) = Reading([Stdin()], SETTINGS, io.BytesIO(json.dumps(row).encode()))
    assert isinstance(statement, Statement)
    cut = list(segment(statement))
    after = [0, *(sentence.end for sentence in cut)]
    origins = [Origin.of(s, statement, end) for s, end in zip(cut, after, strict=False)]
    return labelled(cut, bundle, origins)


def rows_of_sentences(bundle: Bundle, items: list[dict[str, str]]) -> list[dict[str, object]]:
    lines = "".join(json.dumps(item) + "\n" for item in items)
    read = list(read_sentence_rows(Stdin(), SETTINGS, io.BytesIO(lines.encode())))
    readable = [row.sentence for row in read if row.rejection is None]
    found = iter(labelled(readable, bundle, [NO_ORIGIN] * len(readable)))
    rows = RowFormat(bundle.codebook)
    return [
        {**rows.unlabelled(row.sentence, StatementFacts(), "m")} if row.rejection else next(found)
        for row in read
    ]


def asked(bundle: Bundle, request: StatementRequest | SentencesRequest) -> list[dict[str, object]]:
    prepared = prepare(request)
    found = list(label_sentences(prepared.readable, bundle))
    answered = answer(prepared, found, bundle.codebook, bundle.model_id)
    return [sentence.model_dump(mode="json") for sentence in answered.sentences]


def agree(bundle: Bundle, mine: dict[str, object], row: dict[str, object]) -> None:
    assert mine["text"] == row["text"]
    assert (mine["start"], mine["end"]) == (row["start"], row["end"])
    assert mine["id"] == row["sentence_id"]
    assert mine["labels"] == {task: row[task] for task in bundle.codebook.tasks}
    for task, label in bundle.codebook.columns:
        given = mine["probabilities"][task]  # type: ignore[index]
        assert (given and given[label]) == row[f"p_{task}_{label}"]


def test_a_statement_gets_the_labels_of_the_command(bundle: Bundle) -> None:
    facts = {"speaker": "Nação  X", "date": "2020-01-02", "title": "A *title*"}
    rows = rows_of_statement(bundle, {"text": TEXT, **facts})
    mine = asked(bundle, StatementRequest.model_validate({"text": TEXT, **facts}))
    assert len(mine) == len(rows) > 5
    for sentence, row in zip(mine, rows, strict=True):
        agree(bundle, sentence, row)
        assert sentence["block"] == row["block"]
        assert sentence["source_start"] == row["source_start"]
        assert sentence["source_end"] == row["source_end"]


def test_sentences_get_the_labels_of_the_command(bundle: Bundle) -> None:
    items = [
        {"text": "The bread was  *stale*.\n"},
        {"text": " \u200b"},
        {"text": "We agree.", "context": "The soup was excellent."},
        {"text": ""},
    ]
    rows = rows_of_sentences(bundle, items)
    mine = asked(bundle, SentencesRequest.model_validate({"sentences": items}))
    for sentence, row in zip(mine, rows, strict=True):
        agree(bundle, sentence, row)
    assert [sentence["problem"] is not None for sentence in mine] == [False, True, False, True]


def test_context_is_only_what_is_given_as_such() -> None:
    request = SentencesRequest(
        sentences=["One.", SentenceWithContext(text="Two.", context="Zero.")]
    )
    assert [s.context for s in prepare(request).readable] == ["", "Zero."]


@pytest.mark.parametrize("text", ["", " \n ", "\u200b\u202e", "\x00\x01", "* * *", "\ud800"[:0]])
def test_a_text_without_a_sentence_says_why(bundle: Bundle, text: str) -> None:
    prepared = prepare(StatementRequest(text=text))
    answered = answer(prepared, [], bundle.codebook, bundle.model_id)
    assert answered.sentences == []
    assert answered.problem is not None
    assert answered.problem.startswith("holds no ")


Texts = st.text(st.characters() | st.sampled_from("\x00\ud800\u202e\u200b\ufeff \n*_#[]()“’"))


@given(st.lists(Texts | st.fixed_dictionaries({"text": Texts, "context": Texts}), max_size=8))
def test_every_sentence_comes_back_in_its_place(items: list[object]) -> None:
    request = SentencesRequest.model_validate({"sentences": items})
    prepared = prepare(request)
    assert len(prepared.rows) == len(items)
    for row in prepared.rows:
        assert (row.problem is None) == bool(row.sentence.text)
        row.sentence.text.encode()  # can be sent


@given(Texts)
def test_offsets_lead_to_the_cleaned_and_to_the_sent_text(text: str) -> None:
    request = StatementRequest.model_validate({"text": text})
    prepared = prepare(request)
    assert bool(prepared.rows) == (prepared.problem is None)
    for row in prepared.rows:
        sentence = row.sentence
        assert prepared.statement is not None
        assert prepared.statement.text[sentence.start : sentence.end] == sentence.text
        assert row.origin.source_start is not None
        sentence.text.encode()


def test_a_model_that_abstains_gives_null_with_probabilities(bundle: Bundle) -> None:
    unsure = replace(bundle, rule=replace(bundle.rule, abstain_within=1.1))
    (sentence,) = asked(unsure, SentencesRequest(sentences=["The soup was excellent."]))
    assert set(sentence["labels"].values()) == {None}  # type: ignore[attr-defined]
    assert None not in sentence["probabilities"].values()  # type: ignore[attr-defined]
    assert sentence["problem"] is None


def test_the_source_is_not_a_file() -> None:
    assert not Path(prepare(SentencesRequest(sentences=["A."])).rows[0].sentence.doc_id).exists()
