"""Suggestions, annotations, a second round, and shares that hold; suspects and curves."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Protocol

import pytest


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(self, *args: str | Path, code: int | None = ...) -> Done: ...


BOOK = ("--codebook", "codebook.yaml")


@pytest.fixture(scope="module")
def classified(shared: Stance) -> Stance:
    """Thirty reviews, labelled by rules."""
    docs = shared.folder / "reviews"
    docs.mkdir()
    for n in range(30):
        text = f"The soup was excellent on day {'abcdefghijklmnopqrstuvwxyz0123'[n]}. We sat by "
        text += f"window {'abcdefghijklmnopqrstuvwxyz0123'[n]} again. The waiter was rude."
        (docs / f"{n}.txt").write_text(text, encoding="utf-8")
    shared("classify", "reviews", "-o", "labels.jsonl", "-m", "bundle", code=0)
    return shared


def annotate(stance: Stance, tasks: str, out: str) -> None:
    """Export tasks as a spreadsheet, fill it in, and import it."""
    stance("annotate", "export", tasks, "--to", "csv", "-o", "sheet.csv", *BOOK, code=0)
    path = stance.folder / "sheet.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {"coder": "ann", "tone": "neither"}
        row["topic"] = "food" if "soup" in row["text"] else "(none)"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    stance("annotate", "import", "sheet.csv", "-o", out, *BOOK, code=0)


def test_two_rounds_end_in_an_estimate(classified: Stance) -> None:
    done = classified("suggest", "labels.jsonl", "-o", "one.jsonl", "-n", "20", *BOOK, code=0)
    assert "one.jsonl: 20 sentences, 4 of them drawn at random" in done.err
    annotate(classified, "one.jsonl", "first.jsonl")
    done = classified(
        *("suggest", "labels.jsonl", "-o", "two.jsonl", "-n", "16", "--strategy", "mix"),
        *("--labelled", "first.jsonl", "--random-share", "0.5", *BOOK),
        code=0,
    )
    assert "two.jsonl: 16 sentences" in done.err
    assert "two.before.jsonl: the earlier annotations" in done.err
    annotate(classified, "two.jsonl", "second.jsonl")
    lines = [
        (classified.folder / name).read_text("utf-8")
        for name in ("second.jsonl", "two.before.jsonl")
    ]
    (classified.folder / "all.jsonl").write_text("".join(lines), encoding="utf-8")
    done = classified(
        "estimate",
        "labels.jsonl",
        "--sample",
        "all.jsonl",
        "--task",
        "topic",
        "-m",
        "bundle",
        code=0,
    )
    assert "topic: food" in done.out
    assert "weights of the sample" not in done.err


def fill_in(path: Path, tones: dict[str, str]) -> None:
    """Fill in a spreadsheet: of reviews by their numbers, the tone that is not `neither`."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["topic"] = "food" if "soup" in row["text"] else "(none)"
        row["tone"] = tones.get(row["sentence_id"], "neither")
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_two_coders_and_an_adjudicator_end_in_an_estimate(classified: Stance) -> None:
    """What they settle is a sample; what the adjudicator saw alone is none."""
    stance, folder = classified, classified.folder
    drawn = ("--strategy", "random", "-n", "40", "--blind")
    stance("suggest", "labels.jsonl", *drawn, "-o", "tasks.jsonl", *BOOK, code=0)
    stance("annotate", "export", "tasks.jsonl", "--to", "csv", "-o", "ann.csv", *BOOK, code=0)
    (folder / "ben.csv").write_bytes((folder / "ann.csv").read_bytes())
    tasks = [json.loads(line) for line in (folder / "tasks.jsonl").read_bytes().splitlines()]
    first, second, *_ = (task["sentence_id"] for task in tasks)
    fill_in(folder / "ann.csv", {first: "praise", second: "blame"})
    fill_in(folder / "ben.csv", {second: "praise"})
    for coder in ("ann", "ben"):
        imported = ("annotate", "import", f"{coder}.csv", "--coder", coder)
        stance(*imported, "-o", f"{coder}.jsonl", *BOOK, code=0)
    both = ("ann.jsonl", "ben.jsonl")
    done = stance(
        "agreement", *both, "--disputed", "disputed.csv", "--replicates", "0", *BOOK, code=0
    )
    assert "2 disputed" in done.err
    fill_in(folder / "disputed.csv", {first: "praise"})
    stance(
        *("annotate", "import", "disputed.csv", "--coder", "chair", "-o", "decisions.jsonl"),
        *BOOK,
        code=0,
    )
    settle = ("annotate", "adjudicate", *both, "--decisions", "decisions.jsonl")
    stance(*settle, "-o", "labelled.jsonl", *BOOK, code=0)
    estimate = ("estimate", "labels.jsonl", "-m", "bundle", "--sample")
    done = stance(*estimate, "labelled.jsonl", code=0)
    assert "topic: food" in done.out
    assert "tone: praise" in done.out
    assert "weights of the sample" not in done.err
    for sample in ("decisions.jsonl", "disputed.csv"):
        stance(*estimate, sample).failed(3, "stand for nothing", "stance annotate adjudicate")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("-o", "t.csv", "-n", "5"), 2, "give a name in .jsonl"),
        (("-o", "t.jsonl", "-n", "500"), 2, "cannot suggest 500 of"),
        (("-o", "labels.jsonl", "-n", "5"), 3, "which would replace it"),
        (("-o", "t.jsonl", "-n", "5", "--labelled", "none.jsonl"), 3, "cannot be read"),
    ],
)
def test_one_clear_reason(
    args: tuple[str, ...], code: int, message: str, classified: Stance
) -> None:
    classified("suggest", "labels.jsonl", *args, *BOOK).failed(code, message)


def test_a_line_that_cannot_be_used_is_listed_and_nothing_else_is_lost(classified: Stance) -> None:
    classified("suggest", "labels.jsonl", "-o", "one.jsonl", "-n", "20", *BOOK, code=0)
    annotate(classified, "one.jsonl", "first.jsonl")
    with (classified.folder / "first.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"item": {"doc_id": "x"')
    done = classified(
        "suggest", "labels.jsonl", "-o", "t.jsonl", "-n", "9", "--labelled", "first.jsonl", *BOOK
    )
    done.failed(6, "1 could not be used")
    assert len((classified.folder / "t.jsonl").read_text("utf-8").splitlines()) == 9
    (reject,) = (classified.folder / "t.jsonl.rejects.jsonl").read_text("utf-8").splitlines()
    assert json.loads(reject)["location"] == "line 21"


def test_suspects_and_curve_read_labelled_documents(shared: Stance) -> None:
    done = shared("suspects", "corpus.jsonl", "-o", "s.csv", "--folds", "2", *BOOK, code=0)
    assert "topic" in done.out
    table = (shared.folder / "s.csv").read_text("utf-8")
    assert table.startswith("\ufeffrank,probability,likely_error,")
    done = shared(
        *("curve", "corpus.jsonl", "-o", "c.html", "--repeats", "2"),
        *("--config", "settings.yaml", "--classifier", "majority", *BOOK),
        code=0,
    )
    assert "topic.food" in done.out
    assert "<svg" in (shared.folder / "c.html").read_text("utf-8")
    shared("curve", "corpus.jsonl", "-o", "c.pdf", *BOOK).failed(2, "give a name in .csv or .html")
    shared("curve", "corpus.jsonl", "--classifier", "majorty", "-c", "settings.yaml", *BOOK).failed(
        2, "no model 'majorty'. Did you mean 'majority'"
    )
