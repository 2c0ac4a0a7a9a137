"""Change training sentences in ways of which it is known what they do to the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook
from pipeline.labelling.denial import affirmed, denied
from pipeline.labelling.name_lists import load_names
from pipeline.labelling.names import NameSwapper
from pipeline.labelling.perturbation import perturbations, perturbed
from pipeline.records import Sentence
from pipeline.settings.classifiers import AugmentSettings

_AFFIRMED = 1 / 3
"""Share of the copies that keep what their sentence expresses."""

NAMES = "names"
"""The perturbation whose share has a setting of its own."""

UNREAD = ("address", "list_number")
"""Perturbations of what no trained classifier reads; see `inputs.opening`."""


def counterfactuals(
    sentences: Sequence[Sentence],
    targets: Targets,
    settings: AugmentSettings,
    codebook: Codebook,
    *,
    seed: int,
) -> tuple[list[Sentence], Targets]:
    """Return denied and affirmed copies of a share of the sentences that carry a multilabel label.

    A denied copy carries none, an affirmed one (for every second denied one) those of its sentence;
    labels of multiclass tasks are unknown of both. Only for codebooks whose multilabel tasks say
    what a sentence expresses, not what it is about.
    """
    random = np.random.default_rng((seed, len(sentences)))
    expressed = [codebook.slice_of(task) for task in codebook.multilabel_tasks()]
    given = np.zeros(len(sentences), dtype=bool)
    for part in expressed:
        given |= (targets[:, part] > 0.5).any(axis=1)
    copies: list[Sentence] = []
    labels: list[Targets] = []
    drawn = given & (random.random(len(sentences)) < settings.denials)
    for row in map(int, np.flatnonzero(drawn)):
        sentence, keeps = sentences[row], random.random() < _AFFIRMED
        text = (affirmed if keeps else denied)(sentence.text, random)
        if text is None:
            continue
        known = np.full(codebook.width, np.nan, dtype=np.float32)
        for part in expressed:
            known[part] = targets[row, part] if keeps else 0.0
        copies.append(replace(sentence, text=text, end=sentence.start + len(text)))
        labels.append(known)
    if not copies:
        return [], np.zeros((0, codebook.width), dtype=np.float32)
    return copies, np.stack(labels)


def augmented(
    sentences: Sequence[Sentence], settings: AugmentSettings, *, passes: int, seed: int
) -> list[list[Sentence]]:
    """Return the sentences of every pass over the data.

    In a share of them all names are swapped for those of the training lists; in a share one of the
    other perturbations is done, drawn at random. Both shares are drawn independently. A sentence
    and what it is read with are changed alike.

    Raises:
        InputError: the lists of names cannot be read.
        SettingsError: they are not valid.
    """
    lists = load_names(settings.lists)
    swapper = NameSwapper.learn((sentence.text for sentence in sentences), lists)
    changes = dict(perturbations(swapper, lists.training))
    swap = changes.pop(NAMES)
    forms = [change for name, change in changes.items() if name not in UNREAD]
    changed: list[list[Sentence]] = []
    for number in range(passes):
        random = np.random.default_rng((seed, number))
        swapped = random.random(len(sentences)) < settings.names
        formed = random.random(len(sentences)) < settings.forms
        form = random.integers(len(forms), size=len(sentences))
        one_pass: list[Sentence] = []
        for i, sentence in enumerate(sentences):
            new = perturbed(sentence, swap, random) if swapped[i] else sentence
            one_pass.append(perturbed(new, forms[form[i]], random) if formed[i] else new)
        changed.append(one_pass)
    return changed
