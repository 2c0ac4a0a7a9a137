from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook


@pytest.fixture(scope="session")
def tiny() -> Codebook:
    return load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


@pytest.fixture
def write_jsonl(tmp_path: Path) -> Callable[..., Path]:
    def _write(*rows: object, name: str = "labelled.jsonl") -> Path:
        path = tmp_path / name
        lines = [
            row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
        return path

    return _write
