"""Run the application: listen, answer, and end in good order."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from pipeline.bundle import Bundle
from pipeline.errors import OutputError, SettingsError
from pipeline.service.app import create_app
from pipeline.service.connections import punctual
from pipeline.service.limits import ServiceLimits

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """A server that says when it listens, and for which a signal is the normal end."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at a signal; unlike the original, do not raise it again afterwards."""
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(
    bundle: Bundle,
    limits: ServiceLimits,
    *,
    host: str,
    port: int,
    log: Callable[[str], None],
    on_started: Callable[[str], None],
) -> None:
    """Serve until a signal comes; then answer what is under way, and return.

    Args:
        port: 0 takes a free one.
        log: takes one line a request.
        on_started: takes the address, once connections are accepted.

    Raises:
        SettingsError: the host is not known.
        OutputError: the address is in use or not of this machine.
    """
    listener = _bound(host, port)
    name, number = listener.getsockname()[:2]
    shown = f"[{name}]" if ":" in name else name
    config = uvicorn.Config(
        create_app(bundle, limits, log),
        http=punctual(limits.seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=limits.grace,
    )
    server = _Server(config, lambda: on_started(f"http://{shown}:{number}"))
    with listener:
        server.run(sockets=[listener])


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no valid name"
        raise SettingsError([f"host '{host}' is not known ({reason})"], where="options") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise OutputError(
            f"The service cannot listen on {host}:{port} ({error.strerror}). Choose another port "
            "with --port; 0 takes a free one."
        ) from None
    return listener
