"""What the engine on Ray decides before it meets Ray."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.bundle import Bundle
from pipeline.classifiers.onnx import processors
from pipeline.classifiers.placement import Device
from pipeline.errors import MissingExtra
from pipeline.inference import Unfinished
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify_on_ray import Cluster, classify_on_ray
from pipeline.workflows.watcher import Silent
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
    with pytest.raises(MissingExtra, match=r"stance-pipeline\[ray\]"):
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
