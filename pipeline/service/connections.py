"""Connections that say nothing are closed."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class PunctualProtocol(H11Protocol):
    """The server's protocol, with a limit on the time until the headers of a request are whole.

    The server itself begins to count after its first answer, and stops with the first byte of the
    next request, so that a client that sends half of its headers would hold a connection for ever.
    """

    seconds: ClassVar[float]
    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on where headers are still to come, and no longer where they have."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._wait()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._waits is None:
            self._waits = self.loop.call_later(self.seconds, self.transport.close)

    def _stop(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


def punctual(seconds: float) -> type[PunctualProtocol]:
    """Return the protocol that waits so long for the headers of a request."""
    return type("Punctual", (PunctualProtocol,), {"seconds": seconds})
