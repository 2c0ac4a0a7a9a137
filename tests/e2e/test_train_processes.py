"""`stance train` started in two processes: one of them calibrates, logs and writes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


class Stance(Protocol):
    folder: Path


def test_two_processes_train_and_one_writes(stance: Stance, tiny_encoder: Path) -> None:
    folder = stance.folder
    small = f"""
  small:
    kind: transformer
    encoder: {{name: {tiny_encoder}, max_tokens: 32}}
    epochs: 1
    max_steps: 6
    tokens_per_batch: 128
    precision: float32
"""
    text = (folder / "settings.yaml").read_text(encoding="utf-8")
    text = text.replace("models:\n", "models:" + small, 1)
    text = text.replace("threshold_folds: 2}", "threshold_folds: 2, folds: 2}")
    (folder / "settings.yaml").write_text(text, encoding="utf-8")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    train = ["-m", "pipeline.cli.app", "train", "small", "majority", "-c", "settings.yaml"]
    done = subprocess.run(
        [sys.executable, *launch, *train],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("topic macro-F1") == 1
    store = sqlite3.connect(folder / "store" / "mlflow.db")
    try:
        runs = store.execute("select name, status from runs").fetchall()
    finally:
        store.close()
    names = [name for name, _ in runs]
    assert [names.count(name) for name in ("small", "majority", "fold 1", "fold 2")] == [1, 1, 2, 2]
    assert {status for _, status in runs} == {"FINISHED"}
    assert (folder / "work" / "models" / "small" / "manifest.json").is_file()
    checkpoints = list((folder / "work" / "checkpoints").iterdir())
    assert len(checkpoints) == 3  # of two folds and the whole
    assert all(path.suffix == ".safetensors" for path in checkpoints)
