"""Rows of a sample in CSV: what was drawn is read back as it was, and mistakes are explained."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.inference.sinks import csv_cell
from pipeline.workflows.sample_file import PROBABILITY, _rows

names = st.text(st.sampled_from("'=+-@a;,\""), min_size=1, max_size=6)


def drawn(path: Path, sentence_id: str, text: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("sentence_id", "inclusion_probability", "text"))
        writer.writerow(map(csv_cell, (sentence_id, 0.5, text)))
    return path


@given(name=names)
def test_ids_come_back(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = drawn(tmp_path_factory.mktemp("sample") / "s.csv", name, "Said.")
    [(_, row)] = _rows(path)
    assert row["sentence_id"] == name


def test_a_sentence_may_be_long(tmp_path: Path) -> None:
    text = "x" * 200_000
    [(line, row)] = _rows(drawn(tmp_path / "s.csv", "a#0", text))
    assert (line, row["text"]) == ("line 2", text)


@pytest.mark.parametrize("header", ['"sentence_id"x,inclusion_probability', '"sentence_id,'])
def test_a_header_that_is_no_csv(header: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"{header}\n1,0.5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"s\.csv:1: not CSV"):
        list(_rows(tmp_path / "s.csv"))


def test_labelled_documents_are_a_row_a_sentence(tmp_path: Path) -> None:
    """Also beside annotations of a round before."""
    sampling = {"design": "random", "probability": 0.25}
    settled = [
        {"sentence_id": "d#4", "text": "Said.", "tone": "blame", "sampling": sampling},
        {"text": "More.", "tone": None},
    ]
    item = {"sentence_id": "e#0", "doc_id": "e", "start": 3}
    lines = (
        {"doc_id": "d", "sentences": settled},
        {"item": item, "labels": {"tone": ["praise"]}, "sampling": {**sampling, "probability": 1}},
    )
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    rows = [
        (where, row["sentence_id"], row[PROBABILITY], row["tone"]) for where, row in _rows(path)
    ]
    assert rows == [
        ("line 1 sentence 0", "d#4", 0.25, "blame"),
        ("line 1 sentence 1", "d#1", None, None),
        ("line 2", "e#0", 1, ["praise"]),
    ]
    path.write_text('{"doc_id": "d", "sentences": ["Said."]}', encoding="utf-8")
    with pytest.raises(InputError, match="line 1 sentence 0: expected an object, got str"):
        list(_rows(path))
