"""`stance compare`: whether models differ, or only seem to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CONFIG, Settings, TrackingUri

_EXAMPLES = 2
"""Sentences of each kind that a terminal has room for."""


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Runs (id, start of it, or name), folders of models, or 'champion'. Without "
            "--against all are compared with the first.",
            show_default=False,
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Compare with this: 'champion', a run, or a folder."),
    ] = None,
    on: Annotated[
        Path | None,
        typer.Option(
            help="Labelled statements (.jsonl) to compare on; default: the documents that all runs "
            "held out, else the gold labels.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write a page (HTML) with plots and examples here."),
    ] = None,
    config: Settings = DEFAULT_CONFIG,
    tracking_uri: TrackingUri = None,
) -> None:
    """Compare models on the same documents: differences, intervals, corrected p-values, examples.

    Sentences that a model has learned from are left out. The comparison is logged to MLflow.
    """
    from pipeline.cli.prepare import read_settings
    from pipeline.evaluation.comparison_table import comparison_table
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.output import require_file_name, write_text
    from pipeline.tracking import open_store
    from pipeline.workflows.compare import compare_models

    if out is not None:
        require_file_name(out)
    refuse_outputs([on, config], [out])
    loaded = read_settings(config, tracking_uri)
    store = open_store(loaded.settings.tracking.uri)
    with console.watcher() as watcher:
        done = compare_models(
            models,
            loaded.settings,
            loaded.codebook,
            store,
            against=against,
            on=on,
            watcher=watcher,
        )
    view = done.view
    for name, text in view.facts:
        console.say(f"{name}: {text}")
    for caution in view.cautions:
        console.say(f"caution: {caution}")
    for pair in view.pairs:
        # Named by their part here, so that ten columns fit on a terminal.
        header, *rows = comparison_table(pair.scores, "first", "second")
        console.table(header, rows, title=f"{pair.first} (first) against {pair.second} (second)")
        console.out(pair.verdict)
        for task in pair.examples:
            for winner, total, examples in (
                (pair.first, task.won, task.wins),
                (pair.second, task.lost, task.losses),
            ):
                console.out(f"{task.task}: only {winner} is right in {total:,} sentences")
                for one in examples[:_EXAMPLES]:
                    console.out(f"  {one.text}")
                    console.out(f"    right: {one.gold}; first: {one.first}; second: {one.second}")
        console.out("")
    console.say(
        f"Intervals: bootstrap over documents. p: {dict(view.method)['p']} p (Holm): "
        f"{dict(view.method)['p (Holm)']}"
    )
    console.say(f"Logged as run {done.run_id} ('{view.title}').")
    if out is not None:
        write_text(out, done.page)
        console.say(f"Page: {out}")
