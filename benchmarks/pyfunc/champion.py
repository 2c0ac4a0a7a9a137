"""A bundle as the champion of a new MLflow store, and how far two tables of its answers differ."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from pipeline.bundle import load_bundle
from pipeline.tracking import open_store, start_run
from pipeline.tracking.registered import make_champion, register


def registered(folder: Path, scratch: Path) -> str:
    """Register a bundle as models:/stance@champion in a new store; return the store's address."""
    store = open_store(f"sqlite:///{scratch / 'mlflow.db'}")
    with start_run(store, "champion", "shipped") as run:
        address = run.bundle(folder)
    model_id = load_bundle(folder).model_id
    version = register(
        store, "stance", address, run_id=run.run_id, model_id=model_id, tags={}, description=""
    )
    make_champion(store, version)
    return store.uri


def differences(found: pd.DataFrame, expected: pd.DataFrame) -> int:
    """Return how many cells differ, numbers by more than 1e-6; a null equals a null."""
    wrong = 0
    for column in expected.columns:
        for got, wanted in zip(found[column], expected[column], strict=True):
            if pd.isna(got) or pd.isna(wanted):
                wrong += bool(pd.isna(got)) != bool(pd.isna(wanted))
            elif isinstance(wanted, float):
                wrong += not math.isclose(got, wanted, abs_tol=1e-6)
            else:
                wrong += got != wanted
    return wrong
