from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.unscon.convert import (
    TYPES,
    labels_of,
    meeting_of,
    read_rows,
    to_documents,
    write_documents,
)
from pipeline.codebook import TaskType, load_codebook
from pipeline.labelling import read_labelled

ROOT = Path(__file__).parents[3]
CODEBOOK = load_codebook(ROOT / "configs/codebooks/unscon.yaml")


def row(number: int, speech: str = "M1_spch001", **labels: object) -> dict[str, object]:
    """A made-up sentence in the fields of the data."""
    given = {"neg_eval": None, "challenge": None, "conflict": bool(labels)} | labels
    text = f"Sentence {number} about the harbour."
    return {
        "id": f"{speech}#s{number}",
        "text": text,
        "doc_id": speech,
        "country": "Norland",
        **given,
    }


ROWS = [
    row(0),
    row(1, neg_eval="Direct_NegEval"),
    row(3, neg_eval="Indirect_NegEval"),
    row(0, "M1_spch002", challenge="Challenge"),
    row(1, "M1_spch002", challenge="Correction"),
    row(0, "M2_spch001"),
]


def test_rows_become_documents_that_the_product_reads_under_the_codebook(tmp_path: Path) -> None:
    data, converted = tmp_path / "data.jsonl", tmp_path / "converted.jsonl"
    data.write_text("".join(json.dumps(one) + "\n" for one in ROWS), encoding="utf-8")
    write_documents(read_rows(data), converted)
    documents, rejected = read_labelled(converted, CODEBOOK)
    assert rejected == []
    assert [document.doc_id for document in documents] == ["M1_spch001", "M1_spch002", "M2_spch001"]
    sentences = [one for document in documents for one in document.sentences]
    assert [one.sentence.text for one in sentences] == [one["text"] for one in ROWS]
    assert [one.labels["conflict"] for one in sentences] == [
        ("none",),
        ("conflict",),
        ("conflict",),
        ("conflict",),
        ("conflict",),
        ("none",),
    ]
    assert [one.labels["conflict_type"] for one in sentences] == [
        (),
        ("direct_negative_evaluation",),
        ("indirect_negative_evaluation",),
        ("challenge",),
        ("correction",),
        (),
    ]
    assert sentences[1].sentence.context == sentences[0].sentence.text
    assert sentences[3].sentence.context == ""


def test_the_codebook_has_the_labels_that_the_conversion_gives() -> None:
    assert set(TYPES.values()) == set(CODEBOOK.tasks["conflict_type"].labels)
    assert CODEBOOK.tasks["conflict"].type is TaskType.MULTICLASS
    assert CODEBOOK.tasks["conflict_type"].type is TaskType.MULTILABEL


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (row(0, neg_eval="Mild_NegEval"), "unknown value 'Mild_NegEval'"),
        (row(0, conflict=True), "its types are"),
        (row(0, challenge="Challenge", conflict=False), "'conflict' is False"),
    ],
)
def test_labels_that_cannot_be_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        labels_of(wrong)


def test_a_meeting_is_what_stands_before_the_speech() -> None:
    assert meeting_of("UNSC_2014_SPV.7138_spch002") == "UNSC_2014_SPV.7138"
    with pytest.raises(SystemExit, match="expected MEETING_spchNUMBER"):
        meeting_of("UNSC_2014")


def test_speeches_keep_their_order_and_their_speaker() -> None:
    documents = to_documents(ROWS)
    assert [len(one["sentences"]) for one in documents] == [3, 2, 1]  # type: ignore[arg-type]
    assert {one["speaker"] for one in documents} == {"Norland"}
