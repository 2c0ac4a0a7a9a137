from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.classifiers.majority import MajorityClassifier, prior_logits
from pipeline.codebook import load_codebook
from pipeline.errors import BundleError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import MajoritySettings

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
NAN = float("nan")


def test_priors_by_hand() -> None:
    """Half an observation is added: 1 of 3 known gives ln(1.5 / 2.5), 2 of 2 ln(2.5 / 3.5)."""
    targets = np.array(
        [
            [1, 0, 1, 0, 0],
            [0, 0, 1, 0, 0],
            [0, 0, NAN, NAN, NAN],
            [NAN, NAN, NAN, NAN, NAN],
        ],
        dtype=np.float32,
    )
    wanted = [1.5 / 2.5, 0.5 / 3.5, 2.5 / 3.5, 0.5 / 3.5, 0.5 / 3.5]
    np.testing.assert_allclose(np.exp(prior_logits(targets, TINY)), wanted, rtol=1e-6)


def test_nothing_known_means_even_odds() -> None:
    unknown = np.full((4, TINY.width), NAN, dtype=np.float32)
    wanted = [1, 1, 1 / 3, 1 / 3, 1 / 3]
    np.testing.assert_allclose(np.exp(prior_logits(unknown, TINY)), wanted, rtol=1e-6)


@pytest.mark.parametrize("logits", [[0.0] * 4, [0.0] * 6, [float("nan")] * 5, ["x"] * 5, None])
def test_changed_logits_are_a_bundle_error(tmp_path: Path, logits: object) -> None:
    classifier = MajorityClassifier(TINY, MajoritySettings())
    classifier.fit([LabelledSentence(Sentence("s", "d", "Good soup."), {"topic": ("food",)})])
    classifier.save(tmp_path)
    path = tmp_path / "classifier.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"logits": logits}))
    with pytest.raises(BundleError, match="logits"):
        MajorityClassifier.load(tmp_path, TINY)


@pytest.mark.parametrize("content", ["{", "[" * 100_000])
def test_a_record_that_is_no_json_is_a_bundle_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "classifier.json").write_text(content)
    with pytest.raises(BundleError, match=r"classifier\.json: cannot be read as JSON"):
        MajorityClassifier.load(tmp_path, TINY)
