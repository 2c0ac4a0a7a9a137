"""`stance annotate`: sentences out to people, their annotations back in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CODEBOOK, CodebookFile
from pipeline.errors import CheckFailed, SettingsError
from pipeline.settings.annotation import AnnotationFormat

app = typer.Typer(
    help="Exchange annotations with Label Studio, spreadsheets and JSON lines.",
    no_args_is_help=True,
)


@app.command("export")
def export(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="JSON lines: what 'classify' (or 'segment') wrote, annotations, or both.",
            show_default=False,
        ),
    ],
    to: Annotated[AnnotationFormat, typer.Option(help="Tool to write for.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="File to write: .json for Label Studio, .csv, .jsonl."),
    ],
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Write sentences for annotation; predictions go along as suggestions, annotations as such.

    For Label Studio its labelling interface (XML) is written as well, made from the codebook.
    """
    from pipeline.cli.prepare import codebook_file
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.annotate import export as run
    from pipeline.workflows.annotate import interface_path
    from pipeline.workflows.record_files import rejects_path

    names = codebook_file(codebook)
    refuse_outputs([*inputs, names], [out, rejects_path(out), interface_path(out)])
    summary = run(inputs, load_codebook(names), to=to, out=out)
    console.say(
        f"{out}: {summary.sheets:,} sentences, {summary.suggestions:,} with a suggestion, "
        f"{summary.annotations:,} annotations."
    )
    if summary.interface is not None:
        console.say(f"{summary.interface}: the labelling interface.")
    console.rejected(summary.rejected, summary.rejects_file)


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="What people annotated: Label Studio's JSON (.json), .csv or .jsonl.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Annotations to write (.jsonl).")],
    coder: Annotated[
        str | None, typer.Option(help="Who made the annotations that name nobody.")
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OLD=NEW",
            help="Call a coder otherwise; repeatable. Label Studio exports its users by number, as "
            "label-studio-user-1.",
        ),
    ] = None,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Gather annotations of several coders as canonical JSON lines.

    What cannot be used is listed with its line in OUT.rejects.jsonl, and everything else is
    written. Exit codes: 0 everything was used, 6 something was set aside, 3 nothing was usable.
    """
    from pipeline.cli.prepare import codebook_file
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.annotate import import_annotations
    from pipeline.workflows.record_files import rejects_path

    pairs = [pair.partition("=") for pair in rename or []]
    if wrong := ["".join(pair) for pair in pairs if not all(pair)]:
        mistakes = [f"--rename '{pair}': expected OLD=NEW" for pair in wrong]
        raise SettingsError(mistakes, where="options")
    names = codebook_file(codebook)
    refuse_outputs([*files, names], [out, rejects_path(out)])
    summary = import_annotations(
        files,
        load_codebook(names),
        out=out,
        coder=coder,
        names={old: new for old, _, new in pairs},
    )
    counted = ", ".join(f"{n:,} by {name}" for name, n in summary.annotations.items())
    console.say(
        f"{out}: {sum(summary.annotations.values()):,} annotations of {summary.sentences:,} "
        f"sentences ({counted})" + (f"; {summary.blank:,} not filled in." if summary.blank else ".")
    )
    if summary.rejected:
        console.rejected(summary.rejected, summary.rejects_file)
        raise CheckFailed(f"{sum(summary.rejected.values()):,} could not be used; see above.")


@app.command("adjudicate")
def adjudicate(
    files: Annotated[
        list[Path], typer.Argument(help="Annotations of all coders.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Labelled file to write (.jsonl).")],
    decisions: Annotated[
        list[Path] | None,
        typer.Option(
            help="The adjudicator's annotations (see 'agreement --disputed'); where nothing is "
            "disputed, none are needed. Repeatable."
        ),
    ] = None,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Write one labelled file: what coders agree on, and the adjudicator's decisions on the rest.

    Without decisions only what all coders say alike is labelled. What nobody settled stays unknown
    (null). Exit codes as for 'import'.
    """
    from pipeline.cli.prepare import codebook_file
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.labelling.adjudication import OPEN
    from pipeline.workflows.annotate import adjudicate_files
    from pipeline.workflows.record_files import rejects_path

    names = codebook_file(codebook)
    refuse_outputs([*files, *(decisions or ()), names], [out, rejects_path(out)])
    result, rejections = adjudicate_files(files, decisions or (), load_codebook(names), out=out)
    console.say(f"{out}: {len(result.rows):,} documents.")
    for task, settled in result.settled.items():
        console.say(f"{task}: " + ", ".join(f"{n:,} {how}" for how, n in settled.most_common()))
    undecided = sum(settled[OPEN] for settled in result.settled.values())
    if undecided and not decisions:
        console.say(
            f"{undecided:,} answers are disputed and stay unknown; 'stance agreement --disputed' "
            "writes them for an adjudicator, whose annotations are given with --decisions."
        )
    for doc_id, facts in result.differing.items():
        differing = ", ".join(facts)
        console.say(f"'{doc_id}': its sentences differ in {differing}, so the document has none.")
    for decision in result.unused:
        console.say(
            f"not used: a decision on '{decision.item.sentence_id}' of "
            f"'{decision.item.doc_id}', which nobody annotated."
        )
    if rejections or result.unused:
        console.set_aside(rejections)
        listed = f" See {rejects_path(out)}." if rejections else ""
        unused = len(rejections) + len(result.unused)
        raise CheckFailed(f"{unused:,} could not be used.{listed}")
