from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.classifiers.rules import PRIOR_LOG_ODDS, RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.records import Sentence
from pipeline.settings.classifiers import RulesSettings

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def test_adds_the_weights_of_the_rules_that_fire() -> None:
    classifier = RulesClassifier(TINY, RulesSettings())
    texts = ["The soup was excellent.", "We ordered wine from a rude waiter.", "It rained."]
    logits = classifier.predict_logits([Sentence("s", "d", text) for text in texts])
    prior = PRIOR_LOG_ODDS
    wanted = [
        [prior + 2.5, prior, 3.0, 0.0, 0.0],
        [prior + 2.5 - 1.5, prior + 3.0, 0.0, 3.0, 0.0],
        [prior, prior, 0.0, 0.0, 0.0],
    ]
    np.testing.assert_allclose(logits, wanted)


def test_a_loaded_classifier_uses_the_rules_of_the_codebook_at_hand(tmp_path: Path) -> None:
    RulesClassifier(TINY, RulesSettings()).save(tmp_path)
    data = TINY.model_dump(mode="json")
    data["tasks"]["topic"]["labels"]["food"]["rules"][0]["weight"] = 4.0
    edited = type(TINY).model_validate(data)
    logits = RulesClassifier.load(tmp_path, edited).predict_logits([Sentence("s", "d", "Soup!")])
    assert logits[0, 0] == PRIOR_LOG_ODDS + 4.0
