"""The simulation of `stance estimate` runs, and its table in the README is of this script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EVIDENCE = Path(__file__).parents[3] / "experiments" / "evidence"


def test_the_readme_quotes_the_table_that_the_script_prints() -> None:
    command = [sys.executable, str(EVIDENCE / "estimation.py")]
    done = subprocess.run(
        [*command, "--repeats", "2", "--sizes", "500"], check=True, capture_output=True, text=True
    )
    header, line, *rows = done.stdout.splitlines()
    assert len(rows) == 9  # worlds times designs
    assert all(row.count("|") == header.count("|") for row in rows)
    text = (EVIDENCE / "README.md").read_text(encoding="utf-8")
    assert f"{header}\n{line}\n" in text
    assert "experiments/evidence/estimation.py" in text
    for row in rows:  # a line of the README for every world and design
        world, design = row.split(" | ")[:2]
        assert f"{world} | {design} | 500 |" in text
