"""Stages `ingest` and `segment`: files to statements, statements to sentences; both in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.ingest import Reading, find_inputs
from pipeline.ingest.remarks import Remarks
from pipeline.records import Rejection, RejectReason, Sentence, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.record_files import Rejects, read_records, rejects_path, write_records
from pipeline.workflows.watcher import Watcher

Cut = list[tuple[Statement, list[Sentence]]]
"""Statements, each with its sentences."""


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What was read: statements, what was set aside and why, and how bytes were decoded."""

    statements: int
    rejected: dict[RejectReason, int]
    encodings: dict[str, int]
    mojibake: int
    rejects_file: Path


def ingest(
    patterns: Sequence[str],
    settings: IngestSettings,
    *,
    out: Path,
    stdin: BinaryIO | None,
    watcher: Watcher,
    also_written: Sequence[Path] = (),
) -> IngestSummary:
    """Read documents into a statements file; see `Reading` for what is set aside.

    What is set aside is listed beside it; without any statement, `out` stays as it was.

    Args:
        also_written: what else is written from the same inputs; like `out` it is never read.

    Raises:
        InputError: a pattern names nothing or an output, or no statement could be read at all.
        OutputError: the output cannot be written.
    """
    inputs = find_inputs(patterns, outputs=(*written_with(str(out)), *also_written))
    reading = Reading(inputs, settings, stdin=stdin)
    rejects = Rejects()

    def statements() -> Iterator[Statement]:
        yield from _kept(reading, rejects, watcher)
        rejects.write(rejects_path(out))
        if not reading.counts.statements:  # raised in here, so that no empty file is written
            raise InputError(nothing_usable(rejects, rejects_path(out)))

    count = write_records(out, statements())
    for line in (*reading.remarks.left_out(), *reading.remarks.lines()):
        watcher.note(line)
    return IngestSummary(
        statements=count,
        rejected=dict(rejects.counts),
        encodings=dict(reading.counts.encodings),
        mojibake=reading.counts.mended,
        rejects_file=rejects_path(out),
    )


def written_with(out: str) -> tuple[Path, ...]:
    """Return what writing to `out` puts on disk: itself and its rejects; nothing for "-"."""
    return () if out == "-" else (Path(out), rejects_path(Path(out)))


def nothing_usable(rejects: Rejects, file: Path | None) -> str:
    """Return the message for an input of which nothing could be used."""
    if not rejects.counts:
        return "The input holds no statement. Give files, folders or '-' with text in them."
    counted = ", ".join(f"{n} {reason.value}" for reason, n in rejects.counts.most_common())
    listed = f" All are listed in {file}." if file else ""
    return f"Nothing usable: {counted}.{rejects.example}{listed}"


def _kept(reading: Reading, rejects: Rejects, watcher: Watcher) -> Iterator[Statement]:
    done = 0
    for item in reading:
        if isinstance(item, Rejection):
            rejects.add(item)
        else:
            done += 1
            watcher.progress("statements read", done, None)
            yield item


@dataclass(frozen=True, slots=True)
class SegmentSummary:
    """How many sentences were cut from how many statements."""

    statements: int
    sentences: int


def segment_file(statements: Path, *, out: Path, watcher: Watcher) -> SegmentSummary:
    """Cut the statements of a file that `ingest` wrote into sentences.

    Raises:
        InputError: the file is missing or no statements file.
        OutputError: the output cannot be written.
    """
    read = 0

    def sentences() -> Iterator[Sentence]:
        nonlocal read
        for statement in read_records(statements, Statement):
            read += 1
            watcher.progress("statements cut", read, None)
            yield from segment(statement)

    count = write_records(out, sentences())
    return SegmentSummary(statements=read, sentences=count)


def read_and_segment(
    patterns: Sequence[str], settings: IngestSettings, *, outputs: Sequence[Path], watcher: Watcher
) -> tuple[Cut, list[Rejection], Remarks]:
    """Read statements and cut them into sentences; `outputs` are never read.

    Raises:
        InputError: a pattern names nothing, or an output.
    """
    cuts: Cut = []
    rejected: list[Rejection] = []
    reading = Reading(find_inputs(patterns, outputs=outputs), settings)
    for item in reading:
        if isinstance(item, Rejection):
            rejected.append(item)
        else:
            cuts.append((item, list(segment(item))))
            watcher.progress("statements read", len(cuts), None)
    return cuts, rejected, reading.remarks
