"""Options that several commands share take and refuse the same in each of them."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app


@pytest.mark.parametrize(
    "command",
    [
        "agreement a.jsonl b.jsonl",
        "evaluate-attribution gold.jsonl",
        "curve a.jsonl",
        "estimate p.jsonl --draw 2",
        "evaluate gold.jsonl",
        "rules report --gold gold.jsonl",
        "suggest p.jsonl --out s.jsonl -n 2",
        "suspects a.jsonl --out s.csv",
    ],
)
def test_a_seed_is_not_negative(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--seed", "-1"])
    assert done.exit_code == 2
    assert "equal to 0" in done.output


@pytest.mark.parametrize(
    "command",
    [
        "actors link Kestria",
        "aggregate a.jsonl --out tables",
        "attribute p.jsonl",
        "report p.jsonl --out r.html",
    ],
)
def test_a_file_of_actors_has_a_short_option(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "-a", "mine.yaml"])
    assert "No such option" not in done.output
    assert done.exit_code != 2
