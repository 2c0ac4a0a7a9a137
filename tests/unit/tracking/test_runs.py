"""What a run leaves in the store, read back with MLflow itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import mlflow.artifacts
import numpy as np
import pyarrow.parquet as pq
import pytest
from mlflow.entities import Run

from pipeline.classifiers.protocol import FitStep
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule, Probabilities
from pipeline.errors import InputError, OutputError
from pipeline.evaluation.behaviour import BehaviourResult
from pipeline.evaluation.slices import Slice
from pipeline.records import EvaluationReport, LabelledDocument, LabelledSentence
from pipeline.tracking import RunLogger, Store, open_store, start_run

Report = Callable[..., EvaluationReport]
Log = Callable[..., None]


@pytest.fixture(scope="module")
def log_evaluation(
    labelled: list[LabelledSentence],
    probabilities: Probabilities,
    targets: np.ndarray,
    rule: DecisionRule,
    codebook: Codebook,
    report_of: Report,
) -> Log:
    def log(run: RunLogger, dataset: str, macro: float = 0.62) -> None:
        report = report_of(dataset, macro)
        run.evaluation(labelled, probabilities, targets, rule, report, codebook)

    return log


@pytest.fixture(scope="module")
def logged(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory, log_evaluation: Log
) -> tuple[Store, str]:
    """A store with the run of one model, evaluated on three data sets."""
    folder = tmp_path_factory.mktemp("logged")
    shutil.copy(migrated, folder / "mlflow.db")
    store = open_store(f"sqlite:///{folder / 'mlflow.db'}")
    with start_run(store, "kitchen", "rules", tags={"stance.kind": "rules"}) as run:
        log_evaluation(run, "held-out", 0.5)
        log_evaluation(run, "gold")
        log_evaluation(run, "dev")
        run.describe("Rules on **reviews**.")
    return store, run.run_id


def test_slices_are_a_table_in_which_what_is_undefined_is_null(store: Store) -> None:
    too_small = Slice("topic", "genre", "letter", "F1", 2, 5, 1, judged=False)
    judged = Slice("topic", "genre", "speech", "F1", 20, 80, 30, True, 0.6, 0.5, 0.7, 0.1, 0.04)
    with start_run(store, "kitchen", "rules") as run:
        run.slices("held-out", [too_small, judged])
        run.slices("gold", [])
    experiment = read(store, run.run_id).info.experiment_id
    with store.bound():
        table = store.client.load_table(experiment, "slices/held-out.json", [run.run_id])
    assert list(table["name"]) == ["letter", "speech"]
    assert list(table["documents"]) == [2, 20]
    assert table["score"].isna().tolist() == [True, False]
    assert table["p"][1] == 0.04


def read(store: Store, run_id: str) -> Run:
    return store.client.get_run(run_id)


def children(store: Store, run_id: str) -> dict[str, Run]:
    experiment = read(store, run_id).info.experiment_id
    found = store.client.search_runs(
        [experiment], filter_string=f"tags.`mlflow.parentRunId` = '{run_id}'"
    )
    return {one.info.run_name: one for one in found}


def files(store: Store, run_id: str) -> set[str]:
    found: set[str] = set()
    waiting = [""]
    while waiting:
        for entry in store.client.list_artifacts(run_id, waiting.pop() or None):
            (waiting.append if entry.is_dir else found.add)(entry.path)
    return found


def local(store: Store, run_id: str, file: str, into: Path) -> Path:
    address = f"{read(store, run_id).info.artifact_uri}/{file}"
    return Path(mlflow.artifacts.download_artifacts(address, dst_path=str(into)))


def test_parameters_are_flattened_and_cut_to_what_mlflow_keeps(store: Store) -> None:
    settings = {
        "kind": "ensemble",
        "c": 4.0,
        "word_ngrams": (1, 2),
        "members": [{"kind": "linear"}, {"kind": "transformer", "encoder": {"name": "x" * 7000}}],
        "odd key?": None,
        **{f"p{i}": i for i in range(120)},
    }
    with start_run(store, "kitchen", "mixed") as run:
        run.params(settings)
    kept = read(store, run.run_id).data.params
    assert kept["word_ngrams"] == "1, 2"
    assert kept["members.0.kind"] == "linear"
    assert kept["members.1.encoder.name"] == "x" * 5999 + "…"
    assert kept["odd key_"] == "None"
    assert len(kept) == 120 + 7


def test_a_model_run_shows_its_main_scores_with_bounds_and_nothing_else(
    logged: tuple[Store, str],
) -> None:
    kept = read(*logged)
    assert kept.info.status == "FINISHED"
    values = {"held-out": 0.5, "gold": 0.62, "dev": 0.62}
    bounds = {"": 0.0, ".low": -0.05, ".high": 0.04}
    assert kept.data.metrics == {
        f"{data}/topic.macro_f1{end}": pytest.approx(value + shift)
        for data, value in values.items()
        for end, shift in bounds.items()
    }
    assert kept.data.tags["undefined scores: gold"] == "1"
    assert kept.data.tags["stance.level"] == "model"
    assert kept.data.tags["stance.kind"] == "rules"


def test_the_scores_of_labels_are_kept_below_the_model(logged: tuple[Store, str]) -> None:
    below = children(*logged)
    assert set(below) == {"scores"}
    assert below["scores"].info.status == "FINISHED"
    every = below["scores"].data.metrics
    assert every["gold/topic.food.f1.high"] == 0.6
    assert every["gold/topic.service.average_precision"] == 0.25
    assert "gold/topic.service.average_precision.low" not in every
    assert "gold/tone.macro_f1" not in every


def test_figures_that_are_not_finite_are_left_out(store: Store) -> None:
    with start_run(store, "kitchen", "rules") as run:
        run.metrics({"p (Holm)": 0.12345, "nan": float("nan"), "inf": float("inf")}, step=3)
    assert read(store, run.run_id).data.metrics == {"p _Holm_": 0.1235}


def test_behaviour_tests_are_pooled_in_the_run_and_single_below_it(
    store: Store, tmp_path: Path
) -> None:
    results = [
        BehaviourResult("invariance.names", 200, 3, 0, 0.01, ("a -> b",)),
        BehaviourResult("direction.negation", 4, 3, 0, 0.9),
        BehaviourResult("direction.condition", 0, 0, 9, 0.9),
    ]
    with start_run(store, "kitchen", "rules") as run:
        run.behaviour(results)
    assert read(store, run.run_id).data.metrics == {
        "behaviour/invariance": 0.015,
        "behaviour/direction": 0.75,
    }
    (below,) = children(store, run.run_id).values()
    assert below.data.metrics == {
        "behaviour/invariance.names": 0.015,
        "behaviour/direction.negation": 0.75,
    }
    assert {"behaviour/results.json", "behaviour/results.md"} <= files(store, run.run_id)
    table = local(store, run.run_id, "behaviour/results.md", tmp_path / "md").read_text()
    assert "| invariance.names | 0.015 |" in table
    kept = local(store, run.run_id, "behaviour/results.json", tmp_path / "json").read_text()
    assert json.loads(kept)[2]["rate"] is None


def test_a_fold_keeps_all_scores_itself(store: Store, log_evaluation: Log) -> None:
    with start_run(store, "kitchen", "rules") as run, run.child("fold 1") as fold:
        log_evaluation(fold, "fold")
    assert set(children(store, run.run_id)) == {"fold 1"}
    assert children(store, fold.run_id) == {}
    assert read(store, fold.run_id).data.metrics["fold/topic.food.f1"] == 0.5
    assert not any(name.startswith("plots/") for name in files(store, fold.run_id))


def test_the_description_ends_with_a_table_of_scores(logged: tuple[Store, str]) -> None:
    text = read(*logged).data.tags["mlflow.note.content"]
    assert text.startswith("Rules on **reviews**.\n\n| data set |")
    assert "| gold | topic.macro_f1 | 0.620 | 0.570 to 0.660 | 3 | 18 |" in text
    assert "| gold | tone.macro_f1 | undefined | too few documents | 3 | 18 |" in text


def test_a_run_that_was_never_described_still_shows_its_scores(
    store: Store, log_evaluation: Log
) -> None:
    with start_run(store, "kitchen", "rules") as run:
        log_evaluation(run, "gold")
    assert "topic.macro_f1" in read(store, run.run_id).data.tags["mlflow.note.content"]


def test_the_experiment_says_what_it_holds_and_saves_a_view_of_a_dozen_columns(
    logged: tuple[Store, str],
) -> None:
    store, run_id = logged
    tags = store.client.get_experiment_by_name("kitchen").tags
    assert "95 % interval" in tags["mlflow.note.content"]
    view = json.loads(tags["mlflow.sharedViewState.scores"])
    columns = view["selectedColumns"]
    assert view["columnOrder"] == columns
    assert len(columns) == 12
    assert columns[:3] == [
        "metrics.`held-out/topic.macro_f1`",
        "metrics.`held-out/topic.macro_f1.low`",
        "metrics.`held-out/tone.macro_f1`",
    ]
    runs = store.client.search_runs(
        [read(store, run_id).info.experiment_id], filter_string=view["searchFilter"]
    )
    assert [one.info.run_id for one in runs] == [run_id]


def test_predictions_are_one_parquet_row_a_sentence(
    logged: tuple[Store, str],
    tmp_path: Path,
    labelled: list[LabelledSentence],
    probabilities: Probabilities,
) -> None:
    rows = pq.read_table(local(*logged, "predictions/gold.parquet", tmp_path)).to_pylist()
    assert [row["sentence_id"] for row in rows] == [x.sentence.sentence_id for x in labelled]
    assert rows[0]["topic.gold"] == ["food"]
    assert rows[0]["topic"] == ["food"]
    assert rows[0]["correct"] is True
    assert rows[2]["topic.gold"] == []
    assert rows[4]["topic.gold"] is None
    assert rows[5]["tone.gold"] is None
    assert rows[0]["topic.food"] == pytest.approx(float(probabilities[0, 0]))


def test_plots_and_reports_are_files_of_the_run(logged: tuple[Store, str], tmp_path: Path) -> None:
    assert {name for name in files(*logged) if "gold" in name} == {
        "evaluation/gold.json",
        "predictions/gold.parquet",
        "plots/gold.topic.precision-recall.png",
        "plots/gold.topic.reliability.png",
        "plots/gold.topic.thresholds.png",
        "plots/gold.tone.precision-recall.png",
        "plots/gold.tone.reliability.png",
        "plots/gold.tone.confusion.png",
    }
    kept = json.loads(local(*logged, "evaluation/gold.json", tmp_path).read_text())
    assert kept["dataset"] == "gold"


def test_data_sets_have_a_digest_of_texts_and_labels(
    store: Store, documents: Sequence[LabelledDocument], codebook: Codebook
) -> None:
    with start_run(store, "kitchen", "rules") as run:
        run.dataset("train", documents, codebook)
        run.dataset("test", documents[:1], codebook)
    inputs = {i.dataset.name: i for i in read(store, run.run_id).inputs.dataset_inputs}
    assert set(inputs) == {"train", "test"}
    train, test = inputs["train"], inputs["test"]
    assert train.dataset.digest != test.dataset.digest
    assert {tag.key: tag.value for tag in train.tags} == {"mlflow.data.context": "train"}
    assert json.loads(train.dataset.profile)["num_rows"] == 18
    assert json.loads(train.dataset.source)["data_files"] == ["data/reviews.jsonl"]
    assert "topic" in train.dataset.schema


def test_one_curve_a_fit_with_few_points(store: Store) -> None:
    with start_run(store, "kitchen", "net") as run:
        for done in range(1, 1001):
            run.step(FitStep(done, 1000, done // 500, 1.0 / done, 1e-4))
        for done in range(1, 4):
            run.step(FitStep(done, 3, done // 3, 0.5, 1e-3))
    first, second = (children(store, run.run_id)[n] for n in ("training", "training 2"))
    assert first.info.status == second.info.status == "FINISHED"
    loss = store.client.get_metric_history(first.info.run_id, "loss")
    assert len(loss) == 201
    assert (loss[0].step, loss[-1].step, loss[-1].value) == (1, 1000, 0.001)
    epochs = store.client.get_metric_history(first.info.run_id, "epoch_loss")
    assert [(m.step, m.value) for m in epochs] == [(1, 0.002), (2, 0.001)]
    assert len(store.client.get_metric_history(second.info.run_id, "learning_rate")) == 3
    assert read(store, run.run_id).data.metrics == {}


def test_an_error_ends_the_run_and_its_children_as_failed(store: Store) -> None:
    run = start_run(store, "kitchen", "net")
    run.step(FitStep(1, 10, 0, 1.0, 1e-4))
    with pytest.raises(InputError, match="no labels"), run:
        raise InputError("no labels\nin 3 files")
    kept = read(store, run.run_id)
    assert kept.info.status == "FAILED"
    assert kept.info.end_time is not None
    assert kept.data.tags["error"] == "InputError: no labels."
    curve = children(store, run.run_id)["training"]
    assert curve.info.status == "FAILED"
    assert store.client.get_metric_history(curve.info.run_id, "loss")


def test_an_interruption_ends_the_run_as_killed(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), start_run(store, "kitchen", "net") as run:
        raise KeyboardInterrupt
    assert read(store, run.run_id).info.status == "KILLED"
    assert read(store, run.run_id).data.tags["error"] == "KeyboardInterrupt"


def test_the_environment_can_be_built_again_from_what_is_kept(store: Store, tmp_path: Path) -> None:
    with start_run(store, "kitchen", "rules") as run:
        run.environment()
    facts = json.loads(local(store, run.run_id, "environment.json", tmp_path).read_text())
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["packages"]["mlflow"] == mlflow.__version__
    tags = read(store, run.run_id).data.tags
    assert tags["git.commit"] == facts["git.commit"]
    assert tags["git.changed"] in ("True", "False", "unknown")


def test_files_that_cannot_be_kept_are_an_output_error(store: Store, tmp_path: Path) -> None:
    # A file stands where the folder of the artifacts has to be made.
    (tmp_path / "experiments" / "artifacts").write_text("in the way")
    said = r"Cannot keep split\.json in the tracking store sqlite"
    with pytest.raises(OutputError, match=said), start_run(store, "kitchen", "rules") as run:
        run.json({"test": []}, "split.json")


def test_importing_the_package_imports_no_heavy_one() -> None:
    code = (
        "import sys, pipeline.tracking; "
        "print({'mlflow', 'datasets', 'matplotlib', 'pandas', 'git'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_keeping_predictions_shows_no_progress_bar(
    store: Store, log_evaluation: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    with start_run(store, "kitchen", "rules") as run, run.child("fold 1") as fold:
        log_evaluation(fold, "fold")
    assert capfd.readouterr() == ("", "")
