"""The steps of labelling that are timed for docs/scale.md."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.scale.measure import steps

ROOT = Path(__file__).parents[3]


def test_every_step_is_timed(tmp_path: Path) -> None:
    path = tmp_path / "statements.jsonl"
    texts = [f"We condemn attack {n}. We call for restraint in case {n}." for n in range(60)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    found = steps(path, ROOT / "models" / "default")
    assert found.bytes == path.stat().st_size / 120
    assert 0 < found.tokenising < found.labelling
    assert 0 < found.survey < found.unit
    assert found.unit == found.survey + found.reading + found.labelling
