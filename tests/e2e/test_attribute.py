"""`stance classify`, then `stance attribute`, as a user meets them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAID = (
    "Chef Anna said that the soup was cold. She called the bread stale.\n\nThe dessert was bad.\n"
)
BY_RULES = ("--model", "bundle", "--method", "rules")


def test_labels_get_holders_and_targets(stance: Callable[..., Any]) -> None:
    (stance.folder / "said.txt").write_text(SAID, encoding="utf-8")
    stance("classify", "said.txt", "-m", "bundle", "-o", "p.jsonl", "--speaker", "Peru", code=0)
    done = stance("attribute", "p.jsonl", *BY_RULES, "-o", "a.jsonl", code=0)
    lines = (stance.folder / "a.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert f"{len(rows)} labels in 3 sentences" in done.err
    held = {(row["text"][:7], row["label"]): row["holder"] for row in rows}
    assert held["Chef An", "food"] == held["She cal", "food"] == "Chef Anna"
    assert held["The des", "food"] == "SPEAKER"
    assert [row["holder_actors"] for row in rows][-1] == ["PER"]
    piped = stance("attribute", "p.jsonl", *BY_RULES, code=0)
    assert [json.loads(line) for line in piped.out.splitlines()] == rows
    stance("attribute", "p.jsonl", *BY_RULES, "-o", "a.csv", code=0)
    table = list(csv.DictReader(io.StringIO((stance.folder / "a.csv").read_text("utf-8-sig"))))
    assert [row["holder"] for row in table] == [row["holder"] for row in rows]


def test_mistakes_are_told(stance: Callable[..., Any]) -> None:
    (stance.folder / "said.txt").write_text(SAID, encoding="utf-8")
    stance("classify", "said.txt", "-m", "bundle", "-o", "p.jsonl", code=0)
    before = (stance.folder / "p.jsonl").read_bytes()
    stance("attribute", "p.jsonl", *BY_RULES, "-o", "p.jsonl").failed(3, "p.jsonl")
    assert (stance.folder / "p.jsonl").read_bytes() == before
    stance("attribute", "nowhere.jsonl", *BY_RULES, "-o", "a.jsonl").failed(3, "nowhere.jsonl")
    missing = stance("attribute", "p.jsonl", "-m", "bundle", "--attribution-model", "nowhere")
    missing.failed(5, "nowhere")


@pytest.mark.slow
def test_a_model_is_trained_and_used(stance: Callable[..., Any], tiny_encoder: Path) -> None:
    settings = stance.folder / "settings.yaml"
    section = (
        f"attribution: {{corpus: [some.jsonl], encoder: {{name: {tiny_encoder}, max_tokens: 48}}, "
        "layers: 1, epochs: 1, context_tokens: 16, to: model, largest_share_changed: 0.2}\n"
    )
    settings.write_text(settings.read_text(encoding="utf-8") + section, encoding="utf-8")
    corpus = (stance.folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines(True)
    (stance.folder / "some.jsonl").write_text("".join(corpus[: len(corpus) // 2]), encoding="utf-8")
    refused = stance("train-attribution", "-c", "settings.yaml", "--eval", "gold.jsonl")
    refused.failed(3, "evaluation sets are called gold")
    assert "fitting" not in refused.err
    done = stance("train-attribution", "-c", "settings.yaml", code=0)
    assert "held-out" in done.out
    assert "kitchen-reviews-attribution-" in done.err
    card = (stance.folder / "model" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "holder_exact" in card
    assert "corpus: some.jsonl" in card
    assert "Decision rule" not in card
    (stance.folder / "said.txt").write_text(SAID, encoding="utf-8")
    stance("classify", "said.txt", "-m", "bundle", "-o", "p.jsonl", code=0)
    use = ("--model", "bundle", "--attribution-model", "model")
    rows = stance("attribute", "p.jsonl", *use, code=0).out.splitlines()
    assert json.loads(rows[0])["attribution_model"].startswith("kitchen-reviews-attribution-")
    table = stance("evaluate-attribution", "gold.jsonl", *use, code=0).out
    assert "end to end" in table
