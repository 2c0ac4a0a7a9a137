"""`stance estimate`: how many sentences carry a label, with the errors of the model taken out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import BundleFolder, Seed
from pipeline.errors import SettingsError, near_matches
from pipeline.settings.estimation import Design, Method

if TYPE_CHECKING:
    from pipeline.codebook import Codebook
    from pipeline.workflows.estimate import Estimation


def estimate(
    labels: Annotated[
        Path, typer.Argument(help="What 'classify' wrote (.jsonl, .csv or .parquet).")
    ],
    sample: Annotated[
        Path | None,
        typer.Option(
            help="Sentences of LABELS drawn at random and labelled by hand (.csv or .jsonl): "
            "sentence_id, inclusion_probability, and a column a task; or what 'annotate import' "
            "(one coder) or 'annotate adjudicate' wrote."
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Group by speaker, genre, month, year or any column of LABELS."),
    ] = None,
    contrast: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Also the difference of these two groups, A less B."),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Only this task; repeatable. Default: all.")
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help="dsl: design-based supervised learning; ppi: prediction-powered inference; acc: "
            "adjusted count; cc: classify and count. The last and the sample alone are always "
            "shown beside it."
        ),
    ] = Method.DSL,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the estimates here (.csv or .html)."),
    ] = None,
    draw: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Estimate nothing; draw so many sentences to label, into --out (.csv, .jsonl).",
        ),
    ] = None,
    design: Annotated[
        Design,
        typer.Option(
            help="For --draw: sentences at random, by predicted label of --task (more of "
            "the rare), or so many whole documents."
        ),
    ] = Design.SENTENCES,
    seed: Seed = 13,
    cluster: Annotated[
        str,
        typer.Option(help="The column of LABELS that says which sentences belong together."),
    ] = "doc_id",
    model: BundleFolder = None,
) -> None:
    """Estimate the share of each label by group, from all predictions and a labelled sample.

    Counting predictions carries the errors of the model into every share. A random sample labelled
    by hand takes them out: draw one with --draw, label it, and give it as --sample.
    """
    if (sample is None) is (draw is None):
        raise SettingsError(
            ["give either --sample FILE to estimate, or --draw N to draw a sample"], where="options"
        )
    if contrast is not None and by is None:
        raise SettingsError(["--contrast compares groups; say which with --by"], where="options")
    from pipeline.bundle.folder import read_facts
    from pipeline.cli.prepare import bundle_folder
    from pipeline.ingest.inputs import refuse_outputs

    refuse_outputs([labels, sample], [out])
    _, codebook = read_facts(bundle_folder(model))
    tasks = _tasks(task, codebook)
    if draw is not None:
        _draw(labels, codebook, draw, design, tasks, cluster, seed, out)
        return
    from pipeline.cli.prepare import require_ending
    from pipeline.evaluation.estimate_table import METHODS
    from pipeline.workflows.estimate import estimate as run
    from pipeline.workflows.estimate import write_estimates

    if out is not None:
        require_ending(out, "estimates are written as CSV or HTML", ".csv", ".html")
    done = run(
        labels,
        Path(str(sample)),
        codebook,
        by=by,
        tasks=tasks,
        methods=tuple(METHODS) if method is Method.ALL else (method.value,),
        contrast=contrast,
        cluster=cluster,
    )
    if out is not None:
        write_estimates(done, out, title="Shares of the labels")
        console.say(f"{out}: {len(done.rows):,} estimates.")
    _show(done)


def _tasks(asked: list[str] | None, codebook: Codebook) -> list[str]:
    known = list(codebook.tasks)
    unknown = [name for name in asked or [] if name not in known]
    if unknown:
        mistakes = [f"no task '{name}'.{near_matches(name, known)}" for name in unknown]
        raise SettingsError(mistakes, where="--task")
    return [name for name in known if not asked or name in asked]


def _draw(
    labels: Path,
    codebook: Codebook,
    size: int,
    design: Design,
    tasks: list[str],
    cluster: str,
    seed: int,
    out: Path | None,
) -> None:
    from pipeline.workflows.draw_sample import draw_sample, how_to_fill_in
    from pipeline.workflows.population import FEWEST_DOCUMENTS

    if out is None or out.suffix.lower() not in (".csv", ".jsonl"):
        raise SettingsError(["--draw needs --out with a name in .csv or .jsonl"], where="options")
    drawn = draw_sample(
        labels,
        codebook,
        size=size,
        design=design,
        task=tasks[0],
        cluster=cluster,
        seed=seed,
        out=out,
    )
    console.say(
        f"{out}: {drawn.sentences:,} sentences of {drawn.documents:,} documents, inclusion "
        f"probabilities {drawn.lowest:.4g} to {drawn.highest:.4g}.\n{how_to_fill_in(out, codebook)}"
    )
    if drawn.documents < FEWEST_DOCUMENTS:
        console.say(
            f"No share can be estimated from this sample: it is of {drawn.documents} document(s), "
            f"{FEWEST_DOCUMENTS} or more are needed. Draw more sentences, or from more documents "
            "(if all sentences share one doc_id, name another column with --cluster)."
        )


def _show(done: Estimation) -> None:
    from pipeline.evaluation.estimate_table import METHODS
    from pipeline.reporting.estimate_text import percent

    methods = done.facts.methods
    header = ("", *(METHODS[m] for m in methods), "sampled", "of documents")
    labels = dict.fromkeys((row.task, row.label) for row in done.rows)
    for task, label in labels:
        table: dict[str, list[str]] = {}
        for row in done.rows:
            if (row.task, row.label) != (task, label):
                continue
            cells = table.setdefault(row.group, [])
            cells.append(percent(row) + (" *" if row.cautions else ""))
            if len(cells) == len(methods):
                cells += [f"{row.sizes.sampled_sentences:,}", f"{row.sizes.sampled_documents:,}"]
        rows = [(group, *cells) for group, cells in table.items()]
        console.table(header, rows, title=f"{task}: {label}")
    for remark in done.facts.remarks:
        console.say(remark)
    if any(row.cautions for row in done.rows):
        console.say("* read with caution; the reasons stand above and in the output of --out.")
    console.out(f"Text for the methods section\n\n{done.method}")
