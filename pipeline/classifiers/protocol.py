"""What every classifier can do; one contract test holds all of them to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.records import LabelledSentence, Sentence

Logits = npt.NDArray[np.float32]
"""Scores of shape (n sentences, codebook.width). Multilabel columns are independent log-odds; the
columns of a multiclass task are log-probabilities up to a constant of the row."""


@dataclass(frozen=True, slots=True)
class FitStep:
    """Progress of an iterative fit: optimiser steps done and planned, and the latest mean loss.

    `epoch` counts completed passes over the data; it changes only on the last step of a pass.
    """

    done: int
    planned: int
    epoch: int
    loss: float
    learning_rate: float


def _ignore(_: FitStep) -> None:
    return None


@dataclass(frozen=True, slots=True)
class FitMonitor:
    """What a long fit reports to, and the folder where it keeps its progress to resume from.

    Fits may share the folder: the name of a checkpoint stands for all that its content depends on.
    """

    on_step: Callable[[FitStep], None] = _ignore
    checkpoints: Path | None = None


QUIET = FitMonitor()


@runtime_checkable
class Classifier(Protocol):
    """Scores sentences for every label of a codebook."""

    kind: ClassVar[str]
    codebook: Codebook

    @property
    def reads_context(self) -> bool:
        """Whether scores hang on `context_of` a sentence as well as on its text."""

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return float32 logits of shape (n, codebook.width), rows in input order."""

    def save(self, folder: Path) -> None:
        """Write everything prediction needs into an existing, empty folder; no pickle."""

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing, unreadable or does not fit the codebook.
        """


@runtime_checkable
class Trainable(Classifier, Protocol):
    """A classifier that learns from labelled sentences."""

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Learn from `train`; unknown labels (`None`) are masked, never taken as negative.

        Kinds that are fitted in one go do not report to `monitor`.

        Raises:
            InputError: no sentence carries a known label.
        """
