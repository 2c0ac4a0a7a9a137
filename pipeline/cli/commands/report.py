"""`stance report`: predictions as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import BundleFolder
from pipeline.errors import SettingsError


def report(
    predictions: Annotated[
        Path, typer.Argument(help="What 'classify' wrote as JSON lines (.jsonl).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Stances in the statements",
    model: BundleFolder = None,
) -> None:
    """Write one self-contained HTML report: statements, who says what, and the evidence."""
    from pipeline.cli.prepare import bundle_folder
    from pipeline.ingest.inputs import refuse_output
    from pipeline.workflows.record_files import rejects_path
    from pipeline.workflows.report import report as run

    for read in (predictions, rejects_path(predictions)):
        refuse_output(read, [out])
    if out.suffix.lower() not in (".html", ".htm"):
        raise SettingsError([f"'{out}': the report is HTML; give a name in .html"], where="options")
    summary = run(predictions, model=bundle_folder(model), out=out, title=title)
    console.say(
        f"{out}: {summary.sentences:,} sentences of {summary.statements:,} statements"
        + (f", {summary.rejected:,} records set aside." if summary.rejected else ".")
    )
