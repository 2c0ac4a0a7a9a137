"""The README holds a time for every command that the script measures, and its inputs are right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.evidence import wall_time
from pipeline.codebook import load_codebook
from pipeline.settings.experiment import load_settings

ROOT = Path(__file__).parents[3]


def test_the_readme_has_a_row_for_every_command() -> None:
    text = (ROOT / "experiments" / "evidence" / "README.md").read_text(encoding="utf-8")
    assert "python -m experiments.evidence.wall_time" in text
    for name, _ in wall_time.COMMANDS:
        assert f"| {name} | " in text, name


def test_a_command_is_timed_and_one_that_fails_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {
        "doc_id": "a",
        "speaker": "France",
        "sentences": [{"text": "We met.", "stance": [], "claim": "none"}],
    }
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps(document) + "\n", encoding="utf-8")
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    bench = wall_time.Bench(data, tmp_path, codebook)
    assert bench.size == "1 sentences, 1 texts"
    settings = load_settings(tmp_path / "settings.yaml")
    assert set(settings.data.corpus) <= set(load_settings(wall_time.CONFIG).data.corpus)
    assert settings.promote.to == tmp_path / "model"
    assert settings.work == tmp_path
    commands = (("version", "--version"), ("bad", "report ./data.jsonl"))
    monkeypatch.setattr(wall_time, "COMMANDS", commands)
    took = bench.took()
    first = next(took)
    assert first.command == "version"
    assert first.processor > 0
    assert first.wall > 0
    with pytest.raises(SystemExit, match="bad: exit code"):
        next(took)
