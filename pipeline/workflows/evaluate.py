"""Stage `evaluate`: score a bundle on any labelled file."""

from __future__ import annotations

from pathlib import Path

from pipeline.bundle import Bundle
from pipeline.labelling import read_labelled
from pipeline.records import EvaluationReport
from pipeline.workflows.scoring import EvaluationSet, score
from pipeline.workflows.watcher import Watcher


def evaluate_file(
    bundle: Bundle, path: Path, *, replicates: int, seed: int, watcher: Watcher
) -> tuple[EvaluationReport, int]:
    """Return all scores of a bundle on a labelled file, and how many rows had to be set aside.

    Raises:
        InputError: the file is missing or holds nothing usable.
    """
    documents, rejected = read_labelled(path, bundle.codebook)
    for one in rejected:
        watcher.note(f"set aside: {path} {one.location}: {one.reason}: {one.detail}")
    data = EvaluationSet(path.stem, tuple(documents))
    scored = score(bundle.classifier, bundle.rule, data, replicates=replicates, seed=seed)
    return scored.report, len(rejected)
