"""The load test counts what became of every request."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from pathlib import Path

import httpx2 as httpx
import pytest

from benchmarks.service.load import HEADER, PATH, Load, Phase, percentile, read_texts


def answering(statuses: list[int], **headers: str) -> httpx.AsyncClient:
    """A client whose requests are answered with these statuses in turn; 0 breaks off."""
    waiting = iter(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != PATH:
            return httpx.Response(200, text="process_resident_memory_bytes 5e+07\n")
        status = next(waiting)
        if not status:
            raise httpx.ReadError("broken off")
        found = {"sentences": [{}, {}, {}]} if status == 200 else {}
        return httpx.Response(status, json=found, headers=headers)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def run(statuses: list[int], **headers: str) -> Phase:
    phase = Phase("test")

    async def main() -> None:
        async with answering(statuses, **headers) as client:
            load = Load("http://service", ["We agree."], client)
            for _ in statuses:
                await load.ask(phase)

    asyncio.run(main())
    phase.seconds = 2.0
    return phase


def test_every_request_is_counted_once() -> None:
    phase = run([200, 429, 0, 500, 200, 429], **{"retry-after": "3"})
    assert phase.statuses == Counter({200: 2, 429: 2, 0: 1, 500: 1})
    assert phase.failures == 2
    assert phase.sentences == 6
    assert phase.rate == 1.0
    assert len(phase.latencies) == 2
    assert len(phase.row()) == len(HEADER)


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}])
def test_a_refusal_without_a_time_is_a_failure(headers: dict[str, str]) -> None:
    assert run([429, 200], **headers).failures == 1


def test_requests_are_offered_at_the_rate_whatever_becomes_of_them() -> None:
    phase = Phase("test")

    async def main() -> None:
        async with answering([429] * 10_000, **{"retry-after": "1"}) as client:
            await Load("http://service", ["We agree."], client).offer(phase, 200.0, 1.0)

    asyncio.run(main())
    assert phase.offered == 200.0
    assert 120 < phase.statuses.total() < 290
    assert phase.memory[0][1] == 50.0


def test_percentiles() -> None:
    assert percentile([float(n) for n in range(101)], 99) == pytest.approx(99.0)
    assert percentile([2.0], 50) == 2.0
    assert math.isnan(percentile([], 50))


def test_texts_are_cut_at_stops_and_whole(tmp_path: Path) -> None:
    text = " ".join(f"We welcome report {n}." for n in range(40))
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}) + "\n", encoding="utf-8")
    pieces = read_texts(tmp_path / "a.jsonl", size=100)
    assert " ".join(pieces) == text
    assert all(100 <= len(piece) < 130 for piece in pieces[:-1])
