"""What every classifier must do, whatever its kind and whatever the codebook.

Another kind joins by one more entry in CASES.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from _pytest.mark.structures import ParameterSet

from pipeline.bundle.export import deployable
from pipeline.classifiers.protocol import Classifier, Logits, Trainable
from pipeline.classifiers.registry import build, classifier_class
from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.errors import BundleError, InputError, StanceError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import (
    ClassifierSettings,
    EmbeddingSettings,
    EncoderSettings,
    EnsembleSettings,
    LinearSettings,
    MajoritySettings,
    RulesSettings,
    TransformerSettings,
)

ROOT = Path(__file__).parents[2]
CODEBOOKS = {
    "tiny": ROOT / "tests" / "codebooks" / "tiny.yaml",
    "diplomacy": ROOT / "configs" / "codebook.yaml",
}
SAFE_ENDINGS = {".json", ".npz", ".npy", ".txt", ".safetensors", ".onnx"}


@dataclass(frozen=True)
class Case:
    """A kind under test and what may be expected of it.

    `needs_fit`: it refuses to predict unfitted. `learns`: it tells a separable toy set apart.
    `separate_tasks`: what a task learns depends on the known labels of that task only.
    `tolerance`: how much the sentences beside it in a batch may move a logit. `reworded`: other
    words for "They saw", under which what was learned must still show.
    """

    settings: ClassifierSettings
    needs_fit: bool = True
    learns: bool = True
    separate_tasks: bool = True
    tolerance: float = 0.0
    reworded: str = "We heard of"

    @property
    def kind(self) -> str:
        return self.settings.kind

    def unfitted(self, codebook: Codebook, seed: int = 7) -> Trainable:
        return build(self.settings, codebook, seed=seed)

    def fit(self, codebook: Codebook, train: Sequence[LabelledSentence]) -> Classifier:
        classifier = self.unfitted(codebook)
        classifier.fit(train)
        return classifier


ENCODER: dict[str, Path] = {}
"""Where the encoder of the transformers under test lies; filled when the first test starts."""


@dataclass(frozen=True)
class TransformerCase(Case):
    """A fine-tuned transformer on an encoder small enough to be trained for every test."""

    def unfitted(self, codebook: Codebook, seed: int = 7) -> Trainable:
        encoder = EncoderSettings(name=str(ENCODER["folder"]), max_tokens=64)
        settings = self.settings.model_copy(update={"encoder": encoder})
        return build(settings, codebook, seed=seed)


@dataclass(frozen=True)
class OnnxCase(TransformerCase):
    """The export of such a transformer, which a bundle ships."""

    @property
    def kind(self) -> str:
        return "onnx"

    def fit(self, codebook: Codebook, train: Sequence[LabelledSentence]) -> Classifier:
        folder = Path(tempfile.mkdtemp(dir=ENCODER["folder"].parent))
        return deployable(super().fit(codebook, train), folder)


FAMILIAR = "They saw"
"""No other words: to an encoder that knows no language, any but the trained ones are noise."""

SMALL_TRANSFORMER = TransformerSettings(
    epochs=40,
    learning_rate=3e-3,
    head_learning_rate=1e-2,
    dropout=0.0,
    tokens_per_batch=128,
    train_word_embeddings=True,
    precision="float32",
)

CASES = [
    pytest.param(Case(MajoritySettings(), learns=False), id="majority"),
    pytest.param(Case(RulesSettings(), needs_fit=False, learns=False), id="rules"),
    pytest.param(Case(LinearSettings()), id="linear"),
    pytest.param(Case(EmbeddingSettings(), tolerance=1e-4), id="embedding", marks=pytest.mark.slow),
    pytest.param(
        Case(
            EnsembleSettings(
                members=(LinearSettings(), RulesSettings(), MajoritySettings()),
                weights=(1.0, 0.1, 0.5),
            )
        ),
        id="ensemble",
    ),
    pytest.param(
        TransformerCase(SMALL_TRANSFORMER, separate_tasks=False, tolerance=1e-4, reworded=FAMILIAR),
        id="transformer",
    ),
    pytest.param(
        OnnxCase(
            SMALL_TRANSFORMER,
            needs_fit=False,
            separate_tasks=False,
            tolerance=1e-4,
            reworded=FAMILIAR,
        ),
        id="onnx",
        marks=pytest.mark.slow,
    ),
]


@pytest.fixture(autouse=True, scope="module")
def _encoder(
    make_encoder: Callable[[Path, Sequence[str]], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Make the small encoder; on one thread, since its work is too small for more."""
    ENCODER["folder"] = tmp_path_factory.mktemp("contract") / "encoder"
    ENCODER["folder"].mkdir()
    known = " ".join(["they saw and the", *PLACES, *THINGS]).lower().split()
    make_encoder(ENCODER["folder"], known)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def those(**wanted: bool) -> list[ParameterSet]:
    """The cases of which all this may be expected."""
    return [c for c in CASES if all(getattr(c.values[0], k) is v for k, v in wanted.items())]


THINGS = (
    "volcano",
    "violin",
    "penguin",
    "bicycle",
    "cheese",
    "satellite",
    "umbrella",
    "lawyer",
    "garden",
    "diamond",
)
PLACES = ("in the north", "on Monday", "after the rain")
ODD_TEXTS = (
    "",
    " ",
    "\n\t",
    "?",
    "a",
    "\x00",
    "before\x00after",
    "\ud800 lone surrogate",
    "👩‍👩‍👧‍👦 🇺🇳 emoji",
    "İstanbul ǅ ß ﬁ",
    "مرحبا بالعالم",
    "é" * 10_000,
    "word " * 2_000,
)


@cache
def codebook_named(name: str) -> Codebook:
    return load_codebook(CODEBOOKS[name])


@pytest.fixture
def tiny() -> Codebook:
    return codebook_named("tiny")


def sentence(text: str, number: int = 0) -> Sentence:
    return Sentence(sentence_id=f"s{number}", doc_id="d", text=text, end=len(text))


def toy_set(codebook: Codebook) -> list[LabelledSentence]:
    """Sentences in which one word stands for every label, and no other word tells anything."""
    word = dict(zip(codebook.columns, itertools.cycle(THINGS), strict=False))
    choices: list[list[tuple[str, tuple[str, ...]]]] = []
    for name, task in codebook.tasks.items():
        sets: list[tuple[str, ...]] = [(label,) for label in task.labels]
        if task.type is TaskType.MULTILABEL:
            sets += [(), tuple(task.labels)[:2]]
        choices.append([(name, labels) for labels in sets])
    made: list[LabelledSentence] = []
    for number, (chosen, place) in enumerate(
        itertools.product(itertools.product(*choices), PLACES)
    ):
        words = " and the ".join(word[task, label] for task, labels in chosen for label in labels)
        text = f"They saw the {words} {place}."
        made.append(LabelledSentence(sentence(text, number), dict(chosen)))
    return made


def sentences_of(train: Sequence[LabelledSentence]) -> list[Sentence]:
    return [labelled.sentence for labelled in train]


@cache
def fitted_on_toys(case: Case, codebook_name: str) -> Classifier:
    codebook = codebook_named(codebook_name)
    return case.fit(codebook, toy_set(codebook))


def chances(row: LabelledSentence, codebook: Codebook, sure: float) -> dict[str, dict[str, float]]:
    """Probabilities by task that speak for the labels of the row, more or less sure."""
    found: dict[str, dict[str, float]] = {}
    for name, task in codebook.tasks.items():
        exclusive = task.type is TaskType.MULTICLASS
        rest = (1 - sure) / (len(task.labels) - 1 if exclusive else 1)
        given = row.labels[name] or ()
        found[name] = {label: sure if label in given else rest for label in task.labels}
    return found


def assert_valid(logits: Logits, rows: int, codebook: Codebook) -> None:
    assert logits.shape == (rows, codebook.width)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


def ranking_quality(scores: Logits, given: np.ndarray) -> float:
    """Share of (positive, negative) pairs in which the positive scores higher (ROC AUC)."""
    return float((scores[given][:, None] > scores[~given][None, :]).mean())


@pytest.mark.parametrize("case", CASES)
class TestEveryClassifier:
    def test_is_what_the_registry_says(self, case: Case, tiny: Codebook) -> None:
        classifier = fitted_on_toys(case, "tiny")
        assert isinstance(classifier, Classifier)
        assert type(classifier) is classifier_class(case.kind)
        assert classifier.kind == case.kind
        assert classifier.codebook is tiny

    @pytest.mark.parametrize("name", sorted(CODEBOOKS))
    def test_gives_one_finite_row_a_sentence(self, case: Case, name: str) -> None:
        codebook = codebook_named(name)
        sentences = sentences_of(toy_set(codebook))
        logits = fitted_on_toys(case, name).predict_logits(sentences)
        assert_valid(logits, len(sentences), codebook)

    def test_takes_no_sentences(self, case: Case, tiny: Codebook) -> None:
        assert_valid(fitted_on_toys(case, "tiny").predict_logits([]), 0, tiny)

    def test_takes_odd_texts(self, case: Case, tiny: Codebook) -> None:
        sentences = [sentence(text, i) for i, text in enumerate(ODD_TEXTS)]
        assert_valid(fitted_on_toys(case, "tiny").predict_logits(sentences), len(sentences), tiny)

    def test_learns_from_odd_texts(self, case: Case, tiny: Codebook) -> None:
        labels = [dict(labelled.labels) for labelled in toy_set(tiny)]
        odd = [
            LabelledSentence(sentence(text, i), labels[i]) for i, text in enumerate(ODD_TEXTS * 2)
        ]
        classifier = case.fit(tiny, odd)
        assert_valid(classifier.predict_logits(sentences_of(odd)), len(odd), tiny)

    def test_does_not_depend_on_the_order_of_rows(self, case: Case, tiny: Codebook) -> None:
        classifier = fitted_on_toys(case, "tiny")
        sentences = sentences_of(toy_set(tiny))
        logits = classifier.predict_logits(sentences)
        backwards = classifier.predict_logits(sentences[::-1])[::-1]
        alone = np.vstack([classifier.predict_logits([s]) for s in sentences[:5]])
        np.testing.assert_allclose(backwards, logits, rtol=0, atol=case.tolerance)
        np.testing.assert_allclose(alone, logits[:5], rtol=0, atol=case.tolerance)

    @pytest.mark.parametrize("name", sorted(CODEBOOKS))
    def test_scores_the_same_after_saving_and_loading(
        self, case: Case, name: str, tmp_path: Path
    ) -> None:
        codebook = codebook_named(name)
        sentences = [*sentences_of(toy_set(codebook)), *map(sentence, ODD_TEXTS)]
        classifier = fitted_on_toys(case, name)
        classifier.save(tmp_path)
        loaded = classifier_class(case.kind).load(tmp_path, codebook)
        np.testing.assert_array_equal(
            loaded.predict_logits(sentences), classifier.predict_logits(sentences)
        )

    def test_saves_no_pickle_and_no_leftovers(self, case: Case, tmp_path: Path) -> None:
        fitted_on_toys(case, "tiny").save(tmp_path)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert {path.suffix for path in files} <= SAFE_ENDINGS
        for path in files:
            if path.suffix == ".npz":
                with np.load(path, allow_pickle=False) as arrays:
                    assert all(arrays[name].dtype != object for name in arrays)

    def test_a_missing_file_is_a_bundle_error(
        self, case: Case, tiny: Codebook, tmp_path: Path
    ) -> None:
        fitted_on_toys(case, "tiny").save(tmp_path)
        for path in [p for p in tmp_path.rglob("*") if p.is_file()]:
            hidden = path.rename(path.with_name(path.name + ".hidden"))
            with pytest.raises(BundleError, match=path.name):
                classifier_class(case.kind).load(tmp_path, tiny)
            hidden.rename(path)

    def test_another_codebook_is_a_bundle_error(self, case: Case, tmp_path: Path) -> None:
        fitted_on_toys(case, "tiny").save(tmp_path)
        with pytest.raises(BundleError):
            classifier_class(case.kind).load(tmp_path, codebook_named("diplomacy"))

    def test_the_same_seed_gives_the_same_logits(self, case: Case, tiny: Codebook) -> None:
        sentences = sentences_of(toy_set(tiny))
        again = case.fit(tiny, toy_set(tiny))
        np.testing.assert_array_equal(
            again.predict_logits(sentences),
            fitted_on_toys(case, "tiny").predict_logits(sentences),
        )

    def test_a_task_that_is_unknown_throughout_is_no_obstacle(
        self, case: Case, tiny: Codebook
    ) -> None:
        for hidden in tiny.tasks:
            train = [replace(row, labels={**row.labels, hidden: None}) for row in toy_set(tiny)]
            logits = case.fit(tiny, train).predict_logits(sentences_of(train))
            assert_valid(logits, len(train), tiny)

    def test_learns_from_probabilities_in_place_of_labels(self, case: Case, tiny: Codebook) -> None:
        """Certain ones teach what labels teach, whatever label stands beside them."""
        train = toy_set(tiny)
        first = {name: (next(iter(task.labels)),) for name, task in tiny.tasks.items()}
        weak = [replace(row, labels=first, probabilities=chances(row, tiny, 1.0)) for row in train]
        np.testing.assert_array_equal(
            case.fit(tiny, weak).predict_logits(sentences_of(train)),
            fitted_on_toys(case, "tiny").predict_logits(sentences_of(train)),
        )

    def test_refuses_to_fit_on_nothing_known(self, case: Case, tiny: Codebook) -> None:
        blank = [replace(row, labels=dict.fromkeys(tiny.tasks)) for row in toy_set(tiny)]
        for train in (blank, []):
            with pytest.raises(InputError, match="label"):
                case.fit(tiny, train)


@pytest.mark.parametrize("case", those(needs_fit=True))
class TestKindsThatNeedFitting:
    def test_refuses_to_predict_or_save_unfitted(
        self, case: Case, tiny: Codebook, tmp_path: Path
    ) -> None:
        with pytest.raises(StanceError, match="fit"):
            case.unfitted(tiny).predict_logits([sentence("They saw the garden.")])
        with pytest.raises(StanceError, match="fit"):
            case.unfitted(tiny).save(tmp_path)

    def test_a_label_with_one_outcome_is_no_obstacle(self, case: Case, tiny: Codebook) -> None:
        """One label always given, all others never: as in a small or one-sided sample."""
        always = {name: (next(iter(task.labels)),) for name, task in tiny.tasks.items()}
        train = [replace(row, labels=always) for row in toy_set(tiny)]
        logits = case.fit(tiny, train).predict_logits(sentences_of(train))
        assert_valid(logits, len(train), tiny)
        for task in tiny.tasks:
            assert (logits[:, tiny.slice_of(task)].argmax(axis=1) == 0).all()


@pytest.mark.parametrize("case", those(separate_tasks=True))
class TestKindsWithSeparateTasks:
    def test_sentences_without_known_labels_change_nothing(
        self, case: Case, tiny: Codebook
    ) -> None:
        train = toy_set(tiny)
        blank = [
            LabelledSentence(
                sentence(f"They saw the {THINGS[i % 10]}.", i), dict.fromkeys(tiny.tasks)
            )
            for i in range(40)
        ]
        more = case.fit(tiny, [*blank, *train])
        np.testing.assert_allclose(
            more.predict_logits(sentences_of(train)),
            fitted_on_toys(case, "tiny").predict_logits(sentences_of(train)),
            rtol=0,
            atol=case.tolerance,
        )

    @pytest.mark.parametrize("name", sorted(CODEBOOKS))
    def test_what_is_unknown_of_one_task_leaves_the_others_alone(
        self, case: Case, name: str
    ) -> None:
        codebook = codebook_named(name)
        train = toy_set(codebook)
        before = fitted_on_toys(case, name).predict_logits(sentences_of(train))
        hidden = next(iter(codebook.tasks))
        masked = [
            replace(row, labels={**row.labels, hidden: None}) if i % 2 else row
            for i, row in enumerate(train)
        ]
        after = case.fit(codebook, masked).predict_logits(sentences_of(train))
        others = np.array([task != hidden for task, _ in codebook.columns])
        assert others.any()
        np.testing.assert_array_equal(after[:, others], before[:, others])


@pytest.mark.parametrize("name", sorted(CODEBOOKS))
@pytest.mark.parametrize("case", those(learns=True))
def test_ranks_positives_above_negatives(case: Case, name: str) -> None:
    codebook = codebook_named(name)
    train = toy_set(codebook)
    reworded = [
        replace(s, text=s.text.replace("They saw", case.reworded)) for s in sentences_of(train)
    ]
    scores = fitted_on_toys(case, name).predict_logits(reworded)
    for column, (task, label) in enumerate(codebook.columns):
        given = np.array([label in (row.labels[task] or ()) for row in train])
        assert ranking_quality(scores[:, column], given) > 0.95, (task, label)


@pytest.mark.parametrize("case", those(learns=True))
def test_doubtful_labels_teach_doubt(case: Case, tiny: Codebook) -> None:
    """The same ranking as from certain ones, with logits nearer to each other."""
    train = toy_set(tiny)
    weak = [replace(row, probabilities=chances(row, tiny, 0.7)) for row in train]
    scores = case.fit(tiny, weak).predict_logits(sentences_of(train))
    certain = fitted_on_toys(case, "tiny").predict_logits(sentences_of(train))
    for column, (task, label) in enumerate(tiny.columns):
        given = np.array([label in (row.labels[task] or ()) for row in train])
        assert ranking_quality(scores[:, column], given) > 0.95, (task, label)
        gaps = [
            float(logits[given, column].mean() - logits[~given, column].mean())
            for logits in (scores, certain)
        ]
        assert gaps[0] < 0.7 * gaps[1], (task, label)
