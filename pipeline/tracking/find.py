"""Find runs by what a person remembers of them, and fetch what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError, near_matches
from pipeline.tracking.naming import LEVEL, Level
from pipeline.tracking.store import Store, quiet_imports

if TYPE_CHECKING:
    from mlflow.entities import Run

EVALUATION = "evaluation"
"""Use of data that a run only reports on."""

_SHOWN = 10
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run says of itself; `status` is FINISHED, FAILED, KILLED or RUNNING."""

    run_id: str
    name: str
    status: str
    started: datetime
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]


def find_run(store: Store, run: str, *, experiment: str) -> RunFacts:
    """Return the trained model's run with this id, beginning of an id, or name (the latest one).

    Raises:
        InputError: there is no such run, or several ids begin so; the message lists runs.
        OutputError: the store does not answer.
    """
    runs = _models(store, experiment)
    named = [one for one in runs if run in (one.run_id, one.name)]
    if named:
        return named[0]
    begun = [one for one in runs if run and one.run_id.startswith(run.lower())]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise InputError(
            f"{len(begun)} runs of experiment '{experiment}' begin with '{run}':\n{_listing(begun)}"
        )
    near = near_matches(run, {one.name for one in runs})
    raise InputError(
        f"There is no run '{run}' in experiment '{experiment}' of {store.shown}."
        f"{near if 'Did you mean' in near else ''} Latest runs:\n{_listing(runs)}"
    )


def is_active(store: Store, run_id: str) -> bool:
    """Whether there is such a run, and nobody deleted it.

    Raises:
        OutputError: the store does not answer.
    """
    from mlflow.exceptions import MlflowException

    with store.reported(f"look for run {run_id}"):
        try:
            return bool(store.client.get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise


def download_bundle(store: Store, run_id: str, into: Path) -> Path:
    """Fetch the bundle that a run logged into the folder `into`, and return the bundle's folder.

    Raises:
        InputError: the run is not there or logged no model.
        OutputError: the store does not answer or `into` cannot be written.
    """
    with quiet_imports():
        import mlflow.artifacts
        from mlflow.models import get_model_info

    run = _run(store, run_id)
    models = run.outputs.model_outputs if run.outputs else []
    if not models:
        raise InputError(
            f"Run {run_id} ('{run.info.run_name}', {run.info.status}) has no model. Only runs of "
            "trained models that came to their end have one."
        )
    with store.reported(f"fetch the model of run {run_id}"), store.bound():
        place = store.client.get_logged_model(models[-1].model_id).artifact_location
        inner = get_model_info(f"models:/{models[-1].model_id}").flavors["python_function"]["data"]
        return Path(mlflow.artifacts.download_artifacts(f"{place}/{inner}", dst_path=str(into)))


def read_json(store: Store, run_id: str, file: str) -> dict[str, object]:
    """Return the contents of a JSON file of a run.

    Raises:
        InputError: the run or the file is not there, or does not hold a JSON object.
        OutputError: the store does not answer.
    """
    import mlflow.artifacts
    from mlflow.exceptions import MlflowException

    uri = _run(store, run_id).info.artifact_uri
    try:
        with store.bound():
            loaded = json.loads(mlflow.artifacts.load_text(f"{uri}/{file}"))
    except (MlflowException, OSError, ValueError):
        loaded = None
    if not isinstance(loaded, dict):
        raise InputError(
            f"Run {run_id} keeps no readable {file}; it did not come to its end, or its files in "
            f"{uri} were moved or deleted."
        )
    return loaded


def data_digests(store: Store, run_id: str) -> dict[str, str]:
    """Return the digest of each part of the corpus that a run logged, by its use; see `digest_of`.

    Data that it only reports on are left out: their names are those of files, which may be "test"
    as well, and runs of before have none.

    Raises:
        OutputError: there is no such run or the store does not answer.
    """
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    with store.reported(f"read the data of run {run_id}"):
        inputs = store.client.get_run(run_id).inputs
    found = inputs.dataset_inputs if inputs else []
    uses = [
        {tag.key: tag.value for tag in entry.tags}.get(MLFLOW_DATASET_CONTEXT) for entry in found
    ]
    return {
        entry.dataset.name: entry.dataset.digest
        for entry, use in zip(found, uses, strict=True)
        if use != EVALUATION
    }


def _run(store: Store, run_id: str) -> Run:
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise InputError(f"Run {run_id} cannot be read from {store.shown}.") from None
        raise InputError(
            f"There is no run {run_id} in {store.shown}. It is in another store, or was deleted "
            "for good; then train the model again."
        ) from None


def _models(store: Store, experiment: str) -> list[RunFacts]:
    """Return the runs of trained models, the latest first."""
    with store.reported(f"read the experiment '{experiment}'"):
        known = store.client.get_experiment_by_name(experiment)
        if known is None:
            names = {one.name for one in store.client.search_experiments()}
            raise InputError(
                f"There is no experiment '{experiment}' in {store.shown}."
                f"{near_matches(experiment, names)} Train a model first: 'stance train'."
            )
        return list(_pages(store, known.experiment_id))


def _pages(store: Store, experiment_id: str) -> Iterator[RunFacts]:
    token: str | None = None
    while True:
        page = store.client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{LEVEL}` = '{Level.MODEL}'",
            max_results=_PAGE,
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        yield from map(_facts, page)
        token = page.token
        if not token:
            return


def _facts(run: Run) -> RunFacts:
    return RunFacts(
        run_id=run.info.run_id,
        name=run.info.run_name,
        status=run.info.status,
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        metrics=dict(run.data.metrics),
        params=dict(run.data.params),
        tags=dict(run.data.tags),
    )


def _listing(runs: list[RunFacts]) -> str:
    lines = [
        f"  {one.run_id}  {one.started:%Y-%m-%d %H:%M}  {one.status.lower():8}  {one.name}"
        for one in runs[:_SHOWN]
    ]
    return "\n".join(lines) if lines else "  (none; train a model first: 'stance train')"
