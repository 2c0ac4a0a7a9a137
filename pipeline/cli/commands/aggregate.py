"""`stance aggregate`: who holds what toward whom, as tables and as a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import ActorFiles
from pipeline.settings.aggregation import Period, TableFormat


def aggregate(
    attributions: Annotated[
        list[Path],
        typer.Argument(help="What 'attribute' wrote (.jsonl, .csv or .parquet)."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables.")],
    by: Annotated[
        Period, typer.Option(help="Length of the periods in the table of actors.")
    ] = Period.MONTH,
    actors: ActorFiles = None,
    tables: Annotated[
        TableFormat, typer.Option("--format", help="Format of the tables.")
    ] = TableFormat.CSV,
) -> None:
    """Sum up attributed labels: by statement, by actor and time, as a network, as changes.

    Counts and shares are of predictions and not corrected for their errors.
    """
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.aggregate import OUTPUTS, remarks
    from pipeline.workflows.aggregate import aggregate as run

    refuse_outputs([*attributions, *(actors or ())], [out / name for name in OUTPUTS])
    done = run(attributions, out=out, by=by, actors=actors or (), tables=tables)
    console.say(
        f"{out}: {done.used:,} labels of {done.statements:,} statements: {done.stances:,} rows of "
        f"statements, {done.edges:,} edges."
    )
    console.rejected(done.rejects.counts, done.rejects_file)
    for remark in remarks(done):
        console.say(remark)
