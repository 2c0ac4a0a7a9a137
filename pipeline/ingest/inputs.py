"""From what a user names (files, folders, patterns, `-`) to the list of inputs to read."""

from __future__ import annotations

import difflib
import errno
import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError


@dataclass(frozen=True, slots=True)
class Stdin:
    """Standard input, written `-`."""

    def __str__(self) -> str:
        return "-"


Input = Path | Stdin

REJECTS_SUFFIX = ".rejects.jsonl"
"""How the name of a list ends that a stage wrote of what it could not read."""


def find_inputs(patterns: Sequence[str], *, outputs: Sequence[Path] = ()) -> tuple[Input, ...]:
    """Return every input that the patterns name, each once, in their order.

    A folder stands for all files in it and its subfolders, sorted by name; hidden files and
    folders, lists of rejects, and what is no regular file (a pipe, a socket), are left out. Folders
    are entered once even if symbolic links lead to them in a circle. A folder that cannot be opened
    is returned itself, so that reading it reports why. An existing path is never taken for a glob.

    Args:
        outputs: files and folders that will be written. Found in a folder or by a glob, they and
            what lies in them are left out.

    Raises:
        InputError: an output is named as an input, or some patterns name nothing; the message
            lists all of these, with near matches.
    """
    found: dict[str, Input] = {}
    nothing: list[str] = []
    written = frozenset(os.path.realpath(output) for output in outputs)
    for pattern in patterns:
        if pattern == "-":
            _refuse_redirected(outputs)
            found.setdefault("-", Stdin())
            continue
        named = _named(pattern)
        if named == [_expanded(pattern)] and not _is_folder(named[0]):
            refuse_output(named[0], outputs)
        files = [path for one in named for path in _files(one)]
        paths = [path for path in files if not _is_within(path, written)]
        if not paths:
            nothing.append(
                f"'{pattern}': holds nothing but what is to be written"
                if files
                else _explain(pattern)
            )
        for path in paths:
            found.setdefault(os.path.realpath(path), path)
    if nothing:
        count = "1 input names" if len(nothing) == 1 else f"{len(nothing)} inputs name"
        raise InputError(f"{count} nothing to read:\n" + "\n".join(f"  - {m}" for m in nothing))
    return tuple(found.values())


def refuse_output(named: Path, outputs: Sequence[Path]) -> None:
    """Make sure that a file to be read is not one that will be written.

    Raises:
        InputError: it is one of the outputs, also by way of symbolic links.
    """
    real = os.path.realpath(named)
    for output in outputs:
        if os.path.realpath(output) == real:
            raise InputError(_overwritten(f"'{named}'", output))


def refuse_outputs(named: Iterable[Path | None], outputs: Iterable[Path | None]) -> None:
    """Make sure that no file to be read is one that will be written; `None` stands for no file.

    Raises:
        InputError: one is, also by way of symbolic links.
    """
    written = [output for output in outputs if output is not None]
    for one in named:
        if one is not None:
            refuse_output(one, written)


def _refuse_redirected(outputs: Sequence[Path]) -> None:
    """Refuse a standard input that the shell redirected from a file that will be written."""
    try:
        redirected = os.fstat(0)
    except OSError:  # closed
        return
    for output in outputs:
        status = _status(output)
        if status and stat.S_ISREG(status.st_mode) and os.path.samestat(status, redirected):
            raise InputError(_overwritten("standard input ('-')", output))


def _overwritten(named: str, output: Path) -> str:
    return (
        f"The input {named} is the file that '{output}' is to be written to, which would replace "
        "it. Give the output another name."
    )


def _is_within(path: Path, written: frozenset[str]) -> bool:
    real = Path(os.path.realpath(path))
    return any(str(place) in written for place in (real, *real.parents))


def _expanded(pattern: str) -> Path:
    try:
        return Path(pattern).expanduser()
    except RuntimeError:  # no such user: the name as it stands
        return Path(pattern)


def _status(path: Path) -> os.stat_result | None:
    """Return the status of what a path leads to, `None` if nothing or nothing accessible."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _is_folder(path: Path) -> bool:
    status = _status(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def _named(pattern: str) -> list[Path]:
    path = _expanded(pattern)
    if os.path.lexists(path):
        return [path]
    # Path.glob takes no absolute pattern and would match hidden files.
    names = glob.glob(str(path), recursive=True)  # noqa: PTH207
    return [Path(name) for name in sorted(names)]


def _files(path: Path) -> Iterator[Path]:
    """Yield `path`, or what a folder holds; links to folders are followed, but not in circles."""
    if not _is_folder(path):
        yield path
        return
    waiting, entered = [path], set[tuple[int, int]]()  # no recursion: folders may be very deep
    while waiting:
        here = waiting.pop()
        found = _status(here)
        # A broken link, or a path that is too long, is reported when it is read.
        if found is None or stat.S_ISREG(found.st_mode):
            yield here
        elif stat.S_ISDIR(found.st_mode) and (found.st_dev, found.st_ino) not in entered:
            entered.add((found.st_dev, found.st_ino))
            try:
                entries = sorted(here.iterdir(), reverse=True)
            except OSError:
                yield here
                continue
            waiting += [
                entry
                for entry in entries
                if not entry.name.startswith(".") and not entry.name.endswith(REJECTS_SUFFIX)
            ]


def _explain(pattern: str) -> str:
    path = _expanded(pattern)
    if _is_folder(path):
        return f"'{pattern}': the folder holds no files (left out: hidden ones, lists of rejects)"
    if glob.has_magic(pattern):
        return f"'{pattern}': no file matches this pattern"
    try:
        path.lstat()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            return f"'{pattern}': cannot be read ({error.strerror})"
    except ValueError as error:
        return f"'{pattern}': is no name of a file ({error})"
    parent = path.parent
    if not _is_folder(parent):
        return f"'{pattern}': there is no folder '{parent}'"
    try:
        names = [entry.name for entry in parent.iterdir()]
    except OSError as error:
        return f"'{pattern}': the folder '{parent}' cannot be read ({error.strerror})"
    close = difflib.get_close_matches(path.name, names, n=3)
    hint = "; did you mean " + " or ".join(f"'{parent / name}'" for name in close) + "?"
    return f"'{pattern}': no such file or folder" + (hint if close else "")
