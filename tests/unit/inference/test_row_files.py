"""What the sinks wrote is read back, in every format."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.inference.row_files import read_rows
from pipeline.inference.rows import RowFormat, StatementFacts
from pipeline.inference.sinks import SINKS
from pipeline.records import Prediction, Sentence


def rows_of(codebook: Codebook) -> list[dict[str, object]]:
    format_ = RowFormat(codebook)
    rows = []
    for i, speaker in enumerate(("=SUM(A1)", "Zoë, of\nWien", None)):
        given = {
            name: tuple(task.labels)[: 1 if name in codebook.multiclass_tasks() else i]
            for name, task in codebook.tasks.items()
        }
        chances = {name: dict.fromkeys(task.labels, 0.25) for name, task in codebook.tasks.items()}
        sentence = Sentence(f"d#{i}", "d", f"Said {i}.", i * 10, i * 10 + 7)
        row = format_.row(Prediction(sentence, given, chances, "m"), StatementFacts(speaker))
        rows.append(row)
    unread = Sentence("d#9", "d", "", 90, 90)
    return [*rows, format_.unlabelled(unread, StatementFacts(), "m")]


@pytest.mark.parametrize("suffix", list(SINKS))
def test_rows_come_back(suffix: str, codebook: Codebook, tmp_path: Path) -> None:
    format_, path = RowFormat(codebook), tmp_path / f"labels{suffix}"
    rows = rows_of(codebook)
    with path.open("wb") as file:
        sink = SINKS[suffix].make(file, format_, True)
        sink.write(rows)
        sink.finish()
    wanted = [name for name in format_.columns if name != "gap"]
    read = [row for _, row in read_rows(path, format_, wanted)]
    for before, after in zip(rows, read, strict=True):
        for name in wanted:
            expected = before[name]
            if suffix == ".csv" and expected in ([], ""):
                expected = None  # as documented
            assert after[name] == expected, name


def csv_text(codebook: Codebook, path: Path, text: str) -> object:
    """Write a sentence as CSV and read its text."""
    format_ = RowFormat(codebook)
    sentence = Sentence("d#0", "d", text, 0, len(text))
    with path.open("wb") as file:
        sink = SINKS[".csv"].make(file, format_, True)
        sink.write([format_.unlabelled(sentence, StatementFacts(), "m")])
        sink.finish()
    [(_, row)] = read_rows(path, format_, ("sentence_id", "text"))
    return row["text"]


@given(text=st.text(st.sampled_from("'=+-@a;,\"\t\r\n"), min_size=1, max_size=8))
def test_apostrophes_of_the_text_itself_come_back(
    text: str, codebook: Codebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert csv_text(codebook, tmp_path_factory.mktemp("labels") / "p.csv", text) == text


def test_a_sentence_may_be_long(codebook: Codebook, tmp_path: Path) -> None:
    text = "x" * 200_000
    assert csv_text(codebook, tmp_path / "p.csv", text) == text


def test_blank_lines_are_no_rows(codebook: Codebook, tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_bytes(b'\n{"doc_id": "d"}\r\n \r\n{"doc_id": "e"}\n\n')
    read = read_rows(tmp_path / "p.jsonl", RowFormat(codebook), ("doc_id",))
    assert list(read) == [(2, {"doc_id": "d"}), (4, {"doc_id": "e"})]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.jsonl", b'{"doc_id": "d"\n', r"p.jsonl:1: not JSON"),
        ("p.jsonl", b"[1]\n", r"p.jsonl:1: expected an object, got list"),
        ("p.jsonl", b'{"doc_id": "d"}\n', r"lacks the column\(s\) start"),
        ("p.jsonl", b'{"doc_id": "d", "start": {}}\n', r"p.jsonl:1: expected text"),
        ("p.csv", b"doc_id,begin\nd,1\n", r"lacks the column\(s\) start"),
        ("p.csv", b"doc_id,start\nd\n", r"p.csv:2: has fewer cells"),
        ("p.csv", b"doc_id,start\nd,one\n", r"p.csv:2: 'start' is 'one', expected a number"),
        ("p.csv", b"doc_id,start\n\xff,1\n", r"not CSV in UTF-8"),
        ("p.parquet", b"PAR1", r"not Parquet"),
        ("p.txt", b"", r"ends in no known format"),
    ],
)
def test_what_is_no_output_of_classify(
    name: str, content: bytes, message: str, codebook: Codebook, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_rows(tmp_path / name, RowFormat(codebook), ("doc_id", "start")))


def test_a_missing_file(codebook: Codebook, tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    with pytest.raises(InputError, match=re.escape(f"{path}: cannot be read")):
        list(read_rows(path, RowFormat(codebook), ("doc_id",)))
