"""An exported classifier answers like the trained one, without torch; and a gate checks that."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.bundle import BundleFacts, load_bundle, write_bundle
from pipeline.bundle.export import deployable, measure_parity
from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.onnx import OnnxClassifier
from pipeline.classifiers.protocol import Classifier, Logits
from pipeline.classifiers.rules import RulesClassifier
from pipeline.classifiers.transformer import TransformerClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.errors import BundleError, CheckFailed, InputError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import EncoderSettings, RulesSettings, TransformerSettings

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
DIPLOMACY = load_codebook(ROOT / "configs" / "codebook.yaml")
TEXTS = (
    "The soup was excellent.",
    "rude waiter",
    "",
    "A",
    "the bread was stale, " * 30,
    "👍 \ud800 naïve",
    "We ordered soup and bread.",
)
SENTENCES = [Sentence(f"s{i}", "d", text, context=TEXTS[i - 1]) for i, text in enumerate(TEXTS)]


def sample() -> list[LabelledSentence]:
    labels = [
        {"topic": ("food",), "tone": ("praise",)},
        {"topic": ("service",), "tone": ("blame",)},
        {"topic": (), "tone": ("neither",)},
    ]
    return [LabelledSentence(s, labels[i % 3]) for i, s in enumerate(SENTENCES * 4)]


@pytest.fixture(scope="module")
def trained(tiny_encoder: Path) -> TransformerClassifier:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    settings = TransformerSettings(
        encoder=EncoderSettings(name=str(tiny_encoder), max_tokens=48),
        context=True,
        epochs=25,
        learning_rate=3e-3,
        head_learning_rate=1e-2,
        dropout=0.0,
        train_word_embeddings=True,
        tokens_per_batch=512,
        precision="float32",
    )
    classifier = TransformerClassifier(TINY, settings, seed=1)
    classifier.fit(sample())
    torch.set_num_threads(before)
    return classifier


@pytest.fixture(scope="module")
def exported(
    trained: TransformerClassifier, tmp_path_factory: pytest.TempPathFactory
) -> OnnxClassifier:
    made = deployable(trained, tmp_path_factory.mktemp("export"))
    assert isinstance(made, OnnxClassifier)
    return made


@pytest.fixture(scope="module")
def unrounded(
    trained: TransformerClassifier, tmp_path_factory: pytest.TempPathFactory
) -> OnnxClassifier:
    """The export without rounding to int8, which is coarse in a network of 32 dimensions."""

    def keep(source: Path, target: Path) -> None:
        shutil.copyfile(source, target)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pipeline.bundle.quantisation.quantise_rows", keep)
        made = deployable(trained, tmp_path_factory.mktemp("unrounded"))
    assert isinstance(made, OnnxClassifier)
    return made


def assert_close(got: Logits, wanted: Logits) -> None:
    """Rounding moves a logit by a small part of what sentences differ in."""
    assert got.shape == wanted.shape
    assert float(np.abs(got - wanted).mean()) < 0.1 * float(wanted.std())
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.98


def test_but_for_rounding_the_export_is_the_trained_model(
    trained: TransformerClassifier, unrounded: OnnxClassifier
) -> None:
    wanted = trained.predict_logits(SENTENCES)
    np.testing.assert_allclose(unrounded.predict_logits(SENTENCES), wanted, atol=1e-4)


def test_the_export_answers_like_the_trained_model(
    trained: TransformerClassifier, exported: OnnxClassifier
) -> None:
    wanted = trained.predict_logits(SENTENCES)
    got = exported.predict_logits(SENTENCES)
    assert got.dtype == np.float32
    assert got.shape == wanted.shape
    assert float(np.ptp(wanted, axis=0).min()) > 0.5  # texts differ, so closeness says a lot
    assert_close(got, wanted)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_batches_of_any_size_give_the_same(exported: OnnxClassifier, size: int) -> None:
    parts = [SENTENCES[i : i + size] for i in range(0, len(SENTENCES), size)]
    together = exported.predict_logits(SENTENCES)
    apart = np.vstack([exported.predict_logits(part) for part in parts])
    np.testing.assert_allclose(apart, together, atol=1e-4)


def test_a_sentence_is_scored_without_regard_to_its_neighbours(exported: OnnxClassifier) -> None:
    """Alone, between long ones (so that it is padded) and in another order."""
    one = Sentence("one", "d", "rude waiter")
    wanted = exported.predict_logits([one])[0]
    long = [Sentence(f"l{i}", "d", "the soup was excellent! " * 20) for i in range(6)]
    other = [Sentence(f"o{i}", "d", text) for i, text in enumerate(("?!?! 99", "the", "zzz qqq"))]
    for batch in ([one, *long], [*long, one], [*other, one], [one, *other[::-1], *long]):
        got = exported.predict_logits(batch)[batch.index(one)]
        np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_every_length_up_to_the_limit(
    trained: TransformerClassifier, unrounded: OnnxClassifier
) -> None:
    words = [Sentence("s", "d", "the " * n) for n in (*range(1, 8), 31, 32, 44, 45, 46, 60)]
    for one in words:
        got = unrounded.predict_logits([one])
        np.testing.assert_allclose(got, trained.predict_logits([one]), atol=1e-4)


def test_no_sentences(exported: OnnxClassifier) -> None:
    assert exported.predict_logits([]).shape == (0, TINY.width)


def test_exporting_is_silent(
    trained: TransformerClassifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = logging.root.manager.disable
    deployable(trained, tmp_path)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert logging.root.manager.disable == before


def test_weights_are_int8(trained: TransformerClassifier, exported: OnnxClassifier) -> None:
    import onnx

    model = onnx.load(str(exported._folder / "model.onnx"))
    quantised = [w for w in model.graph.initializer if w.data_type == onnx.TensorProto.INT8]
    assert len(quantised) >= 6
    assert [node.name for node in model.graph.output] == ["logits"]
    # No activation is rounded by a scale of the whole batch.
    kinds = {node.op_type for node in model.graph.node}
    assert "QuantizeLinear" in kinds
    assert not kinds & {"DynamicQuantizeLinear", "DynamicQuantizeMatMul"}
    left = [path.name for path in exported._folder.iterdir()]
    assert sorted(left) == ["classifier.json", "model.onnx", "tokenizer.json"]


def test_the_trained_model_is_as_before(trained: TransformerClassifier, tmp_path: Path) -> None:
    before = trained.predict_logits(SENTENCES)
    deployable(trained, tmp_path)
    np.testing.assert_array_equal(trained.predict_logits(SENTENCES), before)


def test_the_export_makes_a_bundle(
    exported: OnnxClassifier, facts: BundleFacts, tmp_path: Path
) -> None:
    manifest = write_bundle(tmp_path / "bundle", exported, DecisionRule.plain(TINY), facts)
    assert manifest.kind == "onnx"
    bundle = load_bundle(tmp_path / "bundle")
    np.testing.assert_array_equal(
        bundle.classifier.predict_logits(SENTENCES), exported.predict_logits(SENTENCES)
    )


def test_members_of_an_ensemble_are_exchanged(
    trained: TransformerClassifier, facts: BundleFacts, tmp_path: Path
) -> None:
    rules = RulesClassifier(TINY, RulesSettings())
    ensemble = EnsembleClassifier.of(TINY, (rules, trained), ({"topic": 0.3, "tone": 2.0}, 0.7))
    made = deployable(ensemble, tmp_path)
    assert isinstance(made, EnsembleClassifier)
    assert [member.kind for member in made.members] == ["rules", "onnx"]
    assert [member.kind for member in ensemble.members] == ["rules", "transformer"]
    wanted = ensemble.predict_logits(SENTENCES)
    assert_close(made.predict_logits(SENTENCES), wanted)
    write_bundle(tmp_path / "bundle", made, DecisionRule.plain(TINY), facts)
    again = load_bundle(tmp_path / "bundle").classifier
    np.testing.assert_array_equal(again.predict_logits(SENTENCES), made.predict_logits(SENTENCES))


def test_what_runs_anyway_is_left_alone(tmp_path: Path) -> None:
    rules = RulesClassifier(TINY, RulesSettings())
    assert deployable(rules, tmp_path) is rules
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_run_without_the_extra_is_refused(tmp_path: Path) -> None:
    """A frozen encoder would have to be shipped as well; no such export exists."""
    with pytest.raises(CheckFailed, match="'embedding' cannot be shipped"):
        deployable(Fixed(TINY, 0.0, kind="embedding"), tmp_path)


class Fixed:
    """Says the same of every sentence; a stand-in for a trained or exported model."""

    reads_context = False

    def __init__(self, codebook: Codebook, *logits: float, kind: str = "fixed") -> None:
        self.kind = kind  # type: ignore[misc]  # a class variable in the protocol
        self.codebook = codebook
        row = (logits * codebook.width)[: codebook.width]
        self._row = np.array(row, dtype=np.float32)

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        return np.tile(self._row, (len(sentences), 1))

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Classifier:
        raise NotImplementedError


@pytest.mark.parametrize("codebook", [TINY, DIPLOMACY], ids=["tiny", "diplomacy"])
def test_equal_models_pass(codebook: Codebook) -> None:
    one, rule = Fixed(codebook, 1.0, -2.0), DecisionRule.plain(codebook)
    parity = measure_parity(one, one, SENTENCES, rule, codebook)
    assert parity.figures() == {
        "sentences": float(len(SENTENCES)),
        "mean_difference": 0.0,
        "largest_difference": 0.0,
        "flipped": 0.0,
    }


def test_differences_are_of_calibrated_probabilities() -> None:
    one, two = Fixed(TINY, 0.0, 0.0, 1.0, 0.0, 0.0), Fixed(TINY, 1.0, 0.0, 1.0, 0.0, 0.0)
    rule = DecisionRule((2.0, 1.0, 1.0, 1.0, 1.0), (0.0,) * 5, (0.1,) * 5)
    parity = measure_parity(one, two, SENTENCES, rule, TINY)
    moved = 1 / (1 + np.exp(-2.0)) - 0.5
    assert parity.largest_difference == pytest.approx(moved, rel=1e-5)
    assert parity.mean_difference == pytest.approx(moved / 5, rel=1e-5)
    assert parity.flipped == 0.0


def test_models_that_decide_differently() -> None:
    one, two = Fixed(TINY, 1.0, -1.0, 1.0, 0.0, 0.0), Fixed(TINY, -1.0, -1.0, 1.0, 0.0, 0.0)
    parity = measure_parity(one, two, SENTENCES, DecisionRule.plain(TINY), TINY)
    assert parity.flipped == pytest.approx(0.5)
    assert parity.sentences == 7


def test_a_decision_that_is_now_withheld_has_changed() -> None:
    """Not given before, withheld now: a coder sees an abstention instead of a clear no."""
    one, two = Fixed(TINY, -3.0, -3.0, 9.0, 0.0, 0.0), Fixed(TINY, -0.1, -3.0, 9.0, 0.0, 0.0)
    rule = DecisionRule((1.0,) * 5, (0.0,) * 5, (0.5,) * 5, abstain_within=0.1)
    assert measure_parity(one, two, SENTENCES, rule, TINY).flipped == pytest.approx(0.5)


def test_parity_needs_sentences() -> None:
    one = Fixed(TINY, 0.0)
    with pytest.raises(InputError, match="test split is empty"):
        measure_parity(one, one, [], DecisionRule.plain(TINY), TINY)


def test_a_broken_export_is_a_bundle_error(exported: OnnxClassifier, tmp_path: Path) -> None:
    exported.save(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        whole = path.read_bytes()
        for content in (None, b"", b"nonsense", whole[: len(whole) // 2]):
            path.unlink()
            if content is not None:
                path.write_bytes(content)
            with pytest.raises(BundleError, match=path.name.replace(".", r"\.")):
                OnnxClassifier.load(tmp_path, TINY)
            path.write_bytes(whole)
    OnnxClassifier.load(tmp_path, TINY)


def test_an_export_for_another_codebook(exported: OnnxClassifier, tmp_path: Path) -> None:
    exported.save(tmp_path)
    data = TINY.model_dump(mode="json")
    labels = data["tasks"]["tone"]["labels"]
    data["tasks"]["tone"]["labels"] = dict(reversed(labels.items()))
    for codebook in (DIPLOMACY, Codebook.model_validate(data)):
        with pytest.raises(BundleError, match="Use the codebook it was trained with"):
            OnnxClassifier.load(tmp_path, codebook)


def test_a_model_with_too_few_outputs(exported: OnnxClassifier, tmp_path: Path) -> None:
    """Another export put beside the record of this one."""
    exported.save(tmp_path)
    inputs = exported.inputs.model_copy(
        update={"codebook": DIPLOMACY.signature, "columns": DIPLOMACY.column_names}
    )
    (tmp_path / "classifier.json").write_text(inputs.model_dump_json())
    with pytest.raises(BundleError, match=r"has 5 outputs, but codebook .* has 10"):
        OnnxClassifier.load(tmp_path, DIPLOMACY)
