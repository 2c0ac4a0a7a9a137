"""Files are whole or absent, whatever goes wrong on the way."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.output import json_text, whole_file, write_spreadsheet, write_text

ROOT = Path(__file__).parents[2]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    with whole_file(target) as file:
        file.write(b"half")
        file.flush()
        assert not target.exists()
        file.write(b" and half")
    assert target.read_bytes() == b"half and half"
    assert names(tmp_path) == ["out.txt"]


def test_until_then_the_old_file_stands(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_bytes(b"old")
    with whole_file(target) as file:
        file.write(b"new")
        file.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"


class Stopped(BaseException):
    """As raised by a signal: no `Exception`."""


@pytest.mark.parametrize("error", [ValueError("no"), PermissionError(13, "no"), Stopped()])
@pytest.mark.parametrize("existing", [None, b"old"])
def test_an_error_leaves_everything_as_it_was(
    tmp_path: Path, error: BaseException, existing: bytes | None
) -> None:
    target = tmp_path / "out.txt"
    if existing is not None:
        target.write_bytes(existing)

    def fail() -> None:
        with whole_file(target) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert names(tmp_path) == ([] if existing is None else ["out.txt"])
    assert existing is None or target.read_bytes() == existing


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "out.txt", "text")
    assert (tmp_path / "a" / "b" / "out.txt").read_text() == "text"


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "out.txt"
    folder.mkdir()
    with pytest.raises(OutputError, match=r"out\.txt: is a folder; give the name of a file"):
        write_text(folder, "text")
    assert names(tmp_path) == ["out.txt"]


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"out\.txt: cannot be written"):
        write_text(tmp_path / "file" / "out.txt", "text")
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("path", ["/proc/out.txt", "/proc/new/out.txt"])
def test_a_folder_that_takes_no_files_is_refused(path: str) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(Path(path), "text")


def test_a_name_too_long_for_the_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / ("x" * 300), "text")


def test_the_longest_name_is_no_obstacle(tmp_path: Path) -> None:
    write_text(tmp_path / ("x" * 255), "text")
    assert names(tmp_path) == ["x" * 255]


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    for path in (Path("/dev/null"), link):
        with pytest.raises(OutputError, match="not a regular file"):
            write_text(path, "text")
    assert Path("/dev/null").is_char_device()


def test_a_pipe_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="not a regular file"):
        write_text(pipe, "text")
    assert pipe.is_fifo()


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    there, link = tmp_path / "elsewhere" / "there.txt", tmp_path / "link.txt"
    link.symlink_to(there)
    for text in ("made", "replaced"):
        write_text(link, text)
        assert link.is_symlink()
        assert there.read_text() == text
    assert names(tmp_path / "elsewhere") == ["there.txt"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_text(tmp_path / "out.txt", "text")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG])
def test_a_full_disk_is_an_output_error(tmp_path: Path, number: int) -> None:
    target = tmp_path / "out.txt"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"out\.txt: cannot be written \("), whole_file(target):
        raise OSError(number, os.strerror(number))
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.txt"]


def test_a_real_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """What a full disk looks like from inside: the kernel refuses the bytes as they are written."""
    (tmp_path / "out.txt").write_bytes(b"old")
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "from pathlib import Path\n"
        "from pipeline.errors import OutputError\n"
        "from pipeline.output import write_text\n"
        "try:\n"
        "    write_text(Path('out.txt'), 'x' * 200_000)\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "out.txt: cannot be written (File too large).\n"
    assert done.stderr == ""
    assert (tmp_path / "out.txt").read_bytes() == b"old"
    assert names(tmp_path) == ["out.txt"]


def test_text_is_utf8_and_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    write_text(tmp_path / "out.txt", "naïve \ud800 — 👍\n")
    assert (tmp_path / "out.txt").read_bytes() == "naïve ? — 👍\n".encode()


def test_a_spreadsheet_says_that_it_is_utf_8(tmp_path: Path) -> None:
    write_spreadsheet(tmp_path / "s.csv", "text\r\n“fine”\r\n")
    assert (tmp_path / "s.csv").read_bytes() == b"\xef\xbb\xbf" + "text\r\n“fine”\r\n".encode()


def test_json_has_null_where_a_number_is_not_finite_however_deep() -> None:
    value = {"a": math.nan, "b": [1.5, (math.inf, {"c": -math.inf})], "d": "ü"}
    assert json.loads(json_text(value)) == {"a": None, "b": [1.5, [None, {"c": None}]], "d": "ü"}
    assert json_text({"d": "ü"}, ensure_ascii=False) == '{\n "d": "ü"\n}\n'
