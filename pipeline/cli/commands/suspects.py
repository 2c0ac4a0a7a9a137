"""`stance suspects`: labels that are probably wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.options import DEFAULT_CODEBOOK, ClassifierName, CodebookFile, ModelSettings, Seed


def suspects(
    files: Annotated[
        list[Path], typer.Argument(help="Labelled documents (.jsonl).", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write (.csv).")],
    most: Annotated[int, typer.Option(min=1, help="Write at most so many answers.")] = 500,
    folds: Annotated[int, typer.Option(min=2, max=20, help="Folds, by document.")] = 5,
    seed: Seed = 13,
    classifier: ClassifierName = None,
    config: ModelSettings = None,
    codebook: CodebookFile = DEFAULT_CODEBOOK,
) -> None:
    """Rank labels by how likely they are wrong (confident learning, out of fold).

    A row is the answer to one task in one sentence, with what a classifier that did not learn from
    the document expects instead. It is a list to read, not to accept: the classifier errs as well.
    """
    from pipeline.cli.prepare import classifier_settings, codebook_file, require_ending
    from pipeline.codebook import load_codebook
    from pipeline.ingest.inputs import refuse_outputs
    from pipeline.workflows.suspects import find_suspects

    require_ending(out, "the table is CSV", ".csv")
    names = codebook_file(codebook)
    refuse_outputs([*files, config, names], [out])
    wanted = classifier_settings(config, classifier)
    with console.watcher() as watcher:
        found = find_suspects(
            files,
            load_codebook(names),
            wanted,
            folds=folds,
            seed=seed,
            most=most,
            out=out,
            watcher=watcher,
        )
    rows = [(task, f"{n:,}", f"{found.likely[task]:,}") for task, n in found.answers.items()]
    title = f"{found.sentences:,} sentences of {found.documents:,} documents"
    console.table(("task", "answers", "likely errors"), rows, title=title)
    console.say(f"{out}: the {len(found.suspects):,} most suspect answers.")
