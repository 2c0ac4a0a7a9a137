"""The fine-tuned transformer: it learns, repeats itself exactly, and comes back whole from disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from pipeline.classifiers import transformer
from pipeline.classifiers.transformer import TransformerClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import BundleError, InputError, SettingsError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import AugmentSettings, EncoderSettings, TransformerSettings

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
DIPLOMACY = load_codebook(ROOT / "configs" / "codebook.yaml")

Toy = Callable[..., list[LabelledSentence]]
Sentences = Callable[[list[LabelledSentence]], list[Sentence]]


def trained(
    settings: TransformerSettings,
    rows: list[LabelledSentence],
    codebook: Codebook = TINY,
    seed: int = 3,
) -> TransformerClassifier:
    classifier = TransformerClassifier(codebook, settings, seed=seed)
    classifier.fit(rows)
    return classifier


def quick(settings: TransformerSettings, steps: int = 3) -> TransformerSettings:
    return settings.model_copy(update={"max_steps": steps})


def with_encoder(settings: TransformerSettings, **changes: object) -> TransformerSettings:
    encoder = settings.encoder.model_copy(update=changes)
    return settings.model_copy(update={"encoder": encoder})


def weights_of(classifier: TransformerClassifier) -> dict[str, torch.Tensor]:
    return classifier.network.state_dict()


def assert_equal_weights(one: TransformerClassifier, other: TransformerClassifier) -> None:
    first, second = weights_of(one), weights_of(other)
    assert list(first) == list(second)
    for name, values in first.items():
        assert torch.equal(values, second[name]), name


def renamed(codebook: Codebook, names: dict[str, str]) -> Codebook:
    """The codebook with tasks called differently, in the same order."""
    data = codebook.model_dump(mode="json")
    data["tasks"] = {names.get(name, name): task for name, task in data["tasks"].items()}
    return Codebook.model_validate(data)


def test_learns_a_separable_task(
    toy: Toy, sentences_of: Sentences, tiny_settings: TransformerSettings
) -> None:
    rows = toy(TINY)
    logits = trained(tiny_settings, rows).predict_logits(sentences_of(rows))
    assert logits.dtype == np.float32
    for column, (task, label) in enumerate(TINY.columns):
        given = np.array([label in (row.labels[task] or ()) for row in rows])
        ranks = (logits[given, column][:, None] > logits[~given, column][None, :]).mean()
        assert ranks > 0.9, (task, label)


def test_the_same_seed_gives_the_same_weights(toy: Toy, tiny_settings: TransformerSettings) -> None:
    rows, settings = toy(TINY), quick(tiny_settings)
    torch.manual_seed(99)
    first = trained(settings, rows)
    torch.manual_seed(1)
    torch.rand(1000)  # what else draws random numbers in this process must not matter
    assert_equal_weights(trained(settings, rows), first)


def test_another_seed_gives_other_weights(toy: Toy, tiny_settings: TransformerSettings) -> None:
    rows, settings = toy(TINY), quick(tiny_settings)
    first, second = trained(settings, rows, seed=1), trained(settings, rows, seed=2)
    assert not torch.equal(first.network.heads[0].weight, second.network.heads[0].weight)


def test_rows_without_known_labels_change_nothing(
    toy: Toy, tiny_settings: TransformerSettings
) -> None:
    rows, settings = toy(TINY), quick(tiny_settings)
    blank = [replace(row, labels=dict.fromkeys(TINY.tasks)) for row in rows]
    assert_equal_weights(trained(settings, [*blank, *rows]), trained(settings, rows))


def test_a_task_that_is_unknown_throughout_is_not_learned(
    toy: Toy, tiny_settings: TransformerSettings
) -> None:
    settings = quick(tiny_settings).model_copy(update={"weight_decay": 0.0})
    for position, hidden in enumerate(TINY.tasks):
        rows = [replace(row, labels={**row.labels, hidden: None}) for row in toy(TINY)]
        network = trained(settings, rows).network
        untrained = TransformerClassifier(TINY, settings, seed=3)
        torch.manual_seed(3)
        before = untrained._start(Path(settings.encoder.name))
        assert torch.equal(network.heads[position].weight, before.heads[position].weight)
        assert not torch.equal(
            network.heads[1 - position].weight, before.heads[1 - position].weight
        )


def test_a_codebook_of_multiclass_tasks_with_unlabelled_rows(
    toy: Toy, tiny_settings: TransformerSettings
) -> None:
    """A batch in which nothing is known must not end the training."""
    data = TINY.model_dump(mode="json")
    codebook = Codebook.model_validate({**data, "tasks": {"tone": data["tasks"]["tone"]}})
    rows = toy(codebook)
    blank = [replace(row, labels={"tone": None}) for row in rows] * 5
    logits = trained(quick(tiny_settings, 20), [*rows, *blank], codebook).predict_logits(
        [rows[0].sentence]
    )
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("labels", [{}, {"topic": None, "tone": None}], ids=["absent", "unknown"])
def test_refuses_to_fit_on_nothing_known(
    toy: Toy, tiny_settings: TransformerSettings, labels: dict[str, None]
) -> None:
    with pytest.raises(InputError, match="label"):
        trained(tiny_settings, [replace(row, labels=labels) for row in toy(TINY)])


def test_refuses_to_predict_or_save_unfitted(
    tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    classifier = TransformerClassifier(TINY, tiny_settings)
    with pytest.raises(BundleError, match="call fit or load"):
        classifier.predict_logits([Sentence("s", "d", "Text.")])
    with pytest.raises(BundleError, match="call fit or load"):
        classifier.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_rows_do_not_depend_on_their_neighbours(
    toy: Toy, sentences_of: Sentences, tiny_settings: TransformerSettings
) -> None:
    rows = sentences_of(toy(TINY))
    rows.append(replace(rows[0], text="a long one " * 40))
    classifier = trained(quick(tiny_settings), toy(TINY))
    together = classifier.predict_logits(rows)
    alone = np.vstack([classifier.predict_logits([row]) for row in rows])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(classifier.predict_logits(rows[::-1])[::-1], together, atol=1e-5)
    assert classifier.predict_logits([]).shape == (0, TINY.width)


def test_context_is_read_if_asked_for(toy: Toy, tiny_settings: TransformerSettings) -> None:
    rows = toy(TINY)
    plain, other = Sentence("s", "d", "soup"), Sentence("s", "d", "soup", context="rude waiter")
    for context in (True, False):
        settings = quick(tiny_settings).model_copy(update={"context": context})
        one, two = trained(settings, rows).predict_logits([plain, other])
        assert np.allclose(one, two, atol=1e-5) is not context


def test_a_soup_is_the_mean_of_its_trainings(
    toy: Toy, tiny_settings: TransformerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every training begins with the same weights and sees the data in another order."""
    rows, settings = toy(TINY), quick(tiny_settings, 5)
    single: list[dict[str, torch.Tensor]] = []
    real = transformer._average

    def average(states: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        single.extend(states)
        return real(states)

    monkeypatch.setattr(transformer, "_average", average)
    soup = trained(settings.model_copy(update={"soup": 2}), rows)
    alone = trained(settings, rows)
    assert len(single) == 3
    for name, weights in weights_of(soup).items():
        torch.testing.assert_close(weights, (single[0][name] + single[1][name]) / 2)
        assert torch.equal(single[0][name], weights_of(alone)[name])
    head = "heads.0.weight"
    assert not torch.equal(single[0][head], single[1][head])


@pytest.mark.parametrize("trained_too", [True, False])
def test_word_embeddings_are_trained_only_if_asked_for(
    trained_too: bool, toy: Toy, tiny_settings: TransformerSettings
) -> None:
    settings = quick(tiny_settings).model_copy(update={"train_word_embeddings": trained_too})
    words = trained(settings, toy(TINY)).network.encoder.get_input_embeddings().weight
    encoder = AutoModel.from_pretrained(settings.encoder.name, local_files_only=True)
    assert torch.equal(words, encoder.get_input_embeddings().weight) is not trained_too


@pytest.mark.parametrize("codebook", [TINY, DIPLOMACY], ids=["tiny", "diplomacy"])
def test_scores_the_same_after_saving_and_loading(
    codebook: Codebook,
    toy: Toy,
    sentences_of: Sentences,
    tiny_settings: TransformerSettings,
    tmp_path: Path,
) -> None:
    rows = toy(codebook, repeats=1)
    settings = quick(tiny_settings).model_copy(update={"context": True})
    classifier = trained(settings, rows, codebook)
    classifier.save(tmp_path)
    loaded = TransformerClassifier.load(tmp_path, codebook)
    assert loaded.settings == settings
    assert not loaded.network.training
    np.testing.assert_array_equal(
        loaded.predict_logits(sentences_of(rows)), classifier.predict_logits(sentences_of(rows))
    )
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_the_order_of_tasks_survives_saving(
    toy: Toy, sentences_of: Sentences, tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    """JSON files sort keys: tasks whose order is not that of the alphabet come back in theirs."""
    codebook = renamed(TINY, {"topic": "zeta", "tone": "alpha"})
    rows = toy(codebook)
    classifier = trained(quick(tiny_settings), rows, codebook)
    classifier.save(tmp_path)
    loaded = TransformerClassifier.load(tmp_path, codebook)
    assert [tuple(head) for head in loaded.network.config.heads] == [("zeta", 2), ("alpha", 3)]
    np.testing.assert_array_equal(
        loaded.predict_logits(sentences_of(rows)), classifier.predict_logits(sentences_of(rows))
    )


def test_tasks_may_have_any_name_that_the_codebook_allows(
    toy: Toy, tiny_settings: TransformerSettings
) -> None:
    codebook = renamed(TINY, {"topic": "type", "tone": "values"})
    rows = toy(codebook)
    logits = trained(quick(tiny_settings), rows, codebook).predict_logits([rows[0].sentence])
    assert logits.shape == (1, 5)


def other_codebooks() -> list[Codebook]:
    """Codebooks that differ from the tiny one in something that decides what a column means."""
    data = TINY.model_dump(mode="json")
    labels = data["tasks"]["tone"]["labels"]
    swapped = {name: labels[name] for name in ("blame", "praise", "neither")}
    other = {"good": labels["praise"], "blame": labels["blame"], "neither": labels["neither"]}
    tone = data["tasks"]["tone"]
    return [
        DIPLOMACY,
        renamed(TINY, {"topic": "subject"}),
        *(
            Codebook.model_validate({**data, "tasks": {**data["tasks"], "tone": {**tone, **new}}})
            for new in ({"labels": swapped}, {"labels": other}, {"type": "multilabel"})
        ),
    ]


@pytest.mark.parametrize("number", range(5))
def test_another_codebook_is_a_bundle_error(
    number: int, toy: Toy, tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    trained(quick(tiny_settings, 1), toy(TINY)).save(tmp_path)
    TransformerClassifier.load(tmp_path, TINY)
    with pytest.raises(BundleError, match="Use the codebook it was trained with"):
        TransformerClassifier.load(tmp_path, other_codebooks()[number])


def test_damage_to_any_file_is_a_bundle_error(
    toy: Toy, tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    trained(quick(tiny_settings, 1), toy(TINY)).save(whole)
    for path in sorted(whole.iterdir()):
        for content in (None, b"", b"nonsense"):
            shutil.copytree(whole, broken)
            (broken / path.name).unlink()
            if content is not None:
                (broken / path.name).write_bytes(content)
            with pytest.raises(BundleError):
                TransformerClassifier.load(broken, TINY)
            shutil.rmtree(broken)


def test_missing_weights_are_never_drawn_at_random(
    toy: Toy, tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    trained(quick(tiny_settings, 1), toy(TINY)).save(tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    head = next(name for name in weights if name.startswith("heads."))
    without = {name: values for name, values in weights.items() if name != head}
    save_file(without, path, metadata={"format": "pt"})
    with pytest.raises(BundleError, match=head.replace(".", r"\.")):
        TransformerClassifier.load(tmp_path, TINY)


def test_more_tokens_than_the_encoder_reads(toy: Toy, tiny_settings: TransformerSettings) -> None:
    with pytest.raises(SettingsError, match=r"max_tokens is 65.*at most 64 tokens; lower"):
        trained(with_encoder(tiny_settings, max_tokens=65), toy(TINY))
    longest = toy(TINY)
    longest[0] = replace(longest[0], sentence=replace(longest[0].sentence, text="a " * 500))
    settings = with_encoder(quick(tiny_settings, 1), max_tokens=64)
    logits = trained(settings, longest).predict_logits([longest[0].sentence])
    assert np.isfinite(logits).all()


def test_an_encoder_that_is_not_there(toy: Toy, tiny_settings: TransformerSettings) -> None:
    with pytest.raises(InputError, match="no such folder"):
        trained(with_encoder(tiny_settings, name="/nowhere/at all"), toy(TINY))


def test_an_encoder_stored_in_half_precision_is_trained_in_single(
    toy: Toy, tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "half"
    shutil.copytree(tiny_settings.encoder.name, folder)
    network = AutoModel.from_pretrained(folder, local_files_only=True)
    network.half().save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float16"
    settings = quick(with_encoder(tiny_settings, name=str(folder)))
    classifier = trained(settings, toy(TINY))
    assert {values.dtype for values in weights_of(classifier).values()} == {torch.float32}
    assert np.isfinite(classifier.predict_logits([toy(TINY)[0].sentence])).all()


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_every_precision_leaves_single_precision_weights(
    precision: str, toy: Toy, tiny_settings: TransformerSettings
) -> None:
    settings = quick(tiny_settings).model_copy(update={"precision": precision})
    assert {v.dtype for v in weights_of(trained(settings, toy(TINY))).values()} == {torch.float32}


def test_default_settings_name_the_packaged_encoder() -> None:
    assert TransformerSettings().encoder == EncoderSettings(name="packaged")


def test_augmentation_changes_the_training_and_reads_its_lists(
    toy: Toy, tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    lists = ROOT / "configs" / "names.yaml"

    def trained(augment: AugmentSettings | None) -> TransformerClassifier:
        settings = tiny_settings.model_copy(update={"augment": augment})
        classifier = TransformerClassifier(TINY, settings, seed=1)
        classifier.fit(toy(TINY))
        return classifier

    sentences = [one.sentence for one in toy(TINY)]
    plain = trained(None).predict_logits(sentences)
    none = trained(AugmentSettings(names=0, forms=0, lists=lists)).predict_logits(sentences)
    full = trained(AugmentSettings(names=1, forms=1, lists=lists)).predict_logits(sentences)
    assert np.array_equal(plain, none)
    assert not np.array_equal(plain, full)
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        trained(AugmentSettings(lists=tmp_path / "nowhere.yaml"))


def test_of_a_deep_encoder_the_lowest_layers_are_kept(
    toy: Toy, sentences_of: Sentences, tiny_settings: TransformerSettings, tmp_path: Path
) -> None:
    rows, deep = toy(TINY), tmp_path / "deep"
    shutil.copytree(tiny_settings.encoder.name, deep)
    config = AutoConfig.from_pretrained(deep)
    config.num_hidden_layers = 3
    torch.manual_seed(8)
    AutoModel.from_config(config).save_pretrained(deep)
    settings = with_encoder(quick(tiny_settings, 1), name=str(deep))
    classifier = trained(settings.model_copy(update={"layers": 2}), rows)
    assert len(classifier.network.encoder.encoder.layer) == 2
    (tmp_path / "saved").mkdir()
    classifier.save(tmp_path / "saved")
    loaded = TransformerClassifier.load(tmp_path / "saved", TINY)
    np.testing.assert_array_equal(
        loaded.predict_logits(sentences_of(rows)), classifier.predict_logits(sentences_of(rows))
    )
    with pytest.raises(SettingsError, match="layers is 4, but the encoder has 3"):
        trained(settings.model_copy(update={"layers": 4}), rows)
