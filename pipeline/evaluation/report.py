"""Evaluate a model on one data set: every score with its interval, as records, JSON and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook
from pipeline.decision import Decisions, Probabilities
from pipeline.errors import InputError, SettingsError
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.metrics import measure, outcomes
from pipeline.evaluation.score_text import interval_text, score_text, value_text
from pipeline.records import EvaluationReport, Score

LABEL_COLUMNS = (
    ("f1", "F1"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("average_precision", "average precision"),
    ("brier", "Brier"),
    ("ece", "ECE"),
)
"""Metrics of a label in a table, with their headings."""


def evaluate(
    documents: Sequence[str],
    probabilities: Probabilities,
    decisions: Decisions,
    targets: Targets,
    codebook: Codebook,
    *,
    dataset: str,
    replicates: int = 1000,
    seed: int = 0,
) -> EvaluationReport:
    """Score n sentences; the metrics and their conventions stand in `pipeline.evaluation.metrics`.

    Args:
        documents: the document of each sentence.
        probabilities: calibrated, (n, codebook.width).
        decisions: both arrays (n, codebook.width).
        targets: (n, codebook.width): 1, 0, or NaN where unknown.
        dataset: name of the data, for the report.
        replicates: bootstrap replicates behind the intervals; 0 gives none.

    Raises:
        ShapeError: an array does not have that shape.
        InputError: there is no sentence.
        SettingsError: `replicates` is negative.
    """
    if replicates < 0:
        raise SettingsError([f"replicates is {replicates}, expected 0 or more"], where="evaluation")
    seen = outcomes(documents, probabilities, decisions, targets, codebook)
    count = seen.document_count
    if not count:
        raise InputError(f"{dataset}: no sentences to evaluate on.")
    resampled = document_weights(count, replicates=replicates if count > 1 else 0, seed=seed)
    measured = measure(seen, codebook, np.vstack([np.ones((1, count)), resampled]))
    scores: dict[str, Score] = {}
    for name, score in measured.items():
        value = float(score.values[0])
        interval = None if math.isnan(value) else percentile_interval(score.values[1:])
        low, high = interval or (None, None)
        scores[name] = Score(name, value, low, high, score.support)
    return EvaluationReport(dataset, count, len(documents), scores)


def to_json(report: EvaluationReport) -> dict[str, object]:
    """Return the report as what `json.dumps` takes; an undefined value is null."""
    scores = {
        name: {
            "value": score.value if score.defined else None,
            "low": score.low,
            "high": score.high,
            "support": score.support,
        }
        for name, score in report.scores.items()
    }
    return {
        "dataset": report.dataset,
        "documents": report.documents,
        "sentences": report.sentences,
        "scores": scores,
    }


def task_table(report: EvaluationReport) -> list[tuple[str, ...]]:
    """Return a header and one row for each score of a task: name, value, 95 % interval, support."""
    rows: list[tuple[str, ...]] = [("score", "value", "95 % interval", "support")]
    for name, score in report.scores.items():
        if name.count(".") == 1:
            interval = interval_text(score.low, score.high)
            rows.append((name, value_text(score.value), interval, str(score.support)))
    return rows


def label_table(report: EvaluationReport) -> list[tuple[str, ...]]:
    """Return a header and one row a label: its scores with their intervals, then the positives."""
    labels = list(dict.fromkeys(n.rpartition(".")[0] for n in report.scores if n.count(".") == 2))
    rows: list[tuple[str, ...]] = [("label", *(title for _, title in LABEL_COLUMNS), "positives")]
    for label in labels:
        scores = [report.scores[f"{label}.{metric}"] for metric, _ in LABEL_COLUMNS]
        rows.append((label, *map(score_text, scores), str(scores[0].support)))
    return rows
