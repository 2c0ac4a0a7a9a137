"""`stance ui`: runs beside each other in a browser."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import TrackingUri


def ui(
    experiment: Annotated[
        str | None,
        typer.Option(help="Experiment whose runs to compare; default: the one used last."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    tracking_uri: TrackingUri = None,
) -> None:
    """Open the MLflow UI on the store, to compare runs in a browser."""
    from pipeline.tracking import open_store, serve_ui
    from pipeline.tracking.ui import ui_address

    store = open_store(tracking_uri)
    # From here on Ctrl-C is the way to end the server, not an interruption of work.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    console.say(f"Store: {store.shown}")
    console.say(f"Compare runs: {ui_address(store, experiment, host=host, port=port)}")
    console.say("Ctrl-C ends it.")
    serve_ui(store, host=host, port=port)
