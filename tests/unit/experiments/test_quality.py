"""The scripts of the study of quality run on the corpus as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
QUALITY = ROOT / "experiments" / "quality"
CORPUS = ROOT / "seeds" / "corpus"


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(QUALITY / script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def test_the_data_card_quotes_the_agreement_that_the_script_prints() -> None:
    card = (CORPUS / "README.md").read_text(encoding="utf-8")
    printed = [line for line in run("agreement.py").splitlines() if line.startswith("| ")]
    assert len(printed) == 6
    for line in printed:
        assert line in card


def test_first_labels_differ_where_the_annotators_did_and_nowhere_else(tmp_path: Path) -> None:
    out = tmp_path / "first.jsonl"
    run("first_labels.py", str(out))
    lines = (CORPUS / "disagreements.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {(row["doc_id"], row["sentence"]): row for row in map(json.loads, lines)}
    now = (CORPUS / "register.jsonl").read_text(encoding="utf-8").splitlines()
    then = out.read_text(encoding="utf-8").splitlines()
    changed = 0
    for before, after in zip(map(json.loads, now), map(json.loads, then), strict=True):
        for i, (a, b) in enumerate(zip(before["sentences"], after["sentences"], strict=True)):
            row = rows.get((before["doc_id"], i))
            assert a["text"] == b["text"]
            if row is None:
                assert a == b
            else:
                assert row["first"] != row["second"]
                assert a["claim"] == row["adjudicated"]["claim"]
                assert b["claim"] == row["first"]["claim"]
                changed += a["claim"] != b["claim"]
    assert changed > 100
