"""Units of work for a cluster, and what one worker does: read a unit, label it, write its rows.

A unit's rows are `part-000000.parquet`; they count once `part-000000.json` says what they hold. So
a unit may be begun on several machines and broken off at any moment; its files are the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.bundle import Bundle, load_bundle
from pipeline.classifiers.placement import Device
from pipeline.decision import DecisionRule
from pipeline.errors import InputError, OutputError, StanceError
from pipeline.inference.job import ROWS, WRITE_EVERY, Key, listed, read_json, unlisted
from pipeline.inference.sinks import SINKS, sink_on
from pipeline.ingest.identities import Judge, Survey, count_rows, survey
from pipeline.ingest.parts import Part, PartDocuments, PartsReading
from pipeline.ingest.remarks import InputFacts, Seen
from pipeline.ingest.sentence_rows import read_parts, unreadable_table
from pipeline.output import whole_file, write_text
from pipeline.records import Rejection
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify import DocumentRows, LabelledRows, SentenceTable
from pipeline.workflows.record_files import rejects_path

STATEMENTS: Key = ("statements",)
FORMAT = ".parquet"
MOST_ATTEMPTS = 10
"""How often a unit is begun. One that ends every process that takes it must not do so for ever."""


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Parts that are read together, and what is known of their documents; see `PartsReading`.

    `before` counts the rows before it where rows are sentences.
    """

    number: int
    parts: tuple[Part, ...]
    known: tuple[tuple[str, str, str | Rejection], ...] = ()
    ending: tuple[Rejection, ...] = ()
    before: int = 0

    def to_json(self) -> str:
        """Return the unit as ASCII."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> WorkUnit:
        """Inverse of `to_json`."""
        return _UNIT.validate_python(json.loads(text))


_UNIT = TypeAdapter(WorkUnit)
_SEEN = TypeAdapter(list[InputFacts])


@dataclass(frozen=True, slots=True)
class Job:
    """What all units have in common. The folders are seen by all machines under these names.

    `sentences` says that every row is a sentence.
    """

    folder: Path
    model: Path
    rule: DecisionRule
    device: Device
    settings: IngestSettings
    sentences: bool = False

    def rows_of(self, number: int) -> Path:
        """Return where the rows of a unit go; the rejects stand beside them."""
        return self.folder / f"part-{number:06d}{FORMAT}"

    def counts_of(self, number: int) -> Counter[Key] | None:
        """Return what a unit's rows hold, `None` if it is not finished.

        Raises:
            OutputError: the file that says so was changed.
        """
        done = self._done(number)
        return None if done is None else unlisted(done["counts"])

    def seen_of(self, number: int) -> list[InputFacts]:
        """Return what a finished unit saw of its inputs."""
        done = self._done(number)
        return _SEEN.validate_python(done["seen"]) if done else []

    def finish(self, number: int, counts: Counter[Key], seen: Seen) -> None:
        """Say that the rows of a unit are whole."""
        done = {"counts": listed(counts), "seen": [asdict(one) for one in seen.inputs]}
        write_text(self.rows_of(number).with_suffix(".json"), json.dumps(done))

    def _done(self, number: int) -> dict[str, Any] | None:
        try:
            return dict(read_json(self.rows_of(number).with_suffix(".json")))
        except FileNotFoundError:
            return None


class Labeller:
    """Labels unit after unit with a model that is loaded once."""

    def __init__(self, job: Job) -> None:
        self._job = job

    @cached_property
    def _bundle(self) -> Bundle:
        bundle = load_bundle(self._job.model, device=self._job.device)
        return replace(bundle, rule=self._job.rule)

    def __call__(self, batch: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Label the units of a batch; an expected failure is returned, as it cannot be mended.

        What is raised instead ends the process, and the unit is tried again in another one.
        """
        return {"failure": [self._failure(str(unit)) for unit in batch["unit"]]}

    def _failure(self, unit: str) -> str:
        try:
            self.label(WorkUnit.from_json(unit))
        except StanceError as error:
            return json.dumps({"kind": type(error).__name__, "message": str(error)})
        return ""

    def label(self, unit: WorkUnit) -> None:
        """Write the rows, the rejects and the counts of a unit, unless they are there.

        Raises:
            InputError: a file is not there as it was when it was cut.
            OutputError: the disk is full, or the folder cannot be written.
            BundleError: the model is not there or was changed.
        """
        job, path = self._job, self._job.rows_of(unit.number)
        if job.counts_of(unit.number) is not None:
            return
        begun = self._begin(unit)
        labelled, seen = self._labelled(unit)
        rows = labelled.rows(0)
        counts: Counter[Key] = Counter()
        with whole_file(path) as file, sink_on(file, SINKS[FORMAT], labelled.format) as sink:
            while block := list(islice(rows, WRITE_EVERY)):
                sink.write([counted.row for counted in block])
                counts[ROWS] += len(block)
                for counted in block:
                    counts.update(counted.counts)
        counts[STATEMENTS] = labelled.statements
        labelled.rejects.write(rejects_path(path))
        job.finish(unit.number, counts, seen)
        begun.unlink(missing_ok=True)

    def _labelled(self, unit: WorkUnit) -> tuple[LabelledRows, Seen]:
        settings = self._job.settings
        if self._job.sentences:
            documents, seen = PartDocuments(unit.parts, settings, unit.ending), Seen()
            rows = read_parts(documents, unit.before, settings, seen)
            return SentenceTable(rows, self._bundle), seen
        known = {(source, location): verdict for source, location, verdict in unit.known}
        reading = PartsReading(unit.parts, settings, known, unit.ending)
        return DocumentRows(reading, self._bundle), reading.seen

    def _begin(self, unit: WorkUnit) -> Path:
        """Count in a file, which is returned, how often the unit was begun."""
        begun = self._job.rows_of(unit.number).with_suffix(".begun")
        try:
            with begun.open("ab") as file:
                attempts = file.tell()
                file.write(b".")
        except OSError as error:
            raise OutputError(f"{begun}: cannot be written ({error.strerror}).") from None
        if attempts >= MOST_ATTEMPTS:
            first, last = unit.parts[0].path, unit.parts[-1].path
            raise InputError(
                f"{first}{f' to {last}' if last != first else ''}: the process that labels it "
                f"was lost {MOST_ATTEMPTS} times. Look for the cause (most often memory) in "
                "Ray's logs, then go on with --resume, or leave these files out."
            )
        return begun


def survey_parts(
    parts: tuple[Part, ...], settings: IngestSettings, sentences: bool
) -> Survey | StanceError:
    """Return what a unit holds, or why it cannot be read."""
    try:
        return count_rows(parts, settings) if sentences else survey(parts, settings)
    except StanceError as error:
        return error


def planned(
    packs: Iterable[tuple[Part, ...]],
    surveys: Iterable[Survey],
    settings: IngestSettings,
    sentences: bool,
) -> Iterator[WorkUnit]:
    """Yield the units to label: the parts of each, judged by what was surveyed of it.

    Parts behind the end of what can be read of their source are left out.

    Raises:
        InputError: nothing of a table of sentences can be read.
    """
    judge = Judge(settings)
    ended: dict[str, Rejection] = {}
    refused: Rejection | None = None
    number = before = 0
    for parts, held in zip(packs, surveys, strict=True):
        left = tuple(part for part in parts if part.source not in ended)
        if left:
            verdicts = judge.judge(one for one in held.found if one.source not in ended)
            known = tuple((*place, verdict) for place, verdict in verdicts.items())
            ending = tuple(one for one in held.ended if one.source not in ended)
            yield WorkUnit(number, left, known, ending, before)
            number, before = number + 1, before + held.rows
            refused = held.refused if before == held.rows else refused
        ended.update((one.source, one) for one in held.ended)
    if sentences and before == 1 and refused is not None:
        raise unreadable_table(refused)
