"""A watcher that remembers, and a bundle that needs no training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.bundle import Bundle, BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.settings.classifiers import RulesSettings

ROOT = Path(__file__).parents[3]


class Recorder:
    """Keeps all that a workflow reports."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps: list[tuple[str, int, int | None]] = []

    def progress(self, what: str, done: int, total: int | None) -> None:
        self.steps.append((what, done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def watcher() -> Recorder:
    return Recorder()


@pytest.fixture(scope="session")
def tiny() -> Codebook:
    return load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")


@pytest.fixture
def bundle_folder(tiny: Codebook, tmp_path: Path) -> Path:
    """Rules of the tiny codebook with plain thresholds."""
    folder = tmp_path / "bundle"
    facts = BundleFacts(name="kitchen", description="Rules.", limits=("None known.",))
    classifier = RulesClassifier(tiny, RulesSettings())
    write_bundle(folder, classifier, DecisionRule.plain(tiny), facts)
    return folder


@pytest.fixture
def bundle(bundle_folder: Path) -> Bundle:
    return load_bundle(bundle_folder)


@pytest.fixture
def project(make_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")
