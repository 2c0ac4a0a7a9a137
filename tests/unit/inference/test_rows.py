"""Predictions to rows and back; the columns and their types."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.inference import RowFormat, StatementFacts
from pipeline.inference.rows import NUMBERS, Origin
from pipeline.records import BlockKind, OffsetMap, Prediction, Sentence, Statement

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
texts = st.text(st.characters(), max_size=40)  # lone surrogates and newlines included
some_text = texts.filter(bool)
shares = st.integers(0, 10**6).map(lambda n: n / 10**6)


@st.composite
def predictions(draw: st.DrawFn, codebook: Codebook) -> Prediction:
    labels: dict[str, tuple[str, ...] | None] = {}
    for name, task in codebook.tasks.items():
        names = list(task.labels)
        if task.type is TaskType.MULTICLASS:
            some = st.sampled_from(names).map(lambda label: (label,))
        else:
            some = st.sets(st.sampled_from(names)).map(
                lambda given, names=names: tuple(n for n in names if n in given)
            )
        labels[name] = draw(st.none() | some)
    start = draw(st.integers(0, 10**9))
    sentence = Sentence(
        sentence_id=draw(some_text),
        doc_id=draw(some_text),
        text=draw(texts),
        start=start,
        end=start + draw(st.integers(0, 10**6)),
        block=draw(st.sampled_from(BlockKind)),
        list_path=tuple(draw(st.lists(st.sampled_from(["2.", "(a)", "–"]), max_size=3))),
        heading=draw(texts),
        lead_in=draw(texts),
    )
    probabilities = {
        name: {label: draw(shares) for label in task.labels}
        for name, task in codebook.tasks.items()
    }
    return Prediction(sentence, labels, probabilities, draw(some_text))


facts_of = st.builds(
    StatementFacts,
    *(st.none() | texts for _ in ("speaker", "date", "genre", "title", "source")),
)


places = st.none() | st.integers(0, 10**9)
origins = st.builds(Origin, st.none() | texts, places, places, places)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data(), facts=facts_of, origin=origins)
def test_a_row_says_all_and_can_be_read_back(
    codebook: Codebook, data: st.DataObject, facts: StatementFacts, origin: Origin
) -> None:
    rows = RowFormat(codebook)
    prediction = data.draw(predictions(codebook))
    row = rows.row(prediction, facts, origin)
    assert tuple(row) == rows.columns
    assert rows.read(row) == (prediction, facts, origin)
    assert rows.read(json.loads(json.dumps(row))) == (prediction, facts, origin)


def test_the_columns_in_order() -> None:
    assert RowFormat(TINY).columns == (
        *("doc_id", "sentence_id", "start", "end", "source_start", "source_end", "page"),
        *("block", "heading", "lead_in", "list_path", "gap", "text"),
        *("topic", "tone"),
        *("p_topic_food", "p_topic_service", "p_tone_praise", "p_tone_blame", "p_tone_neither"),
        *("model", "speaker", "date", "genre", "title", "source"),
    )


def test_the_columns_are_unique_and_one_a_label(codebook: Codebook) -> None:
    columns = RowFormat(codebook).columns
    assert len(set(columns)) == len(columns)
    probabilities = [name for name in columns if name.startswith("p_")]
    assert probabilities == [f"p_{task}_{label}" for task, label in codebook.columns]


def test_abstention_is_null_and_no_label_is_an_empty_list() -> None:
    probabilities = {
        "topic": {"food": 0.123456789, "service": 0.5},
        "tone": {"praise": 1.0, "blame": 0.0, "neither": 0.0},
    }
    sentence = Sentence("s1", "d", "Text.", 3, 8)
    rows = RowFormat(TINY)
    one = Prediction(sentence, {"topic": (), "tone": ("praise",)}, probabilities, "m")
    row = rows.row(one, StatementFacts())
    assert (row["topic"], row["tone"]) == ([], "praise")
    assert row["p_topic_food"] == 0.123457
    assert (row["start"], row["end"], row["block"]) == (3, 8, "paragraph")
    assert row["speaker"] is row["heading"] is row["lead_in"] is row["list_path"] is None
    assert row["gap"] is row["source_start"] is row["source_end"] is row["page"] is None
    withheld = rows.row(replace(one, labels={"topic": None, "tone": None}), StatementFacts())
    assert withheld["topic"] is withheld["tone"] is None


def test_an_unlabelled_row_has_nulls_in_place_of_labels_and_probabilities(
    codebook: Codebook,
) -> None:
    rows = RowFormat(codebook)
    sentence = Sentence("s1", "d", "", 0, 0)
    row = rows.unlabelled(sentence, StatementFacts(source="a.csv"), "m-1")
    assert tuple(row) == rows.columns
    assert row["model"] == "m-1"
    assert row["source"] == "a.csv"
    assert [row[name] for name in (*codebook.tasks, *rows.probability_columns)] == [None] * (
        len(codebook.tasks) + codebook.width
    )
    prediction, _, origin = rows.read(row)
    assert origin == Origin()
    assert prediction.labels == dict.fromkeys(codebook.tasks)
    assert prediction.probabilities == {task: {} for task in codebook.tasks}


def test_facts_are_those_of_the_statement() -> None:
    statement = Statement("d", "Text.", "a.txt", "row 3", "Eric", "2024", "speech", "Title")
    facts = StatementFacts.of(statement)
    assert facts == StatementFacts("Eric", "2024", "speech", "Title", "a.txt")


def test_the_origin_leads_back_to_the_source() -> None:
    # Source "Top\n\x00- Salt soup.": cleaning removed the character at 4.
    text = "Top\n- Salt soup."
    offsets = OffsetMap(cleaned=(0, 4), source=(0, 5))
    paged = Statement("d", text, "a.pdf", offsets=offsets, pages=(0, 5))
    sentence = Sentence("d#1", "d", "Salt soup.", 6, 16)
    assert Origin.of(sentence, paged, 3) == Origin("\n- ", 7, 17, 2)
    plain = Statement("d", text, "a.txt")
    assert Origin.of(sentence, plain, 0) == Origin("Top\n- ", 6, 16, None)


def test_the_schema_gives_every_column_a_type(codebook: Codebook) -> None:
    import pyarrow as pa

    rows = RowFormat(codebook)
    schema = rows.schema()
    assert tuple(schema.names) == rows.columns
    for name in schema.names:
        kind = schema.field(name).type
        if name in NUMBERS:
            assert kind == pa.int64()
        elif name in rows.probability_columns:
            assert kind == pa.float32()
        elif name in codebook.multilabel_tasks():
            assert kind == pa.list_(pa.string())
        else:
            assert kind == pa.string()


@pytest.mark.parametrize(
    "change",
    [
        {"start": "x"},
        {"start": None},
        {"end": 1.5},
        {"page": "two"},
        {"source_start": 1.5},
        {"block": "nonsense"},
        {"p_topic_food": "much"},
        {"topic": ["foot"]},
        {"topic": "foot"},
        {"topic": {"food": 1}},
        {"tone": "prais"},
        {"tone": ["praise", "blame"]},
        {"tone": []},
    ],
)
def test_a_row_that_is_none_is_refused(change: dict[str, object]) -> None:
    row = {
        **dict.fromkeys(RowFormat(TINY).columns),
        "doc_id": "d",
        "sentence_id": "s",
        "start": 0,
        "end": 1,
        "block": "paragraph",
        "text": "a",
        "topic": ["food"],
        "tone": "praise",
        "model": "m",
    }
    RowFormat(TINY).read(row)
    with pytest.raises(ValueError, match=r"."):
        RowFormat(TINY).read({**row, **change})  # type: ignore[dict-item]


NEEDED = ["doc_id", "sentence_id", "start", "end", "block", "list_path", "gap", "text"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_row_without_its_place_or_text_is_refused(name: str) -> None:
    row = {**dict.fromkeys(NEEDED, "a"), "start": 0, "end": 1, "block": "footer"}
    RowFormat(TINY).read(row)
    del row[name]
    with pytest.raises(KeyError, match=name):
        RowFormat(TINY).read(row)
