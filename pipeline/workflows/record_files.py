"""Records as JSON lines: statements, sentences and rejections between the stages."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import InputError, OutputError
from pipeline.ingest.inputs import REJECTS_SUFFIX
from pipeline.output import whole_file
from pipeline.records import Rejection, RejectReason, Sentence, Statement

Record = TypeVar("Record", Statement, Sentence, Rejection)


def write_records(path: Path, records: Iterable[Statement | Sentence | Rejection]) -> int:
    """Write records as JSON lines, whole or not at all; return how many.

    Raises:
        OutputError: the file cannot be written.
    """
    count = 0
    with whole_file(path) as file:
        for count, record in enumerate(records, start=1):  # noqa: B007 - the count is the result
            file.write(to_line(record))
    return count


def to_line(record: Statement | Sentence | Rejection) -> bytes:
    """Return a record as one JSON line; lone surrogates are kept as escapes."""
    line = json.dumps(asdict(record), ensure_ascii=False)
    return line.encode("utf-8", "backslashreplace") + b"\n"


def read_records(path: Path, kind: type[Record]) -> Generator[Record, None, None]:
    """Yield the records that `write_records` wrote.

    Raises:
        InputError: the file is missing, or a line is not such a record.
    """
    adapter = TypeAdapter(kind)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield adapter.validate_python(json.loads(line))
                except (ValidationError, ValueError, RecursionError) as error:
                    reason = str(error).splitlines()[0]
                    raise InputError(
                        f"{path}:{number}: not a {kind.__name__} record ({reason}). Make the file "
                        "again with the stage that writes it."
                    ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None


class Rejects:
    """Collects rejections by reason and writes them beside an output, if there are any.

    Beyond the first million bytes they wait in a temporary file, so that memory stays flat.
    """

    def __init__(self, given: Iterable[Rejection] = ()) -> None:
        self.counts: Counter[RejectReason] = Counter()
        self.first: Rejection | None = None
        lines = tempfile.SpooledTemporaryFile(max_size=1_000_000)  # noqa: SIM115
        weakref.finalize(self, lines.close)  # it lives as long as this object
        self._lines = lines
        for rejection in given:
            self.add(rejection)

    @property
    def example(self) -> str:
        """The first one as a sentence, with a blank before it; empty where there is none."""
        first = self.first
        return f" First: {first.where}: {first.detail.rstrip('.')}." if first else ""

    def add(self, rejection: Rejection) -> None:
        """Keep a rejection.

        Raises:
            OutputError: there are many, and the folder for temporary files is full.
        """
        self.counts[rejection.reason] += 1
        self.first = self.first or rejection
        with self._waiting() as lines:
            lines.write(to_line(rejection))

    def __iter__(self) -> Iterator[Rejection]:
        """Yield all rejections in order."""
        adapter = TypeAdapter(Rejection)
        with self._waiting() as lines:
            lines.seek(0)
        for line in lines:
            yield adapter.validate_python(json.loads(line))

    def write(self, path: Path) -> None:
        """Write the rejects file, or remove one that an earlier run left.

        Raises:
            OutputError: it cannot be written or removed, as when a folder has its name.
        """
        if self.counts:
            with self._waiting() as lines:
                lines.seek(0)
            with whole_file(path) as file:
                shutil.copyfileobj(lines, file)
        else:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{path}: nothing was set aside, but what is there cannot be removed "
                    f"({error.strerror}). Move it away, or give the output another name."
                ) from None

    @contextmanager
    def _waiting(self) -> Generator[IO[bytes], None, None]:
        """Use what waits, for writing it; when that fails it is given up."""
        try:
            yield self._lines
        except OSError as error:
            with suppress(OSError):  # closing writes once more what could not be written
                self._lines.close()
            raise OutputError(
                f"{tempfile.gettempdir()}: cannot be written ({error.strerror}). What is set aside "
                "waits there; make room, or name another folder in TMPDIR."
            ) from None


def rejects_path(output: Path) -> Path:
    """Return where the rejects of `output` go: its whole name with `REJECTS_SUFFIX` behind it.

    The whole name, so that statements.jsonl and statements.csv do not share one.
    """
    return output.with_name(f"{output.name}{REJECTS_SUFFIX}")
