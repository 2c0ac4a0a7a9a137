"""`stance data`: look after labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CODEBOOK, DEFAULT_CONFIG, CodebookFile, Settings
from pipeline.errors import CheckFailed

app = typer.Typer(help="Look after labelled data.", no_args_is_help=True)


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
    if result.without_holder:
        console.say(
            f"{result.without_holder:,} labels do not say who holds them: classifiers learn from "
            "them, the model of holders and targets does not."
        )
    if result.findings:
        for finding in result.findings:
            console.say(str(finding))
        raise CheckFailed(f"{len(result.findings)} finding(s) in {len(result.files)} files.")
    console.say(f"No findings in {', '.join(map(str, result.files))}.")


@app.command("correct")
def correct(
    files: Annotated[
        list[Path],
        typer.Argument(help="Labelled documents (.jsonl); they are changed.", show_default=False),
    ],
    patch: Annotated[
        Path,
        typer.Option(
            help="Corrections, one a line (.jsonl): doc_id, sentence (from 0), task, old, new, "
            "reason. Keep it as the record."
        ),
    ],
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Put reviewed corrections of labels into labelled files.

    All or nothing: exit code 6, and no change, where a sentence has neither the old nor the new
    value. Doing it twice changes nothing.
    """
    from pipeline.cli.prepare import codebook_file
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.correct import correct_files

    names = codebook_file(codebook)
    refuse_outputs([patch, names], files)
    done = correct_files(files, patch, load_codebook(names))
    console.say(f"{patch}: {done.applied:,} applied, {done.already:,} were there already.")
