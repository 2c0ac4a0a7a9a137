"""Probabilities of every labelled sentence from a classifier that did not learn from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.classifiers.registry import build
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule, Probabilities
from pipeline.records import LabelledDocument
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.training.splits import grouped_folds


@dataclass(frozen=True, slots=True)
class FoldDone:
    """A fold whose sentences have been scored: which rows of the whole, and their probabilities."""

    rows: np.ndarray[tuple[int], np.dtype[np.intp]]
    probabilities: Probabilities


def out_of_fold(
    documents: Sequence[LabelledDocument],
    wanted: ClassifierSettings,
    codebook: Codebook,
    *,
    folds: int,
    seed: int,
) -> Iterator[FoldDone]:
    """Yield, fold by fold, uncalibrated probabilities of sentences held out with their documents.

    Documents that are reprints of each other share a fold. Together the folds hold every sentence
    once; rows count the sentences of the documents in order, probabilities are (rows, width).

    Raises:
        SettingsError: there are fewer independent documents than folds.
        InputError: a document has no sentences, or the others of a fold carry no known label.
        MissingExtra: training needs a package that is not installed.
    """
    rule = DecisionRule.plain(codebook)
    ends = np.cumsum([len(document.sentences) for document in documents])
    rows_of = {
        id(document): np.arange(end - len(document.sentences), end)
        for document, end in zip(documents, ends.tolist(), strict=True)
    }
    for fold in grouped_folds(documents, codebook, folds=folds, seed=seed):
        classifier = build(wanted, codebook, seed=seed)
        classifier.fit([one for document in fold.train for one in document.sentences])
        held_out = [one.sentence for document in fold.test for one in document.sentences]
        logits = classifier.predict_logits(held_out)
        rows = np.concatenate([rows_of[id(document)] for document in fold.test])
        yield FoldDone(rows, rule.probabilities(logits, codebook))
