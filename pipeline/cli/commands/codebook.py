"""`stance codebook`: show and check a codebook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CODEBOOK, CodebookFile
from pipeline.errors import SettingsError

app = typer.Typer(help="Show or check a codebook.", no_args_is_help=True)


@app.command("show")
def show(codebook: CodebookFile = DEFAULT_CODEBOOK) -> None:
    """Print tasks and labels with their definitions, what counts and what does not."""
    from pipeline.cli.prepare import codebook_file
    from pipeline.codebook import load_codebook
    from pipeline.codebook.text import as_text

    console.out(as_text(load_codebook(codebook_file(codebook))))


@app.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(help="Codebook (YAML), as --codebook.", show_default=False)
    ] = None,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Validate a codebook; every mistake is reported with its line."""
    from pipeline.cli.prepare import codebook_file
    from pipeline.codebook import load_codebook

    if file is not None and codebook not in (DEFAULT_CODEBOOK, file):
        mistake = f"got '{file}' and --codebook '{codebook}'; name one codebook"
        raise SettingsError([mistake], where="options")
    path = codebook_file(file or codebook)
    book = load_codebook(path)
    rules = sum(len(label.rules) for task in book.tasks.values() for label in task.labels.values())
    labels = ", ".join(f"{len(task.labels)} {name}" for name, task in book.tasks.items())
    console.say(f"{path}: {book.name} {book.version} is valid: {labels} labels, {rules} rules.")
