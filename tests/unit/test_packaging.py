"""What the wheel must carry."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pipeline.bundle import load_bundle

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "default"
MOST_BYTES = 30_000_000


def test_the_wheel_carries_every_file_of_the_shipped_models() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    carried = set()
    for target, patterns in project["tool"]["setuptools"]["data-files"].items():
        for pattern in patterns:
            found = [path for path in ROOT.glob(pattern) if path.is_file()]
            assert found, f"{pattern} matches nothing"
            for path in found:
                assert target == f"share/stance-pipeline/{path.parent.relative_to(ROOT)}"
            carried |= set(found)
    actors = (ROOT / "configs" / "actors").glob("*.yaml")
    models = (path for path in SHIPPED.parent.rglob("*") if path.is_file())
    assert carried == {*actors, *models}


def test_the_shipped_model_is_whole_and_small_enough() -> None:
    bundle = load_bundle(SHIPPED)
    assert bundle.manifest.facts.limits
    assert bundle.manifest.facts.figures
    size = sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file())
    assert size <= MOST_BYTES
