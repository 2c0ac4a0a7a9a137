"""Log a promotion: the exported model, and what the gate said, in a run below the trained model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from pipeline.tracking.runs import RunLogger
from pipeline.tracking.store import Store

PROMOTION_LEVEL = "promotion"
"""Value of the tag `stance.level`: such runs are not listed among the trained models."""


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
        store, experiment_id, PROMOTION_LEVEL, level=PROMOTION_LEVEL, parent=run_id, tags=tags
    ) as run:
        run.params(params)
        run.metrics({name: v for name, v in metrics.items() if math.isfinite(v)})
        run.describe(description)
        return run.bundle(bundle)
