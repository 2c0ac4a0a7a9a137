"""Time and peak memory of whole `stance classify` runs at growing sizes, and a line through each.

    python -m benchmarks.speed.scale STATEMENTS --sentences 5000 20000 100000 [--model MODEL]

STATEMENTS is a JSON lines file of statements. Sizes beyond it repeat its statements with a number
behind every sentence, so that neither the check for duplicates nor the cache of equal sentences
sees them twice. Prints, for each size, seconds by the clock and of all processors, sentences a
second and the peak memory of the process; and for the clock and the processors how well
seconds = a + b * sentences fits. Absolute times depend on the machine; what else runs on it
changes those of the processors little.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from pipeline.ingest import Reading, find_inputs
from pipeline.records import Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings


def statements(path: str) -> list[tuple[dict[str, str], list[str]]]:
    """Return of every statement what is told about it, and its sentences."""
    read = Reading(find_inputs([path]), IngestSettings())
    return [
        ({"speaker": one.speaker or "", "date": one.date or ""}, [s.text for s in segment(one)])
        for one in read
        if isinstance(one, Statement)
    ]


def grown(given: list[tuple[dict[str, str], list[str]]], wanted: int) -> Iterator[str]:
    """Yield lines of JSON with `wanted` sentences in all, as paragraphs of their statements."""
    made = 0
    for turn in count():
        for facts, sentences in given:
            texts = sentences[: wanted - made]
            if turn:
                texts = [f"{text.rstrip('.')} ({turn})." for text in texts]
            made += len(texts)
            yield json.dumps({**facts, "text": "\n\n".join(texts)}) + "\n"
            if made >= wanted:
                return


@dataclass(frozen=True)
class Run:
    """What one run took, and the rows it gave; `peak` is in MB."""

    rows: int
    clock: float
    processors: float
    peak: float


def run(model: Path, source: Path, out: Path) -> Run:
    """Label `source` in a process of its own.

    The peak that Linux tells of a process is at least that of the one it was started from, which
    holds the given statements; that one must be the smaller, or the figure would be wrong.
    """
    command = [sys.executable, "-m", "pipeline.cli.app", "classify", str(source)]
    begun = time.perf_counter()
    child = os.posix_spawn(
        sys.executable, [*command, "--model", str(model), "--out", str(out)], dict(os.environ)
    )
    _, status, usage = os.wait4(child, 0)
    clock = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("stance classify failed.")
    if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        raise SystemExit("The peak of the run is hidden by that of this program.")
    with out.open("rb") as file:
        rows = sum(1 for _ in file)
    return Run(rows, clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def line(sizes: list[int], times: list[float]) -> str:
    """Return the line of least squares through the times, and how well it fits."""
    x, y = np.array(sizes, dtype=float), np.array(times)
    slope, base = np.polyfit(x, y, 1)
    fit = 1 - ((y - base - slope * x) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    return f"{base:.1f} + {slope * 1000:.3f} a thousand sentences, R2 = {fit:.4f}"


def main() -> None:
    """Run all sizes and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("statements")
    parser.add_argument("--sentences", type=int, nargs="+", default=[5_000, 20_000, 100_000])
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    options = parser.parse_args()
    given = statements(options.statements)
    print(f"{sum(len(sentences) for _, sentences in given):,} sentences are given.")
    runs: list[Run] = []
    names = ("sentences", "clock, s", "processor, s", "a second", "peak, MB")
    print("".join(f"{name:>13}" for name in names), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for wanted in sorted(options.sentences):
            source, out = Path(scratch) / "in.jsonl", Path(scratch) / "out.jsonl"
            with source.open("w", encoding="utf-8") as file:
                file.writelines(grown(given, wanted))
            one = run(options.model, source, out)
            runs.append(one)
            seconds = f"{one.clock:13.1f}{one.processors:13.1f}{one.rows / one.clock:13.0f}"
            print(f"{one.rows:13,}{seconds}{one.peak:13.0f}", flush=True)
    if len(runs) > 2:
        sizes = [one.rows for one in runs]
        print(f"clock = {line(sizes, [one.clock for one in runs])}")
        print(f"processors = {line(sizes, [one.processors for one in runs])}")
    if len(runs) > 1:
        print(f"peak memory, largest to the one before: {runs[-1].peak / runs[-2].peak:.2f}")


if __name__ == "__main__":
    main()
