"""A peer of benchmarks/peers in a process of its own that predicts whenever its turn comes.

    python -m benchmarks.speed.turns NAME WORK

Runs in the environment of the peers. Learns from WORK, says so, and for every line of input
predicts the sentences of WORK and answers with the seconds that took, by the clock and of all
processors.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

from benchmarks.peers.exchange import read_work
from benchmarks.peers.registry import PEERS

Took = tuple[float, float]
"""Seconds by the clock and of all processors."""

WARM_UP = 64
"""Sentences that are predicted before anything is timed."""


def patient_threads() -> None:
    """Begin anew with threads that sleep while they wait, unless the environment says otherwise.

    Those of OpenMP turn in loops by default. On a busy machine that took half of the processor time
    of transformers.pipeline. It is read once, when the library is loaded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        patient = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], patient)  # noqa: S606 - itself


def took(work: Callable[[], object]) -> Took:
    """Return how long `work` takes."""
    clock, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - spent


@contextmanager
def beside(name: str, work: Path, python: Path) -> Iterator[Callable[[], Took]]:
    """Start the peer; yield a function that lets it predict once and returns what that took.

    Raises:
        SystemExit: the peer ended; the message holds the end of what it said.
    """
    command = [str(python), "-m", "benchmarks.speed.turns", name, str(work)]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    log = work / "turns.log"
    pipe = subprocess.PIPE
    with (
        log.open("wb") as said,
        subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=said, text=True, env=quiet
        ) as run,
    ):
        if run.stdin is None or run.stdout is None:
            raise SystemExit("the peer cannot be asked")

        def answer(of: TextIO) -> list[float]:
            line = of.readline()
            if not line:
                end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise SystemExit(f"{PEERS[name].title} ended, exit code {run.wait()}:\n{end}")
            return [float(one) for one in line.split()]

        def turn(asked: TextIO, answers: TextIO) -> Took:
            print(file=asked, flush=True)
            clock, spent = answer(answers)
            return clock, spent

        answer(run.stdout)  # it has learned
        yield partial(turn, run.stdin, run.stdout)


def main(name: str, folder: str) -> None:
    """Learn, then predict once for every line of input."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print
    work, texts = read_work(Path(folder))
    predict = importlib.import_module(f"benchmarks.peers.methods.{PEERS[name].module}").fit(work)
    predict(texts[:WARM_UP])
    print(0, file=answers)
    for _ in sys.stdin:
        print(*took(lambda: predict(texts)), file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
