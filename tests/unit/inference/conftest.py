"""Predictions of any codebook, drawn at random."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["tests/codebooks/tiny.yaml", "configs/codebook.yaml"], scope="session")
def codebook(request: pytest.FixtureRequest) -> Codebook:
    return load_codebook(ROOT / str(request.param))
