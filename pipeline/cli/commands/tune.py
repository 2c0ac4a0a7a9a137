"""`stance tune`: search settings of a model, and measure what the search is worth."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CONFIG, Settings, TrackingUri
from pipeline.errors import SettingsError, near_matches

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_of(duration: str) -> float:
    """Return the seconds of a duration such as 45s, 30m or 1h30m.

    Raises:
        SettingsError: it is none, or it is nothing.
    """
    found = _DURATION.fullmatch(duration)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise SettingsError(
            [f"--budget is '{duration}', expected a duration such as 45s, 30m or 1h30m"],
            where="options",
        )
    return float(total)


def tune(
    model: Annotated[str, typer.Argument(help="Model of the settings to search settings for.")],
    config: Settings = DEFAULT_CONFIG,
    budget: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Time for all of it, such as 45s, 30m or 1h30m."),
    ] = "30m",
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="At most so many trials a search (one for each outer fold, and the last one); "
            "with time enough for all of them the result is reproducible.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the last search: one broken off, or with more trials."
        ),
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away a search that was broken off.")
    ] = False,
    tracking_uri: TrackingUri = None,
) -> None:
    """Search better settings for a model, and measure with nested folds what that is worth.

    What is searched stands in the section 'tune' of the settings. Nothing but the corpus is read;
    each trial is an MLflow run below the run of the search.
    """
    from pipeline.cli.prepare import read_settings
    from pipeline.inference import Unfinished

    loaded = read_settings(config, tracking_uri)
    settings = loaded.settings
    mistakes = []
    if model not in settings.models:
        mistakes.append(f"no model '{model}'.{near_matches(model, settings.models)}")
    if resume and restart:
        mistakes.append("give --resume or --restart, not both")
    if mistakes:
        raise SettingsError(mistakes, where=str(config))
    seconds = seconds_of(budget)
    from pipeline.tracking import open_store
    from pipeline.workflows.preflight import preflight
    from pipeline.workflows.tune import Limits, tune_model
    from pipeline.workflows.tuning_report import METHOD, fold_table, score_table

    preflight(settings, loaded.codebook, models=[model], where=str(config))
    store = open_store(settings.tracking.uri)
    going_on = Unfinished.RESUME if resume else Unfinished.REFUSE
    with console.watcher() as watcher:
        found = tune_model(
            model,
            settings,
            loaded.codebook,
            store,
            limits=Limits(seconds, trials),
            unfinished=Unfinished.RESTART if restart else going_on,
            config=loaded.text,
            watcher=watcher,
        )
    for header, *rows in (score_table(found), fold_table(found)):
        console.table(header, rows)
    console.say(METHOD)
    console.say(f"{found.trials} trials, run {found.run_id[:8]}; settings to paste:")
    console.out(found.fragment.rstrip())
