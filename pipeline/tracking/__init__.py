"""Experiments in MLflow: one run a trained classifier, with all that is needed to judge it.

MLflow, datasets and matplotlib are imported when they are used, never by importing this package;
`open_store` switches MLflow's telemetry off before that.
"""

from pipeline.tracking.find import RunFacts, data_digests, download_bundle, find_run, read_json
from pipeline.tracking.runs import RunLogger, start_run
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.tables import digest_of
from pipeline.tracking.ui import serve_ui, ui_address

__all__ = [
    "RunFacts",
    "RunLogger",
    "Store",
    "data_digests",
    "digest_of",
    "download_bundle",
    "find_run",
    "open_store",
    "read_json",
    "serve_ui",
    "start_run",
    "ui_address",
]
