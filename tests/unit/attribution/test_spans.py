"""A small span model learns, is exported, answers alike, and is refused when it was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from pipeline.attribution.encoding import QuestionTokenizer
from pipeline.attribution.export import (
    TrainedSpans,
    measure_span_parity,
    write_model_files,
    write_span_folder,
)
from pipeline.attribution.network import start_network
from pipeline.attribution.questions import Asked, asked_of
from pipeline.attribution.spans import load_span_model
from pipeline.attribution.training import fit_network
from pipeline.bundle import BundleFacts
from pipeline.classifiers.protocol import FitMonitor, FitStep
from pipeline.codebook import load_codebook
from pipeline.errors import BundleError, SettingsError
from pipeline.records import SPEAKER, Attribution, LabelledDocument, LabelledSentence, Sentence
from pipeline.settings.attribution import AttributionSettings
from pipeline.settings.classifiers import EncoderSettings

CODEBOOK = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
GUESTS = ("Anna", "Bert", "Cleo", "Dora", "Emil", "Fritz")
DISHES = ("soup", "bread", "wine", "cake")


def documents() -> list[LabelledDocument]:
    made = []
    for i in range(48):
        guest, dish = GUESTS[i % len(GUESTS)], DISHES[i % len(DISHES)]
        said = [
            (f"The {dish} was excellent.", Attribution("food", SPEAKER, f"The {dish}")),
            (f"{guest} called the {dish} stale.", Attribution("food", guest, f"the {dish}")),
            (f"{guest} was not pleased.", Attribution("food", guest, None)),
        ]
        sentences = tuple(
            LabelledSentence(Sentence(f"{i}#{j}", str(i), text), {"topic": ("food",)}, (gold,))
            for j, (text, gold) in enumerate(said)
        )
        made.append(LabelledDocument(str(i), sentences, speaker="Critic"))
    return made


@dataclass(frozen=True)
class Made:
    trained: TrainedSpans
    asked: list[Asked]
    folder: Path
    steps: list[FitStep]


@pytest.fixture(scope="module")
def made(
    make_encoder: Callable[[Path, list[str]], None], tmp_path_factory: pytest.TempPathFactory
) -> Made:
    root = tmp_path_factory.mktemp("spans")
    encoder, files = root / "encoder", root / "files"
    encoder.mkdir()
    files.mkdir()
    words = [w.lower() for w in (*GUESTS, *DISHES, "the", "was", "called", "excellent", "stale")]
    make_encoder(encoder, [*words, "not", "pleased", "food", "critic"])
    wanted = AttributionSettings(
        encoder=EncoderSettings(name=str(encoder), max_tokens=48),
        layers=1,
        context_tokens=16,
        epochs=12,
        learning_rate=0.01,
        head_learning_rate=0.01,
        tokens_per_batch=400,
    )
    asked = asked_of(documents(), CODEBOOK)
    tokenizer = QuestionTokenizer.from_folder(encoder, max_tokens=48, context_tokens=16)
    torch.manual_seed(0)
    network = start_network(encoder, layers=1, max_tokens=48, dropout=0.0)
    steps: list[FitStep] = []
    fit_network(network, asked, tokenizer, wanted, seed=0, monitor=FitMonitor(steps.append))
    trained = TrainedSpans(network, tokenizer)
    write_model_files(files, trained)
    facts = BundleFacts(name="kitchen-attribution", description="Toy.")
    write_span_folder(root / "model", files, CODEBOOK, facts)
    return Made(trained, asked, root / "model", steps)


def test_it_learns_who_and_what(made: Made) -> None:
    assert made.steps[-1].loss < made.steps[0].loss / 2
    model, manifest = load_span_model(made.folder)
    assert manifest.kind == "spans"
    assert model.name == manifest.model_id
    right = []
    for asked, answer in zip(
        made.asked, model.answer([a.question for a in made.asked]), strict=True
    ):
        passage = asked.question.passage
        who = SPEAKER if answer.holder is None else passage.words(answer.holder)
        what = None if answer.target is None else passage.words(answer.target)
        right.append((who, what) == (asked.gold.holder, asked.gold.target))
        assert answer.p_holder is not None
        assert 0.0 <= answer.p_holder <= 1.0
    assert sum(right) > 0.9 * len(right)


def test_the_export_answers_as_the_network_does(made: Made) -> None:
    model, _ = load_span_model(made.folder)
    questions = [asked.question for asked in made.asked]
    parity = measure_span_parity(made.trained, model, questions)
    assert parity.questions == len(questions)
    assert max(parity.holders_changed, parity.targets_changed) <= 0.02
    assert parity.mean_difference < 0.05


def test_answers_do_not_depend_on_the_neighbours(made: Made) -> None:
    model, _ = load_span_model(made.folder)
    questions = [asked.question for asked in made.asked[:20]]
    together = [(a.holder, a.target) for a in model.answer(questions)]
    alone = [(a.holder, a.target) for q in questions for a in model.answer([q])]
    assert together == alone
    assert model.answer([]) == []


def test_a_changed_model_is_refused(made: Made, tmp_path: Path) -> None:
    for path in made.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "spans.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BundleError, match=r"spans\.json was changed"):
        load_span_model(tmp_path)
    with pytest.raises(BundleError, match="no model here"):
        load_span_model(tmp_path / "nowhere")


def test_more_layers_than_there_are_is_a_mistake(tiny_encoder: Path) -> None:
    with pytest.raises(SettingsError, match="layers is 5"):
        start_network(tiny_encoder, layers=5, max_tokens=48, dropout=0.0)
