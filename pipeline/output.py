"""Files that are whole or absent (temporary name beside the target, then rename); JSON text."""

from __future__ import annotations

import errno
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import OutputError

NOT_WRITABLE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO},
)
"""Error numbers that a write gives on a full or failing disk."""


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that becomes `path` when the block ends without an error.

    Missing parent folders are made, and a symbolic link is followed. After an error, or an
    interruption, `path` is as it was before.

    Raises:
        OutputError: the folder cannot be written, `path` is a folder or a device, or the disk is
            full.
    """
    target = Path(os.path.realpath(path))
    require_file_name(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:60]}.", dir=target.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from None
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        if error.errno in NOT_WRITABLE:
            raise OutputError(f"{path}: cannot be written ({error.strerror}).") from None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def require_file_name(path: Path) -> None:
    """Check that a file may stand at `path`.

    Raises:
        OutputError: `path` is a folder or a device.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise OutputError(f"{path}: is a folder; give the name of a file.")
        if target.exists() and not target.is_file():
            raise OutputError(f"{path}: is not a regular file; give the name of a file.")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from None


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all; see `whole_file`."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def write_spreadsheet(path: Path, text: str) -> None:
    """Write CSV that people open in a spreadsheet, as `write_text` does, with a byte order mark.

    Without one Excel takes it for the code page of its country and garbles quotation marks.
    """
    write_text(path, "\ufeff" + text)


def json_text(value: object, *, ensure_ascii: bool = True) -> str:
    """Return a value as indented JSON with a line end; numbers that are not finite become null."""
    return json.dumps(_finite(value), indent=1, ensure_ascii=ensure_ascii, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
