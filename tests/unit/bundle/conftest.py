"""Cheap classifiers to put into bundles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.bundle import BundleFacts, Figure
from pipeline.classifiers.majority import MajorityClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import MajoritySettings

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["tests/codebooks/tiny.yaml", "configs/codebook.yaml"])
def codebook(request: pytest.FixtureRequest) -> Codebook:
    return load_codebook(ROOT / str(request.param))


@pytest.fixture
def majority() -> Callable[[Codebook], MajorityClassifier]:
    """Fitted on one sentence that bears the first label of every task."""

    def make(codebook: Codebook) -> MajorityClassifier:
        classifier = MajorityClassifier(codebook, MajoritySettings())
        labels = {name: (next(iter(task.labels)),) for name, task in codebook.tasks.items()}
        classifier.fit([LabelledSentence(Sentence("s", "d", "Text."), labels)])
        return classifier

    return make


@pytest.fixture
def facts() -> BundleFacts:
    return BundleFacts(
        name="reviews-majority",
        description="Labels sentences by what is common.",
        licence="CC0-1.0",
        run_id="0123456789abcdef",
        training={"seed": "13", "documents for train": "7"},
        figures=(
            Figure(
                dataset="held-out", name="x.macro_f1", value=0.5, low=0.25, high=0.75, support=9
            ),
            Figure(dataset="gold", name="x.macro_f1", value=0.4, support=3),
        ),
        parity={"flipped": 0.0025},
        limits=("Knows nothing of desserts.",),
    )
