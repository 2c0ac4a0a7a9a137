"""The only place that prints: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.records import Rejection, RejectReason
from pipeline.workflows.watcher import Watcher

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def out(text: str) -> None:
    """Print a result."""
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """Print a remark that is not a result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def error(text: str) -> None:
    """Print an error."""
    say(f"error: {text}")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print rows as a table; columns of numbers are set to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        title=Text(title) if title else None,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
    )
    for j, name in enumerate(header):
        numeric = bool(rows) and all(row[j][:1].isdigit() or row[j] in ("", "-") for row in rows)
        drawn.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=160)
    console.print(drawn)


def rejected(counts: Mapping[RejectReason, int], file: Path | None) -> None:
    """Say how many records were set aside, why, and where they are listed."""
    if counts:
        reasons = ", ".join(f"{n:,} {reason.value}" for reason, n in counts.items())
        listed = f" (listed in {file})" if file else ""
        say(f"{sum(counts.values()):,} set aside: {reasons}{listed}.")


def set_aside(rejections: Iterable[Rejection]) -> None:
    """Name every record that was set aside, for where no file lists them."""
    for rejection in rejections:
        say(f"set aside: {rejection.told}")


class _Quiet:
    """Notes only: for pipes and log files, where a progress bar would be noise."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        del what, done, total

    def note(self, text: str) -> None:
        say(text)


class _Bars:
    """One progress bar for each thing that is counted."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def progress(self, what: str, done: int, total: int | None) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)

    def note(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False)


@contextmanager
def watcher() -> Iterator[Watcher]:
    """Return a watcher that draws progress on a terminal and is quiet in pipes."""
    if not sys.stderr.isatty():
        yield _Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        Remaining(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bars(progress)
