"""Several classifiers as one: the weighted sum of their logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import FiniteFloat

from pipeline.classifiers import registry
from pipeline.classifiers.logistic import FloatArray, log_softmax
from pipeline.classifiers.placement import Device, Placeable
from pipeline.classifiers.protocol import QUIET, Classifier, FitMonitor, Logits, Trainable
from pipeline.classifiers.state import Saved, fitted, read_saved, write_saved
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import BundleError, SettingsError, near_matches
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import EnsembleSettings, MemberWeight


class _SavedEnsemble(Saved):
    kind: Literal["ensemble"]
    members: tuple[str, ...]
    weights: tuple[tuple[FiniteFloat, ...], ...]


class EnsembleClassifier:
    """Adds the logits of its members, each times its weight.

    The columns of a multiclass task are brought to log-probabilities first, since a member may
    give them up to a constant only; the sum is then a product of experts (Hinton, 2002) up to a
    constant of the row. Member i is built with the seed `seed + i`. With settings `None` it has no
    members; `of` makes one from ready members.
    """

    kind: ClassVar[str] = "ensemble"

    def __init__(
        self, codebook: Codebook, settings: EnsembleSettings | None, *, seed: int = 0
    ) -> None:
        self.codebook = codebook
        self.settings = settings
        self.seed = seed
        self.members: tuple[Classifier, ...] = ()
        self._weights: FloatArray = np.zeros((0, codebook.width), dtype=np.float32)
        if settings is not None:
            self.members = tuple(
                registry.build(member, codebook, seed=seed + i)
                for i, member in enumerate(settings.members)
            )
            self._weights = _by_column(settings.weights, codebook)

    @property
    def reads_context(self) -> bool:
        """Whether any of its members does."""
        return any(member.reads_context for member in self.members)

    @classmethod
    def of(
        cls, codebook: Codebook, members: Sequence[Classifier], weights: Sequence[MemberWeight]
    ) -> Self:
        """Return an ensemble of ready members, which may be of kinds that cannot be trained.

        Args:
            weights: for each member one weight, or one weight a task.

        Raises:
            SettingsError: not one weight a member, or not one weight a task.
            BundleError: a member was made for another codebook.
        """
        if not members or len(members) != len(weights):
            raise SettingsError(
                [f"{len(members)} members but {len(weights)} weights"], where="ensemble"
            )
        made = cls(codebook, None)
        made.members = tuple(members)
        made._weights = _by_column(weights, codebook)
        for member in members:
            if member.codebook.signature != codebook.signature:
                raise BundleError(
                    f"The member '{member.kind}' is for the labels "
                    f"{', '.join(member.codebook.column_names)}; the ensemble for "
                    f"{', '.join(codebook.column_names)}."
                )
        return made

    def with_members(self, members: Sequence[Classifier]) -> Self:
        """Return the same ensemble with other members in the places of its own.

        Raises:
            BundleError: a member was made for another codebook.
        """
        changed = type(self).of(self.codebook, members, (1.0,) * len(members))
        changed._weights = self._weights
        return changed

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Fit the members one after the other; they share the monitor and its checkpoint folder.

        Checkpoints bear the hash of what they depend on, so members do not get in each other's way.

        Raises:
            InputError: no sentence carries a known label.
            SettingsError: a member cannot be trained.
        """
        trainable = [member for member in self.members if isinstance(member, Trainable)]
        if not trainable or len(trainable) != len(self.members):
            kinds = ", ".join(member.kind for member in self.members) or "none"
            raise SettingsError([f"not all members can be trained: {kinds}"], where="ensemble")
        for member in trainable:
            member.fit(train, monitor)

    def place(self, device: Device) -> None:
        """Place those of its members that can be placed; see `Placeable`."""
        for member in self.members:
            if isinstance(member, Placeable):
                member.place(device)

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return the weighted sum of the members' logits, float32 (n, width)."""
        total = np.zeros((len(sentences), self.codebook.width), dtype=np.float32)
        members = fitted(self.members or None, self.kind)
        for member, weights in zip(members, self._weights, strict=True):
            logits = member.predict_logits(sentences)
            for name, task in self.codebook.tasks.items():
                part = self.codebook.slice_of(name)
                multiclass = task.type is TaskType.MULTICLASS
                scores = log_softmax(logits[:, part]) if multiclass else logits[:, part]
                total[:, part] += weights[part] * scores
        return total

    def save(self, folder: Path) -> None:
        """Write classifier.json and every member into a folder of its own."""
        fitted(self.members or None, self.kind)
        for i, member in enumerate(self.members):
            inner = folder / _folder_of(i, member.kind)
            inner.mkdir()
            member.save(inner)
        saved = _SavedEnsemble(
            kind="ensemble",
            codebook=self.codebook.signature,
            columns=self.codebook.column_names,
            members=tuple(member.kind for member in self.members),
            weights=tuple(tuple(row) for row in self._weights.tolist()),
        )
        write_saved(folder, saved)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Self:
        """Read what `save` wrote, members through the registry.

        Raises:
            BundleError: a file is missing, not valid, or does not fit the codebook.
            MissingExtra: a member needs an optional package that is not installed.
        """
        saved = read_saved(_SavedEnsemble, folder, codebook, cls.kind)
        shape = (len(saved.members), codebook.width)
        if not saved.members or [len(row) for row in saved.weights] != [shape[1]] * shape[0]:
            raise BundleError(f"{folder}: the weights do not have the shape {shape}.")
        made = cls(codebook, None)
        made.members = tuple(
            registry.classifier_class(kind).load(folder / _folder_of(i, kind), codebook)
            for i, kind in enumerate(saved.members)
        )
        made._weights = np.asarray(saved.weights, dtype=np.float32)
        return made


def _folder_of(position: int, kind: str) -> str:
    return f"{position + 1}-{kind}"


def _by_column(weights: Sequence[MemberWeight], codebook: Codebook) -> FloatArray:
    """Spread the weights of m members over the columns of their tasks: float32 (m, width)."""
    out = np.empty((len(weights), codebook.width), dtype=np.float32)
    mistakes: list[str] = []
    for i, weight in enumerate(weights):
        of_task = weight if isinstance(weight, Mapping) else dict.fromkeys(codebook.tasks, weight)
        for task in of_task:
            if task not in codebook.tasks:
                near = near_matches(task, codebook.tasks)
                mistakes.append(f"weights[{i}]: unknown task '{task}'.{near}")
        for task in codebook.tasks:
            if task in of_task:
                out[i, codebook.slice_of(task)] = of_task[task]
            else:
                mistakes.append(f"weights[{i}]: no weight for task '{task}'")
    if mistakes:
        raise SettingsError(mistakes, where="ensemble")
    return out
