"""Processor time and peak memory of reading and cutting (not labelling) large hostile texts.

    python -m benchmarks.robustness.large [--megabytes 10]

Each text is read in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

from pipeline.ingest import IngestSettings, Reading, find_inputs
from pipeline.records import Statement
from pipeline.segmentation import segment

TEXTS = {
    "one word": "a",
    "without a full stop": "word ",
    "short sentences": "We go. ",
    "short lines": "We go.\n",
    "a line end after every small letter": "a\n",
    "a line end after every capital": "A\n",
    "a blank line after every letter": "a\n\n",
}


def read(path: str) -> tuple[int, float, float]:
    """Return sentences, seconds of processor time, and peak memory of this process in MB."""
    begun, count = time.process_time(), 0
    for item in Reading(find_inputs([path]), IngestSettings()):
        if isinstance(item, Statement):
            for _ in segment(item):
                count += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return count, time.process_time() - begun, peak


def main() -> None:
    """Read all texts and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=10.0)
    size = int(parser.parse_args().megabytes * 1_000_000) - 1  # the default is just what is allowed
    print("| text | sentences | seconds | MB |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "text.txt"
        for name, unit in TEXTS.items():
            path.write_text(unit * (size // len(unit)), encoding="utf-8")
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                count, seconds, peak = pool.apply(read, (str(path),))
            print(f"| {name} | {count:,} | {seconds:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
