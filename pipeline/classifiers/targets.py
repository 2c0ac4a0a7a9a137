"""Labels as arrays: what is known of every sentence, and what is masked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import SettingsError
from pipeline.records import LabelledSentence

Targets = npt.NDArray[np.float32]
"""Shape (n, codebook.width): 1.0 label given, 0.0 not given, between them its probability, NaN
unknown."""


def encode_targets(sentences: Sequence[LabelledSentence], codebook: Codebook) -> Targets:
    """Return the labels of n sentences as float32 of shape (n, codebook.width), NaN where unknown.

    Raises:
        SettingsError: a label is not in the codebook, or a sentence does not carry exactly one
            label of a multiclass task; all such mistakes at once.
    """
    targets = np.full((len(sentences), codebook.width), np.nan, dtype=np.float32)
    column = {pair: j for j, pair in enumerate(codebook.columns)}
    mistakes: set[str] = set()
    for row, labelled in enumerate(sentences):
        for task in codebook.tasks:
            given = labelled.labels.get(task)
            if given is None:
                continue
            targets[row, codebook.slice_of(task)] = 0.0
            if codebook.tasks[task].type is TaskType.MULTICLASS and len(given) != 1:
                sentence_id = labelled.sentence.sentence_id
                mistakes.add(f"{sentence_id}: {len(given)} labels of task '{task}', expected one")
            for label in given:
                if mistake := codebook.label_mistake(task, label):
                    mistakes.add(mistake)
                else:
                    targets[row, column[task, label]] = 1.0
    if mistakes:
        raise SettingsError(sorted(mistakes), where=f"labels against codebook '{codebook.name}'")
    return targets


def training_targets(sentences: Sequence[LabelledSentence], codebook: Codebook) -> Targets:
    """Return `encode_targets` with probabilities in place of labels, for tasks that carry them.

    Cross-entropy with them is the loss expected under the label model (the noise-aware loss of
    Ratner et al., 2016, "Data Programming"), so that doubtful labels pull less.

    Raises:
        SettingsError: see `encode_targets`; or a task does not have one probability a label.
    """
    targets = encode_targets(sentences, codebook)
    for row, labelled in enumerate(sentences):
        for task, chances in labelled.probabilities.items():
            if task not in codebook.tasks or labelled.labels.get(task) is None:
                continue
            names = tuple(codebook.tasks[task].labels)
            if set(chances) != set(names):
                got = f"{labelled.sentence.sentence_id}: '{task}' has probabilities of"
                raise SettingsError(
                    [f"{got} {', '.join(chances) or 'nothing'}, expected {', '.join(names)}"],
                    where=f"probabilities against codebook '{codebook.name}'",
                )
            targets[row, codebook.slice_of(task)] = [chances[name] for name in names]
    return targets
