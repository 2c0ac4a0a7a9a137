"""`stance evaluate`: score a model on labelled statements, and look at where it fails."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import BundleFolder, CalibrateOn, MaxRisk, Replicates, Seed
from pipeline.errors import CheckFailed, SettingsError

if TYPE_CHECKING:
    from pipeline.settings.experiment import BehaviourSettings


def evaluate(
    data: Annotated[Path, typer.Argument(help="Labelled file (.jsonl) to score the model on.")],
    model: BundleFolder = None,
    replicates: Replicates = 1000,
    seed: Seed = 13,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write all scores here as JSON.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.html",
            help="Write a page here: scores by slice of the data, calibration, risk against "
            "coverage, and the errors with the words that weighed most.",
        ),
    ] = None,
    max_risk: MaxRisk = None,
    calibrate_on: CalibrateOn = None,
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
    """Score a model on labelled statements, with 95 % intervals from a bootstrap over documents.

    --max-risk reports what abstention at that risk does here: risk, the share of sentences with a
    wrong decision, averaged over documents, and coverage. Without --calibrate-on it is chosen for
    each document on all the others.
    """
    if calibrate_on is not None and max_risk is None:
        raise SettingsError(["--calibrate-on serves --max-risk; add it"], where="options")
    from pipeline.ingest.inputs import refuse_outputs

    refuse_outputs([data, calibrate_on, behaviour], [out, page])
    wanted = None if behaviour is None else behaviour_settings(behaviour)
    if strict and wanted is None:
        raise SettingsError(["--strict judges behaviour tests; add --behaviour"], where="options")
    from pipeline.bundle import load_bundle
    from pipeline.cli.prepare import bundle_folder
    from pipeline.evaluation.behaviour import behaviour_json, behaviour_table
    from pipeline.evaluation.report import label_table, task_table, to_json
    from pipeline.output import json_text, write_text
    from pipeline.workflows.abstention import abstention_table
    from pipeline.workflows.evaluate import Further, evaluate_file

    bundle = load_bundle(bundle_folder(model))
    further = Further(wanted, page, max_risk, calibrate_on)
    with console.watcher() as watcher:
        done = evaluate_file(
            bundle, data, replicates=replicates, seed=seed, watcher=watcher, further=further
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
    if done.abstention:
        header, *rows = abstention_table(done.abstention)
        console.table(header, rows, title=f"Abstention at an expected risk of at most {max_risk:g}")
    if done.slices is not None:
        differing = len(done.slices.differing)
        console.say(
            f"{differing} of {sum(one.judged for one in done.slices.slices)} slices differ from "
            f"the rest beyond chance; they and the errors are in {page}."
        )
    if out is not None:
        scores = to_json(report)
        if done.abstention:
            scores["abstention"] = [asdict(one) for one in done.abstention]
        if done.slices is not None:
            scores["slices"] = [asdict(one) for one in done.slices.slices]
        if wanted is not None:
            scores["behaviour"] = behaviour_json(tested)
        write_text(out, json_text(scores))
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
