"""`stance tune` as a user meets it: settings to paste; `kill -9` loses one trial at most."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Protocol

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

SPACE = """\
tune:
  outer_folds: 2
  inner_folds: 2
  space:
    linear:
      c: {low: 0.5, high: 8, log: true}
      min_df: [1, 2]
"""
BASE = ("tune", "linear", "-c", "settings.yaml", "--trials", "3")


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(self, *args: str, code: int | None = ...) -> Done: ...

    def start(self, *args: str) -> subprocess.Popen[bytes]: ...


@pytest.fixture
def kitchen(stance: Stance) -> Stance:
    path = stance.folder / "settings.yaml"
    text = path.read_text(encoding="utf-8").replace("calibration: 0.2", "calibration: 0.4")
    linear = "models:\n  linear: {kind: linear, word_ngrams: [1, 1], char_ngrams: [2, 2]}\n"
    path.write_text(text.replace("models:\n", linear) + SPACE, encoding="utf-8")
    return stance


def test_killed_and_resumed_it_prints_what_an_unbroken_search_prints(kitchen: Stance) -> None:
    whole = kitchen(*BASE, code=0)
    trials = kitchen.folder / "work" / "tuning" / "linear"
    killed = kitchen.start(*BASE)
    # The folder still holds the trials of the first search, which the second one removes.
    until = time.monotonic() + 300
    while (trials / "done").exists() or len(list(trials.glob("part-*"))) < 2:
        assert killed.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    kitchen(*BASE).failed(4, "did not finish", "--resume", "--restart")
    resumed = kitchen(*BASE, "--resume", code=0)
    assert resumed.out == whole.out
    assert resumed.err.count(", trial ") < whole.err.count(", trial ") == 9
    fragment = resumed.out[resumed.out.index("models:") :]
    (name,) = YAML(typ="safe").load(fragment)["models"]
    assert name == "linear"
    assert "Traceback" not in resumed.err


def test_what_it_refuses(kitchen: Stance) -> None:
    kitchen("tune", "liner", "-c", "settings.yaml").failed(2, "Did you mean 'linear'?")
    kitchen(*BASE, "--budget", "soon").failed(2, "--budget is 'soon'", "30m")
    kitchen(*BASE, "--resume", "--restart").failed(2, "not both")
    path = kitchen.folder / "settings.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("min_df:", "mindf:"), encoding="utf-8")
    line = 1 + text[: text.index("min_df:")].count("\n")
    kitchen(*BASE).failed(2, f"settings.yaml:{line}:", "tune.space.linear.mindf", "'min_df'")
