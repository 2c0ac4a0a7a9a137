"""A small run of the simulation of changes behind experiments/evidence/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.evidence.changes import WORLDS, main, p_by_statements, series


def test_permuting_statements_sees_changes_where_months_only_differ() -> None:
    world = next(world for world in WORLDS if world.alike == 0.3)
    draw = np.random.default_rng(1)
    found = sum(p_by_statements(series(world, draw), draw) <= 0.05 for _ in range(60))
    assert found > 12  # of 60; 3 would be right


def test_the_script_prints_a_row_a_world(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rounds", "2"])
    assert len(capsys.readouterr().out.splitlines()) == len(WORLDS) + 2
