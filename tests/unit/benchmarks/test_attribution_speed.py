"""What finding holders and targets adds is timed on the statements that are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.speed.attribution import first, main, run


def test_only_json_lines_are_cut(tmp_path: Path) -> None:
    source = tmp_path / "many.jsonl"
    rows = [
        {"text": "One."},
        {"sentences": [{"text": "Two."}, {"text": "Three."}]},
        {"text": "No."},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    folder = tmp_path / "cut"
    folder.mkdir()
    kept = first(source, 2, folder).read_text("utf-8").splitlines()
    assert [json.loads(line) for line in kept] == [{"text": "One."}, {"text": "Two. Three."}]
    assert first(tmp_path / "one.txt", 4, folder) == tmp_path / "one.txt"


@pytest.mark.slow
def test_a_row_tells_sentences_labels_and_ratio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "many.jsonl"
    said = "We condemn the attack on the school. It happened in May."
    source.write_text("".join(json.dumps({"text": said}) + "\n" for _ in range(3)), "utf-8")
    main([str(source), "--statements", "1", "--rounds", "1"])
    row = capsys.readouterr().out.splitlines()[-1].strip("| ").split(" | ")
    assert row[:3] == ["many.jsonl", "2", "1"]
    assert all(float(ratio) > 1 for ratio in row[5:])


def test_a_command_that_fails_ends_the_measurement(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"classify .* ended with 3"):
        run("classify", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x.jsonl"))
