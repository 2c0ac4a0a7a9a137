"""Choices of `stance estimate` and `stance suggest`, which draw sentences to label."""

from __future__ import annotations

from enum import StrEnum


class Method(StrEnum):
    """Which estimator leads; see `evaluation.share_estimates`."""

    DSL = "dsl"
    PPI = "ppi"
    ACC = "acc"
    CC = "cc"
    ALL = "all"


class Design(StrEnum):
    """How a sample is drawn; see `evaluation.sampling_design`."""

    SENTENCES = "sentences"
    STRATIFIED = "stratified"
    DOCUMENTS = "documents"


class Strategy(StrEnum):
    """How sentences to label are chosen; see `evaluation.suggestion`."""

    RANDOM = "random"
    STRATIFIED = "stratified"
    UNCERTAINTY = "uncertainty"
    DIVERSITY = "diversity"
    MIX = "mix"


class Vectors(StrEnum):
    """What tells how far sentences lie from each other: their words, or the packaged encoder."""

    WORDS = "words"
    ENCODER = "encoder"
