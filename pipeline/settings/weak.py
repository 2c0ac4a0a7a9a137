"""Choices of weak supervision: from votes to labels, and labels to learn from."""

from __future__ import annotations

from enum import StrEnum


class LabelModel(StrEnum):
    """How votes become probabilities; see `labelling.label_model`."""

    MAJORITY = "majority"
    WEIGHTS = "weights"
    DAWID_SKENE = "dawid-skene"


class Labels(StrEnum):
    """Which labels are learned from: those of the corpus, weak ones, or both."""

    CORPUS = "corpus"
    WEAK = "weak"
    BOTH = "both"


class WeakTargets(StrEnum):
    """What is learned of weakly labelled sentences: labels as they stand, or their probabilities.

    Either way unknown tasks are masked.
    """

    LABELS = "labels"
    PROBABILITIES = "probabilities"
