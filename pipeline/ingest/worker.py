"""The process in which `confinement` runs readers.

Started as `python -m pipeline.ingest.worker DESCRIPTOR`, with the descriptor of a connected socket.
It sends `{"ready": true}` once it can serve. A request names suffix, source and settings, and the
rows if they are not all, and comes with an open file. The answers are
`{"items": [[is a rejection, fields], ...]}`, any number of them, and last `{"end": true}`; if
`groups` are asked for, `{"groups": [[rows, bytes], ...]}` and the end. When memory runs out the
last is `{"memory": true}`, and the process ends, since what is left of it may be in pieces.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import BinaryIO, cast

from pipeline.ingest.messages import ClosedError, receive, send
from pipeline.ingest.raw import RawDocument, Reader, RowsReader
from pipeline.ingest.readers import READERS
from pipeline.records import Rejection
from pipeline.settings.ingest import IngestSettings

_ITEMS = 256
_CHARACTERS = 1_000_000
"""An answer holds at most so many items and, but for its last, so many characters."""
_LARGEST_OUTPUT = 1_000_000
"""Bytes; readers write nothing, libraries their complaints."""


def main() -> None:
    """Serve one request after the other until the other side closes the connection."""
    # An interrupt from the terminal reaches all its processes; this one ends with the other side.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_OUTPUT, _LARGEST_OUTPUT))
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        try:
            send(connection, {"ready": True})
            while True:
                request, descriptor = receive(connection)
                if descriptor is None:
                    raise ValueError("a request came without a file")
                try:
                    _serve(connection, request, descriptor)
                except MemoryError:
                    send(connection, {"memory": True})
                    return
        except ClosedError:
            return


def _serve(connection: socket.socket, request: Mapping[str, object], descriptor: int) -> None:
    settings = IngestSettings.model_validate(request["settings"])
    resource.setrlimit(resource.RLIMIT_AS, (settings.max_memory, resource.RLIM_INFINITY))
    with os.fdopen(descriptor, "rb") as stream:
        stream.seek(0)
        reader = READERS[str(request["suffix"])]
        _allow(settings.max_seconds)
        if "groups" in request:
            send(connection, {"groups": cast(RowsReader, reader).groups(stream, settings)})
        else:
            _send_items(connection, _items(reader, stream, request, settings), settings)
    send(connection, {"end": True})


def _items(
    reader: Reader, stream: BinaryIO, request: Mapping[str, object], settings: IngestSettings
) -> Iterator[RawDocument | Rejection | None]:
    source = str(request["source"])
    if "rows" not in request:
        return reader.read(stream, source, settings)
    start, stop = cast(list[int], request["rows"])
    return cast(RowsReader, reader).read_rows(stream, source, settings, (start, stop))


def _send_items(
    connection: socket.socket,
    items: Iterator[RawDocument | Rejection | None],
    settings: IngestSettings,
) -> None:
    """Send items as they come; for `None`, that reading goes on, all that waits."""
    waiting: list[RawDocument | Rejection] = []
    characters = 0
    for item in items:
        if item is not None:
            characters += len(item.text) if isinstance(item, RawDocument) else len(item.detail)
            waiting.append(item)
        if item is None or len(waiting) >= _ITEMS or characters >= _CHARACTERS:
            _answer(connection, waiting)
            waiting, characters = [], 0
            _allow(settings.max_seconds)
    _answer(connection, waiting)


def _allow(seconds: float) -> None:
    """Be ended by the system after so much work, should the other side no longer watch over it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _answer(connection: socket.socket, items: list[RawDocument | Rejection]) -> None:
    send(connection, {"items": [[isinstance(item, Rejection), asdict(item)] for item in items]})


if __name__ == "__main__":
    main()
