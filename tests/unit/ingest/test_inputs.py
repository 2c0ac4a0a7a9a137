"""Naming inputs: files, folders, patterns and standard input."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
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


def test_lists_of_rejects_are_read_only_where_they_are_named(folder: Path) -> None:
    (folder / "sub" / "o.jsonl.rejects.jsonl").write_text("{}")
    assert names(folder, "sub") == ["sub/c.md"]
    assert names(folder, "sub/*.jsonl") == ["sub/o.jsonl.rejects.jsonl"]


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


@pytest.mark.parametrize("word", ["x" * 5000, "~nobody-of-this-name/x", "a\0b", "a.txt/b"])
def test_a_word_that_can_be_no_file_names_nothing(folder: Path, word: str) -> None:
    for pattern in (word, str(folder / word)):
        with pytest.raises(InputError, match="1 input names nothing to read"):
            find_inputs([pattern])


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder that may not be entered; the superuser steps back for that.

    It lies outside pytest's folders, which are closed to other users as a whole.
    """
    uid = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "sub"
        folder.mkdir()
        folder.chmod(0)
        if uid == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(uid)
            folder.chmod(0o755)


def test_a_folder_without_permission_is_reported(locked: Path) -> None:
    with pytest.raises(InputError, match=r"c\.md': cannot be read \(Permission denied\)"):
        find_inputs([str(locked / "c.md")])
    assert find_inputs([str(locked)]) == (locked,)


def test_an_output_is_not_read_and_not_overwritten(folder: Path) -> None:
    out = folder / "sub" / ".." / "a.txt"
    (folder / "link.txt").symlink_to(folder / "a.txt")
    for pattern in ("a.txt", "link.txt"):
        with pytest.raises(InputError) as caught:
            find_inputs([str(folder / "b.txt"), str(folder / pattern)], outputs=[out])
        for part in (f"'{folder / pattern}'", f"'{out}'", "another name"):
            assert part in str(caught.value)
    left = [folder / "b.txt", folder / "odd[1].txt"]
    assert find_inputs([str(folder)], outputs=[out, folder / "sub"]) == tuple(left)
    assert find_inputs([str(folder / "[ab].txt")], outputs=[out]) == (folder / "b.txt",)
    with pytest.raises(InputError, match="nothing but what is to be written"):
        find_inputs([str(folder / "sub")], outputs=[folder / "sub" / "c.md"])


@pytest.mark.parametrize("same", [True, False])
def test_standard_input_redirected_from_the_output_is_refused(folder: Path, same: bool) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.ingest import find_inputs\n"
        "find_inputs(['-'], outputs=[Path('new.txt'), Path(sys.argv[1])])"
    )
    out = folder / ("a.txt" if same else "b.txt")
    with (folder / "a.txt").open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", code, str(out)],
            stdin=file,
            capture_output=True,
            cwd=Path(__file__).parents[3],
        )
    assert (b"InputError: The input standard input ('-')" in done.stderr) is same, done.stderr
    assert (done.returncode != 0) is same
