"""Read a codebook from YAML (as people write it) or JSON (as a bundle carries it)."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.codebook.model import Codebook
from pipeline.errors import InputError
from pipeline.validated_yaml import load_model, validate_model


def load_codebook(path: Path) -> Codebook:
    """Read and validate a codebook file (.yaml, .yml or .json).

    Raises:
        InputError: the file cannot be read.
        SettingsError: it is not a valid codebook; every mistake with its line.
    """
    if path.suffix != ".json":
        return load_model(Codebook, path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # bottomless nesting
        raise InputError(f"{path}: cannot be read as JSON ({error}).") from None
    return validate_model(Codebook, data, where=str(path))
