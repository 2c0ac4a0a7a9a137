"""Log learning curves as a run of its own: the number of documents is the step of a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.evaluation.learning_curve import FittedCurve
from pipeline.tracking.naming import Level
from pipeline.tracking.runs import RunLogger
from pipeline.tracking.store import Store
from pipeline.tracking.view import ABOUT_EXPERIMENT

PAGE = "curve.html"


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
    by_size: dict[int, dict[str, float]] = {}
    for point in (point for curve in curves for point in curve.points):
        name = f"{'extrapolated.' if point.extrapolated else ''}{point.score}"
        by_size.setdefault(point.documents, {})[name] = point.value
    experiment_id = store.experiment(experiment, about=ABOUT_EXPERIMENT)
    with RunLogger(store, experiment_id, "learning curve", level=Level.LEARNING_CURVE) as run:
        run.params(params)
        for documents, figures in by_size.items():
            run.metrics(figures, step=documents)
        run.text(page, PAGE)
        run.describe("Scores by number of labelled documents; the step is that number.")
    return run.run_id
