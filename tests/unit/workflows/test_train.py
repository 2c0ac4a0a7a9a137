"""What a training leaves in its run, so that it can be judged and done again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.tracking import Store, data_digests, open_store, read_json
from pipeline.workflows.train import train_model
from pipeline.workflows.watcher import Silent

WRITTEN = "tracking: {uri: 'postgresql://me:secret@db/runs'}  # as somebody wrote it"


@pytest.fixture(scope="module")
def project(make_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def trained(project: Path, tiny: Codebook) -> tuple[Store, str, PipelineSettings]:
    """A model that takes no time, in a store of its own; also reported on another file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        store = open_store(f"sqlite:///{project / 'mlflow.db'}")
        settings = load_settings(Path("settings.yaml"))
        tracking = settings.tracking.model_copy(update={"uri": "postgresql://me:secret@db/runs"})
        settings = settings.model_copy(
            update={
                "tracking": tracking,
                "prevalence": {"topic": {"food": 0.3}},
                "temperature": {"tone": 1.5},
            }
        )
        done = train_model("majority", settings, tiny, store, config=WRITTEN, watcher=Silent())
        return store, done.run_id, settings


def artifact(store: Store, run_id: str, file: str) -> str:
    return Path(store.client.download_artifacts(run_id, file)).read_text(encoding="utf-8")


def test_passwords_are_not_kept(trained: tuple[Store, str, PipelineSettings]) -> None:
    store, run_id, settings = trained
    kept = artifact(store, run_id, "config.yaml")
    assert kept == WRITTEN.replace("secret", "***")
    recorded = read_json(store, run_id, "config.resolved.json")
    assert "uri" not in recorded["tracking"]  # type: ignore[operator]
    again = PipelineSettings.model_validate(recorded)
    assert again.data == settings.data


def test_every_set_that_is_reported_on_is_a_data_set_of_the_run(
    trained: tuple[Store, str, PipelineSettings],
) -> None:
    store, run_id, _ = trained
    inputs = store.client.get_run(run_id).inputs.dataset_inputs
    uses = {one.dataset.name: {t.key: t.value for t in one.tags} for one in inputs}
    assert {name: tags["mlflow.data.context"] for name, tags in uses.items()} == {
        **{part: part for part in ("train", "calibration", "test")},
        "held-out": "evaluation",
        "gold": "evaluation",
    }
    digests = {one.dataset.name: one.dataset.digest for one in inputs}
    assert digests["held-out"] == digests["test"]
    # What is compared by stance reproduce is the same as in runs that have no such sets.
    assert set(data_digests(store, run_id)) == {"train", "calibration", "test"}
    models = store.client.get_run(run_id).outputs.model_outputs
    metrics = store.client.get_logged_model(models[0].model_id).metrics
    scores = {one.dataset_name: one.dataset_digest for one in metrics if "macro_f1" in one.key}
    assert scores == {name: digests[name] for name in ("held-out", "gold")}


def test_settings_that_change_results_are_parameters(
    trained: tuple[Store, str, PipelineSettings],
) -> None:
    store, run_id, _ = trained
    params = store.client.get_run(run_id).data.params
    wanted = {
        "seed": "3",
        "split.test": "0.2",
        "split.calibration": "0.2",
        "split.folds": "0",
        "split.threshold_folds": "2",
        "prevalence.topic.food": "0.3",
        "temperature.tone": "1.5",
        "evaluation.replicates": "100",
        "data.corpus": "corpus.jsonl",
    }
    assert {name: params.get(name) for name in wanted} == wanted
