"""Log learning curves as a run of its own: the number of documents is the step of a metric."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from pipeline.evaluation.learning_curve import FittedCurve
from pipeline.tracking.naming import allowed
from pipeline.tracking.runs import RunLogger
from pipeline.tracking.store import Store
from pipeline.tracking.view import EXPERIMENT_NOTE

CURVE_LEVEL = "learning curve"
"""Value of the tag `stance.level`: such runs are not listed among the trained models."""

PAGE = "curve.html"
_BATCH = 1000


def log_curves(
    store: Store,
    experiment: str,
    curves: Sequence[FittedCurve],
    *,
    params: Mapping[str, object],
    page: str,
) -> str:
    """Log curves and return the id of their run; undefined points are left out.

    Extrapolated points are metrics of their own, with "extrapolated." before the name.

    Raises:
        InputError: the experiment was deleted.
        OutputError: the store cannot be written.
    """
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    points = [point for curve in curves for point in curve.points]
    metrics = [
        Metric(
            allowed(f"{'extrapolated.' if point.extrapolated else ''}{point.score}"),
            round(point.value, 5),
            now,
            point.documents,
        )
        for point in points
        if math.isfinite(point.value)
    ]
    experiment_id = store.experiment(experiment, about=EXPERIMENT_NOTE)
    with RunLogger(store, experiment_id, "learning curve", level=CURVE_LEVEL) as run:
        run.params(params)
        with store.reported("log the learning curve"):
            for start in range(0, len(metrics), _BATCH):
                store.client.log_batch(run.run_id, metrics=metrics[start : start + _BATCH])
        run.text(page, PAGE)
        run.describe("Scores by number of labelled documents; the step is that number.")
    return run.run_id
