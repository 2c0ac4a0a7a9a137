"""`stance report`: predictions as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import ActorFiles, BundleFolder


def report(
    predictions: Annotated[
        Path, typer.Argument(help="What 'classify' wrote as JSON lines (.jsonl).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Stances in the statements",
    model: BundleFolder = None,
    attributions: Annotated[
        Path | None,
        typer.Option(
            help="What 'attribute' wrote of these predictions (.jsonl, .csv or .parquet)."
        ),
    ] = None,
    actors: ActorFiles = None,
) -> None:
    """Write a self-contained HTML report: statements, who says what, and the evidence.

    With --attributions it is a dossier: who takes which position toward whom, by holder.
    """
    from pipeline.cli.prepare import bundle_folder, require_ending
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.record_files import rejects_path
    from pipeline.workflows.report import report as run

    read = [predictions, rejects_path(predictions), attributions, *(actors or ())]
    refuse_outputs(read, [out])
    require_ending(out, "the report is HTML", ".html")
    summary = run(
        predictions,
        model=bundle_folder(model),
        out=out,
        title=title,
        attributions=attributions,
        actors=actors or (),
    )
    found = f"{summary.findings:,} findings in " if attributions else ""
    if summary.unattributed:
        console.say(
            f"{summary.unattributed:,} labels have no attribution that could be read and are in no "
            "count of the dossier; their rows are listed there."
        )
    console.say(
        f"{out}: {found}{summary.sentences:,} sentences of {summary.statements:,} statements"
        + (f", {summary.rejected:,} records set aside" if summary.rejected else "")
        + (f", in {summary.files - 1:,} files beside this index." if summary.files > 1 else ".")
    )
