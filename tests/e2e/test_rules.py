"""From rules to a model trained on their labels, as an analyst without labels does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pytest

pytestmark = pytest.mark.slow


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(self, *args: str | Path, code: int | None = ...) -> Done: ...


BOOK = ("--codebook", "codebook.yaml")


def test_rules_are_measured_applied_and_learned_from(stance: Stance) -> None:
    done = stance(
        "rules", "report", "docs", "--gold", "gold.jsonl", "--html", "r.html", "--csv", "r.csv",
        *BOOK, code=0,
    )  # fmt: skip
    assert "topic.food.names_a_dish" in done.out
    assert "all rules abstain on" in done.err
    assert {"r.html", "r.csv"} <= {path.name for path in stance.folder.iterdir()}
    done = stance("label", "docs", "-o", "weak.jsonl", "--label-model", "weights", *BOOK, code=0)
    assert "tone.praise" in done.out
    assert "weak.jsonl.rejects.jsonl" in done.err  # the empty file
    stance(
        "train", "majority", "-c", "settings.yaml", "--labels", "weak", "--weak", "weak.jsonl",
        "--weak-targets", "probabilities", code=0,
    )  # fmt: skip
    kept = json.loads((stance.folder / "work/models/majority/manifest.json").read_text("utf-8"))
    assert "weak.jsonl" in kept["facts"]["training"]["corpus"]


def test_constraints_are_heeded_and_what_breaks_them_is_named(stance: Stance) -> None:
    book = stance.folder / "codebook.yaml"
    stated = "constraints:\n  - {when: topic.food, never: tone.praise}\ntasks:\n"
    book.write_text(book.read_text("utf-8").replace("tasks:\n", stated, 1), encoding="utf-8")
    soup = {"text": "The soup was excellent.", "topic": ["food"], "tone": "praise"}
    known = stance.folder / "known.jsonl"
    known.write_text(json.dumps({"doc_id": "k", "sentences": [soup]}), encoding="utf-8")
    label = ("label", "docs", "--label-model", "weights", *BOOK)
    stance(*label, "-o", "weak.jsonl", code=0)
    done = stance(*label, "-o", "told.jsonl", "--known", "known.jsonl", code=0)
    assert "In 1 sentences labels of people break a constraint of the codebook" in done.err
    found = {}
    for name in ("weak.jsonl", "told.jsonl"):
        lines = (stance.folder / name).read_text("utf-8").splitlines()
        [found[name]] = [
            s for line in lines for s in json.loads(line)["sentences"] if s["text"] == soup["text"]
        ]
    assert (found["weak.jsonl"]["topic"], found["weak.jsonl"]["tone"]) != (["food"], "praise")
    assert (found["told.jsonl"]["topic"], found["told.jsonl"]["tone"]) == (["food"], "praise")
    stance("data", "check", "-c", "settings.yaml").failed(
        6, "breaks a constraint: topic.food never goes with tone.praise"
    )


def test_a_table_with_its_own_names_of_columns(stance: Stance) -> None:
    (stance.folder / "reden.csv").write_text("Redetext;Land\nThe soup was excellent.;Chad\n")
    report = ("rules", "report", "reden.csv", *BOOK)
    stance(*report).failed(3, "No sentence", "reden.csv line 1", "--column text=Redetext")
    done = stance(*report, "--column", "text=Redetext", code=0)
    assert "1 sentences of 1 documents" in done.err
    labelled = stance("label", "reden.csv", "docs", "-o", "weak.jsonl", *BOOK, code=0)
    assert "reden.csv line 1: the whole file is left out" in labelled.err


def test_what_cannot_be_is_said(stance: Stance) -> None:
    weak = ("train", "majority", "-c", "settings.yaml", "--labels", "weak")
    stance(*weak).failed(2, "data.weak names no file", "stance label")
    stance("label", "docs/a.txt", "-o", "docs/a.txt", *BOOK).failed(2, "give a name in .jsonl")
    (stance.folder / "a.jsonl").write_text('{"text": "The soup was excellent."}\n')
    stance("label", "a.jsonl", "-o", "a.jsonl", *BOOK).failed(3, "a.jsonl", "would replace it")
    stance("rules", "report", *BOOK).failed(3, "Give statements, or labelled files")
    book = stance.folder / "codebook.yaml"
    text = book.read_text(encoding="utf-8").replace(r"\bwe ordered\b", "we(?= ordered)")
    book.write_text(text, encoding="utf-8")
    stance("label", "docs", "-o", "weak.jsonl", *BOOK).failed(
        2, "codebook.yaml:34", "look-ahead is not known here; use 'unless'"
    )
