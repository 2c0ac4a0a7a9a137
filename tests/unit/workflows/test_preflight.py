"""Settings against codebook and disk: every mistake at once, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.codebook import load_codebook
from pipeline.errors import SettingsError
from pipeline.settings.classifiers import ClassifierSettings, parts
from pipeline.settings.experiment import load_settings
from pipeline.workflows.preflight import preflight

ROOT = Path(__file__).parents[3]


def mistakes(folder: Path, *changes: tuple[str, str]) -> list[str]:
    path = folder / "settings.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    settings = load_settings(path)
    try:
        preflight(settings, load_codebook(settings.codebook), where="settings.yaml")
    except SettingsError as error:
        return list(error.mistakes)
    return []


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    return project


@pytest.mark.parametrize("name", ["default", "demo"])
def test_the_shipped_settings_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = load_settings(Path("configs") / f"{name}.yaml")
    packaged = [name for name, model in settings.models.items() if not taught(model)]
    assert packaged
    preflight(settings, load_codebook(settings.codebook), models=packaged)


def taught(model: ClassifierSettings) -> bool:
    """Whether a model needs an encoder that is not packaged: that of a teacher."""
    return any(".teacher" in place for place, _ in parts(model, ""))


TEACHER = "{classifier: {kind: transformer, encoder: {name: a/b/c, sha256: '%s'}}}" % ("0" * 64)


def test_only_the_models_that_are_wanted_need_their_encoders(here: Path) -> None:
    path = here / "settings.yaml"
    path.write_text(
        path.read_text().replace(
            "majority: {kind: majority}",
            f"majority: {{kind: majority}}\n  t: {{kind: transformer, teacher: {TEACHER}}}",
        )
    )
    settings = load_settings(path)
    codebook = load_codebook(settings.codebook)
    preflight(settings, codebook, models=["majority"])
    for wanted in (None, ["t"]):
        with pytest.raises(SettingsError, match="no such folder; 'make teacher' fetches that"):
            preflight(settings, codebook, models=wanted)


def test_all_mistakes_come_at_once(here: Path) -> None:
    (here / "out" / "report.html").mkdir(parents=True)
    (here / "models" / "kitchen").mkdir(parents=True)
    (here / "models" / "kitchen" / "recipe.txt").write_text("mine")
    found = mistakes(
        here,
        ("corpus.jsonl", "docs"),
        ("gold: gold.jsonl", "gold: gone.jsonl"),
        ("gold_statements: statements", "gold_statements: corpus.jsonl"),
        ("replicates: 100", "replicates: 100, external: [more.jsonl]"),
        (
            "seed: 3",
            "seed: 3\nattribution: {corpus: [b.jsonl]}\n"
            "behaviour: {names: n.yaml, functionality: f.jsonl, direction: docs}",
        ),
        ("predictions.jsonl", "predictions.csv"),
        (
            "majority: {kind: majority}",
            "e: {kind: ensemble, members: [{kind: rules}, {kind: linear}], "
            "weights: [{topics: 1, tone: 1}, 0.5]}",
        ),
    )
    expected = (
        "data.corpus[0] 'docs': is a folder",
        "attribution.corpus[0] 'b.jsonl': no such file",
        "data.gold 'gone.jsonl': no such file",
        "evaluation.external[0] 'more.jsonl': no such file",
        "data.gold_statements 'corpus.jsonl': is a file",
        "behaviour.names 'n.yaml': no such file",
        "behaviour.functionality 'f.jsonl': no such file",
        "behaviour.direction 'docs': no such file",
        "models.e.weights[0]: unknown task 'topics'. Did you mean 'topic'?",
        "models.e.weights[0]: no weight for task 'topic'",
        "classify.out 'out/predictions.csv': must end in .jsonl",
        "report.out 'out/report.html': is a folder",
        "promote.to 'models/kitchen': exists and is no model folder",
    )
    assert len(found) == len(expected), found
    for got, wanted in zip(found, expected, strict=True):
        assert got.startswith(wanted)


def test_cases_of_behaviour_tests_must_fit_the_codebook(here: Path) -> None:
    seeds, names = ROOT / "seeds" / "behaviour", ROOT / "configs" / "names.yaml"
    (here / "f.jsonl").write_text(
        '{"text": "Soup!", "label": "fod", "present": true, "kind": "plain"}\n'
    )
    (found,) = mistakes(
        here,
        (
            "seed: 3",
            f"seed: 3\nbehaviour: {{names: {names}, functionality: f.jsonl, "
            f"direction: {seeds / 'direction.jsonl'}}}",
        ),
    )
    assert found == (
        "f.jsonl:1: the codebook kitchen_reviews has no label 'fod'. Did you mean 'food'?"
    )


REVISION = "0" * 40


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ("{name: packaged}", None),
        (f"{{name: some/encoder, revision: '{REVISION}'}}", None),
        ("{name: some/encoder}", "needs models.t.encoder.revision"),
        ("{name: pakaged}", "Expected 'packaged', a folder, or"),
        (f"{{name: ./none, revision: '{REVISION}'}}", "'./none': no such folder"),
        ("{name: ~nobody-of-this-name/x}", "no such folder"),
        ("{name: docs}", "model.safetensors, tokenizer.json missing"),
    ],
)
def test_an_encoder_must_be_somewhere(here: Path, encoder: str, said: str | None) -> None:
    """Also inside an ensemble; nothing is fetched to find that out."""
    for kind in (
        f"t: {{kind: transformer, encoder: {encoder}}}",
        f"t: {{kind: ensemble, members: [{{kind: rules}}, {{kind: embedding, encoder: {encoder}}}],"
        " weights: [1, 1]}",
    ):
        text = (here / "settings.yaml").read_text()
        found = mistakes(here, ("majority: {kind: majority}", kind))
        (here / "settings.yaml").write_text(text)
        place = "models.t.members[1].encoder" if "ensemble" in kind else "models.t.encoder"
        if said is None:
            assert found == []
        else:
            (one,) = found
            assert one.startswith(place)
            assert said.replace("models.t.encoder", place) in one


@pytest.mark.parametrize(("holds", "fine"), [(None, True), ("manifest.json", True), ("x", False)])
def test_a_model_folder_may_be_new_empty_or_a_bundle(
    here: Path, holds: str | None, fine: bool
) -> None:
    assert mistakes(here) == []
    (here / "models" / "kitchen").mkdir(parents=True)
    if holds:
        (here / "models" / "kitchen" / holds).write_text("{}")
    assert (mistakes(here) == []) is fine


def test_the_error_names_the_settings_file(here: Path) -> None:
    (here / "gold.jsonl").unlink()
    settings = load_settings(here / "settings.yaml")
    with pytest.raises(SettingsError, match=r"^kitchen\.yaml: 1 mistake\n"):
        preflight(settings, load_codebook(settings.codebook), where="kitchen.yaml")


def test_a_file_is_no_model_folder_and_the_report_no_prediction(here: Path) -> None:
    found = mistakes(
        here, ("to: models/kitchen", "to: gold.jsonl"), ("out/report.html", "out/predictions.jsonl")
    )
    assert [one.partition(" ")[0] for one in found] == ["report.out", "promote.to"]


def test_shares_of_labels_must_fit_the_codebook(here: Path) -> None:
    found = mistakes(here, ("seed: 3", "seed: 3\nprevalence: {topic: {foods: 0.1}, tone: {}}"))
    assert [one.split(".")[0] for one in found] == [
        "prevalence: unknown label 'foods' of task 'topic'",
        "prevalence: task 'tone' is multiclass; only multilabel tasks have thresholds",
    ]


def test_temperatures_must_fit_the_codebook(here: Path) -> None:
    found = mistakes(here, ("seed: 3", "seed: 3\ntemperature: {topic: 1.2, tones: 1.2}"))
    assert [one.split(";")[0].split(".")[0] for one in found] == [
        "temperature: task 'topic' is multilabel",
        "temperature: unknown task 'tones'",
    ]


def test_lists_of_augmentation_must_be_there(here: Path) -> None:
    found = mistakes(
        here,
        (
            "majority: {kind: majority}",
            "t: {kind: transformer, augment: {lists: nowhere.yaml}}",
        ),
    )
    assert len(found) == 1
    assert found[0].startswith("models.t: augment.lists: ")
    assert "nowhere.yaml" in found[0]
