"""Which files a training reads besides its corpus, and whether they are still as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import InputError
from pipeline.settings.classifiers import files_read
from pipeline.settings.experiment import PipelineSettings

FILES_ARTIFACT = "files.json"


def file_digests(settings: PipelineSettings, name: str) -> dict[str, str]:
    """Return the SHA-256 of every file that training `name` reads, by its path in the settings.

    The corpus is left out: of it the digests of the parts it is split into are kept, which do not
    change with the layout of its files.

    Raises:
        InputError: a file cannot be read.
    """
    behaviour = settings.behaviour
    paths = [
        settings.codebook,
        settings.data.gold,
        *settings.data.weak_read,
        *settings.evaluation.external,
        *files_read(settings.models[name]),
        *(() if behaviour is None else behaviour.files.values()),
    ]
    return {path.as_posix(): file_digest(path) for path in dict.fromkeys(paths)}


def files_changed(recorded: Mapping[str, str], settings: PipelineSettings, name: str) -> list[str]:
    """Return the paths whose contents are not as training `name` recorded them.

    Recorded files that the training does not read are left out.

    Raises:
        InputError: a file cannot be read.
    """
    now = file_digests(settings, name) if recorded else {}
    return [path for path, digest in recorded.items() if now.get(path, digest) != digest]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
