"""`stance rules` and `stance label`: labels from the codebook's rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import (
    DEFAULT_CODEBOOK,
    CodebookFile,
    Column,
    Inputs,
    MaxBytes,
    ReplicatesOrNone,
    Seed,
)
from pipeline.errors import SettingsError
from pipeline.settings.weak import LabelModel

if TYPE_CHECKING:
    from pipeline.evaluation.rule_report import RuleReport

ENOUGH = 1_000
"""Sentences from which on the estimate of `dawid-skene` is worth more than fixed weights."""

app = typer.Typer(help="The labelling rules of a codebook.", no_args_is_help=True)


@app.callback()
def _rules() -> None:
    """Without a callback a single command would stand for the whole group."""


@app.command("report")
def report(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Statements without labels: files, folders or globs.", metavar="INPUT"),
    ] = None,
    gold: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled file (.jsonl) to hold the rules against; repeatable."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Page to write, with examples of misses and wrong votes.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Table to write, a row a rule.")] = None,
    replicates: ReplicatesOrNone = 1000,
    seed: Seed = 0,
    column: Column = None,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Measure rules: coverage, overlap, conflict; against gold labels precision and recall.

    Rows that cannot be used are named and leave the exit code at 0; without any sentence it is 3.
    """
    from pipeline.cli.prepare import codebook_file, ingest_settings
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.rules_report import measure_rules

    names = codebook_file(codebook)
    refuse_outputs([*(gold or []), names], [html, csv])
    with console.watcher() as watcher:
        summary = measure_rules(
            inputs or [],
            gold or [],
            load_codebook(names),
            settings=ingest_settings(column=column),
            replicates=replicates,
            seed=seed,
            page=html,
            table=csv,
            watcher=watcher,
        )
    _print(summary.report)
    for path in (html, csv):
        if path is not None:
            console.say(f"{path} written.")
    console.set_aside(summary.rejected)


def _print(report: RuleReport) -> None:
    from pipeline.evaluation.score_text import score_text
    from pipeline.reporting.rules import share

    against = report.known > 0
    header = ["rule", "weight", "speaks on", "coverage", "overlap", "conflict"]
    console.table(
        [*header, *(["precision", "recall"] if against else [])],
        [
            [
                one.rule.name,
                f"{one.rule.weight:g}",
                f"{one.spoke:,}",
                *map(share, (one.coverage, one.overlap, one.conflict)),
                *([score_text(one.precision), score_text(one.recall)] if against else []),
            ]
            for one in report.rules
        ],
    )
    if against:
        console.table(
            ["label", "rules", "precision", "recall"],
            [
                [one.column, str(one.rules), score_text(one.precision), score_text(one.recall)]
                for one in report.labels
            ],
            title="Some rule speaks for the label; 95 % intervals by documents",
        )
    silent = ", ".join(f"{task} {n / report.sentences:.1%}" for task, n in report.silent.items())
    console.say(
        f"{report.sentences:,} sentences of {report.documents:,} documents, {report.known:,} with "
        f"known labels; all rules abstain on: {silent}."
    )


def label(
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", help="Labelled file to write (.jsonl).")],
    model: Annotated[
        LabelModel, typer.Option("--label-model", help="How votes become probabilities.")
    ] = LabelModel.DAWID_SKENE,
    confidence: Annotated[
        float,
        typer.Option(
            min=0.5, max=1.0, help="Probability from which a label is given; below it is unknown."
        ),
    ] = 0.5,
    known: Annotated[
        list[Path] | None,
        typer.Option(
            help="File labelled by people (.jsonl); sentences with the same words keep its labels, "
            "and the label model learns from them. Repeatable."
        ),
    ] = None,
    annotations: Annotated[
        list[Path] | None,
        typer.Option(
            help="Annotations (.jsonl, .csv, .json): each coder votes beside the rules, and may "
            "err. Repeatable."
        ),
    ] = None,
    column: Column = None,
    max_bytes: MaxBytes = None,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Label sentences by the codebook's rules, with probabilities and every rule's vote.

    What cannot be read goes to OUT.rejects.jsonl. The file is one that 'stance train' reads.
    """
    from pipeline.cli.prepare import codebook_file, ingest_settings, require_ending
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.label import label as run
    from pipeline.workflows.record_files import rejects_path

    if "-" in inputs:
        raise SettingsError(["standard input cannot be labelled; give files"], where="options")
    names = codebook_file(codebook)
    read = [*(known or []), *(annotations or []), names]
    refuse_outputs(read, [out, rejects_path(out)])
    require_ending(out, "a labelled file is JSON lines", ".jsonl")
    with console.watcher() as watcher:
        summary = run(
            inputs,
            load_codebook(names),
            model=model,
            confidence=confidence,
            known=known or [],
            annotations=annotations or [],
            settings=ingest_settings(column=column, max_bytes=max_bytes),
            out=out,
            watcher=watcher,
        )
    console.table(
        ["label", "sentences"], [[name, f"{n:,}"] for name, n in sorted(summary.labels.items())]
    )
    unknown = ", ".join(f"{task} {n:,}" for task, n in summary.unknown.items())
    silent = ", ".join(f"{task} {n:,}" for task, n in summary.silent.items())
    console.say(
        f"{summary.sentences:,} sentences of {summary.documents:,} documents written to {out}; "
        f"unknown: {unknown}; without any rule's vote: {silent}."
        + (f" {summary.known:,} keep the labels of people." if known else "")
    )
    if summary.contradicted:
        console.say(
            f"In {summary.contradicted:,} sentences labels of people break a constraint of the "
            "codebook; they stand, and labels linked to them are unknown."
        )
    if annotations:
        counts = ", ".join(f"{coder} {n:,}" for coder, n in summary.coders.items())
        console.say(f"Sentences that coders answered: {counts or 'none'}.")
    if summary.voted:
        console.say(
            f"By majority, with too few rules or coders for {model.value}: "
            f"{', '.join(summary.voted)}."
        )
    if model is LabelModel.DAWID_SKENE and summary.sentences < ENOUGH:
        console.say(
            f"{model.value} learns from the votes how far each rule can be trusted, for which "
            f"{summary.sentences:,} sentences are few (from about {ENOUGH:,} on). Give more, or "
            "use --label-model weights (docs/rules.md)."
        )
    if summary.without_rules:
        console.say(
            f"Without a rule, their tasks unknown where nobody answered: "
            f"{', '.join(summary.without_rules)}. Write rules for them, or leave the labels out of "
            "the codebook (docs/rules.md)."
        )
    if not summary.converged:
        console.say("The estimate had not come to rest; more sentences or fewer rules may help.")
    console.rejected(dict(summary.rejected), summary.rejects_file)
