"""`stance serve`: label statements for other programs, over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import BundleFolder


def serve(
    model: BundleFolder = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is of this machine only.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    abstain_within: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.5,
            help="Make no decision where the probability is this near to the threshold.",
        ),
    ] = 0.0,
    max_body: Annotated[
        int, typer.Option(min=1, help="Largest body of a request, in bytes.")
    ] = 2_000_000,
    max_characters: Annotated[
        int, typer.Option(min=1, help="Largest number of characters in a request.")
    ] = 200_000,
    max_sentences: Annotated[
        int, typer.Option(min=1, help="Largest number of sentences in a request.")
    ] = 1_000,
    max_seconds: Annotated[
        float, typer.Option(min=0.1, max=3600.0, help="Longest time of a request, in seconds.")
    ] = 30.0,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Sentences that may wait; beyond, requests get status 429.")
    ] = 4_000,
) -> None:
    """Serve the model over HTTP: POST text or sentences to /v1/classify, get labels.

    /docs describes the interface. There is no authentication and no encryption: whoever reaches the
    port can use it, so leave it on this machine, or behind a server that guards it. Ctrl-C or a
    SIGTERM ends it once the requests under way are answered.
    """
    from dataclasses import replace
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    from pipeline.bundle import load_bundle
    from pipeline.cli.prepare import bundle_folder
    from pipeline.service import ServiceLimits
    from pipeline.service import serve as run

    limits = ServiceLimits(
        body_bytes=max_body,
        characters=max_characters,
        sentences=max_sentences,
        seconds=max_seconds,
        queue=max_queue,
    ).checked()
    bundle = load_bundle(bundle_folder(model))
    bundle = replace(bundle, rule=replace(bundle.rule, abstain_within=abstain_within))

    def started(address: str) -> None:
        reached = urlsplit(address).hostname or host
        if not ip_address(reached).is_loopback:
            console.say(
                f"warning: {reached} can be reached from other machines, and there is no "
                "authentication: whoever reaches the port can use it."
            )
        console.say(f"{bundle.model_id} on {address} (the interface: {address}/docs)")
        console.say(f"Ctrl-C ends it, within {limits.grace} s.")

    run(bundle, limits, host=host, port=port, log=console.say, on_started=started)
    console.say("Ended.")
