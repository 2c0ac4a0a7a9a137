"""What a worker of a cluster does where its unit cannot be begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.classifiers.placement import Device
from pipeline.decision import DecisionRule
from pipeline.errors import InputError, OutputError
from pipeline.ingest.parts import whole
from pipeline.settings.ingest import IngestSettings
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
