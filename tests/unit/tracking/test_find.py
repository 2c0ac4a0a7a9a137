"""Runs found by id, beginning of an id, name or score."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.tracking import Store, find_run, read_json, start_run
from pipeline.tracking.find import is_active


def test_a_run_is_found_by_id_beginning_and_name(store: Store) -> None:
    ids = []
    for name in ("linear", "rules", "linear"):
        with start_run(store, "kitchen", name) as run, run.child("fold 1"):
            run.params({"c": 4})
        ids.append(run.run_id)
        time.sleep(0.002)  # MLflow orders runs by the millisecond in which they started
    first, second, third = ids
    assert find_run(store, first, experiment="kitchen").run_id == first
    assert find_run(store, second[:20].upper(), experiment="kitchen").name == "rules"
    latest = find_run(store, "linear", experiment="kitchen")
    assert latest.run_id == third
    assert latest.params == {"c": "4"}
    assert latest.status == "FINISHED"


def test_an_unknown_run_gets_near_matches_and_the_latest_runs(store: Store) -> None:
    for i in range(12):
        with start_run(store, "kitchen", f"model{i}"):
            pass
    with pytest.raises(InputError) as caught:
        find_run(store, "modle3", experiment="kitchen")
    message = str(caught.value)
    assert "Did you mean 'model3'" in message
    assert message.count("\n") == 10
    assert "finished" in message


def test_a_beginning_shared_by_several_runs_lists_them(store: Store) -> None:
    ids = set()
    while len({i[0] for i in ids}) == len(ids):  # 17 ids cannot all begin with another digit
        with start_run(store, "kitchen", "m") as run:
            ids.add(run.run_id)
    shared = next(d for d in "0123456789abcdef" if sum(i.startswith(d) for i in ids) == 2)
    with pytest.raises(InputError, match=f"2 runs of experiment 'kitchen' begin with '{shared}'"):
        find_run(store, shared, experiment="kitchen")


def test_an_experiment_without_runs_and_one_that_is_not_there(store: Store) -> None:
    store.experiment("kitchen")
    with pytest.raises(InputError, match="none; train a model first"):
        find_run(store, "linear", experiment="kitchen")
    with pytest.raises(InputError, match=r"no experiment 'kitchn'.*Did you mean 'kitchen'"):
        find_run(store, "linear", experiment="kitchn")


def test_a_json_file_of_a_run(store: Store, tmp_path: Path) -> None:
    with start_run(store, "kitchen", "m") as run:
        run.json({"test": ["doc é"]}, "split.json")
        run.text("- 1", "list.json")
    assert read_json(store, run.run_id, "split.json") == {"test": ["doc é"]}
    for file in ("other.json", "list.json"):
        with pytest.raises(InputError, match=f"keeps no readable {file}"):
            read_json(store, run.run_id, file)
    with pytest.raises(InputError, match="There is no run abc"):
        read_json(store, "abc", "split.json")


def test_a_run_that_was_deleted_or_never_was_is_not_active(store: Store) -> None:
    with start_run(store, "kitchen", "m") as run:
        pass
    assert is_active(store, run.run_id)
    store.client.delete_run(run.run_id)
    assert not is_active(store, run.run_id)
    assert not is_active(store, "0" * 32)
