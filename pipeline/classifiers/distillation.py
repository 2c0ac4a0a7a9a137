"""Targets softened by a larger model that learned from the same sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pipeline import __version__
from pipeline.classifiers import registry
from pipeline.classifiers.encoder import encoder_sha256, resolve_encoder
from pipeline.classifiers.inputs import as_read, context_of
from pipeline.classifiers.logistic import log_softmax
from pipeline.classifiers.protocol import FitMonitor, Logits
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError
from pipeline.output import whole_file
from pipeline.records import LabelledSentence
from pipeline.settings.classifiers import TeacherSettings, TransformerSettings, files_read

Probabilities = npt.NDArray[np.float32]
_PROBABILITIES = "probabilities"


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
    at temperature 1); what is unknown stays so. Float32 of shape (n, codebook.width). What the
    teacher says is kept with the checkpoints: its next student on the same data does not wait.

    Raises:
        InputError, SettingsError, OutputError: see `Trainable.fit`.
    """
    kept = monitor.checkpoints and _path(
        monitor.checkpoints, train, targets, settings.classifier, codebook, seed
    )
    if kept and kept.exists():
        said = _read(kept)
    else:
        teacher = registry.build(settings.classifier, codebook, seed=seed)
        teacher.fit(train, monitor)
        logits = teacher.predict_logits([labelled.sentence for labelled in train])
        said = _probabilities(logits, codebook)
        if kept:
            with whole_file(kept) as file:
                file.write(save({_PROBABILITIES: said}))
    return np.asarray((1 - settings.weight) * targets + settings.weight * said, dtype=np.float32)


def _path(
    folder: Path,
    train: Sequence[LabelledSentence],
    targets: Targets,
    teacher: TransformerSettings,
    codebook: Codebook,
    seed: int,
) -> Path:
    """Return a name that stands for everything the teacher's answers depend on."""
    encoder = encoder_sha256(resolve_encoder(teacher.encoder))
    made_by = f"{__version__} {torch.__version__} {encoder}"
    head = f"{teacher.model_dump_json()} {seed} {codebook.signature} {made_by}"
    digest = hashlib.sha256(head.encode())
    for path in files_read(teacher):
        digest.update(path.read_bytes())
    for labelled in train:
        said = (as_read(labelled.sentence.text), as_read(context_of(labelled.sentence)))
        digest.update(repr(said).encode())
    digest.update(np.ascontiguousarray(targets).tobytes())
    return folder / f"teacher-{digest.hexdigest()[:16]}.safetensors"


def _read(path: Path) -> Probabilities:
    try:
        return np.asarray(load_file(path)[_PROBABILITIES], dtype=np.float32)
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(
            f"{path}: what the teacher said cannot be read ({error}). Delete it to ask it again."
        ) from None


def _probabilities(logits: Logits, codebook: Codebook) -> Probabilities:
    probabilities = np.empty_like(logits)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        if task.type is TaskType.MULTICLASS:
            probabilities[:, part] = np.exp(log_softmax(logits[:, part]))
        else:
            probabilities[:, part] = 0.5 * (1 + np.tanh(0.5 * logits[:, part]))
    return probabilities
