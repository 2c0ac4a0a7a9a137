"""Processor time and peak memory of reading and cutting (not labelling) large files.

    python -m benchmarks.robustness.large [--megabytes 10] [--tables 10 100]

First hostile texts of so many megabytes, then harmless tables of other sizes. Each file is read in
a process of its own; of Parquet, the memory of the confined reader is told as well.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from pipeline.ingest import Reading, find_inputs
from pipeline.ingest.confinement import end_processes
from pipeline.records import Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings

P = ParamSpec("P")
T = TypeVar("T")

TEXTS = {
    "one word": "a",
    "without a full stop": "word ",
    "short sentences": "We go. ",
    "short lines": "We go.\n",
    "a line end after every small letter": "a\n",
    "a line end after every capital": "A\n",
    "a blank line after every letter": "a\n\n",
}


ROW = "Delegation %d thanked the Secretary-General for his report on the situation. " * 14
"""Of a table: about a kilobyte, and no two are equal."""


def read(path: str) -> tuple[int, int, float, float, float]:
    """Return what was read of a file, and what it cost.

    Returns:
        Statements, sentences, seconds of processor time, and peak memory in MB of this process and
        of the confined one (0 without).
    """
    begun, statements, sentences = time.process_time(), 0, 0
    for item in Reading(find_inputs([path]), IngestSettings()):
        if isinstance(item, Statement):
            statements += 1
            for _ in segment(item):
                sentences += 1
    took = time.process_time() - begun
    end_processes()  # their memory is known when they have ended
    peaks = [
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return statements, sentences, took, peaks[0], peaks[1]


def write_tables(folder: str, megabytes: int) -> list[str]:
    """Write the same rows, so many megabytes of text, in every format of tables."""
    import pyarrow as pa  # not at the top: the processes that read import this module too
    import pyarrow.parquet as pq

    texts = [ROW.replace("%d", str(n)) for n in range(megabytes * 1_000_000 // len(ROW))]
    paths = [Path(folder) / f"table.{suffix}" for suffix in ("jsonl", "csv", "parquet")]
    with paths[0].open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    with paths[1].open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    pq.write_table(pa.table({"text": texts}), paths[2], row_group_size=10_000)
    return [str(path) for path in paths]


def apart(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Do something in a process of its own.

    Linux counts the memory of the one that it was started from as well, so that one stays small.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, args, more)


def main() -> None:
    """Read all files and print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=10.0)
    parser.add_argument("--tables", type=int, nargs="+", default=[10, 100])
    options = parser.parse_args()
    size = int(options.megabytes * 1_000_000) - 1  # the default is just what is allowed
    with tempfile.TemporaryDirectory() as scratch:
        if size > 0:
            print("| text | sentences | seconds | MB |\n|---|---:|---:|---:|")
        for name, unit in TEXTS.items() if size > 0 else ():
            path = Path(scratch) / "text.txt"
            path.write_text(unit * (size // len(unit)), encoding="utf-8")
            _, sentences, seconds, peak, _ = apart(read, str(path))
            print(f"| {name} | {sentences:,} | {seconds:.1f} | {peak:.0f} |", flush=True)
        print("\n| table | MB of text | rows | sentences | seconds | MB | confined |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for megabytes in options.tables:
            for path in apart(write_tables, scratch, megabytes):
                rows, sentences, seconds, peak, confined = apart(read, path)
                read_of = f"{Path(path).suffix} | {megabytes} | {rows:,} | {sentences:,}"
                print(f"| {read_of} | {seconds:.1f} | {peak:.0f} | {confined:.0f} |", flush=True)


if __name__ == "__main__":
    main()
