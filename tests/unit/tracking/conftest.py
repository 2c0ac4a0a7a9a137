from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.bundle import BundleFacts, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule, Probabilities
from pipeline.records import (
    EvaluationReport,
    LabelledDocument,
    LabelledSentence,
    Score,
    Sentence,
)
from pipeline.settings.classifiers import RulesSettings
from pipeline.tracking import Store, open_store

TINY = Path(__file__).parents[2] / "codebooks" / "tiny.yaml"
TEXTS = (
    ("The soup was excellent.", ("food",), ("praise",)),
    ("The waiter was rude.", ("service",), ("blame",)),
    ("We ordered soup and bread.", (), ("neither",)),
    ("The bread was stale and the staff slow.", ("food", "service"), ("blame",)),
    ("It rained.", None, ("neither",)),
    ("The friendly waitress brought wine.", ("service",), None),
)


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return load_codebook(TINY)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables in it; making one takes seconds, copying none."""
    root = tmp_path_factory.mktemp("migrated")
    open_store(f"sqlite:///{root / 'mlflow.db'}", root=root)
    return root / "mlflow.db"


@pytest.fixture
def store(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The default store of an empty working folder."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    shutil.copy(migrated, tmp_path / "experiments" / "mlflow.db")
    return open_store(None)


@pytest.fixture(scope="session")
def documents() -> tuple[LabelledDocument, ...]:
    made = []
    for d in range(3):
        sentences = tuple(
            LabelledSentence(
                Sentence(f"{d}-{i}", f"doc{d}", text, context=TEXTS[i - 1][0] if i else ""),
                {"topic": topic, "tone": tone},
            )
            for i, (text, topic, tone) in enumerate(TEXTS)
        )
        made.append(LabelledDocument(f"doc{d}", sentences, source="data/reviews.jsonl"))
    return tuple(made)


@pytest.fixture(scope="session")
def labelled(documents: tuple[LabelledDocument, ...]) -> list[LabelledSentence]:
    return [one for document in documents for one in document.sentences]


@pytest.fixture(scope="session")
def rule(codebook: Codebook) -> DecisionRule:
    return DecisionRule(
        scale=(1.0,) * codebook.width,
        bias=(0.0,) * codebook.width,
        threshold=(0.4, 0.6, 0.5, 0.5, 0.5),
        abstain_within=0.02,
    )


@pytest.fixture(scope="session")
def classifier(codebook: Codebook) -> RulesClassifier:
    return RulesClassifier(codebook, RulesSettings())


@pytest.fixture(scope="session")
def probabilities(
    classifier: RulesClassifier,
    labelled: list[LabelledSentence],
    rule: DecisionRule,
    codebook: Codebook,
) -> Probabilities:
    logits = classifier.predict_logits([one.sentence for one in labelled])
    return rule.probabilities(logits, codebook)


@pytest.fixture(scope="session")
def targets(labelled: list[LabelledSentence], codebook: Codebook) -> np.ndarray:
    from pipeline.classifiers.targets import encode_targets

    return encode_targets(labelled, codebook)


@pytest.fixture
def bundle_folder(tmp_path: Path, classifier: RulesClassifier, rule: DecisionRule) -> Path:
    folder = tmp_path / "bundle of rules"
    facts = BundleFacts(name="reviews", description="Rules on reviews.")
    write_bundle(folder, classifier, rule, facts)
    return folder


@pytest.fixture(scope="session")
def report_of() -> Callable[..., EvaluationReport]:
    """Make a report: one task with a score, one without."""

    def make(dataset: str, macro: float = 0.62) -> EvaluationReport:
        scores = [
            Score("topic.macro_f1", macro, macro - 0.05, macro + 0.04, 18),
            Score("topic.micro_f1", 0.7, 0.6, 0.8, 18),
            Score("topic.food.f1", 0.5, 0.4, 0.6, 6),
            Score("topic.service.average_precision", 0.25, None, None, 9),
            Score("tone.macro_f1", float("nan"), None, None, 0),
            Score("tone.praise.ece", 0.1, 0.05, 0.2, 18),
        ]
        return EvaluationReport(dataset, 3, 18, {score.name: score for score in scores})

    return make
