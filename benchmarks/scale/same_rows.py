"""Whether two runs gave the same rows, although the last digits of their probabilities differ.

Which sentences share a batch decides in which order floats are summed, so probabilities of two runs
differ by about 1e-5. No hash over rounded numbers is sound then: however coarsely one rounds, some
pairs lie on both sides of an edge. So what is discrete is hashed, and what is not is compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.inference.rows import Row, RowFormat

TOLERANCE = 1e-4
"""Largest difference between two probabilities of one sentence that are taken to be equal."""
_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes of rows whatever their order, and how many there are.

    `places` is over documents, sentences, positions and texts, and must be equal; `labels` is over
    the labels as well, and differs where a probability lies within the tolerance of its threshold.
    Both are sums of the SHA-256 of every row modulo 2²⁵⁶ (Bellare and Micciancio, 1997), so those
    of parts add up to that of the whole.
    """

    rows: int = 0
    places: int = 0
    labels: int = 0

    def __add__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint(
            self.rows + other.rows,
            (self.places + other.places) % _MODULUS,
            (self.labels + other.labels) % _MODULUS,
        )


def fingerprint(files: Sequence[Path], rows: RowFormat) -> Fingerprint:
    """Return the fingerprint of Parquet files, read by row groups.

    Raises:
        OSError: a file cannot be read.
    """
    tasks = tuple(rows.codebook.tasks)
    total = Fingerprint()
    for row in _rows(files):
        place = [row[name] for name in ("doc_id", "sentence_id", "start", "end", "text")]
        labels = [*place, *(row[task] for task in tasks)]
        total += Fingerprint(1, _hashed(place), _hashed(labels))
    return total


@dataclass(frozen=True, slots=True)
class Difference:
    """How the rows of two runs differ, matched by sentence.

    `missing` counts sentences that one of the two lacks, `text` those of other text or position;
    `labels` those of other labels though no probability is near its threshold, `near` those where
    one is; `probability` is the largest difference between two probabilities.
    """

    missing: int = 0
    text: int = 0
    labels: int = 0
    near: int = 0
    probability: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether the two runs gave the same within the tolerance."""
        return not (self.missing or self.text or self.labels) and self.probability <= TOLERANCE


def compare(
    one: Sequence[Path], other: Sequence[Path], rows: RowFormat, thresholds: Mapping[str, float]
) -> Difference:
    """Compare the Parquet files of two runs; the rows of the first are held in memory.

    Args:
        thresholds: for each probability column of a multilabel task, where its decision turns.
            Multiclass tasks turn where the two largest probabilities are equal.
    """
    waiting = {str(row["sentence_id"]): row for row in _rows(one)}
    missing = text = labels = near = 0
    largest = 0.0
    for row in _rows(other):
        before = waiting.pop(str(row["sentence_id"]), None)
        if before is None:
            missing += 1
            continue
        text += any(row[name] != before[name] for name in ("doc_id", "start", "end", "text"))
        for column in rows.probability_columns:
            largest = max(largest, abs(_number(row[column]) - _number(before[column])))
        for task in rows.codebook.tasks:
            if row[task] != before[task]:
                turning = _at_turning_point(task, before, rows, thresholds)
                near += turning
                labels += not turning
    return Difference(missing + len(waiting), text, labels, near, largest)


def _at_turning_point(
    task: str, row: Row, rows: RowFormat, thresholds: Mapping[str, float]
) -> bool:
    columns = [name for name, (of, _) in rows.probability_columns.items() if of == task]
    if task in rows.codebook.multilabel_tasks():
        return any(abs(_number(row[c]) - thresholds[c]) <= TOLERANCE for c in columns)
    second, first = sorted(_number(row[c]) for c in columns)[-2:]
    return first - second <= 2 * TOLERANCE


def _rows(files: Sequence[Path]) -> Iterator[Row]:
    import pyarrow.parquet as pq

    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist()


def _hashed(values: Sequence[object]) -> int:
    line = json.dumps(values, ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(line.encode()).digest(), "big")


def _number(value: object) -> float:
    return float(str(value))
