"""Stage `classify` on a Ray cluster: units of work to many processes, one Parquet file each.

Ray Data hands the units to a pool of actors (Moritz et al., 2018, "Ray: A distributed framework for
emerging AI applications"); every actor holds the model. Texts and rows pass through the shared file
system alone, so memory stays flat and the loss of a machine costs the units it was at.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.bundle import Bundle
from pipeline.classifiers.placement import Device
from pipeline.errors import (
    BundleError,
    InputError,
    MissingExtra,
    OutputError,
    SettingsError,
    StanceError,
)
from pipeline.inference.job import ROWS, Key, Unfinished, discard, locked, take_up
from pipeline.ingest import Input, find_inputs
from pipeline.ingest.identities import Survey
from pipeline.ingest.parts import PART_BYTES, Part, can_be_cut, cut, packed, whole
from pipeline.ingest.remarks import Remarks
from pipeline.ingest.sentence_rows import one_table
from pipeline.records import Rejection
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify import ABSTAINED, GIVEN, ClassifySummary
from pipeline.workflows.documents import nothing_usable, written_with
from pipeline.workflows.record_files import Rejects, read_records, rejects_path
from pipeline.workflows.watcher import Watcher
from pipeline.workflows.work_units import (
    STATEMENTS,
    Job,
    Labeller,
    WorkUnit,
    planned,
    survey_parts,
)
from pipeline.workflows.worker_pool import pool_on

if TYPE_CHECKING:
    from types import ModuleType as Ray

MOST_BLOCKS = 20_000
"""Blocks of units that Ray keeps account of; beyond that a block holds several units."""
_ROWS, _OLD = "rows", "old"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster to use: its address, or none for processes on this machine; how many workers.

    Without a number there is a worker for every processor. `unit_bytes` is the size of a unit of
    work: what is done again when its worker is lost.
    """

    address: str | None = None
    workers: int | None = None
    unit_bytes: int = PART_BYTES


def classify_on_ray(
    patterns: Sequence[str],
    settings: IngestSettings,
    bundle: Bundle,
    model: Path,
    out: Path,
    *,
    device: Device,
    cluster: Cluster,
    unfinished: Unfinished,
    watcher: Watcher,
    sentences: bool = False,
) -> ClassifySummary:
    """Label documents as `classify_documents` does; `out` is a folder of Parquet files.

    Their rows, in the order of their names, are those of the local engine in its order. Files and
    folders must have the same names on all machines of the cluster.

    Args:
        bundle: the model, with the rule that decides; the workers load theirs from `model`.
        sentences: the rows of the one table that is given are sentences, and are labelled as
            `classify_sentence_rows` does.

    Raises:
        InputError: a pattern names nothing, standard input or a pipe; no statement could be read;
            a machine does not see an input; a table of sentences is none.
        OutputError: `out` cannot be written or holds something else, or an unfinished job there
            does not fit.
        BundleError: a worker cannot load the model.
        SettingsError: a worker lacks the device.
        MissingExtra: Ray is not installed.
    """
    begun = time.perf_counter()
    ray = _import_ray()
    written = written_with(str(out))
    if sentences:
        (pattern,) = patterns
        inputs: Sequence[Input] = [one_table(pattern, written)]
    else:
        inputs = find_inputs(patterns, outputs=written)
    parts = []
    for named in inputs:
        if not isinstance(named, Path) or named.is_fifo():
            raise InputError(
                f"'{named}': a cluster reads files only, which all its machines can open. Write it "
                "to a file first, or use the local engine."
            )
        parts.append(whole(named))
    identity = {
        **{f"input {p.path}": f"{p.size} bytes, changed at {p.changed}" for p in parts},
        "unit": "sentence" if sentences else "document",
        "settings": json.dumps(settings.model_dump(mode="json"), sort_keys=True),
        "model": bundle.model_id,
        "rule": json.dumps(asdict(bundle.rule)),
        "version": f"{__version__} on a cluster, by {cluster.unit_bytes} bytes",
    }
    with _job_folder(out, identity, unfinished) as folder:
        job = Job(folder.absolute(), model.absolute(), bundle.rule, device, settings, sentences)
        with _connected(ray, cluster.address):
            units = _planned(ray, parts, job, cluster.unit_bytes, watcher)
            _label(ray, job, units, cluster.workers, watcher)
        remarks = Remarks(settings)
        summary = _finished(job, len(units), out, bundle.model_id, begun, remarks)
    left_out = remarks.left_out() if summary.rejects_file and not sentences else ()
    for line in (*left_out, *remarks.lines()):
        watcher.note(line)
    return summary


def _planned(
    ray: Ray, parts: Sequence[Part], job: Job, size: int, watcher: Watcher
) -> list[WorkUnit]:
    """Cut the inputs into units, and find out which of their documents are duplicates."""
    to_cut = ray.remote(cut)
    under_way = {
        n: to_cut.remote(part, job.settings, size)
        for n, part in enumerate(parts)
        if can_be_cut(part, size)
    }
    pieces = (
        piece
        for n, part in enumerate(parts)
        for piece in (ray.get(under_way[n]) if n in under_way else [part])
    )
    packs = list(packed(pieces, size))
    to_survey = ray.remote(survey_parts)
    surveys = deque(to_survey.remote(pack, job.settings, job.sentences) for pack in packs)

    def surveyed() -> Iterator[Survey]:
        while surveys:
            found = ray.get(surveys.popleft())  # which the cluster may forget now
            if isinstance(found, StanceError):
                raise found
            watcher.progress("units read", len(packs) - len(surveys), len(packs))
            yield found

    return list(planned(packs, surveyed(), job.settings, job.sentences))


def _label(
    ray: Ray, job: Job, units: Sequence[WorkUnit], workers: int | None, watcher: Watcher
) -> None:
    """Label the units that are not finished yet, each in any worker of the pool."""
    waiting = [unit for unit in units if job.counts_of(unit.number) is None]
    done = len(units) - len(waiting)
    if done:
        watcher.note(f"{done:,} of {len(units):,} units were labelled before")
    if not waiting:
        return
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    pool = pool_on(machines, min(workers or len(waiting), len(waiting)))
    blocks = min(len(waiting), MOST_BLOCKS)
    rows = [{"unit": unit.to_json()} for unit in waiting]
    labelled = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
        Labeller,
        fn_constructor_args=(job,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(
            # At least one, so that workers lost for good are not waited for.
            min_size=1,
            max_size=pool.workers,
            initial_size=pool.workers,
            max_tasks_in_flight_per_actor=2,
        ),
        num_cpus=pool.processors,
        num_gpus=pool.accelerators,
        runtime_env={"env_vars": pool.environment},
    )
    for row in labelled.iter_rows():
        if row["failure"]:
            raise _failure(**json.loads(row["failure"]))
        done += 1
        watcher.progress("units labelled", done, len(units))


def _failure(kind: str, message: str) -> StanceError:
    """Return what a worker raised; errors with further arguments concern how it loads the model."""
    if kind == "SettingsError":
        return SettingsError([message], where="a worker")
    known = {error.__name__: error for error in (InputError, OutputError, BundleError)}
    return known.get(kind, BundleError)(message)


def _finished(
    job: Job, units: int, out: Path, model_id: str, begun: float, remarks: Remarks
) -> ClassifySummary:
    """Collect counts, rejects and remarks of all units, and put their rows in place."""
    counts: Counter[Key] = Counter()
    rejects = Rejects()
    for number in range(units):
        counted = job.counts_of(number)
        if counted is None:
            raise OutputError(
                f"{job.rows_of(number)}: was written by another machine but is not here. The "
                "output must lie on a file system that all machines of the cluster share."
            )
        counts += counted
        for facts in job.seen_of(number):
            remarks.join(facts)
        listed = rejects_path(job.rows_of(number))
        if listed.exists():
            for rejection in read_records(listed, Rejection):
                rejects.add(rejection)
    file = rejects_path(out)
    rejects.write(file)
    if not counts[ROWS]:
        discard(job.folder)
        raise InputError(nothing_usable(rejects, file))
    _put_in_place(job, units, out)
    return ClassifySummary(
        statements=counts[STATEMENTS],
        sentences=counts[ROWS],
        labels={(key[1], key[2]): n for key, n in counts.items() if key[0] == GIVEN},
        abstained={key[1]: n for key, n in counts.items() if key[0] == ABSTAINED},
        rejected=dict(rejects.counts),
        rejects=rejects,
        rejects_file=file if rejects.first else None,
        seconds=time.perf_counter() - begun,
        model_id=model_id,
    )


def _put_in_place(job: Job, units: int, out: Path) -> None:
    """Make the folder `out` of the rows of all units; broken off, it can be gone on with."""
    rows = job.folder / _ROWS
    try:
        rows.mkdir(exist_ok=True)
        for path in map(job.rows_of, range(units)):
            if path.exists():
                path.replace(rows / path.name)
        if any(rows.iterdir()):  # else a process put them in place that died before it cleaned up
            if out.exists():
                out.rename(job.folder / _OLD)
            rows.rename(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}).") from None
    discard(job.folder)


def _put_back(old: Path, out: Path) -> None:
    """Undo half an exchange: until new rows are in place, the output is the one of before."""
    try:
        if old.exists() and not out.exists():
            old.rename(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}).") from None


@contextmanager
def _job_folder(out: Path, identity: dict[str, str], unfinished: Unfinished) -> Iterator[Path]:
    """Hold the folder of the job on `out`, as the local engine does."""
    if out.exists() and not (
        out.is_dir() and all(f.match("part-*.parquet") for f in out.iterdir())
    ):
        raise OutputError(f"{out}: is not a folder of labelled parts; give another name.")
    folder = out.with_name(f".{out.name}.job")
    with locked(folder, out):
        _put_back(folder / _OLD, out)
        take_up(folder, out, identity, unfinished)
        yield folder


def _import_ray() -> Ray:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to its makers
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it prints errors that are none
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtra("ray", "ray", "The engine 'ray'") from None
    found: Ray = ray
    return found


@contextmanager
def _connected(ray: Ray, address: str | None) -> Iterator[None]:
    """Connect to a cluster, or start one on this machine; use a connection that is there."""
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if ray.is_initialized():
        yield
        return
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address is None:
            ray.init(address="local", include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"no Ray cluster at '{address}': {error}") from None
    try:
        yield
    finally:
        ray.shutdown()
