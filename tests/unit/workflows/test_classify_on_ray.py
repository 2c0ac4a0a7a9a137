"""What the engine on Ray decides before it meets Ray."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.bundle import Bundle
from pipeline.classifiers.onnx import processors
from pipeline.classifiers.placement import Device
from pipeline.decision import DecisionRule
from pipeline.errors import MissingExtra
from pipeline.inference import Unfinished
from pipeline.inference.job import ROWS
from pipeline.ingest.remarks import Seen
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows import classify_on_ray as engine
from pipeline.workflows.classify_on_ray import Cluster, classify_on_ray
from pipeline.workflows.watcher import Silent
from pipeline.workflows.work_units import Job
from pipeline.workflows.worker_pool import Pool, pool_on


@pytest.mark.parametrize(
    ("machines", "most", "expected"),
    [
        ([{"CPU": 2.0}], 1, Pool(1, 2, 0.0)),
        ([{"CPU": 2.0}], 2, Pool(2, 1, 0.0)),
        ([{"CPU": 2.0}], 99, Pool(2, 1, 0.0)),
        ([{"CPU": 16.0}, {"CPU": 16.0}, {"memory": 9.0}], 8, Pool(8, 4, 0.0)),
        ([{"CPU": 1.0}, {"CPU": 1.0}], 1, Pool(1, 1, 0.0)),  # two would fit on no machine
        ([{"CPU": 0.0}, {"CPU": 8.0, "GPU": 1.0}], 4, Pool(4, 2, 0.25)),
        ([{"CPU": 8.0, "GPU": 4.0}], 2, Pool(2, 4, 1.0)),
        ([], 3, Pool(1, 1, 0.0)),
    ],
)
def test_workers_share_the_processors(
    machines: Sequence[Mapping[str, float]], most: int, expected: Pool
) -> None:
    assert pool_on(machines, most) == expected
    assert expected.environment["OMP_NUM_THREADS"] == str(expected.processors)


def test_the_network_runs_on_the_processors_of_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    all_of_them = processors()
    for name, value in Pool(2, 3, 0.0).environment.items():
        monkeypatch.setenv(name, value)
    assert processors() == 3
    for nonsense in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
        assert processors() == all_of_them


def test_without_ray_the_extra_is_named(
    bundle: Bundle, bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install '\.\[ray\]'"):
        classify_on_ray(
            ["nothing.txt"],
            IngestSettings(),
            bundle,
            bundle_folder,
            tmp_path / "out",
            device=Device.AUTO,
            cluster=Cluster(),
            unfinished=Unfinished.REFUSE,
            watcher=Silent(),
        )
    assert not any(tmp_path.glob("*out*"))


class Killed(BaseException):
    """The process ends here."""


def job_in(folder: Path) -> Job:
    rule = DecisionRule((1.0,), (0.0,), (0.5,))
    return Job(folder, folder / "model", rule, Device.AUTO, IngestSettings())


def label(job: Job, *rows: bytes) -> None:
    for number, content in enumerate(rows):
        job.rows_of(number).write_bytes(content)
        job.finish(number, Counter({ROWS: 1}), Seen())


def parts_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """An output whose driver was killed when two units were labelled, and half put in place."""
    out = tmp_path / "out"
    with suppress(Killed), engine._job_folder(out, {"model": "m-1"}, Unfinished.REFUSE) as folder:
        job = job_in(folder)
        label(job, b"first of m-1", b"second of m-1")
        (folder / "part-000002.begun").write_bytes(b".")
        (folder / "rows").mkdir()
        job.rows_of(0).replace(folder / "rows" / job.rows_of(0).name)
        raise Killed
    return out


def test_a_restart_finds_nothing_of_the_job_before(left: Path) -> None:
    with engine._job_folder(left, {"model": "m-2"}, Unfinished.RESTART) as folder:
        assert {path.name for path in folder.iterdir()} == {"job.json", "lock"}
        assert json.loads((folder / "job.json").read_text()) == {"model": "m-2"}
        job = job_in(folder)
        assert job.counts_of(0) is job.counts_of(1) is None
        label(job, b"first of m-2")
        engine._put_in_place(job, 1, left)
    assert parts_of(left) == {"part-000000.parquet": b"first of m-2"}


def test_what_stands_without_its_job_is_nothing(left: Path) -> None:
    (left.parent / ".out.job" / "job.json").unlink()
    with engine._job_folder(left, {"model": "m-1"}, Unfinished.RESUME) as folder:
        assert job_in(folder).counts_of(1) is None


def test_a_resumed_job_finds_its_units(left: Path) -> None:
    with engine._job_folder(left, {"model": "m-1"}, Unfinished.RESUME) as folder:
        job = job_in(folder)
        assert job.counts_of(0) == job.counts_of(1) == {("rows",): 1}
        engine._put_in_place(job, 2, left)
    assert list(parts_of(left).values()) == [b"first of m-1", b"second of m-1"]
    assert [path.name for path in left.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("unfinished", [Unfinished.RESUME, Unfinished.RESTART])
def test_the_output_of_before_stands_until_new_rows_do(left: Path, unfinished: Unfinished) -> None:
    old = left.parent / ".out.job" / "old"
    old.mkdir()
    (old / "part-000000.parquet").write_bytes(b"of before")
    with (
        pytest.raises(Killed),
        engine._job_folder(left, {"model": "m-1"}, unfinished),
    ):
        raise Killed
    assert parts_of(left) == {"part-000000.parquet": b"of before"}


def test_rows_in_place_are_not_replaced_by_none(
    left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path) -> None:
        raise Killed

    monkeypatch.setattr(engine, "discard", killed)
    with (
        pytest.raises(Killed),
        engine._job_folder(left, {"model": "m-1"}, Unfinished.RESUME) as folder,
    ):
        engine._put_in_place(job_in(folder), 2, left)
    monkeypatch.undo()
    with engine._job_folder(left, {"model": "m-1"}, Unfinished.RESUME) as folder:
        engine._put_in_place(job_in(folder), 2, left)
    assert list(parts_of(left).values()) == [b"first of m-1", b"second of m-1"]
