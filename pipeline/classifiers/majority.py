"""The floor for every comparison: how common a label is, whatever the sentence says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import FiniteFloat, model_validator

from pipeline.classifiers.protocol import QUIET, FitMonitor, Logits
from pipeline.classifiers.state import Saved, fitted, known_part, read_saved, write_saved
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import MajoritySettings


def prior_logits(targets: Targets, codebook: Codebook) -> npt.NDArray[np.float32]:
    """Return what the known labels alone say of each column, float32 (width,), always finite.

    Half an observation is added to every outcome (Jeffreys' prior): log-odds of a multilabel
    column, log-probabilities of a multiclass task. Unknown entries (NaN) do not count.
    """
    given = np.nan_to_num(targets).sum(axis=0, dtype=np.float64)
    known = np.isfinite(targets).sum(axis=0)
    out = np.empty(codebook.width, dtype=np.float32)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        if task.type is TaskType.MULTILABEL:
            out[part] = np.log((given[part] + 0.5) / (known[part] - given[part] + 0.5))
        else:
            out[part] = np.log((given[part] + 0.5) / (given[part].sum() + 0.5 * len(task.labels)))
    return out


class _SavedMajority(Saved):
    kind: Literal["majority"]
    settings: MajoritySettings
    logits: tuple[FiniteFloat, ...]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        self._require_one_each(self.logits, "logits")
        return self


class MajorityClassifier:
    """Gives every sentence the log-odds or log-probability of the labels in the training data."""

    kind: ClassVar[str] = "majority"
    reads_context: ClassVar[bool] = False

    def __init__(self, codebook: Codebook, settings: MajoritySettings, *, seed: int = 0) -> None:
        self.codebook = codebook
        self.settings = settings
        self.seed = seed
        self._logits: npt.NDArray[np.float32] | None = None

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Count the known labels.

        Raises:
            InputError: no sentence carries a known label.
        """
        del monitor  # fitted in one go: there is nothing to report
        _, targets = known_part(train, self.codebook, self.kind)
        self._logits = prior_logits(targets, self.codebook)

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return the same row for every sentence, float32 (n, width)."""
        return np.tile(fitted(self._logits, self.kind), (len(sentences), 1))

    def save(self, folder: Path) -> None:
        """Write classifier.json."""
        saved = _SavedMajority(
            kind="majority",
            codebook=self.codebook.signature,
            columns=self.codebook.column_names,
            settings=self.settings,
            logits=tuple(fitted(self._logits, self.kind).tolist()),
        )
        write_saved(folder, saved)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: it is missing, not valid, or for another codebook.
        """
        saved = read_saved(_SavedMajority, folder, codebook, cls.kind)
        made = cls(codebook, saved.settings)
        made._logits = np.asarray(saved.logits, dtype=np.float32)
        return made
