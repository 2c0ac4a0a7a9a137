"""`stance train`: fit classifiers and log what they are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CONFIG, ExternalFiles, Settings, TrackingUri
from pipeline.errors import SettingsError, near_matches
from pipeline.settings.weak import Labels, WeakTargets


def train(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Models of the settings to train; default: all.", show_default=False),
    ] = None,
    config: Settings = DEFAULT_CONFIG,
    external: ExternalFiles = None,
    labels: Annotated[
        Labels | None,
        typer.Option(help="What to learn from; default: data.labels in the settings."),
    ] = None,
    weak: Annotated[
        list[Path] | None,
        typer.Option(help="File that 'stance label' wrote; default: data.weak. Repeatable."),
    ] = None,
    weak_targets: Annotated[
        WeakTargets | None,
        typer.Option(help="What is learned of these files; default: data.weak_targets."),
    ] = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train classifiers, report on held-out documents and gold labels, log all to MLflow."""
    from pipeline.cli.prepare import read_settings

    loaded = read_settings(
        config,
        tracking_uri,
        external=external or [],
        labels=labels,
        weak=weak or [],
        weak_targets=weak_targets,
    )
    settings = loaded.settings
    unknown = [name for name in models or [] if name not in settings.models]
    if unknown:
        mistakes = [f"no model '{n}'.{near_matches(n, settings.models)}" for n in unknown]
        raise SettingsError(mistakes, where=str(config))
    from pipeline.evaluation.score_text import score_text
    from pipeline.tracking import open_store
    from pipeline.workflows.preflight import preflight
    from pipeline.workflows.train import follow_training, several_processes, train_model

    preflight(settings, loaded.codebook, models=models or None, where=str(config))
    rows = []
    with several_processes() as leads:
        if not leads:
            for name in models or settings.models:
                follow_training(name, settings, loaded.codebook)
            return
        store = open_store(settings.tracking.uri)
        for name in models or settings.models:
            with console.watcher() as watcher:
                trained = train_model(
                    name, settings, loaded.codebook, store, config=loaded.text, watcher=watcher
                )
            for data, scores in trained.scores.items():
                shown = [score_text(scores[f"{task}.macro_f1"]) for task in loaded.codebook.tasks]
                rows.append((name, trained.run_id[:8], data, *shown))
    header = ("model", "run", "data", *(f"{task} macro-F1" for task in loaded.codebook.tasks))
    console.table(header, rows)
