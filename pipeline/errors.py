"""Every failure a user can meet, with the exit code the command line ends with.

A message says what was got, what was expected, where, and what to do next. Exit codes are part of
the interface (documented in README.md): scripts may rely on them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import ClassVar


class StanceError(Exception):
    """Base of all expected failures; anything else that escapes is a bug (exit code 1)."""

    exit_code: ClassVar[int] = 1


class SettingsError(StanceError):
    """A configuration, codebook or option value is wrong. Carries all mistakes at once."""

    exit_code = 2

    def __init__(self, mistakes: Sequence[str], *, where: str) -> None:
        self.mistakes = tuple(mistakes)
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(f"{where}: {count}\n" + "\n".join(f"  - {m}" for m in mistakes))


class InputError(StanceError):
    """An input is missing, unreadable, or holds nothing usable."""

    exit_code = 3


class OutputError(StanceError):
    """An output cannot be written: no permission, no space, a folder in the way."""

    exit_code = 4


class BundleError(StanceError):
    """A model folder is incomplete, was changed, or does not match the codebook or this version."""

    exit_code = 5


class CheckFailed(StanceError):
    """A check or gate that was asked for found something wrong (data check, parity, promotion)."""

    exit_code = 6


class MissingExtra(StanceError):
    """A package is not installed: one of an extra, or, where `extra` is None, of stance itself."""

    exit_code = 7

    def __init__(self, package: str, extra: str | None, needed_for: str) -> None:
        advice = (
            "It belongs to stance itself; install that again, in the checkout: pip install ."
            if extra is None
            else f"Install the extra, in the checkout: pip install '.[{extra}]'"
        )
        super().__init__(
            f"{needed_for} needs the package '{package}', which is not installed. {advice}"
        )


class ShapeError(StanceError, ValueError):
    """An array does not have the shape its labels require."""


def near_matches(got: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" when a known name is close to `got`, else the known names."""
    names = sorted(known)
    close = difflib.get_close_matches(got, names, n=2, cutoff=0.6)
    if close:
        return " Did you mean " + " or ".join(f"'{name}'" for name in close) + "?"
    return " Known: " + ", ".join(names) + "." if names else ""
