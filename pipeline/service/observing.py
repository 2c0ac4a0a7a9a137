"""What surrounds every answer: headers that keep browsers careful, a line of log, the counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.service.metrics import OTHER_PATH, Metrics

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SENTENCES = "sentences"
"""Key of the state of a request: how many sentences its answer has."""

_CLIENT_LEFT = 499  # as nginx logs it
_LONGEST_PATH = 60


@dataclass(frozen=True)
class Observer:
    """ASGI middleware around everything; `log` takes one line a request, without any text of it."""

    app: ASGIApp
    metrics: Metrics
    paths: frozenset[str]
    log: Callable[[str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), _CLIENT_LEFT

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        state = scope.setdefault("state", {})
        try:
            await self.app(scope, receive, observed)
        finally:
            seconds = time.perf_counter() - begun
            known = scope["path"] in self.paths
            self.metrics.request(scope["path"] if known else OTHER_PATH, status, seconds)
            sentences = state.get(SENTENCES, 0)
            self.metrics.sentences.inc(sentences)
            path = scope["path"] if known else quote(scope["path"])[:_LONGEST_PATH]
            counted = f", {sentences:,} sentences" if sentences else ""
            at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            self.log(f"{at} {scope['method']} {path} {status}{counted}, {1000 * seconds:.0f} ms")
