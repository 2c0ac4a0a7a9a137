"""The scripts of the study of weak supervision change the codebook as they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from pipeline.codebook import Codebook, load_codebook

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
        assert [rule.weight for rule in after] == [2 if rule.weight > 0 else -2 for rule in before]


def test_rules_forget_negations_and_nothing_else() -> None:
    changed = script("negation").heedless(CODEBOOK)
    assert "block" in CODEBOOK.model_dump_json()
    assert CODEBOOK.model_dump_json().replace('"block"', '"ignore"') == changed.model_dump_json()
