from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.classifiers.features import read_terms
from pipeline.classifiers.linear import LinearClassifier
from pipeline.codebook import load_codebook
from pipeline.errors import BundleError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import LinearSettings

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
SENTENCES = [
    ("The soup was excellent.", ("food",), ("praise",)),
    ("The bread was stale.", ("food",), ("blame",)),
    ("The waiter was rude.", ("service",), ("blame",)),
    ("The staff was friendly.", ("service",), ("praise",)),
    ("We sat by the window.", (), ("neither",)),
]


def training(times: int = 4) -> list[LabelledSentence]:
    return [
        LabelledSentence(Sentence(f"{i}", "d", text), {"topic": topic, "tone": tone})
        for i, (text, topic, tone) in enumerate(SENTENCES * times)
    ]


def fitted(**settings: object) -> LinearClassifier:
    classifier = LinearClassifier(TINY, LinearSettings.model_validate(settings))
    classifier.fit(training())
    return classifier


def test_multilabel_logits_are_log_odds_at_the_prevalence_of_the_data() -> None:
    """With strong regularisation only the prior is left: 2 of 5 sentences, however weighted."""
    for balanced in (True, False):
        logits = fitted(c=1e-6, balanced=balanced).predict_logits([Sentence("s", "d", "Soup.")])
        assert logits[0, 0] == pytest.approx(np.log(2 / 3), abs=1e-3)
        np.testing.assert_allclose(np.exp(logits[0, 2:]), [0.4, 0.4, 0.2], atol=1e-3)


def test_reads_characters_of_words_it_does_not_know() -> None:
    texts = ["", "soups", "waiters"]
    nothing, soups, waiters = fitted().predict_logits([Sentence("s", "d", t) for t in texts])
    assert soups[0] > nothing[0] > waiters[0]
    assert waiters[1] > nothing[1] > soups[1]


def test_the_limit_holds_for_each_vocabulary(tmp_path: Path) -> None:
    classifier = LinearClassifier(TINY, LinearSettings(max_features=100, min_df=1))
    classifier.fit(training())
    classifier.save(tmp_path)
    assert len(read_terms(tmp_path / "characters.txt")) == 100
    assert len(read_terms(tmp_path / "words.txt")) < 100


def test_a_vocabulary_of_another_length_is_a_bundle_error(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    path = tmp_path / "words.txt"
    path.write_text(path.read_text(encoding="utf-8") + "\nzebra", encoding="utf-8")
    with pytest.raises(BundleError, match=r"linear\.npz.*expected"):
        LinearClassifier.load(tmp_path, TINY)


def test_weights_are_rounded_before_they_are_used() -> None:
    """Half floats on disk: had the fitted model more digits, loading would move its scores."""
    regressions = fitted()._regressions
    assert regressions is not None
    np.testing.assert_array_equal(
        regressions.weights, regressions.weights.astype(np.float16).astype(np.float32)
    )


def test_texts_without_any_feature_leave_the_prior() -> None:
    classifier = LinearClassifier(TINY, LinearSettings())
    classifier.fit(
        [
            LabelledSentence(Sentence("s", "d", ""), {"topic": topic, "tone": ("praise",)})
            for topic in [("food",), ()]
        ]
    )
    logits = classifier.predict_logits([Sentence("s", "d", "The soup was excellent.")])
    np.testing.assert_allclose(
        np.exp(logits), [[1.0, 0.5 / 2.5, 2.5 / 3.5, 0.5 / 3.5, 0.5 / 3.5]], rtol=1e-5
    )
