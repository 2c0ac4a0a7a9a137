"""Log a comparison of models as a run of its own, beside the runs that it compares."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from pipeline.tracking.naming import allowed
from pipeline.tracking.runs import RunLogger
from pipeline.tracking.store import Store
from pipeline.tracking.view import EXPERIMENT_NOTE

COMPARISON_LEVEL = "comparison"
"""Value of the tag `stance.level`: such runs are not listed among the trained models."""

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
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    finite = [
        Metric(allowed(key), round(value, 5), now, 0)
        for key, value in metrics.items()
        if math.isfinite(value)
    ]
    experiment_id = store.experiment(experiment, about=EXPERIMENT_NOTE)
    with RunLogger(store, experiment_id, name, level=COMPARISON_LEVEL, tags=tags) as run:
        run.params(params)
        with store.reported("log the comparison"):
            store.client.log_batch(run.run_id, metrics=finite)
        run.text(page, PAGE)
        run.describe(description)
    return run.run_id
