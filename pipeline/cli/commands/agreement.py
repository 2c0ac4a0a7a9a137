"""`stance agreement`: how far coders agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CODEBOOK, CodebookFile, ReplicatesOrNone, Seed

if TYPE_CHECKING:
    from pipeline.evaluation.agreement_report import AgreementReport, Question


def agreement(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Annotations of several coders, or one labelled file a coder (.jsonl).",
            show_default=False,
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="HTML page to write.")] = None,
    disputed: Annotated[
        Path | None,
        typer.Option(
            help="Disputed sentences to write for an adjudicator: .csv, .jsonl, or .json for Label "
            "Studio."
        ),
    ] = None,
    replicates: ReplicatesOrNone = 2000,
    seed: Seed = 0,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Measure agreement: Krippendorff's alpha (MASI for label sets), Cohen's kappa, percent.

    What cannot be used is counted and listed with its line in OUT.rejects.jsonl (OUT is the page,
    or else the disputed sentences; without either it is named here). Exit codes: 0, or 3 where
    no two coders are left with a sentence in common.
    """
    from pipeline.cli.prepare import codebook_file, require_ending
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.agreement import measure_agreement
    from pipeline.workflows.annotate import interface_path
    from pipeline.workflows.record_files import rejects_path

    names = codebook_file(codebook)
    beside = out or disputed
    refuse_outputs(
        [*files, names],
        [
            *(out, disputed),
            None if beside is None else rejects_path(beside),
            None if disputed is None else interface_path(disputed),
        ],
    )
    if out is not None:
        require_ending(out, "the page is HTML", ".html")
    summary = measure_agreement(
        files,
        load_codebook(names),
        replicates=replicates,
        seed=seed,
        page=out,
        disputed=disputed,
    )
    report = summary.report
    _print_scores(report)
    console.say(
        f"{report.sentences:,} sentences of {report.documents:,} documents, {report.shared:,} with "
        f"two codings or more; {len(report.disputes):,} disputed."
    )
    for words in report.words:
        if words.both:
            console.say(
                f"{words.task}: same words for the {words.role} in {words.same:,} of "
                f"{words.both:,} labels that two coders both gave."
            )
    for path in (out, disputed):
        if path is not None:
            console.say(f"{path} written.")
    console.rejected(summary.rejected, summary.rejects_file)
    if summary.rejects_file is None:
        console.set_aside(summary.rejections)


def _print_scores(report: AgreementReport) -> None:
    from pipeline.evaluation.score_text import score_text

    rates = any(question.errors for question in report.questions)
    header = ["", "given", "alpha", "percent equal", *(["errors"] if rates else [])]
    rows = [
        [
            question.name,
            " / ".join(f"{question.given[coder]:,}" for coder in report.coders),
            score_text(question.agreement.alpha),
            score_text(question.agreement.percent),
            *([_rates(question)] if rates else []),
        ]
        for question in report.questions
    ]
    coders = " / ".join(report.coders)
    console.table(header, rows, title=f"Agreement of {coders}, with 95 % intervals by documents")
    pairs = list(report.questions[0].agreement.kappas)
    console.table(
        ["kappa", *(f"{first} / {second}" for first, second in pairs)],
        [
            [question.name, *(score_text(question.agreement.kappas[pair]) for pair in pairs)]
            for question in report.questions
        ],
    )


def _rates(question: Question) -> str:
    return " / ".join(f"{rate:.1%}" for rate in question.errors.values()) or "-"
