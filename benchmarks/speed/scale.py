"""Time and peak memory of whole `stance classify` runs at growing sizes, and a line through them.

    python benchmarks/speed/scale.py STATEMENTS --sentences 5000 20000 100000 [--model MODEL]

STATEMENTS is a JSON lines file of statements. Sizes beyond it repeat its statements with a number
behind every sentence, so that neither the check for duplicates nor the cache of equal sentences
sees them twice. Prints, for each size, seconds, sentences a second and the peak memory of the
process, and how well seconds = a + b * sentences fits. Absolute times depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

from pipeline.ingest import IngestSettings, Reading, find_inputs
from pipeline.records import Statement
from pipeline.segmentation import segment


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


def run(model: Path, source: Path, out: Path) -> tuple[float, float, int]:
    """Return seconds, peak memory in MB and output rows of one run in a process of its own."""
    command = [sys.executable, "-m", "pipeline.cli.app", "classify", str(source)]
    begun = time.perf_counter()
    child = os.posix_spawn(
        sys.executable, [*command, "--model", str(model), "--out", str(out)], dict(os.environ)
    )
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("stance classify failed.")
    with out.open("rb") as file:
        return seconds, usage.ru_maxrss / 1024, sum(1 for _ in file)


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
    table: list[tuple[int, float, float]] = []
    print(f"{'sentences':>12}{'seconds':>10}{'a second':>10}{'peak MB':>10}")
    with tempfile.TemporaryDirectory() as scratch:
        for wanted in sorted(options.sentences):
            source, out = Path(scratch) / "in.jsonl", Path(scratch) / "out.jsonl"
            with source.open("w", encoding="utf-8") as file:
                file.writelines(grown(given, wanted))
            seconds, memory, rows = run(options.model, source, out)
            table.append((rows, seconds, memory))
            print(f"{rows:12,}{seconds:10.1f}{rows / seconds:10.0f}{memory:10.0f}", flush=True)
    if len(table) > 2:
        sizes, times = (np.array([row[i] for row in table], dtype=float) for i in (0, 1))
        slope, base = np.polyfit(sizes, times, 1)
        left = times - (base + slope * sizes)
        fit = 1 - (left**2).sum() / ((times - times.mean()) ** 2).sum()
        print(f"seconds = {base:.1f} + {slope * 1000:.3f} a thousand sentences, R2 = {fit:.4f}")
    print(f"peak memory, largest to smallest: {table[-1][2] / table[0][2]:.2f}")


if __name__ == "__main__":
    main()
