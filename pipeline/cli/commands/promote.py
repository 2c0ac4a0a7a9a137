"""`stance promote` and `rollback`: which model is shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CONFIG, ExternalFiles, Settings, TrackingUri

Target = Annotated[
    Path | None,
    typer.Option(help="Folder to write the model to; default: promote.to in the settings."),
]


def promote(
    run: Annotated[str, typer.Argument(help="Run to ship: its id, the start of it, or its name.")],
    to: Target = None,
    config: Settings = DEFAULT_CONFIG,
    external: ExternalFiles = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Export the model of a run (int8), and ship it as the champion if it passes the gate.

    The gate (promote.gate in the settings): not worse than the champion on the same documents,
    behaviour tests, calibration, equal to the trained model, licence and data card. A model that
    does not pass is registered as the challenger, nothing is shipped, and the command ends with 6.
    """
    from pipeline.cli.prepare import read_settings
    from pipeline.tracking import find_run, open_store
    from pipeline.workflows.promote import promote as ship

    loaded = read_settings(config, tracking_uri, external=external or [])
    settings = loaded.settings
    store = open_store(settings.tracking.uri)
    found = find_run(store, run, experiment=settings.tracking.experiment)
    with console.watcher() as watcher:
        promotion = ship(
            found.run_id,
            settings,
            loaded.codebook,
            store,
            to=to or settings.promote.to,
            watcher=watcher,
        )
    for gate in promotion.gates:
        console.say(f"{gate.name}: {gate.said}")
    version = promotion.version
    console.say(
        f"{promotion.model_id} is the champion, version {version.version} of '{version.name}', "
        f"written to {promotion.folder}; {promotion.parity.flipped:.2%} of decisions on "
        f"{promotion.parity.sentences:,} held-out sentences differ from the trained model's."
    )


def rollback(
    to: Target = None,
    config: Settings = DEFAULT_CONFIG,
    tracking_uri: TrackingUri = None,
) -> None:
    """Ship the champion before this one again; the present one becomes the challenger."""
    from pipeline.cli.prepare import read_settings
    from pipeline.tracking import open_store
    from pipeline.workflows.promote import roll_back

    loaded = read_settings(config, tracking_uri)
    settings = loaded.settings
    store = open_store(settings.tracking.uri)
    with console.watcher() as watcher:
        done = roll_back(
            settings, loaded.codebook, store, to=to or settings.promote.to, watcher=watcher
        )
    console.say(
        f"{done.model_id}, version {done.version.version} of '{done.version.name}', is the "
        f"champion again and written to {done.folder}; version {done.left.version} is the "
        "challenger."
    )
