from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pytest

from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.majority import MajorityClassifier
from pipeline.classifiers.protocol import QUIET, FitMonitor, Logits
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import BundleError, SettingsError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import (
    EnsembleSettings,
    LinearSettings,
    MajoritySettings,
    RulesSettings,
)

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
SENTENCE = Sentence("s", "d", "The soup was excellent.")


class Fixed:
    """A classifier that says the same of every sentence and cannot be trained."""

    kind: ClassVar[str] = "fixed"
    reads_context: ClassVar[bool] = False

    def __init__(self, codebook: Codebook, row: Sequence[float]) -> None:
        self.codebook = codebook
        self.row = row

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        return np.tile(np.asarray(self.row, np.float32), (len(sentences), 1))

    def save(self, folder: Path) -> None:
        (folder / "row.json").write_text(json.dumps(list(self.row)))

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Self:
        return cls(codebook, json.loads((folder / "row.json").read_text()))


class Watched(Fixed):
    """A member that remembers what it was fitted with."""

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        self.seen = (list(train), monitor)


def test_adds_log_odds_and_log_probabilities() -> None:
    """Members with tone 1:1:2 and 4:2:2 in any constant; weights 1 and 0.5: 2 : sqrt2 : 2 sqrt2."""
    first = Fixed(TINY, [1.0, -2.0, *(np.log([1, 1, 2]) + 7)])
    second = Fixed(TINY, [3.0, 4.0, *(np.log([4, 2, 2]) - 9)])
    ensemble = EnsembleClassifier.of(TINY, [first, second], [1.0, 0.5])
    logits = ensemble.predict_logits([SENTENCE, SENTENCE])
    np.testing.assert_allclose(logits[:, :2], [[2.5, 0.0]] * 2, atol=1e-6)
    np.testing.assert_allclose(
        np.exp(logits[:, 2:] - logits[:, 2:3]), [[1, 2**0.5 / 2, 2**0.5]] * 2, rtol=1e-5
    )


def test_weights_may_differ_by_task() -> None:
    members = [Fixed(TINY, [1.0] * 5), Fixed(TINY, [2.0, 4.0, *np.log([1, 2, 1])])]
    ensemble = EnsembleClassifier.of(TINY, members, [1.0, {"topic": 0.5, "tone": 2.0}])
    logits = ensemble.predict_logits([SENTENCE])
    np.testing.assert_allclose(logits[0, :2], [2.0, 3.0])
    assert logits[0, 3] - logits[0, 2] == pytest.approx(2 * np.log(2), abs=1e-5)


def test_leaves_the_logits_of_its_members_alone() -> None:
    class Shared(Fixed):
        def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
            return kept[: len(sentences)]

    kept = np.arange(5, dtype=np.float32)[None, :]
    EnsembleClassifier.of(TINY, [Shared(TINY, ())], [2.0]).predict_logits([SENTENCE])
    np.testing.assert_array_equal(kept, [[0, 1, 2, 3, 4]])


def test_all_mistakes_in_the_weights_are_told() -> None:
    with pytest.raises(SettingsError) as caught:
        EnsembleClassifier.of(
            TINY, [Fixed(TINY, [0.0] * 5)] * 2, [{"topic": 1.0}, {"topic": 1.0, "tonne": 1.0}]
        )
    assert caught.value.mistakes == (
        "weights[0]: no weight for task 'tone'",
        "weights[1]: unknown task 'tonne'. Did you mean 'tone'?",
        "weights[1]: no weight for task 'tone'",
    )


def test_wants_one_weight_a_member_and_members_at_all() -> None:
    with pytest.raises(SettingsError, match="1 members but 2 weights"):
        EnsembleClassifier.of(TINY, [Fixed(TINY, [0.0] * 5)], [1.0, 1.0])
    with pytest.raises(SettingsError, match="0 members"):
        EnsembleClassifier.of(TINY, [], [])


def test_refuses_a_member_for_another_codebook() -> None:
    data = TINY.model_dump(mode="json")
    del data["tasks"]["tone"]
    other = Codebook.model_validate(data)
    with pytest.raises(BundleError, match=r"'fixed'.*topic\.food, topic\.service; the ensemble"):
        EnsembleClassifier.of(TINY, [Fixed(other, [0.0] * 2)], [1.0])


def test_members_share_the_checkpoint_folder(tmp_path: Path) -> None:
    members = [Watched(TINY, [0.0] * 5), Watched(TINY, [0.0] * 5)]
    steps: list[object] = []
    train = [LabelledSentence(SENTENCE, {"topic": ("food",)})]
    monitor = FitMonitor(steps.append, tmp_path)
    EnsembleClassifier.of(TINY, members, [1.0, 1.0]).fit(train, monitor)
    assert [m.seen[0] for m in members] == [train, train]
    assert [m.seen[1].checkpoints for m in members] == [tmp_path, tmp_path]
    assert members[0].seen[1].on_step is monitor.on_step


def test_a_member_that_cannot_be_trained_is_named() -> None:
    ensemble = EnsembleClassifier.of(TINY, [Fixed(TINY, [0.0] * 5)], [1.0])
    with pytest.raises(SettingsError, match="fixed"):
        ensemble.fit([LabelledSentence(SENTENCE, {"topic": ()})])


def test_builds_its_members_with_different_seeds() -> None:
    settings = EnsembleSettings(members=(LinearSettings(), LinearSettings()), weights=(1.0, 2.0))
    ensemble = EnsembleClassifier(TINY, settings, seed=5)
    assert [(m.kind, m.seed) for m in ensemble.members] == [("linear", 5), ("linear", 6)]


def test_ready_members_are_saved_and_loaded(tmp_path: Path) -> None:
    majority = MajorityClassifier(TINY, MajoritySettings())
    majority.fit([LabelledSentence(SENTENCE, {"topic": ("food",), "tone": ("praise",)})])
    rules = RulesClassifier(TINY, RulesSettings())
    ensemble = EnsembleClassifier.of(TINY, [majority, rules], [{"topic": 0.3, "tone": 3.0}, 0.1])
    ensemble.save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "1-majority",
        "2-rules",
        "classifier.json",
    ]
    loaded = EnsembleClassifier.load(tmp_path, TINY)
    np.testing.assert_array_equal(
        loaded.predict_logits([SENTENCE]), ensemble.predict_logits([SENTENCE])
    )
    again = tmp_path / "again"
    again.mkdir()
    loaded.save(again)
    assert (again / "classifier.json").read_bytes() == (tmp_path / "classifier.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": ["majority", "../rules"]}, "unknown kind of classifier '../rules'"),
        ({"members": ["majority"]}, "shape"),
        ({"members": [], "weights": []}, "shape"),
        ({"weights": [[1.0] * 5, [1.0] * 4]}, "shape"),
    ],
)
def test_a_changed_record_is_a_bundle_error(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    rules = RulesClassifier(TINY, RulesSettings())
    majority = MajorityClassifier(TINY, MajoritySettings())
    majority.fit([LabelledSentence(SENTENCE, {"topic": ("food",)})])
    EnsembleClassifier.of(TINY, [majority, rules], [1.0, 1.0]).save(tmp_path)
    path = tmp_path / "classifier.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleError, match=message):
        EnsembleClassifier.load(tmp_path, TINY)


def test_without_members_it_cannot_predict() -> None:
    with pytest.raises(BundleError, match="fit or load"):
        EnsembleClassifier(TINY, None).predict_logits([SENTENCE])
