"""`stance aggregate` as a user meets it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Protocol

import pytest

ROWS = (
    ("a#0", "food", "Guest 1", ["FRA"], "the soup", 0.9),
    ("a#1", "service", "Guest 1", ["FRA"], None, 0.8),
    ("b#0", "food", "=Guest", [], "the soup", 0.7),
)


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(
        self, *args: str | Path, stdin: bytes = ..., code: int | None = ..., env: object = ...
    ) -> Done: ...

    def files(self) -> set[str]: ...


@pytest.fixture(scope="module")
def attributed(shared: Stance) -> Stance:
    with (shared.folder / "attributed.jsonl").open("w", encoding="utf-8") as file:
        for place, label, speaker, actors, target, probability in ROWS:
            row = {"doc_id": place[0], "sentence_id": place, "text": "Said.", "task": "topic"}
            row |= {"label": label, "probability": probability, "holder": "SPEAKER"}
            row |= {"holder_actors": actors, "target": target, "target_actors": []}
            row |= {"speaker": speaker, "date": "2024-05-01", "title": None, "source": None}
            row |= {"model": "m", "attribution_model": "n"}
            file.write(json.dumps(row) + "\n")
        file.write("broken\n")
    return shared


def test_tables_are_written_and_the_reader_is_warned(attributed: Stance) -> None:
    done = attributed("aggregate", "attributed.jsonl", "-o", "tables", "--by", "year", code=0)
    assert "tables: 3 labels of 2 statements: 3 rows of statements, 2 edges." in done.err
    assert "1 set aside: 1 bad row (listed in tables/rejects.jsonl)." in done.err
    assert "of predictions" in done.err
    assert done.out == ""
    names = {"statements.csv", "actors.csv", "edges.csv", "network.graphml", "changes.csv"}
    made = {f"tables/{name}" for name in (*names, "about.md", "rejects.jsonl")}
    assert {name for name in attributed.files() if name.startswith("tables/")} == made
    with (attributed.folder / "tables" / "statements.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["holder"] for row in rows] == ["FRA", "FRA", "guest"]
    assert rows[2]["holder_name"] == "'=Guest"


def test_mistakes_end_with_a_clear_message(attributed: Stance) -> None:
    attributed("aggregate", "missing.jsonl", "-o", "x").failed(3, "missing.jsonl: cannot be read")
    attributed("aggregate", "attributed.jsonl", "-o", "attributed.jsonl").failed(
        4, "a file of this name is there"
    )
    attributed("aggregate", "tables/rejects.jsonl", "-o", "tables").failed(3, "rejects.jsonl")
    attributed("aggregate", "corpus.jsonl", "-o", "x").failed(3, "'stance attribute' wrote")
    assert attributed("aggregate", "attributed.jsonl", "-o", "x", "--by", "week").code == 2
    assert not (attributed.folder / "x").exists()
