"""Reading labelled JSONL: three layouts, absent labels unknown, every bad line explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling import read_labelled
from pipeline.records import Attribution, RejectReason

Write = Callable[..., Path]


def sentence(text: str = "Soup.", **keys: object) -> dict[str, object]:
    return {"text": text, "topic": ["food"], "tone": "neither", **keys}


def document(*sentences: object, **keys: object) -> dict[str, object]:
    return {"doc_id": "d1", "sentences": list(sentences or (sentence(),)), **keys}


def details(path: Path, codebook: Codebook) -> list[tuple[str, str]]:
    _, rejections = read_labelled(path, codebook)
    assert all(r.reason is RejectReason.BAD_ROW and r.source == str(path) for r in rejections)
    return [(r.location, r.detail) for r in rejections]


def test_a_sentence_keeps_the_id_it_is_given(write_jsonl: Write, tiny: Codebook) -> None:
    given = (sentence(sentence_id="d1#7"), sentence(), sentence(sentence_id=12))
    [read], _ = read_labelled(write_jsonl(document(*given)), tiny)
    assert [one.sentence.sentence_id for one in read.sentences] == ["d1#7", "d1#1", "12"]


@pytest.mark.parametrize(
    ("names", "mistake"),
    [
        (("s", "s"), "sentence 1: 'sentence_id' 's' is that of another sentence"),
        (("d1#1", None), "sentence 1: 'sentence_id' 'd1#1' is that of another sentence"),
        ((None, " "), "sentence 1: 'sentence_id' is ' ', expected a name"),
        ((None, ["s"]), "'sentences[1].sentence_id'"),
    ],
)
def test_ids_that_name_no_sentence(
    names: tuple[object, object], mistake: str, write_jsonl: Write, tiny: Codebook
) -> None:
    good = document(doc_id="good")
    path = write_jsonl(document(*(sentence(sentence_id=name) for name in names)), good)
    [(location, detail)] = details(path, tiny)
    assert location == "line 1"
    assert mistake in detail


def test_corpus_layout(write_jsonl: Write, tiny: Codebook) -> None:
    said = {"label": "service", "holder": "Ada", "target": "the waiter"}
    path = write_jsonl(
        document(
            sentence("Soup came."),
            sentence("Ada called the waiter slow.", topic=[said], tone="blame"),
            part="p1",
            genre="review",
            speaker="Bo",
            date="2020-01-02",
            title="At noon",
        )
    )
    [read], rejections = read_labelled(path, tiny)
    assert not rejections
    assert (read.part, read.genre, read.speaker) == ("p1", "review", "Bo")
    assert (read.date, read.title, read.source, read.line) == (
        "2020-01-02",
        "At noon",
        str(path),
        1,
    )
    first, second = read.sentences
    assert first.sentence.sentence_id == "d1#0"
    assert first.labels == {"topic": ("food",), "tone": ("neither",)}
    assert first.attributions == ()
    assert second.labels == {"topic": ("service",), "tone": ("blame",)}
    assert second.attributions == (Attribution("service", "Ada", "the waiter"),)
    assert [s.sentence.context for s in read.sentences] == ["", "Soup came."]


def test_gold_layout_keeps_offsets_and_is_named_after_its_file(
    write_jsonl: Write, tiny: Codebook
) -> None:
    path = write_jsonl(
        {
            "file": "000_ab.txt",
            "sentences": [sentence("Soup.", raw="**Soup**.", start=3, end=12)],
        }
    )
    [read], _ = read_labelled(path, tiny)
    assert read.doc_id == "000_ab"
    assert (read.sentences[0].sentence.start, read.sentences[0].sentence.end) == (3, 12)
    assert read.sentences[0].sentence.text == "Soup."


def test_given_context_is_joined_and_wins_over_the_sentence_before(
    write_jsonl: Write, tiny: Codebook
) -> None:
    path = write_jsonl(
        document(
            sentence("A.", context=["X.", "Y."]),
            sentence("B.", context=[]),
            sentence("C.", context="Z."),
            sentence("D.", context=None),
        )
    )
    [read], _ = read_labelled(path, tiny)
    assert [s.sentence.context for s in read.sentences] == ["X. Y.", "", "Z.", "C."]


def test_absent_and_null_labels_are_unknown_and_never_empty(
    write_jsonl: Write, tiny: Codebook
) -> None:
    path = write_jsonl(
        document({"text": "A.", "topic": []}, {"text": "B.", "topic": None, "tone": "praise"})
    )
    [read], rejections = read_labelled(path, tiny)
    assert not rejections
    assert [s.labels for s in read.sentences] == [
        {"topic": (), "tone": None},
        {"topic": None, "tone": ("praise",)},
    ]


def test_labels_come_in_codebook_order_and_once(write_jsonl: Write, tiny: Codebook) -> None:
    two = {"label": "food", "holder": "Bo", "target": None}
    path = write_jsonl(document(sentence("Bo.", topic=["service", "food", two])))
    [read], _ = read_labelled(path, tiny)
    assert read.sentences[0].labels["topic"] == ("food", "service")
    assert read.sentences[0].attributions == (Attribution("food", "Bo", None),)


LIKELY = {
    "topic": {"food": 0.9, "service": 0.2},
    "tone": {"praise": 0.2, "blame": 0.3, "neither": 0.5},
}


def test_probabilities_are_those_of_the_known_tasks(write_jsonl: Write, tiny: Codebook) -> None:
    path = write_jsonl(
        document(
            sentence(probabilities=LIKELY | {"stance": {"x": 7}}),
            sentence(probabilities=LIKELY, tone=None),
            sentence(probabilities={"tone": LIKELY["tone"], "topic": None}),
            sentence(),
        )
    )
    [read], rejections = read_labelled(path, tiny, probabilities=True)
    assert not rejections
    assert [s.probabilities for s in read.sentences] == [
        LIKELY,
        {"topic": LIKELY["topic"]},
        {"tone": LIKELY["tone"]},
        {},
    ]


def test_labels_that_somebody_corrected_stand_alone(write_jsonl: Write, tiny: Codebook) -> None:
    unsaid = {**LIKELY, "topic": {"food": 0.9, "service": None}}
    path = write_jsonl(
        document(
            sentence(probabilities=LIKELY, topic=[]),
            sentence(probabilities=LIKELY, topic=["food", "service"]),
            sentence(probabilities=LIKELY, tone="blame"),
            sentence(probabilities=unsaid),
        )
    )
    [read], rejections = read_labelled(path, tiny, probabilities=True)
    assert not rejections
    assert [set(s.probabilities) for s in read.sentences] == [
        {"tone"},
        {"tone"},
        {"topic"},
        {"tone"},
    ]
    assert read.sentences[1].labels == {"topic": ("food", "service"), "tone": ("neither",)}


@pytest.mark.parametrize(
    ("row", "part"),
    [
        (document(sentence(probabilities=[0.5])), "'probabilities' takes an object, got [0.5]"),
        (
            document(sentence(probabilities={"topic": {"food": 0.9}})),
            "'probabilities' of 'topic' takes a number from 0 to 1 for each of food, service, got",
        ),
        (document(sentence(probabilities={"topic": {"food": 1.2, "service": 0}})), "from 0 to 1"),
        (document(sentence(probabilities={"topic": {"food": True, "service": 0}})), "from 0 to 1"),
        (document(sentence(probabilities={"topic": 0.9})), "from 0 to 1"),
        (
            '{"doc_id": "d", "sentences": [{"text": "A.", "topic": [], '
            '"probabilities": {"topic": {"food": NaN, "service": 0}}}]}',
            "from 0 to 1",
        ),
        (
            document(
                sentence(probabilities={"tone": {"praise": 0.2, "blame": 0.3, "neither": 0.6}})
            ),
            "'probabilities' of 'tone' must sum to one",
        ),
    ],
)
def test_wrong_probabilities_set_the_line_aside_where_they_are_wanted(
    write_jsonl: Write, tiny: Codebook, row: object, part: str
) -> None:
    path = write_jsonl(document(), row)
    [read], [rejection] = read_labelled(path, tiny, probabilities=True)
    assert read.line == 1
    assert (rejection.location, rejection.reason) == ("line 2", RejectReason.BAD_ROW)
    assert part in rejection.detail
    documents, rejections = read_labelled(path, tiny)
    assert len(documents) == 2
    assert not rejections
    assert not any(s.probabilities for d in documents for s in d.sentences)


def test_keys_of_other_tasks_are_ignored(write_jsonl: Write, tiny: Codebook) -> None:
    [read], rejections = read_labelled(write_jsonl(document(sentence(stance=["x"]))), tiny)
    assert not rejections
    assert set(read.sentences[0].labels) == {"topic", "tone"}


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ("{", "not JSON"),
        ('{"doc_id": "d"} x', "not JSON"),
        ("[1]", "expected a JSON object, got list"),
        ("[" * 100_000, "not usable JSON"),
        ('{"doc_id": ' + "9" * 5000 + "}", "not usable JSON"),
        ({"sentences": [sentence()]}, "expected 'doc_id', 'id' or 'file'"),
        ({"doc_id": "d"}, "'sentences': Field required"),
        (document() | {"sentences": []}, "'sentences': List should have at least 1 item"),
        (document() | {"sentences": "Soup."}, "'sentences'"),
        (document(sentence("  \n")), "'sentences[0].text': is empty"),
        (document({"topic": []}), "'sentences[0].text': Field required"),
        (document(sentence(12)), "'sentences[0].text'"),
        (document(sentence(start="3")), "'sentences[0].start'"),
        (document(sentence(context=[1])), "'sentences[0].context[0]'"),
        (document(doc_id=7), "'doc_id'"),
        (
            document(sentence(topic=["fodo"])),
            "unknown label 'fodo' of task 'topic'. Did you mean 'food'",
        ),
        (document(sentence(topic=[{"label": "fodo"}])), "Did you mean 'food'"),
        (document(sentence(tone="prais")), "Did you mean 'praise'"),
        (document(sentence(tone=["praise"])), "'tone' takes one label name"),
        (document(sentence(topic="food")), "'topic' takes a list of labels"),
        (document(sentence(topic=[{"holder": "Bo"}])), "an object with 'label'"),
        (document(sentence(topic=[["food"]])), "an object with 'label'"),
        (document(sentence(topic=[{"label": "food", "holder": 1}])), "holder must be text or null"),
        (document({"text": "A.", "topics": []}), "unknown key 'topics'. Did you mean 'topic'"),
        ('{"doc_id": "d", "sentences": [{"text": "\\ud83d"}]}', "surrogate"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_number_and_the_others_are_read(
    write_jsonl: Write, tiny: Codebook, row: object, part: str
) -> None:
    path = write_jsonl(document(), row, document(doc_id="d2"))
    documents, rejections = read_labelled(path, tiny)
    assert [d.doc_id for d in documents] == ["d1", "d2"]
    assert [d.line for d in documents] == [1, 3]
    [rejection] = rejections
    assert (rejection.location, rejection.reason) == ("line 2", RejectReason.BAD_ROW)
    assert part in rejection.detail


def test_all_mistakes_of_a_line_are_named(write_jsonl: Write, tiny: Codebook) -> None:
    bad = document(sentence(topic=["fodo", "servce"]), sentence(tone="prais"))
    [(_, detail)] = details(write_jsonl(document(), bad), tiny)
    assert detail.count("unknown label") == 3
    assert "sentence 0" in detail
    assert "sentence 1" in detail


def test_lines_that_are_not_utf8_are_set_aside(tmp_path: Path, tiny: Codebook) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(json.dumps(document()).encode() + b"\n\xff\xfe\n")
    [(location, detail)] = details(path, tiny)
    assert (location, detail) == ("line 2", "not UTF-8 at byte 0 of the line")


def test_blank_lines_bom_and_windows_line_ends_are_fine(tmp_path: Path, tiny: Codebook) -> None:
    path = tmp_path / "x.jsonl"
    row = json.dumps(document())
    path.write_bytes(b"\xef\xbb\xbf" + f"{row}\r\n\r\n{row}".encode())
    documents, rejections = read_labelled(path, tiny)
    assert [d.line for d in documents] == [1, 3]
    assert not rejections


def test_line_separators_inside_a_text_do_not_cut_the_line(
    write_jsonl: Write, tiny: Codebook
) -> None:
    text = "Soup\u2028and\u0085bread\x0b."
    [read], rejections = read_labelled(write_jsonl(document(sentence(text))), tiny)
    assert not rejections
    assert read.sentences[0].sentence.text == text


def test_a_missing_file_or_a_folder_is_an_input_error(tmp_path: Path, tiny: Codebook) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_labelled(tmp_path / "none.jsonl", tiny)
    with pytest.raises(InputError, match="cannot be read"):
        read_labelled(tmp_path, tiny)


def test_a_file_with_nothing_usable_is_an_input_error_that_shows_the_first_reason(
    write_jsonl: Write, tiny: Codebook
) -> None:
    with pytest.raises(InputError, match=r"among 2 line\(s\).*line 1: not JSON"):
        read_labelled(write_jsonl("{", "{"), tiny)
    with pytest.raises(InputError, match="no usable document"):
        read_labelled(write_jsonl(""), tiny)


def test_a_file_labelled_by_another_codebook_is_an_input_error(
    write_jsonl: Write, tiny: Codebook
) -> None:
    path = write_jsonl(document({"text": "A.", "stance": ["x"], "claim": "y"}))
    with pytest.raises(InputError, match="expected keys 'topic', 'tone'"):
        read_labelled(path, tiny)


@given(
    rows=st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "doc_id",
                            "id",
                            "file",
                            "sentences",
                            "text",
                            "topic",
                            "tone",
                            "label",
                            "holder",
                            "start",
                            "context",
                            "speaker",
                        ]
                    ),
                    inner,
                    max_size=5,
                )
            ),
            max_leaves=12,
        ),
        max_size=6,
    )
)
def test_every_line_becomes_a_document_or_a_rejection(
    rows: list[object], tiny: Codebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    lines = [json.dumps(row) for row in [document(), *rows]]
    path.write_text("\n".join(lines), encoding="utf-8")
    documents, rejections = read_labelled(path, tiny)
    assert len(documents) + len(rejections) == len(lines)
