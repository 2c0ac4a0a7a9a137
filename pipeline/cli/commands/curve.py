"""`stance curve`: whether more labels would help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import (
    DEFAULT_CODEBOOK,
    ClassifierName,
    CodebookFile,
    ModelSettings,
    Seed,
    TrackingUri,
)
from pipeline.errors import SettingsError


def curve(
    files: Annotated[
        list[Path], typer.Argument(help="Labelled documents (.jsonl).", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write all points here (.csv or .html).")
    ] = None,
    repeats: Annotated[int, typer.Option(min=2, help="Orders of the documents.")] = 5,
    seed: Seed = 13,
    classifier: ClassifierName = None,
    config: ModelSettings = None,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
    tracking_uri: TrackingUri = None,
    experiment: Annotated[
        str | None,
        typer.Option(help="Log the curve as a run of this MLflow experiment."),
    ] = None,
) -> None:
    """Show how scores grow with the number of labelled documents, and what more would bring.

    A fifth of the documents is held out. On all others, half of them, a quarter and so on a
    classifier is trained; an inverse power law is fitted and followed to four times as many.
    """
    from pipeline.cli.prepare import classifier_settings, codebook_file, require_ending
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.reporting.learning_curve import shown
    from pipeline.tracking import open_store
    from pipeline.workflows.learning_curve import learning_curve, track_curves, write_curves

    if out is not None:
        require_ending(out, "curves are written as CSV or HTML", ".csv", ".html")
    if tracking_uri is not None and experiment is None:
        raise SettingsError(["--tracking-uri needs --experiment NAME"], where="options")
    names = codebook_file(codebook)
    refuse_outputs([*files, config, names], [out])
    wanted = classifier_settings(config, classifier)
    store = None if experiment is None else open_store(tracking_uri)
    with console.watcher() as watcher:
        done = learning_curve(
            files,
            load_codebook(names),
            wanted,
            repeats=repeats,
            seed=seed,
            watcher=watcher,
        )
    if out is not None:
        write_curves(done, out)
        console.say(f"{out} written.")
    facts = done.facts
    points = max((c.points for c in done.curves), key=len)
    header = ["", *(f"{p.documents:,}{' *' if p.extrapolated else ''}" for p in points)]
    rows = [[c.score.rpartition(".")[0], *map(shown, c.points)] for c in done.curves]
    rows = [[*row, *["-"] * (len(header) - len(row))] for row in rows]
    console.table(header, rows, title=f"Scores by number of labelled documents ({wanted.kind})")
    console.say(
        f"Tested on {facts.test_documents:,} other documents; means of {facts.repeats} orders with "
        "95 % intervals; average precision of multilabel tasks, F1 of the others. * extrapolated "
        "by an inverse power law, which may not hold that far."
    )
    if not any(point.extrapolated for c in done.curves for point in c.points):
        console.say("Nothing is extrapolated: that needs four sizes at which a score is defined.")
    if store is not None and experiment is not None:
        run_id = track_curves(done, store, experiment)
        console.say(f"Run {run_id} in the experiment '{experiment}'.")
