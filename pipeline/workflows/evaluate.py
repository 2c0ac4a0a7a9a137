"""Stage `evaluate`: score a bundle on any labelled file."""

from __future__ import annotations

from pathlib import Path

from pipeline.bundle import Bundle
from pipeline.records import EvaluationReport
from pipeline.workflows.scoring import EvaluationSet, read_documents, score
from pipeline.workflows.watcher import Watcher


def evaluate_file(
    bundle: Bundle, path: Path, *, replicates: int, seed: int, watcher: Watcher
) -> EvaluationReport:
    """Return all scores of a bundle on a labelled file, with intervals.

    Raises:
        InputError: the file is missing or holds nothing usable.
    """
    data = EvaluationSet(path.stem, read_documents([path], bundle.codebook, watcher))
    return score(bundle.classifier, bundle.rule, data, replicates=replicates, seed=seed).report
