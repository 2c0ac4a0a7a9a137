"""What all classifiers share in keeping what they learned: checked at fit, saved, and loaded."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.targets import Targets, training_targets
from pipeline.codebook import Codebook
from pipeline.errors import BundleError, InputError, SettingsError
from pipeline.records import LabelledSentence
from pipeline.validated_yaml import StrictModel, validate_model

RECORD = "classifier.json"
FloatArray = npt.NDArray[np.float32]
T = TypeVar("T")


class Saved(StrictModel):
    """Head of every saved classifier; each kind adds its own fields.

    `codebook` is the signature of the codebook it was fitted for, `columns` the names behind it.
    """

    kind: str
    codebook: str
    columns: tuple[str, ...]

    def _require_one_each(self, values: Sequence[object], what: str) -> None:
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} {what} for {len(self.columns)} columns")


S = TypeVar("S", bound=Saved)


def fitted(learned: T | None, kind: str) -> T:
    """Return what was learned.

    Raises:
        BundleError: nothing was learned yet.
    """
    if learned is None:
        raise BundleError(
            f"The classifier '{kind}' has learned nothing yet: call fit or load before "
            "predict_logits or save."
        )
    return learned


def known_part(
    train: Sequence[LabelledSentence], codebook: Codebook, kind: str
) -> tuple[list[LabelledSentence], Targets]:
    """Return the m sentences that carry a known label, and their targets, float32 (m, width).

    Targets are those of `training_targets`: probabilities where a label model gave them.

    Raises:
        InputError: there is none.
        SettingsError: a label is not in the codebook.
    """
    targets = training_targets(train, codebook)
    known = np.flatnonzero(np.isfinite(targets).any(axis=1)).tolist()
    if not known:
        raise InputError(
            f"The classifier '{kind}' got {len(train)} sentences to fit on and none carries a "
            "known label. Give at least one sentence with labels."
        )
    return [train[row] for row in known], targets[known]


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in the same folder, then rename it."""
    temporary = path.with_name(path.name + ".partial")
    temporary.write_bytes(content)
    temporary.replace(path)


def write_saved(folder: Path, saved: Saved) -> None:
    """Write the record of a classifier to `folder`/classifier.json."""
    text = json.dumps(saved.model_dump(mode="json"), ensure_ascii=False, indent=1)
    write_bytes(folder / RECORD, text.encode("utf-8"))


def read_saved(model: type[S], folder: Path, codebook: Codebook, kind: str) -> S:
    """Read the record of a classifier of this kind, fitted for this codebook.

    Raises:
        BundleError: it is missing, not valid, of another kind, or for another codebook.
    """
    path = folder / RECORD
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:  # bottomless nesting
        raise BundleError(f"{path}: cannot be read as JSON ({error}).") from None
    if not isinstance(data, dict) or data.get("kind") != kind:
        got = data.get("kind") if isinstance(data, dict) else type(data).__name__
        raise BundleError(f"{path}: holds a classifier of kind {got!r}, expected '{kind}'.")
    try:
        saved = validate_model(model, data, where=str(path))
    except SettingsError as error:
        raise BundleError(str(error)) from None
    if saved.codebook != codebook.signature or saved.columns != codebook.column_names:
        raise BundleError(
            f"{path}: was fitted for the labels {', '.join(saved.columns)}; the codebook "
            f"'{codebook.name}' has {', '.join(codebook.column_names)}. Use the codebook it was "
            "trained with, or train again."
        )
    return saved


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[np.floating]]) -> None:
    """Write named arrays as one compressed .npz file."""
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    temporary.replace(path)


def read_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, FloatArray]:
    """Read the arrays named in `shapes` from a .npz file, as float32; never unpickles.

    Raises:
        BundleError: the file cannot be read, or an array is missing, misshapen or not finite.
    """
    read: dict[str, FloatArray] = {}
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if not isinstance(stored, np.lib.npyio.NpzFile):
                raise BundleError(f"{path}: holds a single array, expected an .npz archive.")
            for name in shapes:
                read[name] = np.asarray(stored[name], dtype=np.float32)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{path}: cannot be read as arrays ({error}).") from None
    for name, shape in shapes.items():
        if read[name].shape != shape:
            raise BundleError(f"{path}: '{name}' is {read[name].shape}, expected {shape}.")
        if not np.isfinite(read[name]).all():
            raise BundleError(f"{path}: '{name}' holds values that are not finite numbers.")
    return read
