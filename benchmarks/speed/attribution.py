"""What finding holders and targets adds to the time of classification.

    python -m benchmarks.speed.attribution STATEMENTS... [--statements N] [--rounds N]

STATEMENTS are files that `stance classify` reads; of JSON lines the first N statements are taken,
those of labelled files with their sentences joined.
`stance classify` and `stance attribute` run in turn, each in a process of its own, so start and
loading of the models count. Prints seconds by the clock and of all processors, median of the
rounds, and (classify + attribute) / classify.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median


def run(*words: str) -> tuple[float, float]:
    """Run a command of stance; return its seconds by the clock and of the processors."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "pipeline.cli.app", *words]
    child = os.posix_spawn(sys.executable, command, dict(os.environ))
    _, status, usage = os.wait4(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"stance {' '.join(words)} ended with {code}")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime


def first(source: Path, statements: int, folder: Path) -> Path:
    """Return a file of the first statements of JSON lines; any other file as it is."""
    if source.suffix != ".jsonl":
        return source
    cut = folder / source.name
    with source.open(encoding="utf-8") as lines, cut.open("w", encoding="utf-8") as kept:
        for row in map(json.loads, islice(lines, statements)):
            if sentences := row.pop("sentences", None):
                row["text"] = " ".join(one["text"] for one in sentences)
            kept.write(json.dumps(row) + "\n")
    return cut


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--statements", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    print("| data | sentences | labels | classify, s | attribute, s | ratio, clock | processors |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for source in given.sources:
        with tempfile.TemporaryDirectory(prefix="stance-speed-") as name:
            folder = Path(name)
            cut = first(source, given.statements, folder)
            labels, who = folder / "labels.jsonl", folder / "who.jsonl"
            both: list[tuple[tuple[float, float], tuple[float, float]]] = []
            for _ in range(given.rounds):
                labels.unlink(missing_ok=True)
                who.unlink(missing_ok=True)
                classified = run("classify", str(cut), "--out", str(labels))
                both.append((classified, run("attribute", str(labels), "--out", str(who))))
            counts = [len(path.read_bytes().splitlines()) for path in (labels, who)]
        clock, processors = (median(1 + b[i] / a[i] for a, b in both) for i in (0, 1))
        seconds = [median(one[i][0] for one in both) for i in (0, 1)]
        print(
            f"| {source.name} | {counts[0]:,} | {counts[1]:,} | {seconds[0]:.1f} | "
            f"{seconds[1]:.1f} | {clock:.2f} | {processors:.2f} |"
        )


if __name__ == "__main__":
    main()
