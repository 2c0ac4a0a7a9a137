"""The scripts of the study of weak supervision change the codebook as they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

from pipeline.classifiers.targets import training_targets
from pipeline.codebook import Codebook, load_codebook
from pipeline.records import Sentence

ROOT = Path(__file__).parents[3]
CODEBOOK = load_codebook(ROOT / "configs" / "codebook.yaml")


def script(name: str) -> ModuleType:
    path = ROOT / "experiments" / "weak-supervision" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"weak_supervision_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_weights_lose_their_size_and_keep_their_sign() -> None:
    changed = script("study").without_weights(CODEBOOK)
    assert isinstance(changed, Codebook)
    for task, label in CODEBOOK.columns:
        before = CODEBOOK.tasks[task].labels[label].rules
        after = changed.tasks[task].labels[label].rules
        assert [rule.weight for rule in after] == [3 if rule.weight > 0 else -3 for rule in before]


def test_rules_forget_negations_and_nothing_else() -> None:
    changed = script("negation").heedless(CODEBOOK)
    assert "block" in CODEBOOK.model_dump_json()
    assert CODEBOOK.model_dump_json().replace('"block"', '"ignore"') == changed.model_dump_json()


def test_probabilities_are_learned_of_the_sentences_that_have_a_label() -> None:
    """NaN, unknown, stays so; labels from a confidence come without probabilities."""
    study = script("study")
    chances = np.full((2, CODEBOOK.width), 0.2)
    chances[0, 0] = 0.7
    for task in CODEBOOK.multiclass_tasks():
        chances[:, CODEBOOK.slice_of(task)] = [1.0] + [0.0] * (len(CODEBOOK.tasks[task].labels) - 1)
    multilabel = CODEBOOK.slice_of(CODEBOOK.multilabel_tasks()[0])
    chances[1, multilabel] = np.nan
    pool = [Sentence(f"d#{i}", "d", "Text.") for i in range(2)]
    soft = study.weakly_labelled(pool, chances, "probabilities", CODEBOOK)
    wanted = chances.astype(np.float32)
    np.testing.assert_array_equal(training_targets(soft, CODEBOOK), wanted)
    hard = study.weakly_labelled(pool, chances, "0.5", CODEBOOK)
    assert [one.labels for one in hard] == [one.labels for one in soft]
    assert not any(one.probabilities for one in hard)
    strict = study.weakly_labelled(pool, chances, "0.9", CODEBOOK)
    assert strict[0].labels[CODEBOOK.multilabel_tasks()[0]] is None
