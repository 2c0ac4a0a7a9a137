"""Targets softened by a larger model that learned from the same sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from pipeline import __version__
from pipeline.classifiers import registry
from pipeline.classifiers.encoder import encoder_sha256, resolve_encoder
from pipeline.classifiers.logistic import log_softmax
from pipeline.classifiers.protocol import FitMonitor, Logits
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError, OutputError
from pipeline.records import LabelledSentence
from pipeline.settings.classifiers import TeacherSettings, files_read

_TARGETS = "targets"


def distilled_targets(
    train: Sequence[LabelledSentence],
    targets: Targets,
    settings: TeacherSettings,
    codebook: Codebook,
    *,
    seed: int,
    monitor: FitMonitor,
) -> Targets:
    """Fit the teacher on n sentences; return their targets mixed with what it says of them.

    A target becomes (1 - weight) * label + weight * probability (Hinton, Vinyals and Dean, 2015,
    at temperature 1); what is unknown stays so. Float32 of shape (n, codebook.width). They are kept
    with the checkpoints: the next student of the same teacher on the same data does not wait.

    Raises:
        InputError, SettingsError, OutputError: see `Trainable.fit`.
    """
    kept = monitor.checkpoints and _path(
        monitor.checkpoints, train, targets, settings, codebook, seed
    )
    if kept and kept.exists():
        return _read(kept)
    teacher = registry.build(settings.classifier, codebook, seed=seed)
    teacher.fit(train, monitor)
    logits = teacher.predict_logits([labelled.sentence for labelled in train])
    probabilities = _probabilities(logits, codebook)
    mixed = np.asarray(
        (1 - settings.weight) * targets + settings.weight * probabilities, dtype=np.float32
    )
    if kept:
        _write(mixed, kept)
    return mixed


def _path(
    folder: Path,
    train: Sequence[LabelledSentence],
    targets: Targets,
    settings: TeacherSettings,
    codebook: Codebook,
    seed: int,
) -> Path:
    """Return a name that stands for everything the mixed targets depend on."""
    encoder = encoder_sha256(resolve_encoder(settings.classifier.encoder))
    made_by = f"{__version__} {torch.__version__} {encoder}"
    head = f"{settings.model_dump_json()} {seed} {codebook.signature} {made_by}"
    digest = hashlib.sha256(head.encode())
    for path in files_read(settings.classifier):
        digest.update(path.read_bytes())
    for labelled in train:
        digest.update(repr((labelled.sentence.text, labelled.sentence.context)).encode())
    digest.update(np.ascontiguousarray(targets).tobytes())
    return folder / f"distilled-{digest.hexdigest()[:16]}.safetensors"


def _read(path: Path) -> Targets:
    try:
        return np.asarray(load_file(path)[_TARGETS], dtype=np.float32)
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(
            f"{path}: what the teacher said cannot be read ({error}). Delete it to ask it again."
        ) from None


def _write(targets: Targets, path: Path) -> None:
    temporary = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({_TARGETS: targets}, temporary)
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{path}: what the teacher said cannot be kept ({error}).") from None
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def _probabilities(logits: Logits, codebook: Codebook) -> Targets:
    probabilities = np.empty_like(logits)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        if task.type is TaskType.MULTICLASS:
            probabilities[:, part] = np.exp(log_softmax(logits[:, part]))
        else:
            probabilities[:, part] = 0.5 * (1 + np.tanh(0.5 * logits[:, part]))
    return probabilities
