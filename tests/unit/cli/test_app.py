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
