"""The shipped model is verified: no file of it can be changed unnoticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.bundle.folder import MANIFEST, read_facts
from pipeline.errors import BundleError

SHIPPED = Path(__file__).parents[3] / "models" / "default"


def test_a_flipped_bit_in_any_file_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(SHIPPED, folder)
    manifest, _ = read_facts(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix() for path in files}
    assert names == {*manifest.files, MANIFEST}
    for path in files:
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 1]))
        with pytest.raises(BundleError, match=path.name):
            read_facts(folder)
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(bytes([byte]))
    assert read_facts(folder)[0] == manifest
