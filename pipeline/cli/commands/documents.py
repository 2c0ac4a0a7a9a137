"""`stance ingest` and `stance segment`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import Column, Date, Genre, Inputs, MaxBytes, Speaker, StdinFormat


def ingest(
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", help="Statements file to write (.jsonl).")],
    column: Column = None,
    max_bytes: MaxBytes = None,
    speaker: Speaker = None,
    date: Date = None,
    genre: Genre = None,
    stdin_format: StdinFormat = None,
) -> None:
    """Read documents into statements; what cannot be used goes to <OUT>.rejects.jsonl."""
    from pipeline.cli.prepare import ingest_settings
    from pipeline.workflows.documents import ingest as run

    settings = ingest_settings(
        column=column,
        max_bytes=max_bytes,
        speaker=speaker,
        date=date,
        genre=genre,
        stdin_format=stdin_format,
    )
    with console.watcher() as watcher:
        summary = run(inputs, settings, out=out, stdin=sys.stdin.buffer, watcher=watcher)
    encodings = ", ".join(f"{n} {name}" for name, n in summary.encodings.items())
    console.say(f"{summary.statements:,} statements written to {out} ({encodings or 'no text'}).")
    if summary.mojibake:
        console.say(f"Garbled encoding mended in {summary.mojibake:,} of them.")
    console.rejected(summary.rejected, summary.rejects_file)


def segment(
    statements: Annotated[Path, typer.Argument(help="Statements file that 'ingest' wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Sentences file to write (.jsonl).")],
) -> None:
    """Cut statements into sentences with exact offsets."""
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.documents import segment_file

    refuse_outputs([statements], [out])
    with console.watcher() as watcher:
        summary = segment_file(statements, out=out, watcher=watcher)
    console.say(
        f"{summary.sentences:,} sentences of {summary.statements:,} statements written to {out}."
    )
