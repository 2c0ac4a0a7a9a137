"""The stages of `stance run` as they hang together; what they do is tested where it is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import InputError
from pipeline.records import Score
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.settings.weak import Labels, WeakTargets
from pipeline.tracking import Store, open_store
from pipeline.workflows import pipeline as room
from pipeline.workflows.pipeline import stages
from pipeline.workflows.promote import promote, roll_back
from pipeline.workflows.stages import Stage, run_stages
from pipeline.workflows.train import TrainedModel, train_model
from pipeline.workflows.watcher import Silent


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> PipelineSettings:
    monkeypatch.chdir(project)
    read = load_settings(Path("settings.yaml"))
    # MLflow keeps the stores of a process by their address: a relative one would be that of others.
    uri = f"sqlite:///{Path.cwd()}/store/mlflow.db"
    tracking = read.tracking.model_copy(update={"uri": uri})
    return read.model_copy(update={"tracking": tracking})


def planned(settings: PipelineSettings) -> tuple[dict[str, Stage], Codebook, Store]:
    codebook, store = load_codebook(settings.codebook), open_store(settings.tracking.uri)
    made = stages(settings, codebook, store, "")
    return {stage.name: stage for stage in made}, codebook, store


def test_what_the_stages_write_is_never_an_input(settings: PipelineSettings) -> None:
    everything = settings.model_copy(update={"inputs": (".",), "work": Path("docs/work")})
    before = planned(everything)[0]["ingest"].reads
    work = everything.work
    for path in (
        *(work / "statements.jsonl", work / "sentences.jsonl", work / "stages.json"),
        *(work / "runs" / "rules.json", work / "models" / "rules" / "manifest.json"),
        *(settings.classify.out, settings.report.out, settings.promote.to / "manifest.json"),
        settings.classify.out.with_name("predictions.jsonl.rejects.jsonl"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    after = planned(everything)[0]["ingest"].reads
    assert [p for p in after if "mlflow" not in p.name] == [
        p for p in before if "mlflow" not in p.name
    ]


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ({}, {"labels": Labels.WEAK}),
        ({"labels": Labels.WEAK}, {"weak_targets": WeakTargets.PROBABILITIES}),
    ],
)
def test_a_model_is_trained_anew_where_something_else_is_learned(
    settings: PipelineSettings, given: dict[str, object], change: dict[str, object]
) -> None:
    def learning(**more: object) -> dict[str, Stage]:
        data = settings.data.model_copy(update=more)
        return planned(settings.model_copy(update={"data": data}))[0]

    before, after = learning(**given), learning(**given, **change)
    changed = {name for name, stage in after.items() if stage.settings != before[name].settings}
    assert changed == {f"train {name}" for name in settings.models}


@pytest.mark.slow
def test_a_run_keeps_a_model_that_was_shipped_since(
    settings: PipelineSettings, tiny: Codebook
) -> None:
    made, _, store = planned(settings)
    state, to = settings.work / "stages.json", settings.promote.to

    def run(*, force: bool = False) -> dict[str, str]:
        return dict(run_stages(tuple(made.values()), state, Silent(), force=force))

    def shipped() -> str:
        return str(json.loads((to / "manifest.json").read_text())["model_id"])

    def record(name: str) -> str:
        return str(json.loads((settings.work / "runs" / f"{name}.json").read_text())["run_id"])

    promote(
        train_model("majority", settings, tiny, store, config="", watcher=Silent()).run_id,
        *(settings, tiny, store),
        to=to,
        watcher=Silent(),
    )
    weak = shipped()
    assert run()["promote"].startswith("rules is now")
    strong = shipped()
    assert strong != weak
    roll_back(settings, tiny, store, to=to, watcher=Silent())
    assert run()["promote"] == (
        f"{weak}, version 1 of 'stance', is the champion and is kept; --force makes it anew"
    )
    assert shipped() == weak
    assert weak in settings.classify.out.read_text()
    (to / "decision.json").unlink()  # a damaged folder is nobody's purpose
    assert run()["promote"].startswith("rules is now")
    assert shipped() == strong

    before = record("rules"), record("majority")
    store.client.delete_run(before[0])
    assert run()["promote"].startswith("rules is now")
    assert record("rules") != before[0]
    assert record("majority") == before[1]


def test_an_undefined_score_is_null_and_is_not_promoted(
    settings: PipelineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = settings.promote.model_copy(update={"model": "best"})
    changed = settings.model_copy(update={"promote": wanted})

    def untrained(name: str, *_: object, **__: object) -> TrainedModel:
        scores = {
            f"{task}.macro_f1": Score(f"{task}.macro_f1", float("nan"), None, None, 0)
            for task in ("topic", "tone")
        }
        return TrainedModel(name, "f" * 32, Path(name), {"held-out": scores})

    monkeypatch.setattr(room, "train_model", untrained)
    made, *_ = planned(changed)
    for name in settings.models:
        made[f"train {name}"].run(Silent())
        text = (settings.work / "runs" / f"{name}.json").read_text()
        assert json.loads(text) == {"run_id": "f" * 32, "mean_macro_f1": None}
    with pytest.raises(InputError, match="No model has a defined macro-F1"):
        made["promote"].run(Silent())


@pytest.mark.parametrize("labels", Labels)
def test_a_weak_file_that_is_not_learned_from_runs_no_stage_anew(
    settings: PipelineSettings, labels: Labels
) -> None:
    weak = Path("weak.jsonl")
    data = settings.data.model_copy(update={"weak": (weak,), "labels": labels})
    made = planned(settings.model_copy(update={"data": data}))[0]
    read = {name for name, stage in made.items() if weak in stage.reads}
    learning = {"check", "promote", *(f"train {name}" for name in settings.models)}
    assert read == (set() if labels is Labels.CORPUS else learning)
