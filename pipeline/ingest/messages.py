"""JSON messages on a socket between `confinement` and `worker`, each after its length in bytes."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping

_LENGTH = struct.Struct("!Q")


class ClosedError(Exception):
    """The other side is gone."""


def send(
    connection: socket.socket, message: Mapping[str, object], descriptor: int | None = None
) -> None:
    """Send a message, and with it a copy of the descriptor of an open file.

    Raises:
        ClosedError: the other side is gone.
    """
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    descriptors = [] if descriptor is None else [descriptor]
    try:
        socket.send_fds(connection, [_LENGTH.pack(len(data))], descriptors)
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise ClosedError from error


def receive(connection: socket.socket) -> tuple[dict[str, object], int | None]:
    """Return the next message and the descriptor that came with it.

    Raises:
        ClosedError: the other side is gone.
        TimeoutError: nothing came for as long as the connection waits.
    """
    try:
        head, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, 1)
        head += _exactly(connection, _LENGTH.size - len(head)) if head else b""
        if not head:
            raise ClosedError
        data = _exactly(connection, _LENGTH.unpack(head)[0])
    except ConnectionResetError as error:
        raise ClosedError from error
    message: dict[str, object] = json.loads(data.decode("utf-8", "surrogatepass"))
    return message, descriptors[0] if descriptors else None


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, filled = memoryview(data), 0
    while filled < size:
        count = connection.recv_into(view[filled:])
        if not count:
            raise ClosedError
        filled += count
    return bytes(data)
