"""A connection on which no whole request comes is closed in time; others are not."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from pipeline.service.connections import punctual

SECONDS = 1.0
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def talk(*parts: bytes) -> tuple[bytes, bool]:
    """Send parts to a server; return what it answered, and whether it closed the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            PlainTextResponse("yes"),
            http=punctual(SECONDS),
            ws="none",
            lifespan="off",
            log_config=None,
            timeout_keep_alive=60,
        )
        server = uvicorn.Server(config)
        served = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        answer, closed = b"", False
        try:
            for part in (*parts, b""):
                writer.write(part)
                try:
                    async with asyncio.timeout(3 * SECONDS if not part else 0.3):
                        while not closed:
                            got = await reader.read(10_000)
                            answer, closed = answer + got, not got
                except TimeoutError:
                    continue
        finally:
            writer.close()
            server.should_exit = True
            await served
        return answer, closed


@pytest.mark.parametrize("parts", [(), (b"GET / HT",), (REQUEST, REQUEST[:-2])])
def test_without_whole_headers_a_connection_is_closed(parts: tuple[bytes, ...]) -> None:
    answer, closed = asyncio.run(talk(*parts))
    assert closed
    assert answer.count(b"200 OK") == parts.count(REQUEST)


def test_a_connection_with_whole_headers_stays_open() -> None:
    answer, closed = asyncio.run(talk(REQUEST[:5], REQUEST[5:], REQUEST))
    assert not closed
    assert answer.count(b"200 OK") == 2
