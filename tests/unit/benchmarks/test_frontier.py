"""What the frontier makes of labels and times."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks.speed.frontier import Way, mixed, plot, table, timed
from pipeline.codebook import load_codebook
from pipeline.decision import Decisions
from pipeline.records import Sentence

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
SENTENCES = [Sentence(f"d#{i}", "d", "We went.") for i in range(40)]


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def ways() -> list[Way]:
    figures = {"held-out": {f"{task}.macro_f1": 0.5 for task in TINY.tasks}}
    return [
        Way("quick", lambda _: busy(0.01), figures),
        Way("slow", lambda _: busy(0.1), figures),
    ]


def test_speeds_are_ratios_to_the_last_way() -> None:
    speeds = timed(ways(), SENTENCES, rounds=3)
    assert speeds["slow"] == (1.0, 1.0)
    assert 5 < speeds["quick"][0] < 15


def test_a_cascade_takes_the_labels_of_whoever_is_sure() -> None:
    first, rest = np.full((2, 3), 0.25, np.float32), np.full((2, 3), 0.75, np.float32)
    nothing = np.zeros((2, 3), dtype=bool)
    probabilities, decisions = mixed(
        np.array([True, False]),
        (first, Decisions(nothing, nothing)),
        (rest, Decisions(~nothing, nothing)),
    )
    assert probabilities[:, 0].tolist() == [0.25, 0.75]
    assert decisions.given.tolist() == [[False] * 3, [True] * 3]


def test_table_and_plot_name_every_way(tmp_path: Path) -> None:
    speeds = {"quick": (10.0, 9.0), "slow": (1.0, 1.0)}
    assert "| quick | 10.0 | 9.0 | 0.500 |" in table(ways(), speeds, ["held-out"], TINY)
    plot(ways(), speeds, "held-out", TINY, tmp_path / "p.svg")
    drawn = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<?xml")
    plot(ways(), speeds, "held-out", TINY, tmp_path / "q.svg")
    assert (tmp_path / "q.svg").read_text(encoding="utf-8") == drawn
