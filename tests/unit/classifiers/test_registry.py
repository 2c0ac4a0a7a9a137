from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.classifiers.registry import KINDS, build, classifier_class
from pipeline.codebook import load_codebook
from pipeline.errors import BundleError, MissingExtra
from pipeline.settings.classifiers import EmbeddingSettings, LinearSettings, MajoritySettings

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_class(kind: str) -> None:
    assert classifier_class(kind).kind == kind


def test_an_unknown_kind_gets_near_matches() -> None:
    with pytest.raises(BundleError, match=r"'liner'.*Did you mean 'linear'"):
        classifier_class("liner")


def test_builds_with_settings_and_seed() -> None:
    classifier = build(LinearSettings(c=0.5), TINY, seed=11)
    assert isinstance(classifier, classifier_class("linear"))
    assert classifier.codebook is TINY
    assert (classifier.settings.c, classifier.seed) == (0.5, 11)


def test_names_the_extra_that_training_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtra, match=r"'linear'.*scikit-learn.*pip install '\.\[train\]'"):
        build(LinearSettings(), TINY, seed=0)
    assert build(MajoritySettings(), TINY, seed=0).kind == "majority"


def test_names_the_extra_that_loading_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pipeline.classifiers.embedding", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"'embedding'.*'torch'"):
        classifier_class("embedding")
    with pytest.raises(MissingExtra, match=r"'embedding'.*'torch'"):
        build(EmbeddingSettings(), TINY, seed=0)


def test_a_package_of_the_core_is_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pipeline.classifiers.onnx", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"'onnxruntime'.*to stance itself.*pip install \.$"):
        classifier_class("onnx")


def test_the_light_kinds_load_and_predict_without_the_extra(tmp_path: Path) -> None:
    """In a process in which the packages of the extra cannot be imported."""
    from pipeline.records import LabelledSentence, Sentence

    texts = ["The soup was excellent.", "The waiter was rude.", "We ordered soup."] * 4
    train = [
        LabelledSentence(Sentence("s", "d", text), {"topic": topic, "tone": tone})
        for text, topic, tone in zip(
            texts,
            [("food",), ("service",), ()] * 4,
            [("praise",), ("blame",), ("neither",)] * 4,
            strict=True,
        )
    ]
    classifier = build(LinearSettings(), TINY, seed=0)
    classifier.fit(train)
    classifier.save(tmp_path)
    codebook = tmp_path / "codebook.json"
    codebook.write_text(TINY.model_dump_json(), encoding="utf-8")
    program = """
import sys
from pathlib import Path
for name in ("torch", "transformers", "sklearn", "scipy", "datasets", "mlflow", "pandas"):
    sys.modules[name] = None
from pipeline.classifiers.registry import classifier_class
from pipeline.codebook import load_codebook
from pipeline.records import Sentence
folder = Path(sys.argv[1])
codebook = load_codebook(folder / "codebook.json")
for kind in ("majority", "rules", "linear", "ensemble"):
    classifier_class(kind)
loaded = classifier_class("linear").load(folder, codebook)
print(loaded.predict_logits([Sentence("s", "d", "The soup was excellent.")]).tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(classifier.predict_logits([train[0].sentence]).tolist())
