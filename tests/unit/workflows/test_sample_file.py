"""Rows of a sample in CSV: what was drawn is read back as it was, and mistakes are explained."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.inference.sinks import csv_cell
from pipeline.workflows.sample_file import _rows

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
    assert (line, row["text"]) == (2, text)


@pytest.mark.parametrize("header", ['"sentence_id"x,inclusion_probability', '"sentence_id,'])
def test_a_header_that_is_no_csv(header: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"{header}\n1,0.5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"s\.csv:1: not CSV"):
        list(_rows(tmp_path / "s.csv"))
