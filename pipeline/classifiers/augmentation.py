"""Change training sentences in ways that keep their labels, anew in every pass over the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.labelling.name_lists import load_names
from pipeline.labelling.names import NameSwapper
from pipeline.labelling.perturbation import perturbations, perturbed
from pipeline.records import Sentence
from pipeline.settings.classifiers import AugmentSettings

NAMES = "names"
"""The perturbation whose share has a setting of its own."""


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
    forms = list(changes.values())
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
