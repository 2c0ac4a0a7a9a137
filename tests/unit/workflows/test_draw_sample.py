"""What is drawn is a form that people fill in, in a spreadsheet or otherwise."""

from __future__ import annotations

import codecs
import csv
import json
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, TaskType
from pipeline.inference.rows import RowFormat
from pipeline.settings.estimation import Design
from pipeline.workflows.draw_sample import draw_sample, how_to_fill_in

TEXT = "The soup was “fine” – he said."


@pytest.fixture
def labels(tiny: Codebook, tmp_path: Path) -> Path:
    format_ = RowFormat(tiny)
    chances = dict.fromkeys(format_.probability_columns, 0.5)
    blank = dict.fromkeys(format_.columns)
    rows = [
        {**blank, **chances, "doc_id": "d", "sentence_id": f"d#{i}", "start": i, "text": TEXT}
        | {"topic": [], "tone": "neither", "model": "m"}
        for i in range(5)
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["s.csv", "s.jsonl"])
def test_excel_is_told_the_encoding(
    name: str, labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    out = tmp_path / name
    options = {"design": Design.SENTENCES, "task": "topic", "cluster": "doc_id", "seed": 1}
    draw_sample(labels, tiny, size=3, out=out, **options)
    assert out.read_bytes().startswith(codecs.BOM_UTF8) == (name == "s.csv")
    lines = out.read_text("utf-8-sig").splitlines()
    rows = list(csv.DictReader(lines)) if name == "s.csv" else list(map(json.loads, lines))
    assert [row["text"] for row in rows] == [TEXT] * 3


def test_every_task_is_filled_in_as_it_takes_answers(tiny: Codebook) -> None:
    several = "topic: labels joined by semicolons, '(none)' where none applies"
    assert f"Label every row ({several}; tone: one label), then: " in how_to_fill_in(
        Path("s.csv"), tiny
    )
    several = "topic: a list of labels, [] where none applies"
    assert f"({several}; tone: one label)" in how_to_fill_in(Path("s.jsonl"), tiny)
    tone = {name: t for name, t in tiny.tasks.items() if t.type is TaskType.MULTICLASS}
    alone = tiny.model_copy(update={"tasks": tone})
    assert "(tone: one label)" in how_to_fill_in(Path("s.csv"), alone)
