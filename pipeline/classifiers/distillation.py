"""What a larger model says that learned from the same sentences: of these, and of made ones."""

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
from pipeline.classifiers.finetuning import preferred_dtype
from pipeline.classifiers.inputs import as_read, context_of
from pipeline.classifiers.logistic import log_softmax
from pipeline.classifiers.protocol import FitMonitor, Logits
from pipeline.classifiers.recombination import recombined
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError
from pipeline.output import whole_file
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import TeacherSettings, TransformerSettings, files_read

Probabilities = npt.NDArray[np.float32]
_PROBABILITIES = "probabilities"


def distilled(
    train: Sequence[LabelledSentence],
    targets: Targets,
    settings: TeacherSettings,
    codebook: Codebook,
    *,
    seed: int,
    monitor: FitMonitor,
) -> tuple[list[Sentence], Targets]:
    """Fit the teacher on n sentences; return them and made ones with targets to learn from.

    A target of the n becomes (1 - weight) * label + weight * probability (Hinton, Vinyals and
    Dean, 2015, at temperature 1); what is unknown stays so. Behind them stand the sentences made by
    `recombined`, whose targets are the probabilities alone. Float32 of shape (sentences,
    codebook.width). What the teacher says is kept with the checkpoints: its next student on the
    same data does not wait.

    Raises:
        InputError, SettingsError, OutputError: see `Trainable.fit`.
    """
    sentences = [labelled.sentence for labelled in train]
    sentences += recombined(sentences, settings.recombined, seed=seed)
    kept = monitor.checkpoints and _path(
        monitor.checkpoints, sentences, targets, settings.classifier, codebook, seed
    )
    if kept and kept.exists():
        said = _read(kept)
    else:
        teacher = registry.build(settings.classifier, codebook, seed=seed)
        teacher.fit(train, monitor)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = preferred_dtype(settings.classifier)
        with torch.autocast(device, dtype=dtype, enabled=dtype is not torch.float32):
            said = _probabilities(teacher.predict_logits(sentences), codebook)
        if kept:
            with whole_file(kept) as file:
                file.write(save({_PROBABILITIES: said}))
    own, made = said[: len(train)], said[len(train) :]
    mixed = (1 - settings.weight) * targets + settings.weight * own
    return sentences, np.concatenate([mixed, made]).astype(np.float32)


def _path(
    folder: Path,
    sentences: Sequence[Sentence],
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
    for sentence in sentences:
        said = (as_read(sentence.text), as_read(context_of(sentence)))
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
