"""Naming inputs: files, folders, patterns and standard input."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.ingest import Stdin, find_inputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ["b.txt", "a.txt", "sub/c.md", "sub/.hidden", ".git/config", "odd[1].txt"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(folder: Path, *patterns: str) -> list[str]:
    found = find_inputs([p if p == "-" else str(folder / p) for p in patterns])
    return [str(i) if isinstance(i, Stdin) else i.relative_to(folder).as_posix() for i in found]


def test_a_folder_gives_its_files_sorted_and_without_hidden_ones(folder: Path) -> None:
    assert names(folder, "") == ["a.txt", "b.txt", "odd[1].txt", "sub/c.md"]


def test_patterns_stand_for_files_and_folders(folder: Path) -> None:
    assert names(folder, "?.txt") == ["a.txt", "b.txt"]
    assert names(folder, "**/*.md") == ["sub/c.md"]
    assert names(folder, "s*") == ["sub/c.md"]


def test_an_existing_name_is_no_pattern(folder: Path) -> None:
    assert names(folder, "odd[1].txt") == ["odd[1].txt"]


def test_order_is_kept_and_each_input_comes_once(folder: Path) -> None:
    assert names(folder, "b.txt", "-", "", "-", "sub/../a.txt") == [
        "b.txt",
        "-",
        "a.txt",
        "odd[1].txt",
        "sub/c.md",
    ]


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    assert names(folder, "") == ["a.txt", "b.txt", "odd[1].txt", "sub/c.md"]


def test_a_broken_link_is_handed_on_to_be_reported(folder: Path) -> None:
    (folder / "sub" / "gone.txt").symlink_to(folder / "nowhere")
    assert names(folder, "sub") == ["sub/c.md", "sub/gone.txt"]


def test_all_names_of_nothing_are_reported_at_once_with_near_matches(folder: Path) -> None:
    (folder / "empty").mkdir()
    wrong = [str(folder / name) for name in ["a.text", "x*.pdf", "none/a.txt", "empty"]]
    with pytest.raises(InputError) as caught:
        find_inputs([str(folder / "b.txt"), *wrong])
    message = str(caught.value)
    assert message.startswith("4 inputs name nothing")
    assert all(f"'{name}'" in message for name in wrong)
    assert f"did you mean '{folder / 'a.txt'}'" in message
    assert "no file matches this pattern" in message
    assert f"no folder '{folder / 'none'}'" in message
    assert "holds no files" in message
