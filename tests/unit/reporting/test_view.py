"""Grouping of predictions into statements, blocks and sentences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.errors import SettingsError
from pipeline.records import BlockKind, Prediction, Sentence, Statement
from pipeline.reporting.view import build_statements, speaker_name

Predict = Callable[..., Prediction]
TEXT = (
    "We came twice.\nThe soup was hot. It rained.\n\n"
    "We ask:\n\n- more salt\n- less noise\nat night\n\nAnn"
)


def rows_of(predict: Predict) -> list[Prediction]:
    item = {"block": BlockKind.LIST_ITEM, "path": ("-",)}
    parts: list[tuple[str, dict[str, object]]] = [
        ("We came twice.", {}),
        ("The soup was hot.", {"topic": ("food",), "tone": ("praise",)}),
        ("It rained.", {}),
        ("We ask:", {}),
        ("more salt", item),
        ("less noise\nat night", item),
        ("Ann", {"block": BlockKind.SIGNATURE}),
    ]
    return [predict("a", text, TEXT.index(text), **rest) for text, rest in parts]


def test_blocks_follow_the_layout_of_the_text(predict: Predict, tiny: Codebook) -> None:
    statement = Statement("a", TEXT, "a.txt")
    (view,) = build_statements(rows_of(predict)[::-1], {"a": statement}, tiny)
    laid_out = [[s.prediction.sentence.text for s in block.sentences] for block in view.blocks]
    assert laid_out == [
        ["We came twice.", "The soup was hot.", "It rained."],
        ["We ask:"],
        ["more salt"],
        ["less noise\nat night"],
        ["Ann"],
    ]
    assert [(block.marker, block.indent) for block in view.blocks] == [
        ("", 0), ("", 0), ("-", 1), ("-", 1), ("", 0),
    ]  # fmt: skip
    assert [s.index for s in view.sentences] == list(range(7))


def test_labels_become_columns(predict: Predict, tiny: Codebook) -> None:
    row = predict("a", "x", topic=("service", "food"), tone=None)
    (view,) = build_statements([row], {}, tiny)
    (sentence,) = view.sentences
    assert (sentence.given, sentence.marks, sentence.tags) == ((0, 1), (0, 1), ())
    assert sentence.undecided == ("tone",)


def test_a_row_without_labels_and_probabilities_was_not_read(tiny: Codebook) -> None:
    labels = {"topic": None, "tone": None}
    rows = [
        Prediction(Sentence("1", "a", ""), labels, {"topic": {}, "tone": {}}, "m"),
        Prediction(Sentence("2", "a", "x"), labels, {"topic": {"food": 0.5}, "tone": {}}, "m"),
    ]
    (view,) = build_statements(rows, {}, tiny)
    assert [(s.unread, s.undecided) for s in view.sentences] == [
        (True, ()),
        (False, ("topic", "tone")),
    ]


def test_a_document_without_its_statement_is_still_shown(predict: Predict, tiny: Codebook) -> None:
    known = Statement("b", "One. Two.", "b.txt", speaker="Ann")
    views = build_statements(
        [predict("ghost", "x"), predict("ghost", "y"), predict("b", "One.")], {"b": known}, tiny
    )
    assert [v.heading for v in views] == ["b.txt", "ghost"]
    assert [len(v.blocks) for v in views] == [1, 2]
    assert not views[1].given_whole


def test_statements_without_sentences_are_kept(tiny: Codebook) -> None:
    (view,) = build_statements([], {"a": Statement("a", "", "a.txt")}, tiny)
    assert view.sentences == ()


def test_all_unknown_labels_are_named_at_once(predict: Predict, tiny: Codebook) -> None:
    rows = [predict("a", "x", topic=("foood",)), predict("a", "y", tone=("blaim",))]
    with pytest.raises(SettingsError, match=r"(?s)blaim.*'blame'.*foood.*'food'"):
        build_statements(rows, {}, tiny)
    sentence = Sentence("1", "a", "x")
    with pytest.raises(SettingsError, match=r"unknown task 'topics'\. Did you mean 'topic'"):
        build_statements([Prediction(sentence, {"topics": ()}, {}, "m")], {}, tiny)


@pytest.mark.parametrize(
    ("speaker", "source", "name"),
    [
        (" Ann ", "in/a.txt", "Ann"),
        (None, "in/a.txt", "Unknown speaker (a.txt)"),
        ("  ", "in/a.txt", "Unknown speaker (a.txt)"),
        (None, "https://example.org/a", "Unknown speaker (https://example.org/a)"),
        (None, "", "Unknown speaker (doc)"),
    ],
)
def test_who_is_the_speaker_or_the_source(speaker: str | None, source: str, name: str) -> None:
    assert speaker_name(Statement("doc", "", source, speaker=speaker), "doc") == name


@pytest.mark.parametrize(("date", "kept"), [("2018-02", "2018-02"), ("spring", ""), (None, "")])
def test_only_iso_dates_are_counted(date: str | None, kept: str, tiny: Codebook) -> None:
    (view,) = build_statements([], {"a": Statement("a", "", "a", date=date)}, tiny)
    assert view.date == kept
    assert (date or "a") in (*view.details, "a")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=25))
def test_no_row_is_lost(tiny: Codebook, places: list[tuple[str, int]]) -> None:
    rows = [
        Prediction(Sentence(str(n), doc, "t", start, start + 1), {"topic": ()}, {}, "m")
        for n, (doc, start) in enumerate(places)
    ]
    views = build_statements(rows, {"b": Statement("b", "t " * 20, "b")}, tiny)
    shown = [s.prediction.sentence.sentence_id for v in views for s in v.sentences]
    assert sorted(shown) == sorted(row.sentence.sentence_id for row in rows)
    assert [s.index for v in views for s in v.sentences] == list(range(len(rows)))
