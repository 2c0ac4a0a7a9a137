"""How the command line starts and ends, whatever it is started with."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("args", "code"), [("--version", 0), ("codebook check missing.yaml", 3)])
def test_closed_streams_are_no_bug(args: str, code: int, closed: str) -> None:
    command = f"exec {sys.executable} -m pipeline.cli.app {args} {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if "2>&-" not in closed and code:
        assert "missing.yaml" in done.stderr


_INTERRUPTED_WHILE_FINALISING = """
import os, signal, sys, time
from pipeline.cli import app

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})
        time.sleep(0.01)  # the handler runs here, where Python drops what it raises

def work():
    Last()
    time.sleep(60)

app.app = work
app.main()
"""


@pytest.mark.parametrize(("name", "number"), [("SIGINT", 2), ("SIGTERM", 15)])
def test_a_signal_during_finalisation_is_not_lost(name: str, number: int) -> None:
    script = _INTERRUPTED_WHILE_FINALISING.format(name=name)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 128 + number, done.stderr
    assert done.stderr == "error: Interrupted; nothing half-written was left.\n"


def test_other_errors_of_finalisers_are_shown() -> None:
    script = "class Bad:\n    def __del__(self): raise ValueError('seen')\n"
    script += "from pipeline.cli import app\napp.app = lambda: Bad() and None\napp.main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0
    assert "ValueError: seen" in done.stderr
