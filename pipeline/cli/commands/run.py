"""`stance run`: all stages in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CONFIG, TrackingUri


def run(
    config: Annotated[
        Path, typer.Argument(help="Settings of the pipeline (YAML).")
    ] = DEFAULT_CONFIG,
    force: Annotated[
        bool,
        typer.Option(
            help="Run every stage, unchanged or not, and replace a model that was promoted since; "
            "finished fine-tunings are reused."
        ),
    ] = False,
    tracking_uri: TrackingUri = None,
) -> None:
    """Run the whole pipeline; stages whose inputs, settings and results are unchanged are skipped.

    A model that 'stance promote' or 'rollback' shipped since is kept.
    """
    from pipeline.cli.prepare import read_settings
    from pipeline.workflows.preflight import preflight

    loaded = read_settings(config, tracking_uri)
    preflight(loaded.settings, loaded.codebook, where=str(config))
    console.say(f"settings of {config} (all valid):")
    console.say(loaded.shown())
    from pipeline.tracking import open_store
    from pipeline.workflows.pipeline import stages
    from pipeline.workflows.stages import run_stages

    store = open_store(loaded.settings.tracking.uri)
    planned = stages(loaded.settings, loaded.codebook, store, loaded.text)
    state = loaded.settings.work / "stages.json"
    with console.watcher() as watcher:
        results = run_stages(planned, state, watcher, force=force)
    console.table(("stage", "result"), results)
