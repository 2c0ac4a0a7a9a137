"""Rows in = rows out + rejects, and documents in = documents out + rejects, whatever they hold."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.robustness.attack import stance, write_rules

Row = Mapping[str, str]
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
STRANGE = st.sampled_from(
    [
        "",
        " ",
        "\u200b",
        "=1+1",
        "a\nb",
        "a\r\nb",
        '"',
        '""',
        "a,b",
        "\u202eabc",
        "e\u0301" * 50,
        "no. " * 9,
        "null",
    ]
)
CELL = LINE | STRANGE
ROWS = st.lists(st.fixed_dictionaries({"text": CELL, "id": LINE, "speaker": CELL}), max_size=12)
DATA = st.binary(max_size=60) | CELL.map(str.encode)
FILES = st.lists(
    st.tuples(st.sampled_from(["txt", "md", "csv", "xyz"]), DATA), min_size=1, max_size=6
)
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("rules") / "bundle"
    write_rules(folder)
    return str(folder)


def as_csv(rows: list[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["text", "id", "speaker"], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_jsonl(rows: list[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows: list[Row]) -> bytes:
    out = io.BytesIO()
    schema = pa.schema([(name, pa.string()) for name in ("text", "id", "speaker")])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), out)
    return out.getvalue()


WRITERS = {"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet}


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def classify(folder: Path, bundle: str, named: Path, unit: str) -> tuple[int, Path, Path]:
    out = folder / "out.jsonl"
    rejects = folder / "out.jsonl.rejects.jsonl"
    out.unlink(missing_ok=True)
    rejects.unlink(missing_ok=True)
    code = stance("classify", str(named), "-m", bundle, "-o", str(out), "--unit", unit)
    return code, out, rejects


@pytest.mark.parametrize("suffix", WRITERS)
@FEW
@given(rows=ROWS)
def test_every_row_that_is_a_sentence_comes_out_in_its_place(
    suffix: str, bundle: str, tmp_path: Path, rows: list[Row]
) -> None:
    table = tmp_path / f"in.{suffix}"
    table.write_bytes(WRITERS[suffix](rows))
    code, out, rejects = classify(tmp_path, bundle, table, "sentence")
    if code:  # no rows, or none that can be told from a broken table
        assert code == 3
        assert len(rows) <= 1 or not lines(out)
        return
    written = lines(out)
    assert len(written) == len(rows)
    empty = [row for row in written if row["text"] == ""]
    assert len(lines(rejects)) == len(empty)
    for given_row, row in zip(rows, written, strict=True):
        if given_row["id"].strip():
            assert row["sentence_id"] == " ".join(given_row["id"].split())
        labels = [value for name, value in row.items() if name.startswith("p_")]
        assert all(value is None for value in labels) == (row["text"] == "")


@pytest.mark.parametrize("suffix", WRITERS)
@FEW
@given(rows=ROWS)
def test_every_row_that_is_a_document_is_labelled_or_set_aside(
    suffix: str, bundle: str, tmp_path: Path, rows: list[Row]
) -> None:
    table = tmp_path / f"in.{suffix}"
    table.write_bytes(WRITERS[suffix](rows))
    code, out, rejects = classify(tmp_path, bundle, table, "document")
    documents = {row["doc_id"] for row in lines(out)}
    assert (code == 0) == bool(documents)
    assert len(documents) + len(lines(rejects)) == max(len(rows), 1)


@FEW
@given(files=FILES)
def test_every_file_is_labelled_or_set_aside(
    bundle: str, tmp_path: Path, files: list[tuple[str, bytes]]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, (suffix, data) in enumerate(files):
        (folder / f"{number}.{suffix}").write_bytes(data)
    code, out, rejects = classify(tmp_path, bundle, folder, "document")
    told = {row["source"] for row in (*lines(out), *lines(rejects))}
    assert told == {str(path) for path in folder.iterdir()}
    assert code == (0 if lines(out) else 3)
