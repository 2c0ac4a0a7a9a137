"""`tune` on tiny corpora: what is logged, the time it keeps to, and going on where it stopped."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline.codebook import Codebook
from pipeline.errors import OutputError, SettingsError
from pipeline.evaluation.selection import MEAN
from pipeline.inference import Unfinished
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.tracking import Store, open_store
from pipeline.workflows.search_folder import search_folder
from pipeline.workflows.tune import Limits, tune_model
from pipeline.workflows.tuning_report import Tuned, fold_table, score_table

SPACE = """\
tune: {outer_folds: 2, inner_folds: 2, space: {linear: {c: {low: 0.5, high: 8, log: true}}}}
"""
MODELS = """\
  rules: {kind: rules}
  linear: {kind: linear, word_ngrams: [1, 1], char_ngrams: [2, 2]}
"""
PARTS = 3


@dataclass
class Watch:
    """Counts trials and stops the process, as a signal would, after so many of them."""

    stop_after: int = 10_000
    trials: list[str] = field(default_factory=list)

    def progress(self, what: str, done: int, total: int | None) -> None:
        del what, done, total

    def note(self, text: str) -> None:
        if ", trial " in text:
            if len(self.trials) == self.stop_after:
                raise KeyboardInterrupt
            self.trials.append(text)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("store")
    return open_store(f"sqlite:///{root / 'mlflow.db'}")


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> PipelineSettings:
    """The restaurants with every third label changed at random, so that no settings are perfect."""
    draw = random.Random(4)  # noqa: S311 -- no secret
    lines = (project / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines[:34]]
    for sentence in (one for document in documents for one in document["sentences"]):
        if draw.random() < 1 / 3:
            sentence["tone"] = draw.choice(["praise", "blame", "neither"])
    text = "".join(json.dumps(document) + "\n" for document in documents)
    (project / "corpus.jsonl").write_text(text, encoding="utf-8")
    path = project / "settings.yaml"
    text = path.read_text(encoding="utf-8").replace("  rules: {kind: rules}\n", MODELS)
    text = text.replace("calibration: 0.2", "calibration: 0.4")
    path.write_text(text + SPACE, encoding="utf-8")
    monkeypatch.chdir(project)
    return load_settings(path)


Tune = Callable[..., Tuned]


@pytest.fixture
def tune(settings: PipelineSettings, tiny: Codebook, store: Store) -> Tune:
    def run(
        *,
        name: str = "linear",
        trials: int | None = 3,
        seconds: float = 1e6,
        unfinished: Unfinished = Unfinished.REFUSE,
        watch: Watch | None = None,
        **more: object,
    ) -> Tuned:
        return tune_model(
            name,
            settings.model_copy(update=more) if more else settings,
            tiny,
            store,
            limits=Limits(seconds, trials),
            unfinished=unfinished,
            config="the settings",
            watcher=watch or Watch(),
            clock=ticking(),
        )

    return run


def ticking() -> Callable[[], float]:
    """A clock that is a second later whenever it is looked at."""
    now = -1.0

    def look() -> float:
        nonlocal now
        now += 1.0
        return now

    return look


def trials_of(store: Store, run_id: str) -> list[tuple[str, str]]:
    """Name and status of the runs below a run, in order."""
    run = store.client.get_run(run_id)
    found = store.client.search_runs(
        [run.info.experiment_id],
        filter_string=f"tags.`mlflow.parentRunId` = '{run_id}'",
        order_by=["attributes.start_time ASC"],
    )
    assert all(one.data.tags["stance.level"] == "trial" for one in found)
    return [(one.info.run_name, one.info.status) for one in found]


def test_what_it_finds_and_logs(tune: Tune, store: Store, tmp_path: Path) -> None:
    watch = Watch()
    found = tune(watch=watch)
    assert found.trials == len(watch.trials) == 3 * PARTS
    assert YAML(typ="safe").load(found.fragment)["models"]["linear"] == {
        "kind": "linear",
        "word_ngrams": [1, 1],
        "char_ngrams": [2, 2],
        "c": found.values["c"],
    }
    mean = found.scores[MEAN]
    assert mean.optimism.value == pytest.approx(mean.inner.value - mean.outer.value)
    assert mean.gain.value == pytest.approx(mean.outer.value - mean.present.value)
    assert 0 < mean.outer.value < 1
    assert mean.optimism.low is not None
    assert len(found.folds) == 2
    assert len(score_table(found)) == 4
    assert len(fold_table(found)) == 3

    run = store.client.get_run(found.run_id)
    assert (run.info.run_name, run.info.status) == ("tune linear", "FINISHED")
    assert run.data.tags["stance.level"] == "search"
    assert run.data.tags["best.c"] == str(found.values["c"])
    for figure in ("inner", "outer", "optimism", "optimism.low", "present", "gain.high"):
        assert f"macro_f1/{figure}" in run.data.metrics
    kept = {one.path for one in store.client.list_artifacts(found.run_id)}
    assert {"best.yaml", "config.yaml", "search.json", "environment.json"} <= kept
    trials = trials_of(store, found.run_id)
    assert len(trials) == 3 * PARTS
    assert trials[0] == ("outer fold 1 of 2, trial 1", "FINISHED")
    assert trials[-1] == ("all documents, trial 3", "FINISHED")


def test_a_model_with_nothing_to_search(tune: Tune) -> None:
    with pytest.raises(SettingsError, match=r"'majority' of kind majority: give tune\.space"):
        tune(name="majority")


def test_stopped_and_gone_on_with_gives_the_same(tune: Tune, store: Store) -> None:
    whole = tune()
    for after, how in ((1, Unfinished.REFUSE), (0, Unfinished.RESUME), (4, Unfinished.RESUME)):
        with pytest.raises(KeyboardInterrupt):
            tune(watch=Watch(stop_after=after), unfinished=how)
    with pytest.raises(OutputError, match=r"did not finish.*--resume.*--restart"):
        tune()
    again = Watch()
    found = tune(unfinished=Unfinished.RESUME, watch=again)
    assert len(again.trials) == 3 * PARTS - 5  # nothing is done twice
    assert found.run_id != whole.run_id
    assert (found.values, found.scores, found.folds) == (whole.values, whole.scores, whole.folds)
    assert len(trials_of(store, found.run_id)) == 3 * PARTS
    run = store.client.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert "error" not in run.data.tags


def test_more_trials_for_a_search_that_came_to_its_end(tune: Tune) -> None:
    first, watch = tune(trials=2), Watch()
    more = tune(trials=4, unfinished=Unfinished.RESUME, watch=watch)
    assert len(watch.trials) == 2 * PARTS
    assert more.trials == 4 * PARTS
    assert more.run_id == first.run_id
    anew = tune(trials=2)
    assert anew.run_id != first.run_id
    assert anew.scores == first.scores


def test_other_data_or_settings_are_another_search(tune: Tune, project: Path) -> None:
    tune(trials=1)
    corpus = project / "corpus.jsonl"
    changed = corpus.read_text(encoding="utf-8").replace('"praise"', '"blame"', 1)
    corpus.write_text(changed, encoding="utf-8")
    with pytest.raises(OutputError, match="things it hangs on changed: data: "):
        tune(unfinished=Unfinished.RESUME)
    with pytest.raises(OutputError, match="2 of the things it hangs on changed"):
        tune(unfinished=Unfinished.RESUME, seed=99)
    assert tune(trials=1, unfinished=Unfinished.RESTART).trials == PARTS


def test_it_keeps_to_its_time(tune: Tune) -> None:
    """A trial takes four ticks of the clock at least; all searches get their share."""
    watch = Watch()
    tune(trials=None, seconds=70, watch=watch)
    assert len(watch.trials) <= 70 / 4
    for part in ("outer fold 1", "outer fold 2", "all documents"):
        assert 2 <= sum(one.startswith(part) for one in watch.trials) <= len(watch.trials) / 2


def test_too_little_time_is_said_and_more_of_it_goes_on(tune: Tune, store: Store) -> None:
    watch = Watch()
    with pytest.raises(SettingsError, match=r"--budget: the time ended in the search on (.*)") as e:
        tune(trials=None, seconds=10, watch=watch)
    assert "go on with --resume" in str(e.value)
    done = len(watch.trials)
    assert done < PARTS
    found = tune(trials=1, unfinished=Unfinished.RESUME, watch=watch)
    assert len(watch.trials) == found.trials == PARTS


def test_a_changed_file_is_not_taken_for_a_trial(tune: Tune, settings: PipelineSettings) -> None:
    tune(trials=1)
    (trial,) = (settings.work / "tuning" / "linear").glob("part-00-*.json")
    trial.write_text("{}", encoding="utf-8")
    with pytest.raises(OutputError, match="was changed and cannot be read"):
        tune(unfinished=Unfinished.RESUME)


@pytest.mark.parametrize("left", ['"0123', "", "{}"])
def test_a_truncated_name_of_its_run_is_said_and_restart_helps(tmp_path: Path, left: str) -> None:
    of = {"data": "1"}
    with search_folder(tmp_path / "linear", of, Unfinished.REFUSE) as kept:
        kept.run_id = "0123"
        kept.keep_counts("part", 0, {}, np.zeros((1, 3, 1)))
    (kept.folder / "run.json").write_text(left, encoding="utf-8")
    with (
        search_folder(tmp_path / "linear", of, Unfinished.RESUME) as kept,
        pytest.raises(OutputError, match=r"run\.json: was changed(.*)Add --restart"),
    ):
        assert kept.run_id
    with search_folder(tmp_path / "linear", of, Unfinished.RESTART) as kept:
        assert kept.run_id is None


def test_without_its_run_a_search_goes_on_in_a_new_one(tune: Tune, store: Store) -> None:
    first = tune(trials=1)
    store.client.delete_run(first.run_id)
    again = tune(trials=2, unfinished=Unfinished.RESUME)
    assert again.run_id != first.run_id
    assert len(trials_of(store, again.run_id)) == PARTS  # those that are new
