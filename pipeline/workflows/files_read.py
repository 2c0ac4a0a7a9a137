"""Which files a training reads besides its corpus, and whether they are still as they were."""

from __future__ import annotations

import hashlib
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
        *settings.data.weak,
        *settings.evaluation.external,
        *files_read(settings.models[name]),
        *(
            ()
            if behaviour is None
            else (behaviour.names, behaviour.functionality, behaviour.direction)
        ),
    ]
    return {path.as_posix(): file_digest(path) for path in dict.fromkeys(paths)}


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
