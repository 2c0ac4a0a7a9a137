"""`stance train-attribution` and `evaluate-attribution`: the model behind `stance attribute`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    AttributionFolder,
    AttributionMethod,
    BundleFolder,
    ExternalFiles,
    Method,
    Replicates,
    Seed,
    Settings,
    TrackingUri,
)

SHOWN = {
    "holder_exact": "holder",
    "reported_holder_exact": "holder, not the speaker",
    "target_f1": "target F1",
    "named_target_f1": "target F1, where named",
    "target_named": "named or not",
}


def train_attribution(
    config: Settings = DEFAULT_CONFIG,
    external: ExternalFiles = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train the model that finds holders and targets, export it to int8, log all to MLflow."""
    from pipeline.cli.prepare import read_settings
    from pipeline.evaluation.score_text import score_text
    from pipeline.tracking import open_store
    from pipeline.workflows.train_attribution import train_attribution as run

    loaded = read_settings(config, tracking_uri, external=external or [])
    store = open_store(loaded.settings.tracking.uri)
    with console.watcher() as watcher:
        trained = run(loaded.settings, loaded.codebook, store, config=loaded.text, watcher=watcher)
    rows = [
        (one.dataset, *(score_text(one.scores[name]) for name in SHOWN))
        for one in trained.evaluations
    ]
    console.table(("data", *SHOWN.values()), rows)
    console.say(
        f"{trained.model_id} written to {trained.folder}; the export changed "
        f"{trained.parity.holders_changed:.2%} of {trained.parity.questions:,} held-out holders "
        f"and {trained.parity.targets_changed:.2%} of the targets."
    )


def evaluate_attribution(
    data: Annotated[
        list[Path], typer.Argument(help="Labelled files (.jsonl) with holders and targets.")
    ],
    methods: AttributionMethod = Method.BOTH,
    attribution_model: AttributionFolder = None,
    model: BundleFolder = None,
    replicates: Replicates = 1000,
    seed: Seed = 13,
) -> None:
    """Compare holders and targets with labelled ones, with 95 % intervals over documents.

    The last column gives labels their classifier as well: macro-F1 of label and holder both right.
    """
    from pipeline.bundle import load_bundle
    from pipeline.cli.prepare import attributor_of, bundle_folder
    from pipeline.evaluation.score_text import score_text
    from pipeline.workflows.evaluate_attribution import evaluate_attribution as run
    from pipeline.workflows.scoring import read_documents

    bundle = load_bundle(bundle_folder(model))
    attributor = attributor_of(methods, attribution_model)
    rows = []
    for path in data:
        with console.watcher() as watcher:
            documents = read_documents([path], bundle.codebook, watcher)
            found = run(
                documents,
                bundle.codebook,
                attributor,
                dataset=path.stem,
                method=methods.value,
                bundle=bundle,
                replicates=replicates,
                seed=seed,
            )
        shown = [score_text(found.scores[name]) for name in SHOWN]
        joint = score_text(found.end_to_end["macro_f1"])
        rows.append((path.stem, methods.value, *shown, joint))
    console.table(("data", "method", *SHOWN.values(), "end to end, macro-F1"), rows)
