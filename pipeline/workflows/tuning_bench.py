"""Try settings of a model: fit on some documents, count on others what is right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.classifiers.protocol import FitMonitor, FitStep
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.evaluation.comparison import document_counts
from pipeline.evaluation.metrics import outcomes
from pipeline.evaluation.selection import mean_macro_f1
from pipeline.records import LabelledDocument
from pipeline.settings.experiment import PipelineSettings
from pipeline.settings.tuning import Value, value_of, with_values
from pipeline.training.splits import Fold
from pipeline.workflows.scoring import groups_of, sentences_of
from pipeline.workflows.search_folder import Counts
from pipeline.workflows.train import fit_and_calibrate
from pipeline.workflows.watcher import Watcher


class Bench:
    """Fits a model with changed settings on some documents, and counts on others."""

    def __init__(
        self,
        name: str,
        settings: PipelineSettings,
        codebook: Codebook,
        documents: Sequence[LabelledDocument],
        watcher: Watcher,
    ) -> None:
        self.name, self.settings, self.codebook = name, settings, codebook
        self.documents, self.watcher = documents, watcher
        self.model = settings.models[name]
        self._place = {d: i for i, d in enumerate(sorted({one.doc_id for one in documents}))}

    def empty(self) -> Counts:
        """Return counts of nothing."""
        return np.zeros((len(self._place), 3, self.codebook.width))

    def counts(self, values: Mapping[str, Value], fold: Fold) -> Counts:
        """Fit on the training part of a fold and return the counts of its test part."""
        classifier, rule = fit_and_calibrate(
            fold.train,
            with_values(self.model, values),
            self.settings,
            self.codebook,
            FitMonitor(self._on_step),
        )
        labelled, groups = sentences_of(fold.test), groups_of(fold.test)
        logits = classifier.predict_logits([one.sentence for one in labelled])
        probabilities = rule.probabilities(logits, self.codebook)
        decisions = rule.decide(probabilities, self.codebook)
        targets = encode_targets(labelled, self.codebook)
        seen = outcomes(groups, probabilities, decisions, targets, self.codebook)
        counts = self.empty()
        counts[[self._place[doc_id] for doc_id in sorted(set(groups))]] = document_counts(seen)
        return counts

    def score(self, counts: Counts) -> float:
        """Return the score of counts.

        Raises:
            InputError: they leave it undefined.
        """
        score = mean_macro_f1(counts, self.codebook)
        if math.isnan(score):
            raise InputError(
                "macro-F1 is undefined on a fold: it holds no label and none was given. Label more "
                "documents, or ask for fewer folds (tune.outer_folds, tune.inner_folds)."
            )
        return score

    def is_present(self, values: Mapping[str, Value]) -> bool:
        """Whether the settings have these values as they are."""
        return all(value_of(self.model, key) == value for key, value in values.items())

    def _on_step(self, step: FitStep) -> None:
        self.watcher.progress(f"{self.name}: training steps", step.done, step.planned)
