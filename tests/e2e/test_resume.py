"""`kill -9` at any moment loses and doubles nothing: the resumed output is the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


class Done(Protocol):
    """How a command ended."""

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    """The fixture `stance`: the command in a folder."""

    folder: Path

    def __call__(self, *args: str, code: int | None = None) -> Done: ...


SMALL_SPANS = """\
from pipeline.inference import engine, job
engine.CHUNK, engine.SPAN = 64, 500
job.SPAN = engine.SPAN
from pipeline.cli.app import main
main()
"""
"""The command as it is, but for spans of 500 sentences instead of 20,480."""

KILLS = 30


def write_reviews(path: Path, count: int) -> None:
    """Write many reviews, some of them unreadable and some of them doubled."""
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            text = f"The soup of table {n} was excellent. The bread was stale. We sat down."
            if n % 97 == 5:
                file.write('{"text": \n')
            else:
                review = {"text": text if n % 50 else "The same again.", "speaker": f"Guest {n}"}
                file.write(json.dumps(review) + "\n")


def command(*args: str) -> list[str]:
    return [sys.executable, "-c", SMALL_SPANS, *args]


def digests(folder: Path, name: str) -> dict[str, str]:
    files = [folder / name, folder / f"{name}.rejects.jsonl"]
    return {path.suffix: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_killed_thirty_times_and_still_whole(stance: Stance, suffix: str) -> None:
    folder = stance.folder
    write_reviews(folder / "reviews.jsonl", 6000)
    base = ["classify", "reviews.jsonl", "-m", "bundle"]

    def classify(out: str, *more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command(*base, "--out", out, *more),
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    begun = time.monotonic()
    whole = classify(f"whole{suffix}")
    _, said = whole.communicate()
    assert whole.returncode == 0, said.decode()
    lasts = time.monotonic() - begun

    out, killed, ended = f"broken{suffix}", 0, 0
    for number in range(KILLS // 3):  # three formats
        running = classify(out, "--resume")
        try:
            running.wait(timeout=0.8 * lasts * (number * 0.618 % 1))  # spread evenly
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
        _, said = running.communicate()
        if running.returncode == 0:  # it came to its end: begin again
            ended += 1
            assert digests(folder, out) == digests(folder, f"whole{suffix}")
            (folder / out).unlink()
        else:  # a kill may come just after the end, so what counts is how it ended
            killed += 1
            assert running.returncode == -signal.SIGKILL, said.decode()
    last = classify(out, "--resume")
    _, said = last.communicate()
    assert last.returncode == 0, said.decode()
    assert digests(folder, out) == digests(folder, f"whole{suffix}")
    assert not (folder / f".{out}.job").exists()
    assert killed + ended == KILLS // 3
    assert killed >= KILLS // 6


def test_what_was_kept_is_offered_and_checked(stance: Stance) -> None:
    folder = stance.folder
    write_reviews(folder / "reviews.jsonl", 9000)  # enough for another command to meet this one
    base = ("classify", "reviews.jsonl", "-m", "bundle", "--out", "out.csv")
    running = subprocess.Popen(
        command(*base),
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while not (folder / ".out.csv.job" / "part-000001.json").exists():
        assert running.poll() is None
        time.sleep(0.01)
    stance(*base).failed(4, "another process writes it")
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130
    assert "labelled sentences are kept; go on with --resume" in said.decode()
    stance(*base).failed(4, "did not finish", "--resume", "--restart")
    stance(*base, "--resume", "--restart").failed(2, "not both")
    stance(*base, "--resume", "--abstain-within", "0.2").failed(4, "abstain: 0.0 before, 0.2 now")
    with (folder / "reviews.jsonl").open("a") as file:
        file.write('{"text": "One more."}\n')
    stance(*base, "--resume").failed(4, "cannot be resumed", "input reviews.jsonl")
    stance(*base, "--restart", code=0)
    assert not (folder / ".out.csv.job").exists()
