"""Behaviour tests of a model: read what they need, run them on given sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.protocol import Classifier
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.behaviour import BehaviourResult, direction, functionality, invariance
from pipeline.labelling.cases import (
    DirectionCase,
    FunctionalityCase,
    read_direction,
    read_functionality,
)
from pipeline.labelling.name_lists import NameLists, load_names
from pipeline.labelling.names import NameSwapper
from pipeline.labelling.perturbation import perturbations
from pipeline.records import Sentence
from pipeline.settings.experiment import BehaviourSettings


@dataclass(frozen=True, slots=True)
class BehaviourSuite:
    """The cases and names of the behaviour tests, read and checked."""

    settings: BehaviourSettings
    names: NameLists
    functionality: tuple[FunctionalityCase, ...]
    direction: tuple[DirectionCase, ...]


def read_suite(settings: BehaviourSettings, codebook: Codebook) -> BehaviourSuite:
    """Read names and cases.

    Raises:
        InputError: a file cannot be read or is empty.
        SettingsError: all mistakes of a file at once.
    """
    return BehaviourSuite(
        settings,
        load_names(settings.names),
        tuple(read_functionality(settings.functionality, codebook)),
        tuple(read_direction(settings.direction, codebook)),
    )


def run_suite(
    suite: BehaviourSuite,
    classifier: Classifier,
    rule: DecisionRule,
    sentences: Sequence[Sentence],
    collection: Iterable[str],
    *,
    seed: int,
) -> list[BehaviourResult]:
    """Run all behaviour tests.

    Args:
        sentences: those whose decisions must not flip; of more than the settings say, a sample.
        collection: texts to learn from which words are names, besides the cases.
    """
    codebook, thresholds = classifier.codebook, suite.settings.thresholds

    def decide(asked: Sequence[Sentence]) -> npt.NDArray[np.bool_]:
        if not asked:
            return np.zeros((0, codebook.width), dtype=bool)
        return rule.decide(
            rule.probabilities(classifier.predict_logits(asked), codebook), codebook
        ).given

    drawn = np.random.default_rng(seed).permutation(len(sentences))[: suite.settings.sentences]
    written = [case.text for case in suite.functionality]
    written += [text for case in suite.direction for text in (case.before, case.after)]
    swapper = NameSwapper.learn([*collection, *written], suite.names)
    return [
        *invariance(
            decide,
            codebook,
            [sentences[i] for i in sorted(drawn)],
            perturbations(swapper, suite.names.test),
            threshold=thresholds.invariance,
            seed=seed,
        ),
        *direction(decide, suite.direction, threshold=thresholds.direction),
        *functionality(decide, codebook, suite.functionality, threshold=thresholds.functionality),
    ]
