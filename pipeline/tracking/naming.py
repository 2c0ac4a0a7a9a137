"""Names and texts of a run: what MLflow accepts, and what a reader finds in its tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from pipeline.records import EvaluationReport

LEVEL = "stance.level"
"""Tag that tells trained models from all other runs."""


class Level(StrEnum):
    """Values of the tag `stance.level`; only runs of models are listed as trained models.

    Below a model stand its folds, all its scores, its training curves and its promotions.
    """

    MODEL = "model"
    FOLD = "fold"
    SCORES = "scores"
    CURVE = "curve"
    PROMOTION = "promotion"
    COMPARISON = "comparison"
    LEARNING_CURVE = "learning curve"
    SEARCH = "search"
    TRIAL = "trial"


PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
ERROR = "error"
"""Tag that says what ended a run."""

TABLES = "mlflow.loggedArtifacts"
"""Tag that names the files which the UI shows as tables."""


BOUNDS = (".low", ".high")
"""Endings of the metrics that hold the ends of a 95 % interval."""

_HEADLINE = "macro_f1"
_PARAM_LIMIT = 6000
_TAG_LIMIT = 8000
_NOT_ALLOWED = re.compile(r"[^\w\-. :/]", re.ASCII)


def flattened(values: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Return nested values as "outer.inner" -> text, no longer than MLflow keeps it.

    A list of plain values is one text; a list of mappings is numbered.
    """
    out: dict[str, str] = {}
    for name, value in values.items():
        key = allowed(f"{prefix}{name}")
        if isinstance(value, Mapping):
            out |= flattened(value, f"{key}.")
        elif isinstance(value, list | tuple):
            if any(isinstance(item, Mapping) for item in value):
                out |= flattened({str(i): item for i, item in enumerate(value)}, f"{key}.")
            else:
                out[key] = cut(", ".join(map(str, value)), _PARAM_LIMIT)
        else:
            out[key] = cut(str(value), _PARAM_LIMIT)
    return out


def allowed(name: str) -> str:
    """Return a name with every character that MLflow refuses replaced by an underscore."""
    return _NOT_ALLOWED.sub("_", name)


def cut(text: str, limit: int = _TAG_LIMIT) -> str:
    """Return the text, cut visibly if it is longer than `limit`."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def is_headline(score: str) -> bool:
    """Whether a score compares models: the macro-F1 of a task."""
    return score.count(".") == 1 and score.endswith(f".{_HEADLINE}")


def metrics_of(report: EvaluationReport, *, headlines_only: bool) -> dict[str, float]:
    """Return "<data set>/<score>" and its interval bounds; undefined values are left out.

    Four decimals are kept: more only make the columns of the UI hard to compare.
    """
    out: dict[str, float] = {}
    for name, score in report.scores.items():
        if headlines_only and not is_headline(name):
            continue
        key = allowed(f"{report.dataset}/{name}")
        ends = zip(("", *BOUNDS), (score.value, score.low, score.high), strict=True)
        out |= {key + end: round(v, 4) for end, v in ends if v is not None and math.isfinite(v)}
    return out


def undefined_scores(report: EvaluationReport) -> int:
    """Return how many scores the data leave undefined."""
    return sum(not score.defined for score in report.scores.values())


def note(description: str, reports: Sequence[EvaluationReport]) -> str:
    """Return the description of a run in Markdown, with its main scores."""
    rows = list(_score_rows(reports))
    if not rows:
        return description
    table = [
        "| data set | score | value | 95 % interval | documents | sentences |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        "Intervals: bootstrap over documents. Scores of single labels: child run *scores* and the",
        "files under *evaluation*.",
    ]
    return "\n".join([description, "", *table]).strip()


def _score_rows(reports: Sequence[EvaluationReport]) -> Iterator[str]:
    for report in reports:
        for name, score in report.scores.items():
            if is_headline(name):
                value = f"{score.value:.3f}" if score.defined else "undefined"
                known = score.low is not None and score.high is not None
                interval = f"{score.low:.3f} to {score.high:.3f}" if known else "too few documents"
                cells = (report.dataset, name, value, interval, report.documents, report.sentences)
                yield "| " + " | ".join(map(str, cells)) + " |"
