from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.classifiers.embedding import EmbeddingClassifier, FrozenEncoder
from pipeline.classifiers.encoder import resolve_encoder
from pipeline.codebook import load_codebook
from pipeline.errors import BundleError, SettingsError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import EmbeddingSettings, EncoderSettings

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")

pytestmark = pytest.mark.slow


def fitted() -> EmbeddingClassifier:
    classifier = EmbeddingClassifier(TINY, EmbeddingSettings())
    classifier.fit(
        [
            LabelledSentence(Sentence("a", "d", "The soup was good."), {"topic": ("food",)}),
            LabelledSentence(Sentence("b", "d", "He was kind to us."), {"topic": ("service",)}),
        ]
    )
    return classifier


def test_embeddings_have_unit_length_and_meaning() -> None:
    encoder = FrozenEncoder(resolve_encoder(EncoderSettings()), max_tokens=32)
    texts = ["A dog barks.", "A hound is barking.", "The council adopted a resolution."]
    vectors = encoder.embed([Sentence("s", "d", text) for text in texts])
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.6 > 0.3 > likeness[0, 2]


def test_saves_the_name_of_the_encoder_and_not_its_weights(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 40_000


def test_another_encoder_is_a_bundle_error(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    path = tmp_path / "classifier.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"encoder_sha256": "0" * 64}))
    with pytest.raises(BundleError, match=f"expected {'0' * 64}"):
        EmbeddingClassifier.load(tmp_path, TINY)


def test_more_tokens_than_the_encoder_reads_are_refused() -> None:
    with pytest.raises(SettingsError, match="1000; the encoder reads at most 512"):
        FrozenEncoder(resolve_encoder(EncoderSettings()), max_tokens=1000)
