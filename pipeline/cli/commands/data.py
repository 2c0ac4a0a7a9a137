"""`stance data`: look after labelled data."""

from __future__ import annotations

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CONFIG, Settings
from pipeline.errors import CheckFailed

app = typer.Typer(help="Look after labelled data.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `check` a sub-command although it is the only one."""


@app.command("check")
def check(config: Settings = DEFAULT_CONFIG) -> None:
    """Validate corpus and gold labels against the codebook and count what they hold."""
    from pipeline.codebook import load_codebook
    from pipeline.settings.experiment import load_settings
    from pipeline.workflows.check_data import check_data

    settings = load_settings(config)
    codebook = load_codebook(settings.codebook)
    result = check_data(settings.data, codebook)
    for name, parts in result.counts:
        header = (name, "documents", "sentences", *codebook.column_names)
        rows = [
            (c.part, f"{c.documents:,}", f"{c.sentences:,}", *(f"{n:,}" for n in c.labels.values()))
            for c in parts
        ]
        console.table([column.replace(".", " ") for column in header], rows)
    if result.findings:
        for finding in result.findings:
            console.say(str(finding))
        raise CheckFailed(f"{len(result.findings)} finding(s) in {len(result.files)} files.")
    console.say(f"No findings in {', '.join(map(str, result.files))}.")
