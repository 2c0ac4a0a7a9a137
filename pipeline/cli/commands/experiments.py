"""`stance train`, `evaluate`, `promote` and `ui`: experiments and what becomes of them."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    BundleFolder,
    Settings,
    TrackingUri,
)
from pipeline.errors import CheckFailed, SettingsError, near_matches
from pipeline.records import Score

if TYPE_CHECKING:
    from pipeline.settings.experiment import BehaviourSettings


def interval(score: Score) -> str:
    """Return a score with its 95 % interval."""
    if score.low is None or score.high is None:
        return f"{score.value:.3f}"
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def train(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Models of the settings to train; default: all.", show_default=False),
    ] = None,
    config: Settings = DEFAULT_CONFIG,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option("--eval", help="A labelled file to report on as well; repeatable."),
    ] = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train classifiers, report on held-out documents and gold labels, log all to MLflow."""
    from pipeline.cli.prepare import read_settings

    loaded = read_settings(config, tracking_uri, external=evaluation or [])
    settings = loaded.settings
    unknown = [name for name in models or [] if name not in settings.models]
    if unknown:
        mistakes = [f"no model '{n}'.{near_matches(n, settings.models)}" for n in unknown]
        raise SettingsError(mistakes, where=str(config))
    from pipeline.tracking import open_store
    from pipeline.workflows.preflight import preflight
    from pipeline.workflows.train import train_model

    preflight(settings, loaded.codebook, where=str(config))
    store = open_store(settings.tracking.uri)
    rows = []
    for name in models or settings.models:
        with console.watcher() as watcher:
            trained = train_model(
                name, settings, loaded.codebook, store, config=loaded.text, watcher=watcher
            )
        for data, scores in trained.scores.items():
            shown = [interval(scores[f"{task}.macro_f1"]) for task in loaded.codebook.tasks]
            rows.append((name, trained.run_id[:8], data, *shown))
    header = ("model", "run", "data", *(f"{task} macro-F1" for task in loaded.codebook.tasks))
    console.table(header, rows)


def evaluate(
    data: Annotated[Path, typer.Argument(help="Labelled file (.jsonl) to score the model on.")],
    model: BundleFolder = None,
    replicates: Annotated[int, typer.Option(min=100, help="Bootstrap replicates.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 13,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write all scores here as JSON.")
    ] = None,
    behaviour: Annotated[
        Path | None,
        typer.Option(
            "--behaviour",
            metavar="CONFIG",
            help="Run the behaviour tests of these settings as well (section 'behaviour').",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with code 6 where a behaviour test fails.")
    ] = False,
) -> None:
    """Score a model on labelled statements, with 95 % intervals from a bootstrap over documents."""
    wanted = None if behaviour is None else behaviour_settings(behaviour)
    if strict and wanted is None:
        raise SettingsError(["--strict judges behaviour tests; add --behaviour"], where="options")
    from pipeline.bundle import load_bundle
    from pipeline.cli.prepare import bundle_folder
    from pipeline.evaluation.behaviour import behaviour_json, behaviour_table
    from pipeline.evaluation.report import label_table, task_table, to_json
    from pipeline.output import write_text
    from pipeline.workflows.evaluate import evaluate_file

    bundle = load_bundle(bundle_folder(model))
    with console.watcher() as watcher:
        done = evaluate_file(
            bundle, data, replicates=replicates, seed=seed, watcher=watcher, behaviour=wanted
        )
    report, aside, tested = done.report, done.set_aside, done.behaviour
    console.say(
        f"{bundle.model_id} on {data}: {report.sentences:,} sentences of {report.documents:,} "
        "documents; 95 % intervals by bootstrap over documents"
    )
    for header, *rows in (task_table(report), label_table(report)):
        console.table(header, rows)
    if wanted is not None:
        header, *rows = behaviour_table(tested)
        console.table(header, rows, title="Behaviour tests")
    if out is not None:
        scores = to_json(report)
        if wanted is not None:
            scores["behaviour"] = behaviour_json(tested)
        write_text(out, json.dumps(scores, indent=1) + "\n")
    judged = [result for result in tested if result.judged]
    failed = [result.name for result in judged if not result.passed]
    if strict and failed:
        raise CheckFailed(
            f"{len(failed)} of {len(judged)} behaviour tests failed: {', '.join(failed)}."
        )
    if aside:
        raise CheckFailed(
            f"{aside} of {aside + report.documents} documents of {data} were set aside (listed "
            "above); the scores rest on the others. Mend or remove them."
        )


def behaviour_settings(config: Path) -> BehaviourSettings:
    """Return the section 'behaviour' of the settings.

    Raises:
        InputError: the file cannot be read.
        SettingsError: all mistakes of the file at once, or it has no such section.
    """
    from pipeline.settings.experiment import load_settings

    found = load_settings(config).behaviour
    if found is None:
        raise SettingsError(
            ["no section 'behaviour'; configs/default.yaml shows one"], where=str(config)
        )
    return found


def promote(
    run: Annotated[str, typer.Argument(help="Run to ship: its id, the start of it, or its name.")],
    to: Annotated[
        Path | None, typer.Option(help="Folder to write; default: promote.to in the settings.")
    ] = None,
    config: Settings = DEFAULT_CONFIG,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option("--eval", help="A labelled file whose scores the card shall name as well."),
    ] = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Export the model of a run (int8), check it against the trained one, and ship it."""
    from pipeline.cli.prepare import read_settings
    from pipeline.tracking import find_run, open_store
    from pipeline.workflows.promote import promote as ship

    loaded = read_settings(config, tracking_uri, external=evaluation or [])
    settings = loaded.settings
    target = to or settings.promote.to
    store = open_store(settings.tracking.uri)
    found = find_run(store, run, experiment=settings.tracking.experiment)
    with console.watcher() as watcher:
        promotion = ship(found.run_id, settings, loaded.codebook, store, to=target, watcher=watcher)
    console.say(
        f"{promotion.model_id} written to {promotion.folder}; against the trained model "
        f"{promotion.parity.flipped:.2%} of decisions on {promotion.parity.sentences:,} held-out "
        "sentences differ."
    )


def ui(
    experiment: Annotated[
        str | None,
        typer.Option(help="Experiment whose runs to compare; default: the one used last."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    tracking_uri: TrackingUri = None,
) -> None:
    """Open the MLflow UI on the store, to compare runs in a browser."""
    from pipeline.tracking import open_store, serve_ui
    from pipeline.tracking.ui import ui_address

    store = open_store(tracking_uri)
    # From here on Ctrl-C is the way to end the server, not an interruption of work.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    console.say(f"Store: {store.shown}")
    console.say(f"Compare runs: {ui_address(store, experiment, host=host, port=port)}")
    console.say("Ctrl-C ends it.")
    serve_ui(store, host=host, port=port)
