"""Load `stance serve` with a real client: at its saturation, and at twice that.

    python -m benchmarks.service.load STATEMENTS [--minutes 10] [--model models/default]

STATEMENTS is a JSONL file with a key `text`, or a text file. Each request asks for a few of its
sentences in one piece of text. First a fixed number of clients that ask without a pause measure the
saturation: the requests a second that the service can answer. Then requests arrive at random times
(Poisson), whatever became of those before, at once and at twice that rate; a request that is
refused with 429 is not tried again. Prints a table and how the memory of the service went; keeps
nothing. Ends with exit code 1 if any request failed otherwise than by 429, or a 429 lacked its
Retry-After.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

PATH = "/v1/classify"
CLIENTS = 24
"""Clients that ask without a pause while the saturation is measured."""

CHARACTERS = 600
"""Of a request, about: four sentences."""

FAILED = 0
"""Stands for a status where there was no answer."""


@dataclass
class Phase:
    """What became of the requests of one phase."""

    name: str
    offered: float | None = None
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    sentences: int = 0
    unexplained: int = 0
    """Answers 429 without Retry-After."""

    errors: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the start of the service, megabytes."""

    @property
    def rate(self) -> float:
        """Requests answered with labels, a second."""
        return self.statuses[200] / self.seconds

    @property
    def failures(self) -> int:
        """Requests that were neither answered nor refused with a time to come back."""
        return sum(n for s, n in self.statuses.items() if s not in (200, 429)) + self.unexplained

    def row(self) -> tuple[str, ...]:
        """Return the phase as a row of the table."""
        return (
            self.name,
            "-" if self.offered is None else f"{self.offered:.1f}",
            f"{self.rate:.1f}",
            f"{self.sentences / self.seconds:.0f}",
            f"{percentile(self.latencies, 50):.2f}",
            f"{percentile(self.latencies, 99):.2f}",
            f"{self.statuses[200]:,}",
            f"{self.statuses[429]:,}",
            f"{self.failures:,}",
        )


HEADER = (
    *("phase", "offered/s", "answered/s", "sentences/s", "p50 s", "p99 s"),
    *("answered", "429", "failed"),
)


def percentile(values: Sequence[float], share: int) -> float:
    """Return the value below which `share` percent lie; NaN where there is none."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def read_texts(path: Path, *, size: int = CHARACTERS) -> list[str]:
    """Return pieces of about `size` characters that end at a full stop."""
    raw = path.read_text(encoding="utf-8")
    texts = (
        [json.loads(line)["text"] for line in raw.splitlines()] if ".jsonl" in path.name else [raw]
    )
    pieces: list[str] = []
    for text in texts:
        piece = ""
        for part in re.split(r"(?<=[.!?])\s+", text):
            piece += f"{part} "
            if len(piece) >= size:
                pieces.append(piece.strip())
                piece = ""
        pieces += [piece.strip()] * bool(piece.strip())
    return pieces


class Load:
    """Sends requests to one service and notes what became of them."""

    def __init__(self, address: str, texts: Sequence[str], client: httpx.AsyncClient) -> None:
        self._address = address
        self._client = client
        self._draw = random.Random(7)  # noqa: S311 - no secret
        self._texts = texts
        self._begun = time.perf_counter()

    async def ask(self, phase: Phase) -> None:
        """Send one request."""
        begun = time.perf_counter()
        body = {"text": self._draw.choice(self._texts)}
        try:
            got = await self._client.post(self._address + PATH, json=body)
        except httpx.HTTPError as error:
            phase.statuses[FAILED] += 1
            phase.errors[type(error).__name__] += 1
            return
        phase.statuses[got.status_code] += 1
        if got.status_code == 200:
            phase.latencies.append(time.perf_counter() - begun)
            phase.sentences += len(got.json()["sentences"])
        elif got.status_code == 429:
            phase.unexplained += not got.headers.get("retry-after", "").isdecimal()
        else:
            phase.errors[got.text[:200]] += 1

    async def saturate(self, phase: Phase, seconds: float) -> None:
        """Ask without a pause, with several clients."""
        end = time.perf_counter() + seconds

        async def client() -> None:
            while time.perf_counter() < end:
                await self.ask(phase)

        await self._timed(phase, *(client() for _ in range(CLIENTS)))

    async def offer(self, phase: Phase, rate: float, seconds: float) -> None:
        """Send requests at random times, `rate` a second, and wait for the last answer."""
        phase.offered = rate
        end = time.perf_counter() + seconds

        async def arrivals() -> None:
            async with asyncio.TaskGroup() as group:
                due = time.perf_counter()
                while due < end:
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    group.create_task(self.ask(phase))
                    due += self._draw.expovariate(rate)

        await self._timed(phase, arrivals())

    async def _timed(self, phase: Phase, *work: object) -> None:
        watch = asyncio.create_task(self._watch(phase))
        begun = time.perf_counter()
        await asyncio.gather(*work)  # type: ignore[call-overload]
        phase.seconds = time.perf_counter() - begun
        watch.cancel()

    async def _watch(self, phase: Phase) -> None:
        """Note the memory of the service every few seconds."""
        while True:
            text = (await self._client.get(self._address + "/metrics")).text
            found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
            if found:
                at = time.perf_counter() - self._begun
                phase.memory.append((at, float(found[1]) / 1e6))
            await asyncio.sleep(2.0)


@contextmanager
def service(model: Path) -> Iterator[str]:
    """Run `stance serve` on a free port; yield its address."""
    command = [sys.executable, "-m", "pipeline.cli.app", "serve", "--port", "0", "-m", str(model)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        if process.stderr is None:
            raise SystemExit("the log of the service cannot be read")
        try:
            for line in process.stderr:
                if found := re.search(r" on (http://\S+) \(", line):
                    break
            else:
                raise SystemExit("the service did not start")
            # Its log must be read, else it stops when the pipe is full.
            with subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL):  # noqa: S607
                yield found[1]
                process.terminate()
                code = process.wait(60)
            if code:
                raise SystemExit(f"the service ended with exit code {code}")
        finally:
            process.kill()


async def measure(address: str, texts: Sequence[str], minutes: float) -> list[Phase]:
    """Run all phases; the two with a fixed rate share most of the time."""
    warm, search = Phase("warm up"), Phase(f"{CLIENTS} clients without a pause")
    phases = [search]
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        load = Load(address, texts, client)
        await load.saturate(warm, min(10.0, 6 * minutes))
        await load.saturate(search, 60 * minutes * 0.15)
        for times in (1, 2):
            phase = Phase(f"{times}x saturation")
            phases.append(phase)
            await load.offer(phase, times * search.rate, 60 * minutes * 0.4)
    return phases


def report(phases: Sequence[Phase]) -> None:
    """Print the table, the failures by kind, and the memory."""
    rows = [HEADER, *(phase.row() for phase in phases)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([row[0].ljust(len(first)), *rest]))
    for phase in phases:
        for error, count in phase.errors.items():
            print(f"{phase.name}: {count} times {error}")
    memory = [point for phase in phases for point in phase.memory]
    if len(memory) > 1:
        print("\nmemory of the service (resident):")
        step = max(1, len(memory) // 12)
        for at, megabytes in [*memory[::step], memory[-1]]:
            print(f"  {at:6.0f} s {megabytes:7.1f} MB")
        half = memory[len(memory) // 2 :]
        growth = statistics.linear_regression(*zip(*half, strict=True)).slope
        print(f"  in the second half it grew by {60 * growth:.2f} MB a minute")


def main() -> None:
    """Run the load test."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("statements", type=Path)
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    texts = read_texts(options.statements)
    with service(options.model) as address:
        phases = asyncio.run(measure(address, texts, options.minutes))
    report(phases)
    if any(phase.failures for phase in phases):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
