"""A bundle of rules, which labels at once and needs no training; for both codebooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.bundle import Bundle, BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.settings.classifiers import RulesSettings

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["tests/codebooks/tiny.yaml", "configs/codebook.yaml"], scope="session")
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    codebook = load_codebook(ROOT / str(request.param))
    folder = tmp_path_factory.mktemp("service") / "bundle"
    facts = BundleFacts(name="rules", description="Rules.", limits=("None known.",))
    classifier = RulesClassifier(codebook, RulesSettings())
    write_bundle(folder, classifier, DecisionRule.plain(codebook), facts)
    return load_bundle(folder)
