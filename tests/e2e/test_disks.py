"""Folders that cannot be written and disks that are full: told, with exit code 4, and no row lost.

A full disk is a limit on the size of files, beyond which the kernel refuses bytes. In a read-only
folder a user may not write; root gives up the capability that lets it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
POWERS = "-dac_override,-dac_read_search"
AS_A_USER = ("setpriv", "--bounding-set", POWERS, "--inh-caps", POWERS) if not os.geteuid() else ()


class Stance(Protocol):
    """The fixture `stance`: the command in a folder."""

    folder: Path

    def files(self) -> set[str]: ...


Ended = subprocess.CompletedProcess[str]


def run(
    stance: Stance, *args: str, limit: int | None = None, temporary: Path | None = None
) -> Ended:
    """Run the command with spans of 100 sentences and, at will, files of `limit` bytes at most."""
    code = (
        "import resource\n"
        f"limit = {limit}\n"
        "if limit:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "from pipeline.inference import engine, job\n"
        "engine.CHUNK, engine.SPAN = 50, 100\n"
        "job.SPAN = engine.SPAN\n"
        "from pipeline.cli.app import main\n"
        "main()\n"
    )
    return subprocess.run(
        [*AS_A_USER, sys.executable, "-c", code, *args],
        cwd=stance.folder,
        env=ENVIRONMENT | ({"TMPDIR": str(temporary)} if temporary else {}),
        capture_output=True,
        text=True,
        timeout=300,
    )


def refused(ended: Ended, *parts: str) -> None:
    """The command told in one message why it could not write, and that without a traceback."""
    assert ended.returncode == 4, ended.stderr
    assert ended.stderr.count("error: ") == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    for part in parts:
        assert part in ended.stderr


@pytest.fixture
def locked(stance: Stance) -> Iterator[Path]:
    folder = stance.folder / "locked"
    folder.mkdir()
    (folder / "p.jsonl").write_text("old")
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


@pytest.mark.parametrize("name", ["p.jsonl", "new.csv", "new.parquet", "deeper/new.jsonl"])
def test_output_into_a_read_only_folder(stance: Stance, locked: Path, name: str) -> None:
    before = stance.files()
    ended = run(stance, "classify", "docs", "-m", "bundle", "-o", f"locked/{name}")
    refused(ended, f"locked/{name}: cannot be written (Permission denied).")
    assert stance.files() == before
    assert (locked / "p.jsonl").read_text() == "old"


@pytest.mark.parametrize(
    "args",
    [
        ("ingest", "docs", "-o", "locked/s.jsonl"),
        ("report", "p.jsonl", "-m", "bundle", "-o", "locked/r.html"),
    ],
)
def test_other_commands_into_a_read_only_folder(
    stance: Stance, locked: Path, args: tuple[str, ...]
) -> None:
    assert run(stance, "classify", "docs", "-m", "bundle", "-o", "p.jsonl").returncode == 0
    before = stance.files()
    refused(run(stance, *args), f"{args[-1]}: cannot be written (Permission denied).")
    assert stance.files() == before


def write_reviews(path: Path, count: int) -> None:
    """Write `count` reviews of two sentences, and after every fourth a row without text."""
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            file.write(json.dumps({"text": f"The soup of table {n} was good. We sat down."}) + "\n")
            if n % 4 == 0:
                file.write('{"text": " ", "id": "' + "x" * 80 + '"}\n')


BASE = ("classify", "reviews.jsonl", "-m", "bundle")


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_disk_that_fills_as_the_parts_are_joined(stance: Stance, suffix: str) -> None:
    write_reviews(stance.folder / "reviews.jsonl", 500)
    assert run(stance, *BASE, "-o", f"whole.{suffix}").returncode == 0
    whole = (stance.folder / f"whole.{suffix}").read_bytes()
    limit = len(whole) - 1000  # more than any part has, and than what is set aside
    ended = run(stance, *BASE, "-o", f"p.{suffix}", limit=limit)
    refused(ended, f"p.{suffix}: cannot be written (File too large).", "go on with --resume")
    assert not (stance.folder / f"p.{suffix}").exists()
    again = run(stance, *BASE, "-o", f"p.{suffix}", "--resume")
    assert again.returncode == 0, again.stderr
    assert "1,000 sentences were labelled before" in again.stderr
    assert (stance.folder / f"p.{suffix}").read_bytes() == whole
    rejects = [(stance.folder / f"{n}.{suffix}.rejects.jsonl").read_bytes() for n in ("whole", "p")]
    assert rejects[0] == rejects[1]
    assert rejects[0].count(b"\n") == 125


def test_a_disk_that_fills_in_the_middle_of_a_job(stance: Stance) -> None:
    """The rows of finished parts are kept; with room again they come out once."""
    with (stance.folder / "reviews.jsonl").open("w", encoding="utf-8") as file:
        for n in range(300):
            text = f"The soup of table {n} was good" + (" indeed" * (n // 2)) + "."
            file.write(json.dumps({"text": text}) + "\n")
    assert run(stance, *BASE, "-o", "whole.jsonl").returncode == 0
    ended = run(stance, *BASE, "-o", "p.jsonl", limit=90_000)
    refused(ended, "part-000001.jsonl: cannot be written (File too large).", "100 labelled")
    again = run(stance, *BASE, "-o", "p.jsonl", "--resume")
    assert "100 sentences were labelled before" in again.stderr
    whole = (stance.folder / "whole.jsonl").read_bytes()
    assert (stance.folder / "p.jsonl").read_bytes() == whole
    assert whole.count(b"\n") == 300


def test_no_room_for_what_is_set_aside(stance: Stance) -> None:
    write_reviews(stance.folder / "reviews.jsonl", 40)
    assert run(stance, *BASE, "-o", "whole.jsonl").returncode == 0
    (stance.folder / "p.jsonl.rejects.jsonl").mkdir()
    ended = run(stance, *BASE, "-o", "p.jsonl")
    refused(ended, "p.jsonl.rejects.jsonl: is a folder")
    assert not (stance.folder / "p.jsonl").exists()
    (stance.folder / "p.jsonl.rejects.jsonl").rmdir()
    assert run(stance, *BASE, "-o", "p.jsonl", "--resume").returncode == 0
    for name in ("{}.jsonl", "{}.jsonl.rejects.jsonl"):
        whole, resumed = ((stance.folder / name.format(n)).read_bytes() for n in ("whole", "p"))
        assert whole == resumed


def test_a_full_folder_for_temporary_files(stance: Stance) -> None:
    """What is set aside waits there beyond a million bytes."""
    with (stance.folder / "reviews.jsonl").open("w", encoding="utf-8") as file:
        for n in range(8000):
            file.write(json.dumps({"text": " ", "id": f"{n} " + "x" * 80}) + "\n")
    (stance.folder / "tmp").mkdir()
    ended = run(stance, *BASE, "-o", "p.jsonl", limit=1_100_000, temporary=stance.folder / "tmp")
    refused(ended, f"{stance.folder / 'tmp'}: cannot be written (File too large)", "TMPDIR")
    assert "p.jsonl" not in stance.files()
