"""`stance reproduce`: whether a run can be had again."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CONFIG, Settings, TrackingUri
from pipeline.errors import CheckFailed


def reproduce(
    run: Annotated[
        str, typer.Argument(help="Run to repeat: its id, the start of it, or its name.")
    ],
    within: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Difference in macro-F1 on the held-out documents that is allowed; default: none, "
            "but 0.02 for fine-tuned networks.",
        ),
    ] = None,
    config: Settings = DEFAULT_CONFIG,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train a run once more from what it recorded, and report the difference of every figure.

    Settings, data and seeds are those of the run; --config only says where the run is found. Ends
    with 3 where data are not as the run read them, with 6 where the result differs too much.
    """
    from pipeline.cli.prepare import read_settings
    from pipeline.tracking import find_run, open_store
    from pipeline.tracking.naming import BOUNDS, is_headline
    from pipeline.workflows.reproduce import reproduce as repeat

    settings = read_settings(config, tracking_uri).settings
    store = open_store(settings.tracking.uri)
    found = find_run(store, run, experiment=settings.tracking.experiment)
    with console.watcher() as watcher:
        done = repeat(found, store, within=within, watcher=watcher)
    rows = [
        (one.name, _shown(one.recorded), _shown(one.again), f"{one.difference:+.4f}")
        for one in done.figures
        if one.differs or (is_headline(one.name) and not one.name.endswith(BOUNDS))
    ]
    console.table(("figure", "recorded", "again", "difference"), rows)
    for name, difference in done.probabilities.items():
        console.say(f"{name}: largest difference of a probability {difference:.3g}")
    console.say(f"Logged as run {done.run_id}, with every figure in reproduction.json.")
    if not done.passed:
        raise CheckFailed(
            f"Run {found.run_id} is not reproduced: {done.verdict}."
            + "".join(f"\n  {warning}" for warning in done.warnings)
        )
    console.out(done.verdict)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
