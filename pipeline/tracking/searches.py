"""Log a search for settings: one run, and below it one run a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.tracking.naming import ERROR, Level
from pipeline.tracking.runs import RunLogger
from pipeline.tracking.store import Store
from pipeline.tracking.view import ABOUT_EXPERIMENT

if TYPE_CHECKING:
    from mlflow.entities import Run


def open_search(
    store: Store, experiment: str, name: str, *, tags: Mapping[str, str], run_id: str | None
) -> RunLogger:
    """Return the run of a search: the one with this id, if the store has it, else a new one.

    Raises:
        InputError: the experiment was deleted.
        OutputError: the store cannot be written.
    """
    experiment_id = store.experiment(experiment, about=ABOUT_EXPERIMENT)
    known = None if run_id is None else _known(store, run_id)
    if known is None or known.info.experiment_id != experiment_id:
        return RunLogger(store, experiment_id, name, level=Level.SEARCH, tags=tags)
    if ERROR in known.data.tags:  # of the last time
        with store.reported("go on with a run"):
            store.client.delete_tag(run_id, ERROR)
    return RunLogger(store, experiment_id, name, level=Level.SEARCH, tags=tags, run_id=run_id)


def _known(store: Store, run_id: str) -> Run | None:
    from mlflow.exceptions import MlflowException

    with store.reported(f"read run {run_id}"):
        try:
            run = store.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
    return run if run.info.lifecycle_stage == "active" else None


def log_trial(
    search: RunLogger,
    name: str,
    *,
    params: Mapping[str, object],
    scores: Sequence[float],
    tags: Mapping[str, str],
) -> None:
    """Log a trial with its score after each inner fold; the last is the score of the trial.

    Raises:
        OutputError: the store cannot be written.
    """
    with search.child(name, level=Level.TRIAL) as run:
        run.params(params)
        run.tags(tags)
        for step, score in enumerate(scores, start=1):
            run.metrics({"macro_f1": score}, step=step)
