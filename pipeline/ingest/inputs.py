"""From what a user names (files, folders, patterns, `-`) to the list of inputs to read."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError


@dataclass(frozen=True, slots=True)
class Stdin:
    """Standard input, written `-`."""

    def __str__(self) -> str:
        return "-"


Input = Path | Stdin


def find_inputs(patterns: Sequence[str]) -> tuple[Input, ...]:
    """Return every input that the patterns name, each once, in their order.

    A folder stands for all files in it and its subfolders, sorted by name; hidden files and
    folders, and what is no regular file (a pipe, a socket), are left out. Folders are entered once
    even if symbolic links lead to them in a circle. A folder that cannot be opened is returned
    itself, so that reading it reports why. An existing path is never taken for a glob.

    Raises:
        InputError: some patterns name nothing; the message lists all of them, with near matches.
    """
    found: dict[str, Input] = {}
    nothing: list[str] = []
    for pattern in patterns:
        if pattern == "-":
            found.setdefault("-", Stdin())
            continue
        paths = [path for named in _named(pattern) for path in _files(named)]
        if not paths:
            nothing.append(_explain(pattern))
        for path in paths:
            found.setdefault(str(path.resolve()), path)
    if nothing:
        count = "1 input names" if len(nothing) == 1 else f"{len(nothing)} inputs name"
        raise InputError(f"{count} nothing to read:\n" + "\n".join(f"  - {m}" for m in nothing))
    return tuple(found.values())


def _named(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if os.path.lexists(path):
        return [path]
    # Path.glob takes no absolute pattern and would match hidden files.
    names = glob.glob(str(path), recursive=True)  # noqa: PTH207
    return [Path(name) for name in sorted(names)]


def _files(path: Path) -> Iterator[Path]:
    """Yield `path`, or what a folder holds; links to folders are followed, but not in circles."""
    if path.is_dir():
        yield from _folder(path, set())
    else:
        yield path


def _folder(folder: Path, entered: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder
        return
    if (status.st_dev, status.st_ino) in entered:
        return
    entered.add((status.st_dev, status.st_ino))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _folder(entry, entered)
        elif entry.is_file() or not entry.exists():  # a broken link is reported when read
            yield entry


def _explain(pattern: str) -> str:
    path = Path(pattern).expanduser()
    if path.is_dir():
        return f"'{pattern}': the folder holds no files (hidden ones are left out)"
    if glob.has_magic(pattern):
        return f"'{pattern}': no file matches this pattern"
    parent = path.parent
    if not parent.is_dir():
        return f"'{pattern}': there is no folder '{parent}'"
    try:
        names = [entry.name for entry in parent.iterdir()]
    except OSError as error:
        return f"'{pattern}': the folder '{parent}' cannot be read ({error.strerror})"
    close = difflib.get_close_matches(path.name, names, n=3)
    hint = "; did you mean " + " or ".join(f"'{parent / name}'" for name in close) + "?"
    return f"'{pattern}': no such file or folder" + (hint if close else "")
