"""`stance attribute`: who holds each label, and toward whom."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import (
    ActorFiles,
    AttributionFolder,
    AttributionMethod,
    BundleFolder,
    Method,
)


def attribute(
    predictions: Annotated[
        Path, typer.Argument(help="What 'classify' wrote (.jsonl, .csv or .parquet).")
    ],
    out: Annotated[
        str,
        typer.Option("--out", "-o", help="File to write: .jsonl, .csv or .parquet; '-' is stdout."),
    ] = "-",
    model: BundleFolder = None,
    method: AttributionMethod = Method.BOTH,
    attribution_model: AttributionFolder = None,
    actors: ActorFiles = None,
) -> None:
    """Find holder and target of every label given: one row a label, with its evidence.

    --model names the model that made the predictions; its codebook says which labels have holders.
    """
    from pipeline.actors import load_linker
    from pipeline.bundle.folder import read_facts
    from pipeline.cli.prepare import attributor_of, bundle_folder
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.attribute import attribute as run

    refuse_outputs([predictions, *(actors or ())], [None if out == "-" else Path(out)])
    _, codebook = read_facts(bundle_folder(model))
    with console.watcher() as watcher:
        summary = run(
            predictions,
            codebook,
            attributor_of(method, attribution_model),
            load_linker(actors or ()),
            out=out,
            stdout=sys.stdout.buffer,
            watcher=watcher,
        )
    console.say(
        f"{summary.labels:,} labels in {summary.sentences:,} sentences: {summary.speaker:,} held "
        f"by the speaker, {summary.targets:,} with a target; {summary.linked:,} holders are known "
        f"actors ({summary.seconds:.1f} s)."
    )
