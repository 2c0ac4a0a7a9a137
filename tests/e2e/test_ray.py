"""Labelling on a cluster of two machines gives what the local engine gives, whatever is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.scale.same_rows import compare, fingerprint
from pipeline.bundle import BundleFacts, load_bundle, write_bundle
from pipeline.bundle.folder import read_facts
from pipeline.classifiers.placement import Device
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.errors import BundleError, InputError, OutputError
from pipeline.inference import RowFormat, Unfinished
from pipeline.settings.classifiers import RulesSettings
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify import (
    ClassifySummary,
    Target,
    classify_documents,
    classify_sentence_rows,
)
from pipeline.workflows.classify_on_ray import Cluster, classify_on_ray
from pipeline.workflows.record_files import rejects_path
from pipeline.workflows.watcher import Silent

pytestmark = [
    pytest.mark.slow,
    # Ray warns of itself: its settings set their own deprecated fields, and a connection to a
    # machine that was killed is closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
ROOT = Path(__file__).parents[2]
UNIT_BYTES = 6_000
SAID = (
    "The soup was excellent. We sat by the window.",
    "A rude waiter came, and the bread was stale. The staff was friendly later.",
    "1. The wine was lovely.\n2. Nobody came.\n\nWe left – at last.",
)

# The library is imported inside the fixture, so its types are not known here.
Nodes = Any


@dataclass
class Machines:
    """A cluster on this machine: a first node and a second one, which may be lost."""

    cluster: Nodes
    second: Nodes

    def workers_of_second(self) -> list[int]:
        """Return the processes on the second machine that hold a model."""
        raylet = self.second.all_processes["raylet"][0].process.pid
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        fields = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        return [int(f[0]) for f in fields if int(f[1]) == raylet and "MapWorker" in f[2]]

    def lose_worker(self) -> bool:
        """Kill a process that labels, if there is one already."""
        workers = self.workers_of_second()
        for worker in workers[:1]:
            os.kill(worker, signal.SIGKILL)
        return bool(workers)

    def lose_machine(self) -> bool:
        """Kill all processes of the second machine, once one of them labels."""
        if not self.workers_of_second():
            return False
        self.cluster.remove_node(self.second, allow_graceful=False)
        return True


@pytest.fixture(scope="module")
def first_machine() -> Iterator[Nodes]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster as LocalCluster

    cluster = LocalCluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    pids = [
        info.process.pid for infos in cluster.head_node.all_processes.values() for info in infos
    ]
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    assert not [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()]


@pytest.fixture
def machines(first_machine: Nodes) -> Iterator[Machines]:
    machines = Machines(first_machine, first_machine.add_node(num_cpus=1))
    first_machine.wait_for_nodes()
    yield machines
    if machines.second in first_machine.worker_nodes:
        first_machine.remove_node(machines.second)


@dataclass
class Noting(Silent):
    """Keeps what is said besides the summary."""

    notes: list[str] = field(default_factory=list, kw_only=True)

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Then(Noting):
    """Does something once so many units are labelled, as soon as it can be done."""

    units: int
    act: Callable[[], bool]
    acted: bool = False
    seen: list[int] = field(default_factory=list)

    def progress(self, what: str, done: int, total: int | None) -> None:
        del total
        if what == "units labelled":
            self.seen.append(done)
            if done >= self.units and not self.acted:
                self.acted = self.act()


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that needs no training."""
    folder = tmp_path_factory.mktemp("kitchen") / "rules"
    tiny = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
    facts = BundleFacts(name="kitchen", description="Rules.", limits=("None known.",))
    write_bundle(folder, RulesClassifier(tiny, RulesSettings()), DecisionRule.plain(tiny), facts)
    return folder


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables of 1,500 rows, some of them bad, twice there, or with an id twice.

    Some dates of one are of another form, and of the other a column is not read.
    """
    folder = tmp_path_factory.mktemp("reviews")
    rows: list[dict[str, str]] = []
    with (folder / "a.jsonl").open("w", encoding="utf-8") as file:
        for n in range(1500):
            said = {"text": f"Review {n % 1450}. {SAID[n % 3]}", "speaker": f"Guest {n % 7}"}
            if n % 300 == 7:
                said["id"] = f"id-{n % 600}"
            if n % 400 == 9:
                said["date"] = "3 May 2023"
            rows.append(said | {"text": f"Again: {said['text']}" if n % 500 != 3 else ""})
            file.write("not JSON\n" if n % 500 == 3 else json.dumps(said) + "\n")
    columns = {name: [row.get(name) for row in rows] for name in ("text", "speaker", "id")}
    columns["place"] = ["Window"] * len(rows)
    pq.write_table(pa.table(columns), folder / "f.parquet", row_group_size=700)
    (folder / "b.csv").write_text('text\n"The soup was\ncold."\n' * 3, encoding="utf-8")
    (folder / "c.txt").write_text("Review 4. " + SAID[1], encoding="utf-8")
    (folder / "d.txt").write_text("", encoding="utf-8")
    (folder / "e.md").write_text(SAID[2], encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Work:
    """What to label, with what, and what the local engine made of it."""

    inputs: Path
    model: Path
    local: Path
    summary: ClassifySummary
    notes: list[str]
    sentences: bool = False

    def on_cluster(
        self,
        out: Path,
        watcher: Silent | None = None,
        unfinished: Unfinished = Unfinished.REFUSE,
        model: Path | None = None,
        device: Device = Device.AUTO,
        unit_bytes: int = UNIT_BYTES,
    ) -> ClassifySummary:
        return classify_on_ray(
            [str(self.inputs)],
            IngestSettings(),
            load_bundle(self.model),
            model or self.model,
            out,
            device=device,
            cluster=Cluster(unit_bytes=unit_bytes),
            unfinished=unfinished,
            watcher=watcher or Silent(),
            sentences=self.sentences,
        )

    def assert_same(self, out: Path, summary: ClassifySummary) -> None:
        manifest, codebook = read_facts(self.model)
        rows = RowFormat(codebook)
        parts = sorted(out.iterdir())
        assert all(part.match("part-*.parquet") for part in parts)
        assert len(parts) > 3
        rule = load_bundle(self.model).rule
        turning = dict(zip(rows.probability_columns, rule.threshold, strict=True))
        found = compare([self.local], parts, rows, turning)
        assert found.equal, found
        one, other = fingerprint([self.local], rows), fingerprint(parts, rows)
        assert (one.rows, one.places) == (other.rows, other.places)
        assert found.near or one == other
        order = [name for part in parts for name in pq.read_table(part)["sentence_id"].to_pylist()]
        assert order == pq.read_table(self.local)["sentence_id"].to_pylist()
        assert pq.read_schema(parts[0]).equals(rows.schema())
        assert summary.statements == self.summary.statements
        assert summary.sentences == self.summary.sentences == len(order)
        assert summary.rejected == self.summary.rejected
        assert summary.model_id == manifest.model_id
        if not found.near:
            assert summary.labels == self.summary.labels
        if self.summary.rejects_file is not None:
            assert summary.rejects_file == rejects_path(out)
            assert rejects_path(out).read_bytes() == self.summary.rejects_file.read_bytes()
        assert not out.with_name(f".{out.name}.job").exists()


def labelled_locally(inputs: Path, model: Path, out: Path) -> Work:
    watcher = Noting()
    summary = classify_documents(
        [str(inputs)],
        IngestSettings(),
        load_bundle(model),
        Target(str(out)),
        stdin=sys.stdin.buffer,
        watcher=watcher,
    )
    return Work(inputs, model, out, summary, watcher.notes)


@pytest.fixture(scope="module")
def work(reviews: Path, kitchen: Path, tmp_path_factory: pytest.TempPathFactory) -> Work:
    folder = tmp_path_factory.mktemp("local")
    done = labelled_locally(reviews, kitchen, folder / "local.parquet")
    assert len(done.summary.rejected) == 3
    assert [Path(note.split(": ")[0]).name for note in done.notes] == ["a.jsonl", "f.parquet"]
    return done


def test_two_machines_give_what_one_gives(machines: Machines, work: Work, tmp_path: Path) -> None:
    del machines
    watcher = Noting()
    work.assert_same(tmp_path / "out", work.on_cluster(tmp_path / "out", watcher))
    assert watcher.notes == work.notes


@pytest.mark.parametrize("table", ["a.jsonl", "f.parquet"])
def test_rows_that_are_sentences(
    machines: Machines, work: Work, tmp_path: Path, table: str
) -> None:
    del machines
    local = tmp_path / "local.parquet"
    said, said_apart = Noting(), Noting()
    summary = classify_sentence_rows(
        str(work.inputs / table),
        IngestSettings(),
        load_bundle(work.model),
        Target(str(local)),
        stdin=sys.stdin.buffer,
        watcher=said,
    )
    assert summary.sentences == 1500
    assert summary.rejected
    assert len(said.notes) == 1
    rows = Work(work.inputs / table, work.model, local, summary, said.notes, sentences=True)
    out = tmp_path / "out"
    on_cluster = rows.on_cluster(out, said_apart)
    assert said_apart.notes == said.notes
    parts = sorted(out.iterdir())
    assert len(parts) > 3
    # Identifiers may be given twice in such a table, so rows are compared by their places.
    assert pa.concat_tables(map(pq.read_table, parts)).equals(pq.read_table(local))
    assert on_cluster.labels == summary.labels
    assert on_cluster.rejected == summary.rejected
    assert summary.rejects_file is not None
    assert rejects_path(out).read_bytes() == summary.rejects_file.read_bytes()


@pytest.mark.parametrize("loss", ["worker", "machine"])
def test_the_loss_of_a_worker_changes_nothing(
    machines: Machines, work: Work, tmp_path: Path, loss: str
) -> None:
    lose = machines.lose_worker if loss == "worker" else machines.lose_machine
    watcher = Then(5, lose)
    summary = work.on_cluster(tmp_path / "out", watcher)
    assert watcher.acted
    assert watcher.seen == list(range(1, len(watcher.seen) + 1))
    work.assert_same(tmp_path / "out", summary)


class Stopped(BaseException):
    """The driver was asked to end."""


def test_a_job_whose_driver_ended_is_resumed(
    machines: Machines, work: Work, tmp_path: Path
) -> None:
    del machines

    def stop() -> bool:
        raise Stopped

    out, folder = tmp_path / "out", tmp_path / ".out.job"
    with pytest.raises(Stopped):
        work.on_cluster(out, Then(8, stop))
    assert not out.exists()
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("part-*.json")}
    assert len(finished) >= 8
    with pytest.raises(OutputError, match="did not finish"):
        work.on_cluster(out)
    with pytest.raises(OutputError, match="cannot be resumed"):
        work.on_cluster(out, unfinished=Unfinished.RESUME, unit_bytes=UNIT_BYTES + 1)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    watcher = Then(0, lambda: True)
    summary = work.on_cluster(out, watcher, Unfinished.RESUME)
    assert watcher.seen[0] > len(finished)
    work.assert_same(out, summary)


def test_what_is_wrong_ends_the_job_with_a_message(
    machines: Machines, work: Work, tmp_path: Path
) -> None:
    del machines
    broken = tmp_path / "broken"
    with pytest.raises(BundleError, match="no model here"):
        work.on_cluster(tmp_path / "out", model=broken)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("Mine.", encoding="utf-8")
    with pytest.raises(OutputError, match="is not a folder of labelled parts"):
        work.on_cluster(tmp_path / "full")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "a.txt").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="Nothing usable"):
        replace(work, inputs=empty).on_cluster(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="reads files only"):
        replace(work, inputs=Path("-")).on_cluster(tmp_path / "out")


def test_the_shipped_model_gives_the_same_within_the_tolerance(
    machines: Machines, tmp_path: Path
) -> None:
    del machines
    statements = tmp_path / "statements"
    statements.mkdir()
    for path in sorted((ROOT / "seeds" / "statements").glob("*.txt")):
        (statements / path.name).write_bytes(path.read_bytes())
    shipped = ROOT / "models" / "default"
    local = labelled_locally(statements, shipped, tmp_path / "local.parquet")
    local.assert_same(
        tmp_path / "out", local.on_cluster(tmp_path / "out", unit_bytes=UNIT_BYTES // 2)
    )
