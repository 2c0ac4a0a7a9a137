"""The tutorials do what they say: their commands run, and the lines they show are printed.

In a block of `console`, a line that begins with "$ " is a command. The lines below it, in order,
are lines of what it prints (white space may differ); "..." stands for anything, and on a line of
its own for any lines. Whether lines lie between two that are shown is not asked.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A command of a page and the lines that it is said to print."""

    command: str
    shown: tuple[str, ...]


def steps(page: Path) -> Iterator[Step]:
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield Step(command, tuple(shown))


def missing(step: Step, printed: str) -> str | None:
    """Return the first shown line that was not printed behind the ones before it."""
    # No terminal shows the byte order mark of CSV.
    lines = [" ".join(line.split()) for line in printed.replace("\ufeff", "").splitlines()]
    at = 0
    for line in step.shown:
        wanted = " ".join(line.split())
        if wanted in ("", "..."):
            continue
        pattern = re.compile(".*".join(map(re.escape, wanted.split("..."))))
        found = next((i for i in range(at, len(lines)) if pattern.fullmatch(lines[i])), None)
        if found is None:
            return line
        at = found + 1
    return None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the pages use of a checkout, and `stance` on the path."""
    for folder in ("seeds", "docs/examples", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / "project" / folder)
    command = tmp_path / "bin" / "stance"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pipeline.cli.app "$@"\n',
        encoding="utf-8",
    )
    command.chmod(0o755)
    return tmp_path / "project"


@pytest.mark.parametrize(
    "page",
    [
        "tutorial.md",
        pytest.param("own-codebook.md", marks=pytest.mark.slow),
        pytest.param("wrong-answers.md", marks=pytest.mark.slow),
    ],
)
def test_every_command_of_the_page_does_what_it_shows(page: str, checkout: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
    path = f"{checkout.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**kept, "PYTHONPATH": str(ROOT), "PATH": path}
    environment["PYTHONUNBUFFERED"] = "1"  # both streams in the order of a terminal
    asked = list(steps(ROOT / "docs" / page))
    assert len(asked) > 5
    for step in asked:
        done = subprocess.run(
            ["bash", "-c", step.command],
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        printed = done.stdout.decode()
        assert done.returncode == 0, f"$ {step.command}\n{printed}"
        lacking = missing(step, printed)
        assert lacking is None, f"$ {step.command}\ndoes not print\n{lacking}\nbut\n{printed}"


def test_a_line_that_is_not_printed_is_noticed() -> None:
    printed = "first line\n  second   line\n3 of 4\n"
    assert missing(Step("x", ("first line", "second line", "... of 4")), printed) is None
    assert missing(Step("x", ("...", "3 of 4")), printed) is None
    assert missing(Step("x", ("second line", "first line")), printed) == "first line"
    assert missing(Step("x", ("first",)), printed) == "first"
    assert missing(Step("x", ("3 of ...", "3 of 4")), printed) == "3 of 4"


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "seeds/**/*.md", "*/README.md", "*/*/README.md")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("page", dict.fromkeys(PAGES))
def test_what_a_page_links_to_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    paths = [(ROOT / page).parent / target for target in targets if "://" not in target]
    assert [str(path) for path in paths if not path.exists()] == []
