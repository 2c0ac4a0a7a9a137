"""How the experiment looks in the MLflow UI: which columns are compared, and what they mean."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.records import EvaluationReport
from pipeline.tracking.naming import BOUNDS, LEVEL, Level, allowed, is_headline

VIEW_KEY = "scores"
"""Key of the saved view; the UI opens it with ?viewStateShareKey=scores."""

COLUMNS = 12
"""Columns of scores that can be read side by side."""

ABOUT_EXPERIMENT = f"""\
One run a trained model. Scores are named *data set / task . score*; `{BOUNDS[0]}` and `{BOUNDS[1]}`
are the ends of the 95 % interval from a bootstrap over documents. Below each model: its folds, its
training curves, and a run *scores* with the scores of all labels.

To see models only: ``tags.`{LEVEL}` = '{Level.MODEL}'``.
"""

_WIDTH = 190
"""Pixels of a column: its name is longer than its values."""

_TAG = f"mlflow.sharedViewState.{VIEW_KEY}"


def comparison_view(reports: Sequence[EvaluationReport]) -> dict[str, str]:
    """Return the experiment tag that saves a view on models only, with at most a dozen scores.

    The interval is shown in full, else by its lower end, as columns allow. The format is the one
    the UI's own "share view" writes; a UI that does not know it opens its standard view.
    """
    headlines = [
        allowed(f"{report.dataset}/{name}")
        for report in reports
        for name in report.scores
        if is_headline(name)
    ]
    endings = next(
        (e for e in (("", *BOUNDS), ("", BOUNDS[0])) if len(headlines) * len(e) <= COLUMNS), ("",)
    )
    shown = [headline + ending for headline in headlines for ending in endings]
    columns = [f"metrics.`{name}`" for name in shown]
    state = {
        "searchFilter": f"tags.`{LEVEL}` = '{Level.MODEL}'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": dict.fromkeys(columns, _WIDTH),
    }
    return {_TAG: json.dumps(state)}
