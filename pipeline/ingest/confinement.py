"""Run readers whose libraries may run away in a process of its own, within time and memory.

PDF, Word, HTML and Parquet are read by large libraries, partly in C and C++, which hostile files
drive into endless loops, gigabytes of memory or a crash. Their process is ended then, the document
is rejected, and the next one gets a new process. Otherwise the process is kept for the next
document, since starting one takes about as long as reading fifty pages.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO, cast

from pipeline.ingest.messages import ClosedError, receive, send
from pipeline.ingest.raw import ALL_ROWS, Group, RawDocument, Reader, Rows
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

_SECONDS_TO_START = 120.0
_Sent = tuple[bool, dict[str, Any]]
"""Whether it is a rejection, and its fields; JSON knows no more of their types."""
_idle: list[_Worker] = []
"""Processes that wait for a document; each document that is being read has one of its own."""


def read_confined(
    reader: Reader,
    stream: BinaryIO,
    source: str,
    settings: IngestSettings,
    rows: Rows = ALL_ROWS,
) -> Iterator[RawDocument | Rejection]:
    """Yield what a reader yields, and a last rejection if it passes a limit or crashes.

    The limit of time holds for every answer, which is a whole document, or some rows of a table.

    Args:
        reader: one of the registry; the other process finds it by its suffix.
        stream: a file of the system, with a descriptor.
        source, settings: as for `Reader.read`.
        rows: which to read; not all of them only of a `RowsReader`.

    Raises:
        OSError: no process can be started.
    """
    given = 0
    while True:
        fresh = not _idle
        worker = _Worker() if fresh else _idle.pop()
        whole = False
        try:
            for item in islice(worker.read(reader, stream, source, settings, rows), given, None):
                given += 1
                yield item
            whole = True
            return
        except _EndedError as ended:
            # What a process read before must not decide what becomes of this document.
            if fresh or ended.reason is RejectReason.TIME_LIMIT:
                row = rows[0] + given
                location = f"from row {row + 1} on" if row else ""
                yield Rejection(source, location, ended.reason, ended.detail)
                return
        finally:
            if whole:
                _idle.append(worker)
            else:
                worker.stop()


def groups_confined(reader: Reader, stream: BinaryIO, settings: IngestSettings) -> list[Group]:
    """Return what `RowsReader.groups` does; nothing as well if it passes a limit or crashes.

    Raises:
        OSError: no process can be started.
    """
    worker = _Worker()
    try:
        return worker.groups(reader, stream, settings)
    except _EndedError:  # reading it will say why
        return []
    finally:
        worker.stop()


class _EndedError(Exception):
    """The process ended, or was ended, before it had read the document."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class _Worker:
    """A process that reads one document after the other."""

    def __init__(self) -> None:
        self._connection, other = socket.socketpair()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "pipeline.ingest.worker", str(other.fileno())],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                pass_fds=[other.fileno()],
            )
        try:
            self._connection.settimeout(_SECONDS_TO_START)
            receive(self._connection)
        except (ClosedError, TimeoutError):
            said = self._last_complaint()
            self.stop()
            raise RuntimeError(f"the process that reads documents did not start: {said}") from None

    def read(
        self,
        reader: Reader,
        stream: BinaryIO,
        source: str,
        settings: IngestSettings,
        rows: Rows,
    ) -> Iterator[RawDocument | Rejection]:
        """Yield the items of one document.

        Raises:
            _EndedError: the process did not come to the end.
        """
        wanted = {} if rows == ALL_ROWS else {"rows": rows}
        for answer in self._answers(reader, stream, settings, {"source": source, **wanted}):
            yield from map(_item, cast(list[_Sent], answer["items"]))

    def groups(self, reader: Reader, stream: BinaryIO, settings: IngestSettings) -> list[Group]:
        """Return what a table says it holds.

        Raises:
            _EndedError: the process did not come to the end.
        """
        (answer,) = self._answers(reader, stream, settings, {"groups": True})
        return [(count, size) for count, size in cast(list[list[int]], answer["groups"])]

    def _answers(
        self,
        reader: Reader,
        stream: BinaryIO,
        settings: IngestSettings,
        more: Mapping[str, object],
    ) -> Iterator[Mapping[str, object]]:
        """Send a request and yield the answers before the last one."""
        asked = settings.model_dump(mode="json")
        self._connection.settimeout(settings.max_seconds)
        try:
            request = {"suffix": reader.suffixes[0], "settings": asked, **more}
            send(self._connection, request, stream.fileno())
            while "end" not in (answer := receive(self._connection)[0]):
                if "memory" in answer:
                    raise _too_much_memory(settings)
                yield answer
        except TimeoutError:
            raise _too_slow(settings) from None
        except ClosedError:
            raise self._explained(reader, settings) from None

    def _explained(self, reader: Reader, settings: IngestSettings) -> _EndedError:
        """Return what the end of the process means for the document."""
        code = self._process.wait()
        said = self._last_complaint()
        if code == -signal.SIGXCPU:
            return _too_slow(settings)
        if "MemoryError" in said or "bad_alloc" in said:
            return _too_much_memory(settings)
        why = signal.Signals(-code).name if code < 0 else said
        return _EndedError(
            RejectReason.UNREADABLE,
            f"the reader of {reader.name} files crashed on it ({why}); it is damaged, or needs "
            f"more than {settings.max_memory:,} bytes of memory (max_memory)",
        )

    def _last_complaint(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "no message")

    def stop(self) -> None:
        """End the process at once; it holds nothing that would be lost."""
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._complaints.close()


def _too_slow(settings: IngestSettings) -> _EndedError:
    detail = f"reading it takes longer than {settings.max_seconds:g} seconds (max_seconds)"
    return _EndedError(RejectReason.TIME_LIMIT, detail)


def _too_much_memory(settings: IngestSettings) -> _EndedError:
    detail = f"reading it takes more than {settings.max_memory:,} bytes of memory (max_memory)"
    return _EndedError(RejectReason.MEMORY_LIMIT, detail)


def _item(sent: _Sent) -> RawDocument | Rejection:
    rejected, fields = sent
    if rejected:
        return Rejection(**{**fields, "reason": RejectReason(fields["reason"])})
    lists = {name: tuple(fields[name]) for name in ("pages", "unread")}
    return RawDocument(**{**fields, **lists})


def end_processes() -> None:
    """End the processes that wait; the next document gets a new one."""
    while _idle:
        _idle.pop().stop()


atexit.register(end_processes)
os.register_at_fork(after_in_child=_idle.clear)  # they belong to the parent
