"""Log a promotion: the exported model, and what the gate said, in a run below the trained model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.tracking.naming import Level
from pipeline.tracking.runs import RunLogger
from pipeline.tracking.store import Store


def log_promotion(
    store: Store,
    run_id: str,
    bundle: Path,
    *,
    params: Mapping[str, object],
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
    description: str,
) -> str:
    """Log an exported model below the run that trained it; return its address ("models:/…").

    Metrics that are not finite are left out.

    Raises:
        BundleError: the folder is no sound bundle.
        OutputError: the store cannot be written.
    """
    with store.reported(f"read run {run_id}"):
        experiment_id = store.client.get_run(run_id).info.experiment_id
    with RunLogger(
        store, experiment_id, Level.PROMOTION.value, level=Level.PROMOTION, parent=run_id, tags=tags
    ) as run:
        run.params(params)
        run.metrics(metrics)
        run.describe(description)
        return run.bundle(bundle)
