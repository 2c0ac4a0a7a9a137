"""How a workflow tells its caller what happens; the command line draws it, tests record it."""

from __future__ import annotations

from typing import Protocol


class Watcher(Protocol):
    """Receives progress and notes. `total` is `None` where the end is not known."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` units of `what` are done."""

    def note(self, text: str) -> None:
        """Report something worth a line."""


class Silent:
    """A watcher that ignores everything."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""
