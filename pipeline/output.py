"""Write files so that they are whole or absent: temporary name beside the target, then rename."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import OutputError

_NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that becomes `path` when the block ends without an error.

    Missing parent folders are made. After an error, or an interruption, `path` is as it was before.

    Raises:
        OutputError: the folder cannot be written, `path` is a folder, or the disk is full.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from None
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if error.errno in _NOT_WRITABLE:
            raise OutputError(f"{path}: cannot be written ({error.strerror}).") from None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all; see `whole_file`."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
