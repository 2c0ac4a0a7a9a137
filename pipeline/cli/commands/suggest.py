"""`stance suggest`: which sentences to label next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CODEBOOK, CodebookFile, Seed
from pipeline.errors import CheckFailed
from pipeline.settings.estimation import Strategy, Vectors


def suggest(
    predictions: Annotated[
        Path, typer.Argument(help="What 'classify' wrote (.jsonl, .csv or .parquet).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Tasks for 'annotate export' (.jsonl).")],
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many to suggest.")],
    strategy: Annotated[
        Strategy,
        typer.Option(
            help="random; stratified: more of those that the model gives a rare label; "
            "uncertainty: those it is least sure of; diversity: those that differ most from each "
            "other and from what is labelled; mix: unsure and different at once."
        ),
    ] = Strategy.UNCERTAINTY,
    random_share: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1.0,
            help="Part that is drawn at random from the others, so that 'estimate' stays valid; "
            "random and stratified draw everything.",
        ),
    ] = 0.2,
    labelled: Annotated[
        list[Path] | None,
        typer.Option(
            help="Annotations or labelled documents to leave out, near-duplicates with them; "
            "repeatable."
        ),
    ] = None,
    vectors: Annotated[
        Vectors,
        typer.Option(
            help="For diversity and mix: words, or sentence embeddings (needs the train extra)."
        ),
    ] = Vectors.WORDS,
    blind: Annotated[
        bool,
        typer.Option("--blind", help="Leave out what the model says, so that nobody follows it."),
    ] = False,
    seed: Seed = 13,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Choose the sentences to label next, each with the probability with which it was chosen.

    Of near-duplicates one is suggested. Exit codes: 0 done, 6 done, but a line of --labelled could
    not be used; it is listed in OUT.rejects.jsonl.
    """
    from pipeline.cli.prepare import codebook_file, require_ending
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.record_files import rejects_path
    from pipeline.workflows.suggest import before_path
    from pipeline.workflows.suggest import suggest as run

    require_ending(out, "tasks are JSON lines", ".jsonl")
    names = codebook_file(codebook)
    written = [out, before_path(out), rejects_path(out)]
    refuse_outputs([predictions, *(labelled or []), names], written)
    done = run(
        predictions,
        load_codebook(names),
        number=number,
        strategy=strategy,
        random_share=random_share,
        labelled=labelled or [],
        vectors=vectors,
        blind=blind,
        seed=seed,
        out=out,
    )
    console.say(
        f"{out}: {done.sentences:,} sentences, {done.drawn:,} of them drawn at random. Left out: "
        f"{done.labelled:,} labelled, {done.near_labelled:,} near-duplicates of labelled ones, "
        f"{done.near:,} near-duplicates of other sentences."
    )
    if done.outside:
        console.say(
            f"{done.outside:,} of those left out resemble labelled sentences of other documents "
            "and have no chance to be drawn: estimates do not cover them."
        )
    if done.before is not None:
        console.say(
            f"{done.before}: the earlier annotations with their probabilities; for 'estimate', put "
            "them together with the new ones."
        )
    if done.rejected:
        console.rejected(done.rejected, done.rejects_file)
        raise CheckFailed(f"{sum(done.rejected.values()):,} could not be used; see above.")
