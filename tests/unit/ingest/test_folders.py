"""Strange files and names in folders: each comes out once, as a statement or as a rejection."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.ingest import Reading, find_inputs
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings

NAMES = (
    "two\nlines.txt", "tab\t.txt", "-o.txt", "--help.txt", "$(touch x).txt", "; rm x.txt", "*.txt",
    "[a].txt", "~.txt", "a b.txt", "\u202egpj.txt", "é.txt", "e\u0301.txt", "%s.txt",
    "\\.txt", "'\".txt", "<b>.txt",
    "x" * 251 + ".txt", os.fsdecode(b"\xff\xfe.txt"),
)  # fmt: skip


def read(folder: Path) -> list[Statement | Rejection]:
    return list(Reading(find_inputs([str(folder)]), IngestSettings()))


def test_any_name_is_read_and_told_as_it_is(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / name).write_text(f"We act in year {number}.")
    items = read(tmp_path)
    assert all(isinstance(item, Statement) for item in items)
    assert sorted(item.source for item in items) == sorted(str(tmp_path / name) for name in NAMES)


def test_what_is_no_file_is_left_out_of_a_folder_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("We act.")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "null.txt").symlink_to("/dev/null")
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.txt"))
        items = read(tmp_path)
    assert [Path(item.source).name for item in items] == ["a.txt"]


def test_links_lead_to_each_file_once_and_never_in_circles(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
    (outside / "secret.txt").write_text("We act.")
    (inside / "a.txt").symlink_to(outside / "secret.txt")
    (inside / "b.txt").symlink_to(outside / "secret.txt")
    (inside / "self.txt").symlink_to(inside / "self.txt")
    (inside / "up").symlink_to(tmp_path)
    (inside / "root").symlink_to(inside)
    statement, circle = read(inside)
    assert isinstance(statement, Statement)
    assert Path(statement.source).name == "a.txt"
    assert isinstance(circle, Rejection)
    assert (Path(circle.source).name, circle.reason) == ("self.txt", RejectReason.UNREADABLE)


@pytest.mark.parametrize(("depth", "kind"), [(1500, Statement), (2500, Rejection)])
def test_a_deep_folder_is_read_as_far_as_paths_can_be_named(
    tmp_path: Path, depth: int, kind: type[Statement | Rejection]
) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(depth):
            Path("d").mkdir()
            os.chdir("d")
        Path("a.txt").write_text("We act.")
    finally:
        os.chdir(here)
    try:
        (item,) = read(tmp_path)
    finally:  # Python's own way of removing folders cannot go so deep
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert isinstance(item, kind)


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder of one file that may not be read; the superuser steps back for that."""
    uid = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        (Path(name) / "a.txt").write_text("We act.")
        (Path(name) / "b.txt").write_text("We wait.")
        (Path(name) / "a.txt").chmod(0)
        if uid == 0:
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            os.seteuid(uid)


def test_a_file_without_permission_is_rejected_alone(locked: Path) -> None:
    first, second = read(locked)
    assert isinstance(first, Rejection)
    assert (first.reason, first.detail) == (RejectReason.UNREADABLE, "Permission denied")
    assert isinstance(second, Statement)
