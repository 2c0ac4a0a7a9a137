"""Log a comparison of models as a run of its own, beside the runs that it compares."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.tracking.naming import Level
from pipeline.tracking.runs import RunLogger
from pipeline.tracking.store import Store
from pipeline.tracking.view import ABOUT_EXPERIMENT

PAGE = "comparison.html"


def log_comparison(
    store: Store,
    experiment: str,
    name: str,
    *,
    tags: Mapping[str, str],
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    page: str,
    description: str,
) -> str:
    """Log a comparison and return the id of its run; metrics that are not finite are left out.

    Raises:
        InputError: the experiment was deleted.
        OutputError: the store cannot be written.
    """
    experiment_id = store.experiment(experiment, about=ABOUT_EXPERIMENT)
    with RunLogger(store, experiment_id, name, level=Level.COMPARISON, tags=tags) as run:
        run.params(params)
        run.metrics(metrics)
        run.text(page, PAGE)
        run.describe(description)
    return run.run_id
