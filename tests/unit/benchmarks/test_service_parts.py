"""The memory of the parts of the service is told before, in between and after."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from benchmarks.service import parts
from benchmarks.service.load import service
from pipeline.codebook import load_codebook

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
SHIPPED = Path(__file__).parents[3] / "models" / "default"


@pytest.mark.parametrize("arena", [True, False])
def test_the_network_alone(arena: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    session = onnxruntime.InferenceSession

    def noted(model: str, options: onnxruntime.SessionOptions, **more: Any) -> Any:
        asked.append(options.enable_cpu_mem_arena)
        return session(model, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", noted)
    monkeypatch.setattr(parts, "BATCHES", parts.TOLD)
    (model,) = SHIPPED.rglob("*.onnx")
    memory = parts.of_network(str(model), arena)
    assert asked == [arena]
    assert len(memory) == 1 + parts.TOLD
    assert min(memory) > 20


def test_all_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "REQUESTS", 8)
    parts.write_majority(tmp_path / "same", TINY)
    with service(tmp_path / "same") as address:
        memory = asyncio.run(parts.of_the_rest(address, ["We agree."]))
    assert len(memory) == 1 + parts.QUARTERS
    assert min(memory) > 20
