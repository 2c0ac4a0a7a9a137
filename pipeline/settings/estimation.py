"""Choices of `stance estimate`."""

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
