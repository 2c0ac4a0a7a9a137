"""What the gate lets through, what it refuses, and what it holds meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry, Gauge
from starlette.types import Message, Receive, Scope, Send

from pipeline.service.gate import Gate
from pipeline.service.limits import ServiceLimits
from pipeline.service.problems import SATURATED, Refusal

PATH = "/label"
JSON_TYPE = (b"content-type", b"application/json")


@dataclass
class App:
    """Reads the whole body, does `work`, and answers 200."""

    work: Callable[[], Awaitable[None]] | None = None
    bodies: list[bytes] = field(default_factory=list)
    cancelled: bool = False

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        try:
            if self.work:
                await self.work()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


@dataclass
class Client:
    """Sends chunks, then nothing more; leaves at the end if `leaves`."""

    chunks: list[bytes]
    leaves: bool = False
    stalls: bool = False
    read: int = 0
    sent: list[Message] = field(default_factory=list)

    async def receive(self) -> Message:
        if self.chunks:
            chunk = self.chunks.pop(0)
            self.read += len(chunk)
            more = bool(self.chunks) or self.stalls
            return {"type": "http.request", "body": chunk, "more_body": more}
        if self.leaves:
            return {"type": "http.disconnect"}
        await asyncio.sleep(30)
        raise AssertionError("nobody gave up")

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def problem(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.sent[1]["body"])
        assert self.headers[b"content-type"] == b"application/problem+json"
        assert set(found) == {"type", "title", "status", "detail", "errors"}
        assert found["status"] == self.status
        return found


def gate(app: App, room: Callable[[], None] = lambda: None, **limits: float) -> Gate:
    chosen = ServiceLimits.model_validate({"body_bytes": 100, "seconds": 5.0} | limits)
    gauge = Gauge("in_flight", "", registry=CollectorRegistry())
    return Gate(app, PATH, chosen, room, gauge)


def ask(
    guarded: Gate, client: Client, *headers: tuple[bytes, bytes], method: str = "POST"
) -> Client:
    scope = {"type": "http", "method": method, "path": PATH, "headers": list(headers)}
    asyncio.run(guarded(scope, client.receive, client.send))
    assert guarded.held == 0
    assert guarded.requests == 0
    return client


def test_a_body_passes_whole() -> None:
    app = App()
    got = ask(gate(app), Client([b"a" * 40, b"", b"b" * 60]), JSON_TYPE)
    assert got.status == 200
    assert app.bodies == [b"a" * 40 + b"b" * 60]


@pytest.mark.parametrize(
    "header",
    [b"application/json", b"Application/JSON; charset=utf-8", b"application/ld+json"],
)
def test_json_passes(header: bytes) -> None:
    assert ask(gate(App()), Client([b"{}"]), (b"content-type", header)).status == 200


@pytest.mark.parametrize(
    "header", [b"text/plain", b"", b"multipart/form-data; boundary=x", b"\xff"]
)
def test_other_types_are_refused_before_the_body(header: bytes) -> None:
    client = ask(gate(App()), Client([b"{}"]), (b"content-type", header), (b"content-length", b"2"))
    assert client.status == 415
    assert client.problem["errors"][0]["expected"] == "application/json"  # type: ignore[index]
    assert client.read == 0


def test_no_type_is_refused() -> None:
    assert ask(gate(App()), Client([b"{}"])).status == 415


def test_other_methods_and_paths_are_not_its_business() -> None:
    assert ask(gate(App()), Client([b"x" * 500]), method="PUT").status == 200


@pytest.mark.parametrize("chunks", [[b"x" * 101], [b"x" * 60, b"x" * 60], [b"x"] * 101])
def test_a_body_is_bounded_as_it_comes(chunks: list[bytes]) -> None:
    app = App()
    client = ask(gate(app), Client(chunks), JSON_TYPE)
    assert client.status == 413
    assert "expected at most 100 bytes" in str(client.problem["detail"])
    assert app.bodies == []


def test_an_endless_body_is_not_read_to_its_end() -> None:
    client = ask(gate(App()), Client([b"x" * 50] * 1_000), JSON_TYPE)
    assert client.status == 413
    assert client.read <= 500
    assert client.headers[b"connection"] == b"close"


def test_a_declared_length_is_enough_to_refuse() -> None:
    declared = (b"content-length", b"101")
    waits = (b"expect", b"100-continue")
    client = ask(gate(App()), Client([b"x" * 101]), JSON_TYPE, declared, waits)
    assert client.status == 413
    assert client.read == 0
    assert client.problem["errors"] == [
        {"where": "body", "got": "101 bytes", "expected": "at most 100 bytes"}
    ]


def test_a_false_declared_length_does_not_help() -> None:
    client = ask(gate(App()), Client([b"x" * 101]), JSON_TYPE, (b"content-length", b"5"))
    assert client.status == 413


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    client = ask(gate(App(), seconds=0.05), Client([b"{"], stalls=True), JSON_TYPE)
    assert client.status == 408


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    app = App(work=lambda: asyncio.sleep(30))
    client = ask(gate(app, seconds=0.05), Client([b"{}"]), JSON_TYPE)
    assert client.status == 504
    assert client.problem["errors"][0]["expected"] == "at most 0.05 s"  # type: ignore[index]
    assert app.cancelled


def test_the_work_ends_when_the_client_leaves() -> None:
    app = App(work=lambda: asyncio.sleep(30))
    client = ask(gate(app), Client([b"{}"], leaves=True), JSON_TYPE)
    assert client.status is None
    assert app.cancelled


def test_a_client_that_leaves_amid_its_body_gets_nothing() -> None:
    app = App()
    assert ask(gate(app), Client([b"{"], stalls=True, leaves=True), JSON_TYPE).status is None
    assert app.bodies == []


def test_without_room_nothing_is_read() -> None:
    def full() -> None:
        raise Refusal(SATURATED, retry_after=7)

    client = ask(gate(App(), full), Client([b"{}"]), JSON_TYPE, (b"content-length", b"2"))
    assert client.status == 429
    assert client.headers[b"retry-after"] == b"7"
    assert b"connection" not in client.headers  # the server reads so little by itself
    assert client.read == 0


def test_all_bodies_together_are_bounded() -> None:
    release = asyncio.Event()
    app = App(work=release.wait)  # type: ignore[arg-type]
    guarded = gate(app)
    clients = [Client([b"x" * 100]) for _ in range(40)]

    async def use() -> None:
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [JSON_TYPE]}
        asked = [asyncio.create_task(guarded(scope, c.receive, c.send)) for c in clients]
        await asyncio.sleep(0.05)
        assert guarded.held == guarded.limits.bytes_in_flight == 3_200
        release.set()
        await asyncio.gather(*asked)

    asyncio.run(use())
    assert [client.status for client in clients] == [200] * 32 + [429] * 8
    assert guarded.held == 0


def test_a_failure_of_the_application_is_not_hidden() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    guarded = gate(App(work=fail))
    with pytest.raises(ZeroDivisionError):
        ask(guarded, Client([b"{}"]), JSON_TYPE)
    assert guarded.held == 0
