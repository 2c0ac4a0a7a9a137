"""The codebook's labelling rules as a classifier; works without any training data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np

from pipeline.classifiers.protocol import QUIET, FitMonitor, Logits
from pipeline.classifiers.state import Saved, known_part, read_saved, write_saved
from pipeline.codebook import Codebook
from pipeline.labelling.label_model import PRIOR_LOG_ODDS
from pipeline.labelling.rules import RuleSet
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import RulesSettings


class _SavedRules(Saved):
    kind: Literal["rules"]
    settings: RulesSettings


class RulesClassifier:
    """Adds up the weights of the rules that fire on the sentence.

    Multilabel columns start from PRIOR_LOG_ODDS, multiclass columns from equal chances. The
    rules are those of the codebook at hand: a saved classifier loaded with an edited codebook uses
    the edited rules.
    """

    kind: ClassVar[str] = "rules"
    reads_context: ClassVar[bool] = False

    def __init__(self, codebook: Codebook, settings: RulesSettings, *, seed: int = 0) -> None:
        self.codebook = codebook
        self.settings = settings
        self.seed = seed
        self._rules = RuleSet(codebook)
        self._prior = np.zeros(codebook.width, dtype=np.float32)
        for task in codebook.multilabel_tasks():
            self._prior[codebook.slice_of(task)] = PRIOR_LOG_ODDS

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Check the labels; rules learn nothing from them.

        Raises:
            InputError: no sentence carries a known label.
        """
        del monitor  # fitted in one go: there is nothing to report
        known_part(train, self.codebook, self.kind)

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return prior plus evidence, float32 (n, width).

        Raises:
            SettingsError: a rule could not be run on a sentence.
        """
        return self._prior + self._rules.evidence([sentence.text for sentence in sentences])

    def save(self, folder: Path) -> None:
        """Write classifier.json."""
        saved = _SavedRules(
            kind="rules",
            codebook=self.codebook.signature,
            columns=self.codebook.column_names,
            settings=self.settings,
        )
        write_saved(folder, saved)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: it is missing, not valid, or for another codebook.
        """
        return cls(codebook, read_saved(_SavedRules, folder, codebook, cls.kind).settings)
