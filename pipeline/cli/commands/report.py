"""`stance report`: predictions as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import BundleFolder


def report(
    predictions: Annotated[
        Path, typer.Argument(help="What 'classify' wrote as JSON lines (.jsonl).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Stances in the statements",
    model: BundleFolder = None,
) -> None:
    """Write one self-contained HTML report: statements, who holds what, and the evidence."""
    from pipeline.cli.prepare import bundle_folder
    from pipeline.workflows.report import report as run

    summary = run(predictions, model=bundle_folder(model), out=out, title=title)
    console.say(
        f"{out}: {summary.sentences:,} sentences of {summary.statements:,} statements"
        + (f", {summary.rejected:,} records set aside." if summary.rejected else ".")
    )
