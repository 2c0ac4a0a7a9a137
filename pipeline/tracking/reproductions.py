"""What a run measured, to hold it against the run that repeats it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.output import json_text
from pipeline.tracking.naming import LEVEL, PARENT, Level
from pipeline.tracking.store import Store

VERDICT = "stance.reproduction"
"""Tag of a run that repeats another: how near it came."""

_FILE = "reproduction.json"
_COMPARED = (Level.SCORES, Level.FOLD)
"""The runs below a model whose figures are compared."""


def measured(store: Store, run_id: str) -> dict[str, float]:
    """Return all figures of a model's run and of the runs of its scores and folds.

    Those of a fold begin with its name. Training curves are left out.

    Raises:
        OutputError: the store does not answer.
    """
    with store.reported(f"read the figures of run {run_id}"):
        run = store.client.get_run(run_id)
        below = store.client.search_runs(
            [run.info.experiment_id], filter_string=f"tags.`{PARENT}` = '{run_id}'"
        )
    figures = dict(run.data.metrics)
    for child in below:
        level = child.data.tags.get(LEVEL)
        if level in _COMPARED:
            prefix = f"{child.info.run_name}: " if level == Level.FOLD else ""
            figures |= {prefix + name: value for name, value in child.data.metrics.items()}
    return figures


def probability_differences(store: Store, first: str, second: str) -> dict[str, float]:
    """Return the largest difference of a probability, by data set that both runs predicted.

    It is infinite where they did not predict the same sentences.

    Raises:
        OutputError: the store does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="stance-predictions-") as scratch:
        ours, theirs = (_predictions(store, run, Path(scratch)) for run in (first, second))
        return {
            name: _largest_difference(ours[name], theirs[name]) for name in ours if name in theirs
        }


def note_reproduction(
    store: Store, run_id: str, verdict: str, differences: Mapping[str, object]
) -> None:
    """Say in a run how near it came to the run that it repeats.

    Raises:
        OutputError: the store cannot be written.
    """
    text = json_text(differences)
    with store.reported("note the reproduction"):
        store.client.set_tag(run_id, VERDICT, verdict)
        store.client.log_text(run_id, text, _FILE)


def _predictions(store: Store, run_id: str, scratch: Path) -> dict[str, Path]:
    import mlflow.artifacts

    into = scratch / run_id
    into.mkdir()
    with store.reported(f"fetch the predictions of run {run_id}"), store.bound():
        uri = f"{store.client.get_run(run_id).info.artifact_uri}/predictions"
        folder = Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(into)))
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}


def _largest_difference(first: Path, second: Path) -> float:
    import pyarrow.parquet as parquet

    ours, theirs = parquet.read_table(first), parquet.read_table(second)
    if ours.schema != theirs.schema or not ours["text"].equals(theirs["text"]):
        return float("inf")
    return max(
        (
            abs(a - b)
            for name in _probabilities(ours.schema)
            for a, b in zip(ours[name].to_pylist(), theirs[name].to_pylist(), strict=True)
        ),
        default=0.0,
    )


def _probabilities(schema: object) -> Iterator[str]:
    import pyarrow

    for field in pyarrow.schema(schema):
        if pyarrow.types.is_floating(field.type):
            yield field.name
