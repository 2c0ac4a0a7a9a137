"""`stance compare` as a user meets it: runs of `stance train`, the page, and the logged run."""

from __future__ import annotations

import html
import json
import re
import sqlite3
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

    def __call__(
        self, *args: str | Path, stdin: bytes = ..., code: int | None = ..., env: object = ...
    ) -> Done: ...

    def files(self) -> set[str]: ...


def macro(done: Done) -> list[str]:
    """The cells of the row of topic.macro_f1, interval in two."""
    rows = [line.split() for line in done.out.splitlines() if "topic.macro_f1  " in line]
    return rows[0]


def asked(folder: Path, question: str, *values: str) -> list[tuple[str, ...]]:
    """Rows of the project's MLflow database."""
    store = sqlite3.connect(folder / "store" / "mlflow.db")
    try:
        return store.execute(question, values).fetchall()
    finally:
        store.close()


@pytest.fixture(scope="module")
def trained(shared: Stance) -> Stance:
    shared("train", "majority", "rules", "-c", "settings.yaml", code=0)
    return shared


@pytest.fixture(scope="module")
def done(trained: Stance) -> Done:
    return trained("compare", "majority", "rules", "-c", "settings.yaml", "-o", "c.html", code=0)


def test_the_table_says_who_is_better(done: Done) -> None:
    assert "documents that all runs held out" in done.err
    assert "rules" in done.out
    row = next(line for line in done.out.splitlines() if line.strip().startswith("topic.macro_f1"))
    number, signed = r"[01]\.\d{3}", r"\+0\.\d{3}"
    assert re.search(rf" 1\.000 +{number} +{signed} +\[{signed}, {signed}\] +0\.00\d\d ", row), row
    assert re.search(r"topic: only rules \w+ is right in [1-9]", done.out)
    assert re.search(r"topic: only majority \w+ is right in 0 sentences", done.out)
    assert "family of all 7 differences" in done.err
    assert "Warning" not in done.err
    assert re.search(r"caution: \d documents are few", done.err)


def test_the_page_stands_alone(trained: Stance, done: Done) -> None:
    page = (trained.folder / "c.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"(src|href)\s*=|@import|url\(", page)
    assert page.count("<circle") == 7
    assert re.search(r"table \d{4}\.", page)


def test_the_comparison_is_a_run_that_names_both(trained: Stance, done: Done) -> None:
    said = re.search(r"Logged as run (\w{32})", done.err)
    assert said
    run_id = said[1]
    tags = dict(asked(trained.folder, "select key, value from tags where run_uuid = ?", run_id))
    names = dict(asked(trained.folder, "select name, run_uuid from runs"))
    assert tags["stance.level"] == "comparison"
    assert tags["compare.reference"] == names["majority"]
    assert tags["compare.models"] == names["rules"]
    assert "topic.macro_f1" in tags["mlflow.note.content"]
    metrics = dict(
        asked(trained.folder, "select key, value from latest_metrics where run_uuid = ?", run_id)
    )
    assert f"{metrics['topic.macro_f1/difference']:+.3f}" == macro(done)[3]
    assert {f"tone.praise.f1/{what}" for what in ("p", "p.holm", "difference.low")} <= set(metrics)
    pages = [
        path for path in trained.files() if path.endswith(f"{run_id}/artifacts/comparison.html")
    ]
    assert len(pages) == 1
    kept = (trained.folder / pages[0]).read_text(encoding="utf-8")
    assert kept == (trained.folder / "c.html").read_text(encoding="utf-8")


def test_turned_round_the_differences_change_their_signs(trained: Stance, done: Done) -> None:
    back = trained("compare", "majority", "-c", "settings.yaml", "--against", "rules", code=0)
    there, again = macro(done), macro(back)
    assert again[3] == there[3].replace("+", "-")
    assert again[-5:] == there[-5:]  # both p, design effect, detectable, support


def test_a_folder_on_a_file_leaves_out_what_was_learned(trained: Stance) -> None:
    """The corpus is given as if it were new: nine tenths of it were trained or calibrated on."""
    compared = trained(
        *("compare", "rules", "-c", "settings.yaml", "--against", "bundle", "--on", "corpus.jsonl"),
        code=0,
    )
    left = re.search(r"Left out: (\d+) of (\d+) sentences", compared.err)
    assert left
    assert 0.6 < int(left[1]) / int(left[2]) < 0.95
    caution = r"caution: What bundle \w{8} learned from is not known \(it names no run\)"
    assert re.search(caution, compared.err)
    documents = re.search(r"corpus\.jsonl: \d+ sentences of (\d+) documents", compared.err)
    assert documents
    assert 2 <= int(documents[1]) < 40


def test_several_runs_make_one_family_on_the_gold_labels(trained: Stance) -> None:
    """The folder knows nothing of held-out documents, so the gold labels are taken."""
    compared = trained("compare", "majority", "rules", "bundle", "-c", "settings.yaml", code=0)
    assert "gold labels, gold.jsonl" in compared.err
    family = re.search(r"family of all (\d+) differences .* times 2 pairs", compared.err)
    assert family
    assert 7 < int(family[1]) <= 14  # less what three documents leave undefined
    assert "no p-value can be below 0.25" in compared.err
    assert compared.out.count("against majority") >= 2


def test_the_champion_of_the_registry(trained: Stance) -> None:
    from pipeline.tracking import open_store

    missing = trained("compare", "rules", "-c", "settings.yaml", "--against", "champion")
    missing.failed(3, "bears the alias 'champion'", "stance promote")
    store = open_store(f"sqlite:///{trained.folder / 'store' / 'mlflow.db'}")
    names = dict(asked(trained.folder, "select name, run_uuid from runs"))
    (model,) = store.client.get_run(names["majority"]).outputs.model_outputs
    store.client.create_registered_model("stance")
    with store.bound():
        made = store.client.create_model_version(
            "stance", f"models:/{model.model_id}", run_id=names["majority"], model_id=model.model_id
        )
    store.client.set_registered_model_alias("stance", "champion", made.version)
    compared = trained("compare", "rules", "-c", "settings.yaml", "--against", "champion", code=0)
    assert "champion (version 1)" in compared.err
    assert "documents that all runs held out" in compared.err
    assert macro(compared)[3].startswith("+0.")


def test_what_cannot_be_compared(trained: Stance) -> None:
    settings = ("-c", "settings.yaml")
    trained("compare", "rules", *settings).failed(3, "One model cannot be compared")
    trained("compare", "rules", "rules", *settings).failed(3, "are the same model, rules")
    trained("compare", "rules", "rulse", *settings).failed(3, "Did you mean 'rules'?")
    on = ("--on", "nowhere.jsonl")
    trained("compare", "rules", "majority", *settings, *on).failed(3, "nowhere.jsonl")
    trained("compare", "rules", "majority", *settings, "-o", "docs").failed(4, "is a folder")
    split = json.loads(
        next((trained.folder / "store").rglob("split.json")).read_text(encoding="utf-8")
    )
    learned = [
        line
        for line in (trained.folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
        if json.loads(line)["doc_id"] in split["train"]
    ]
    (trained.folder / "seen.jsonl").write_text("\n".join(learned) + "\n", encoding="utf-8")
    seen = trained("compare", "rules", "majority", *settings, "--on", "seen.jsonl")
    seen.failed(3, "sentences stand in the training data", "0 document(s) remain")


def test_a_corpus_that_was_changed_since_is_said(stance: Stance) -> None:
    stance("train", "majority", "rules", "-c", "settings.yaml", code=0)
    path = stance.folder / "corpus.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(lines[:-4]) + "\n", encoding="utf-8")
    done = stance("compare", "majority", "rules", "-c", "settings.yaml", code=0)
    assert "caution: The corpus is not as majority" in done.err
    assert "are gone" in done.err
