"""Bounds on a request before it is parsed: type, size, number, time; and an end when nobody waits.

Works on the bytes as they arrive, so that a body of any length, declared or not, is never held.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NoReturn

from prometheus_client import Gauge
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.service.limits import ServiceLimits
from pipeline.service.problems import (
    OUT_OF_TIME,
    SATURATED,
    SLOW_BODY,
    WRONG_TYPE,
    Refusal,
    problem_response,
)
from pipeline.service.schemas import Mistake

_DRAIN_SECONDS = 2.0
_DRAIN_BODIES = 4
"""A body that is refused is read on so far (in times of the limit), because a client that is still
sending when the connection closes does not see the answer."""


class _Gone(Exception):
    """The client has left; nobody wants an answer."""


@dataclass
class Gate:
    """ASGI middleware that guards one path; everything else passes.

    `room` raises a `Refusal` when nothing more can be taken in.
    """

    app: ASGIApp
    path: str
    limits: ServiceLimits
    room: Callable[[], None]
    in_flight: Gauge
    requests: int = field(default=0, init=False)
    held: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        guarded = scope["type"] == "http" and (scope["method"], scope["path"]) == (
            "POST",
            self.path,
        )
        if not guarded:
            await self.app(scope, receive, send)
            return
        self.requests += 1
        self.in_flight.inc()
        try:
            await _Passage(self, scope, receive, send).run()
        finally:
            self.requests -= 1
            self.in_flight.dec()

    def take(self, size: int) -> None:
        """Account for bytes of a body that are held from now on.

        Raises:
            Refusal: all bodies together are too large.
        """
        if self.held + size > self.limits.bytes_in_flight:
            raise Refusal(SATURATED, retry_after=1)
        self.held += size


class _Passage:
    """One request on its way through the gate."""

    def __init__(self, gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        self._gate = gate
        self._scope = scope
        self._receive = receive
        self._send = send
        self._headers = Headers(scope=scope)
        self._read = 0
        self._whole = False
        self._late = False

    async def run(self) -> None:
        """Read the body, let the application answer, within the time limit."""
        limits, taken = self._gate.limits, 0
        try:
            async with asyncio.timeout(limits.seconds) as clock:
                self._admit()
                body = await self._body()
                taken = len(body)
                await self._answer(body, clock)
        except _Gone:
            return
        except TimeoutError:
            self._late = True
            kind = OUT_OF_TIME if self._whole else SLOW_BODY
            expected = f"at most {limits.seconds:g} s"
            mistake = Mistake(where="time", got="more", expected=expected)
            await self._refuse(
                Refusal(kind, f"{kind.meaning} The limit is {limits.seconds:g} s.", [mistake])
            )
        except Refusal as refusal:
            await self._drain()
            await self._refuse(refusal)
        finally:
            self._gate.held -= taken

    def _admit(self) -> None:
        """Refuse what the headers alone rule out."""
        got = self._headers.get("content-type", "")
        media = got.partition(";")[0].strip().lower()
        if media != "application/json" and not (
            media.startswith("application/") and media.endswith("+json")
        ):
            shown = f"'{media[:60]}'" if media else "none"
            mistake = Mistake(where="Content-Type", got=shown, expected="application/json")
            detail = f"The body must be application/json, got {shown}."
            raise Refusal(WRONG_TYPE, detail, [mistake])
        coded = self._headers.get("content-encoding", "").strip()
        if coded.lower() not in ("", "identity"):
            shown = f"'{coded[:60]}'"
            mistake = Mistake(where="Content-Encoding", got=shown, expected="identity, or none")
            detail = f"The body must be sent as it is; got Content-Encoding {shown}."
            raise Refusal(WRONG_TYPE, detail, [mistake])
        if (declared := self._declared()) > self._gate.limits.body_bytes:
            self._too_large(f"{declared:,} bytes")
        if self._gate.requests > self._gate.limits.requests_in_flight:
            raise Refusal(SATURATED, retry_after=1)
        self._gate.room()

    def _declared(self) -> int:
        declared = self._headers.get("content-length", "")
        return int(declared) if declared.isdecimal() else 0

    def _too_large(self, got: str) -> NoReturn:
        raise Refusal.too_large("body", got, f"{self._gate.limits.body_bytes:,} bytes")

    async def _body(self) -> bytes:
        """Read the body; its bytes are accounted for unless this raises."""
        body = bytearray()
        try:
            async for chunk in self._chunks():
                if len(body) + len(chunk) > self._gate.limits.body_bytes:
                    self._too_large(f"more than {self._gate.limits.body_bytes:,} bytes")
                self._gate.take(len(chunk))
                body += chunk
        except BaseException:
            self._gate.held -= len(body)
            raise
        return bytes(body)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while not self._whole:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            self._whole = not message.get("more_body", False)
            chunk = message.get("body", b"")
            self._read += len(chunk)
            yield chunk

    async def _answer(self, body: bytes, clock: asyncio.Timeout) -> None:
        """Run the application until it has answered or the client has left."""
        rest = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            if rest:
                return rest.pop()
            return await asyncio.Future()  # the gate itself watches for the client to leave

        async def send(message: Message) -> None:
            clock.reschedule(None)  # the work is done; how fast its result is read is not ours
            await self._send(message)

        work = asyncio.ensure_future(self._gate.app(self._scope, replay, send))
        left = asyncio.ensure_future(self._until_gone())
        try:
            await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise _Gone
            await work
        finally:
            for task in (work, left):
                task.cancel()
            await asyncio.gather(work, left, return_exceptions=True)

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _drain(self) -> None:
        """Read on for a while what the client is still sending."""
        if not self._endless or "expect" in self._headers:
            return  # the server reads on by itself, or nothing is sent
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for _ in self._chunks():
                    if self._read > _DRAIN_BODIES * self._gate.limits.body_bytes:
                        return
        except (TimeoutError, _Gone):
            return

    async def _refuse(self, refusal: Refusal) -> None:
        response = problem_response(refusal)
        if self._endless:
            response.headers["Connection"] = "close"
        await response(self._scope, self._receive, self._send)

    @property
    def _endless(self) -> bool:
        """Whether more may still come, or for longer, than the server should read."""
        small = 0 < self._declared() <= self._gate.limits.body_bytes
        return not self._whole and (self._late or not small)
