"""What a worker of a cluster does where its unit cannot be begun."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from pipeline.bundle import BundleFacts, write_bundle
from pipeline.classifiers.placement import Device
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.errors import InputError, OutputError
from pipeline.inference.sinks import ParquetSink
from pipeline.ingest.parts import whole
from pipeline.settings.classifiers import RulesSettings
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.record_files import rejects_path
from pipeline.workflows.work_units import MOST_ATTEMPTS, Job, Labeller, WorkUnit


@pytest.fixture
def job(tmp_path: Path) -> Job:
    rule = DecisionRule((1.0,), (0.0,), (0.5,))
    return Job(tmp_path, tmp_path / "no model", rule, Device.AUTO, IngestSettings())


@pytest.fixture
def unit(tmp_path: Path) -> WorkUnit:
    (tmp_path / "a.txt").write_text("We agree.")
    return WorkUnit(0, (whole(tmp_path / "a.txt"),))


def test_a_full_disk_is_told(job: Job, unit: WorkUnit, tmp_path: Path) -> None:
    (tmp_path / "part-000000.begun").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"part-000000.begun: cannot be written \(No space left"):
        Labeller(job).label(unit)


def test_a_unit_that_ends_every_process_is_given_up(
    job: Job, unit: WorkUnit, tmp_path: Path
) -> None:
    (tmp_path / "part-000000.begun").write_bytes(b"." * MOST_ATTEMPTS)
    with pytest.raises(
        InputError, match=f"a.txt: the process that labels it was lost {MOST_ATTEMPTS}"
    ):
        Labeller(job).label(unit)


def test_counts_that_were_changed_are_told(job: Job, tmp_path: Path) -> None:
    (tmp_path / "part-000003.json").write_text("{")
    with pytest.raises(OutputError, match=r"part-000003.json: was changed .* Add --restart"):
        job.counts_of(3)


def test_a_unit_that_breaks_off_leaves_nothing_that_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = load_codebook(Path("tests/codebooks/tiny.yaml"))
    facts = BundleFacts(name="kitchen", description="Rules.", limits=("None known.",))
    rule = DecisionRule.plain(tiny)
    write_bundle(tmp_path / "m", RulesClassifier(tiny, RulesSettings()), rule, facts)
    folder = tmp_path / "job"
    folder.mkdir()
    (tmp_path / "a.jsonl").write_text('{"text": "The soup was cold."}\n')
    unit = WorkUnit(0, (whole(tmp_path / "a.jsonl"),))
    job = Job(folder, tmp_path / "m", rule, Device.AUTO, IngestSettings())
    rejects = rejects_path(job.rows_of(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ParquetSink, "write", _full)
        with pytest.raises(OutputError):
            Labeller(job).label(unit)
    gc.collect()  # which must not write to the file that was thrown away
    assert capsys.readouterr().err == ""
    assert job.counts_of(0) is None
    assert not job.rows_of(0).exists()
    assert not rejects.exists()
    Labeller(job).label(unit)
    assert (job.counts_of(0) or {})[("rows",)] == 1
    assert [one.source for one in job.seen_of(0)] == [str(tmp_path / "a.jsonl")]


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")
