"""`stance classify`: label the sentences of new statements."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.classifiers.placement import Device
from pipeline.cli import console
from pipeline.cli.options import (
    BundleFolder,
    CalibrateOn,
    Column,
    ComputeDevice,
    Date,
    Genre,
    Inputs,
    MaxBytes,
    MaxRisk,
    Speaker,
    StdinFormat,
)
from pipeline.errors import SettingsError


class Engine(StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


class Unit(StrEnum):
    """What a unit of the input is."""

    DOCUMENT = "document"
    SENTENCE = "sentence"


def classify(
    inputs: Inputs,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            help="File to write: .jsonl, .csv or .parquet; '-' is standard output. With --engine "
            "ray a folder of Parquet files.",
        ),
    ] = "-",
    raw_cells: Annotated[
        bool,
        typer.Option(
            "--raw-cells",
            help="Write CSV for programs: without a byte order mark, and without the apostrophe "
            "before cells that a spreadsheet would run as a formula. Do not open such a file in a "
            "spreadsheet; where 'stance' reads it, a text that itself begins with such an "
            "apostrophe loses it.",
        ),
    ] = False,
    model: BundleFolder = None,
    device: ComputeDevice = Device.AUTO,
    unit: Annotated[
        Unit,
        typer.Option(
            help="'document': read documents and cut them into sentences. 'sentence': every row of "
            "the one input (.csv, .tsv, .jsonl, .parquet) is a sentence and gives exactly one row."
        ),
    ] = Unit.DOCUMENT,
    codebook: Annotated[
        Path | None,
        typer.Option(help="Refuse a model that was not trained for the labels of this codebook."),
    ] = None,
    abstain_within: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.5,
            help="Make no decision where the probability is this near to the threshold.",
        ),
    ] = 0.0,
    max_risk: MaxRisk = None,
    calibrate_on: CalibrateOn = None,
    column: Column = None,
    max_bytes: MaxBytes = None,
    speaker: Speaker = None,
    date: Date = None,
    genre: Genre = None,
    stdin_format: StdinFormat = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with what an interrupted job on the same output has labelled."
        ),
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away what an interrupted job has labelled.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="'ray': many processes, on one machine or a Ray cluster.")
    ] = Engine.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster to use; default: processes on this machine, for the job."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes on the cluster; default: one a processor."),
    ] = None,
) -> None:
    """Label statements: one row a sentence, with a probability for every label.

    With --unit sentence, --column names the columns: text, context (the sentence before), id.
    """
    from pipeline.bundle import load_bundle
    from pipeline.cli.prepare import bundle_folder, ingest_settings
    from pipeline.codebook import load_codebook
    from pipeline.inference import Unfinished
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.classify import Target, classify_documents, classify_sentence_rows
    from pipeline.workflows.documents import written_with

    settings = ingest_settings(
        column=column,
        max_bytes=max_bytes,
        speaker=speaker,
        date=date,
        genre=genre,
        stdin_format=stdin_format,
    )
    if unit is Unit.SENTENCE and len(inputs) != 1:
        got = f"--unit sentence takes one input, got {len(inputs)}"
        raise SettingsError([got], where="options")
    if engine is Engine.RAY and out == "-":
        raise SettingsError(["--engine ray writes a folder; give it with --out"], where="options")
    if engine is Engine.RAY and raw_cells:
        raise SettingsError(["--raw-cells is of CSV; --engine ray writes Parquet"], where="options")
    if engine is Engine.LOCAL and (address or workers):
        raise SettingsError(["--address and --workers go with --engine ray"], where="options")
    if resume and restart:
        raise SettingsError(["give --resume or --restart, not both"], where="options")
    if (max_risk is None) != (calibrate_on is None) or (max_risk and abstain_within):
        got = "--max-risk goes with --calibrate-on FILE, and not with --abstain-within"
        raise SettingsError([got], where="options")
    refuse_outputs([calibrate_on, codebook], written_with(out))
    wanted = load_codebook(codebook) if codebook else None
    folder = bundle_folder(model)
    bundle = load_bundle(folder, codebook=wanted, device=device)
    bundle = replace(bundle, rule=replace(bundle.rule, abstain_within=abstain_within))
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    unfinished = Unfinished.RESUME if resume else Unfinished.REFUSE
    target = Target(out, stdout, Unfinished.RESTART if restart else unfinished, raw_cells)
    with console.watcher() as watcher:
        if max_risk is not None and calibrate_on is not None:
            from pipeline.workflows.abstention import abstaining

            bundle = abstaining(bundle, calibrate_on, max_risk, watcher)
        if engine is Engine.RAY:
            from pipeline.workflows.classify_on_ray import Cluster, classify_on_ray

            summary = classify_on_ray(
                inputs,
                settings,
                bundle,
                folder,
                Path(out),
                device=device,
                cluster=Cluster(address, workers),
                unfinished=target.unfinished,
                watcher=watcher,
                sentences=unit is Unit.SENTENCE,
            )
        elif unit is Unit.SENTENCE:
            summary = classify_sentence_rows(
                inputs[0], settings, bundle, target, stdin=stdin, watcher=watcher
            )
        else:
            summary = classify_documents(
                inputs, settings, bundle, target, stdin=stdin, watcher=watcher
            )
    if unit is Unit.SENTENCE:  # a row without readable text is a row of the output as well
        unread = sum(summary.rejected.values())
        counted = f"{summary.sentences:,} rows, {summary.sentences - unread:,} of them"
    else:
        counted = f"{summary.sentences:,} sentences of {summary.statements:,} statements"
    console.say(f"{counted} labelled by {summary.model_id} in {summary.seconds:.1f} s.")
    for task in bundle.codebook.tasks:
        given = {label: n for (name, label), n in summary.labels.items() if name == task}
        counted = ", ".join(f"{n:,} {label}" for label, n in sorted(given.items()))
        withheld = summary.abstained.get(task, 0)
        console.say(f"{task}: {counted or 'none'}" + (f"; {withheld:,} abstained" * bool(withheld)))
    if summary.rejects_file is None:
        console.set_aside(summary.rejects)
    console.rejected(summary.rejected, summary.rejects_file)
