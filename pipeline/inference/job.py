"""A job that survives its process: finished parts beside the output, until the output is whole.

The parts of OUT stand in the folder `.OUT.job`. A part holds the rows of one span of sentences and
counts once its counts are written as well, so a process may be killed at any moment: what is there
is whole. Since spans do not hang on each other, a resumed job gives the bytes of an unbroken one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from pipeline.errors import OutputError
from pipeline.inference.engine import SPAN
from pipeline.inference.rows import Row, RowFormat
from pipeline.inference.sinks import Format, Sink, format_of, sink_on
from pipeline.ingest import Input
from pipeline.output import require_file_name, whole_file, write_text

Key = tuple[str, ...]
Identity = Mapping[str, str]
Progress = Callable[[int], None]

ROWS: Key = ("rows",)
SENTENCES: Key = ("sentences",)
WRITE_EVERY = 1024
"""Rows handed to a sink at once."""

_JOB, _LOCK = "job.json", "lock"


class Unfinished(StrEnum):
    """What to do where an earlier job left its output unfinished."""

    REFUSE = "refuse"
    RESUME = "resume"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class CountedRow:
    """A row, what it counts as, and whether it is a labelled sentence, which spans consist of."""

    row: Row
    counts: tuple[Key, ...] = ()
    labelled: bool = True


class Output(ABC):
    """Takes rows. `counts` is of all rows written, in earlier processes as well."""

    def __init__(self) -> None:
        self.counts: Counter[Key] = Counter()

    @abstractmethod
    def write(self, rows: Iterable[CountedRow], progress: Progress) -> None:
        """Write all rows, those behind the sentences counted so far."""

    @abstractmethod
    def finish(self) -> None:
        """Make what was written visible as a whole."""


class StreamOutput(Output):
    """Rows go straight into an open sink, for standard output; nothing can be resumed."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink

    def write(self, rows: Iterable[CountedRow], progress: Progress) -> None:
        """Write all rows."""
        _fill(self._sink, rows, self.counts, lambda: progress(self.counts[ROWS]))

    def finish(self) -> None:
        """Write what the format needs at its end."""
        self._sink.finish()


class JobOutput(Output):
    """Rows go into parts of one span each, which are joined at the end."""

    def __init__(self, folder: Path, target: Path, rows: RowFormat, format_: Format) -> None:
        super().__init__()
        self._folder, self._target, self._rows = folder, target, rows
        self._format = format_
        self._parts: list[Path] = []
        self._ended = False
        while (counts := self._counts_of(part := self._part(len(self._parts)))) is not None:
            self._parts.append(part)
            self.counts += counts
            self._ended = counts[SENTENCES] < SPAN  # only the last span of an input is shorter

    @property
    def kept(self) -> int:
        """How many sentences stand in finished parts."""
        return self.counts[SENTENCES] if self._parts else 0

    def write(self, rows: Iterable[CountedRow], progress: Progress) -> None:
        """Write all rows, part by part.

        Where the part with the end of the input is there already, rows are read but not written:
        those without a label that stand behind the last sentence are in it.

        Raises:
            OutputError: the disk is full or the folder cannot be written.
        """
        waiting = iter(rows)
        if self._ended:
            deque(waiting, maxlen=0)
        while (first := next(waiting, None)) is not None:
            part = self._part(len(self._parts))
            counts: Counter[Key] = Counter()
            before = self.counts[ROWS]

            def report(counts: Counter[Key] = counts, before: int = before) -> None:
                progress(before + counts[ROWS])

            with (
                whole_file(part) as file,
                sink_on(file, self._format, self._rows, begins=not self._parts) as sink,
            ):
                _fill(sink, _one_span(first, waiting), counts, report)
            write_text(part.with_suffix(".json"), json.dumps(listed(counts)))  # now it counts
            self._parts.append(part)
            self.counts += counts

    def finish(self) -> None:
        """Join the parts into the output and remove the job's folder.

        Raises:
            OutputError: the output cannot be written.
        """
        with whole_file(self._target) as file:
            self._format.join(self._parts, file, self._rows)
        discard(self._folder)

    def _part(self, number: int) -> Path:
        return self._folder / f"part-{number:06d}{self._target.suffix.lower()}"

    def _counts_of(self, part: Path) -> Counter[Key] | None:
        path = part.with_suffix(".json")
        try:
            return unlisted(read_json(path))
        except FileNotFoundError:
            return None


@contextmanager
def open_output(
    target: str,
    rows: RowFormat,
    stdout: BinaryIO | None,
    identity: Identity,
    unfinished: Unfinished,
    *,
    raw_cells: bool = False,
) -> Iterator[Output]:
    """Open an output by its name: the format goes by its ending, "-" is JSON lines on `stdout`.

    Args:
        identity: all that the rows hang on, by name; a job goes on only where it is the same.
        raw_cells: write CSV without guarding cells that a spreadsheet would run as a formula.

    Raises:
        SettingsError: the ending names no format, or has no cells that could be raw.
        OutputError: it cannot be written, another process writes it, or it was left unfinished and
            `unfinished` refuses or the unfinished job has another identity.
    """
    format_ = format_of(target, raw_cells=raw_cells)
    if target == "-":
        if stdout is None:
            raise OutputError("There is no standard output to write to; give a file name.")
        yield StreamOutput(format_.make(stdout, rows, True))
        return
    path = Path(target)
    require_file_name(path)
    folder = path.with_name(f".{path.name}.job")
    with locked(folder, path):
        take_up(folder, path, identity, unfinished)
        yield JobOutput(folder, path, rows, format_)


def inputs_identity(inputs: Sequence[Input]) -> dict[str, str]:
    """Return the SHA-256 of every input file, by "input " and its path.

    What is no regular file can be read once only, so it has none: its entry is empty, and a job
    that reads it cannot be resumed.
    """
    return {f"input {named}": _sha256(named) for named in inputs}


def resumable(identity: Identity) -> bool:
    """Return whether a job of this identity could be told from one of other inputs."""
    return all(value for name, value in identity.items() if name.startswith("input "))


def _sha256(named: Input) -> str:
    if not isinstance(named, Path) or not named.is_file():
        return ""
    try:
        with named.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _fill(
    sink: Sink, rows: Iterable[CountedRow], counts: Counter[Key], report: Callable[[], None]
) -> None:
    block: list[Row] = []
    for counted in rows:
        block.append(counted.row)
        counts[ROWS] += 1
        counts.update(counted.counts)
        counts[SENTENCES] += counted.labelled
        if len(block) == WRITE_EVERY:
            sink.write(block)
            block = []
            report()
    sink.write(block)
    report()


def _one_span(first: CountedRow, waiting: Iterator[CountedRow]) -> Iterator[CountedRow]:
    """Yield rows up to the last sentence of a span, or the end."""
    yield first
    labelled = int(first.labelled)
    while labelled < SPAN and (row := next(waiting, None)) is not None:
        labelled += row.labelled
        yield row


@contextmanager
def locked(folder: Path, target: Path) -> Iterator[None]:
    """Hold the job's folder against other processes; remove it at the end if it holds no part.

    The folder is made if it is not there. A signal may end the process at any moment, so what
    removes the folder stands around all that follows its making.

    Raises:
        OutputError: another process holds it, or it cannot be made.
    """
    lock = FileLock(folder / _LOCK, timeout=0)
    ours = True
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            ours = False
            raise OutputError(
                f"{target}: another process writes it. Wait for its end or give another name."
            ) from None
        except OSError as error:
            raise OutputError(f"{target}: cannot be written ({error.strerror}).") from None
        yield
    finally:
        if ours and not any(folder.glob("part-*.json")):
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def listed(counts: Counter[Key]) -> list[list[str | int]]:
    """Return counts as JSON can hold them."""
    return [[*key, n] for key, n in sorted(counts.items())]


def unlisted(rows: Iterable[Sequence[Any]]) -> Counter[Key]:
    """Inverse of `listed`."""
    return Counter({tuple(key): n for *key, n in rows})


def read_json(path: Path) -> Any:
    """Return what a file of a job holds.

    Raises:
        FileNotFoundError: it is not there.
        OutputError: it is not what was written.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise OutputError(
            f"{path}: was changed and cannot be read ({error}). Add --restart to begin anew."
        ) from None


def take_up(folder: Path, target: Path, identity: Identity, unfinished: Unfinished) -> None:
    """Go on with the job on `target` that its folder holds, or begin one there.

    The folder of one that begins holds nothing but the lock and its job.json: a part that is there
    counts as done, whichever job wrote it.

    Raises:
        OutputError: see `settle_unfinished`; or the folder cannot be written.
    """
    if (folder / _JOB).exists():
        settle_unfinished(folder, target, identity, unfinished)
    if (folder / _JOB).exists():
        return
    try:
        for left in folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != _LOCK:
                left.unlink()
    except OSError as error:
        raise OutputError(
            f"{folder}: what an earlier job left there cannot be removed ({error.strerror})."
        ) from None
    write_text(folder / _JOB, json.dumps(dict(identity), indent=1))


def discard(folder: Path) -> None:
    """Empty the folder of a job that has come to its end; who holds its lock removes it.

    The lock stays: without it another process could begin here, and lose its folder to this one.
    """
    (folder / _JOB).unlink(missing_ok=True)  # first: without it, what is left is nothing
    for left in folder.iterdir():
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        elif left.name != _LOCK:
            left.unlink(missing_ok=True)


def settle_unfinished(
    folder: Path, target: Path, identity: Identity, unfinished: Unfinished
) -> None:
    """Decide about what an earlier job on `target` left: keep it, remove it, or refuse.

    Where nothing is kept its job.json is removed; what is worth keeping lies in part-*.json.

    Raises:
        OutputError: refused, or the job cannot be resumed because its identity is another one.
    """
    if unfinished is Unfinished.RESTART or not any(folder.glob("part-*.json")):
        (folder / _JOB).unlink()
        return
    if unfinished is Unfinished.REFUSE:
        raise OutputError(
            f"{target}: an earlier job did not finish; what it did is kept in {folder}. Add "
            "--resume to go on with it, or --restart to begin anew."
        )
    before = dict(read_json(folder / _JOB))
    changed = sorted(k for k in {*before, *identity} if before.get(k) != identity.get(k))
    if changed:
        shown = "; ".join(
            f"{name}: {before.get(name, 'not there')} before, {identity.get(name, 'not there')} now"
            for name in changed[:3]
        )
        raise OutputError(
            f"{target}: the unfinished job cannot be resumed, because {len(changed)} of the things "
            f"it hangs on changed: {shown}. Give what it was started with, or add --restart to "
            "begin anew."
        )
    if not resumable(identity):
        raise OutputError(
            f"{target}: the unfinished job cannot be resumed, because its input is no file and may "
            "have changed. Add --restart to begin anew."
        )
