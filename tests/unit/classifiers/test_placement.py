"""A device that is asked for is used or refused, never exchanged in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.bundle import load_bundle
from pipeline.classifiers.placement import Device, Placeable
from pipeline.errors import SettingsError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("device", "available", "expected"),
    [
        (Device.AUTO, True, True),
        (Device.AUTO, False, False),
        (Device.CPU, True, False),
        (Device.CPU, False, False),
        (Device.CUDA, True, True),
    ],
)
def test_cuda_is_used_where_it_may_and_can_be(
    device: Device, available: bool, expected: bool
) -> None:
    assert device.uses_cuda(available, "nothing") is expected


def test_cuda_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match="device is 'cuda', but there is no card"):
        Device.CUDA.uses_cuda(False, "there is no card")


def test_an_ensemble_places_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle(ROOT / "models" / "default", device=Device.CPU)
    placed: list[Device] = []
    assert isinstance(bundle.classifier, Placeable)
    (network, _) = bundle.classifier.members  # type: ignore[attr-defined]
    monkeypatch.setattr(network, "place", placed.append)
    bundle.classifier.place(Device.CUDA)
    assert placed == [Device.CUDA]
