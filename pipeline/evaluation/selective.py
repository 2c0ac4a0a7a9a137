"""Risk against coverage: how the share of wrong decisions falls as the least certain are withheld.

After Geifman and El-Yaniv (2017), "Selective Classification for Deep Neural Networks". At coverage
c the most certain part c of the sentences is decided; the risk is the share of wrong ones among
them. The area under the curve (AURC) is the mean risk over all coverages: the error itself where
certainty says nothing, and less the better it tells right from wrong. Sentences of one margin are
taken together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.metrics import CELLS, ratio
from pipeline.evaluation.risk_control import Decided
from pipeline.records import Score

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The curve of one task: points by rising coverage, arrays of shape (m,), and its area.

    `margin` is what a decision needs for that coverage. `best` is the area of an order that puts
    every right decision before every wrong one; `error` that of an order by chance.
    """

    task: str
    coverage: Array
    risk: Array
    margin: Array
    area: Score
    best: float
    error: float


def risk_coverage(seen: Decided, task: str, *, replicates: int, seed: int) -> RiskCoverage:
    """Return the curve with its area; the 95 % interval of the area resamples documents.

    Without sentences everything is NaN or empty.
    """
    n, size = seen.documents, len(seen.margin)
    order = np.argsort(-seen.margin, kind="stable")
    margin, wrong = seen.margin[order], seen.wrong[order].astype(np.float64)
    last = np.append(np.diff(margin) != 0.0, True)[:size]
    taken = np.arange(1, size + 1, dtype=np.float64)[last]
    areas = _areas(
        wrong,
        last,
        seen.document[order],
        np.vstack([np.ones((1, n)), document_weights(n, replicates=replicates, seed=seed)])
        if n
        else np.ones((1, 0)),
    )
    interval = percentile_interval(areas[1:]) if n > 1 else None
    low, high = interval or (None, None)
    errors = int(wrong.sum())
    ideal = np.maximum(np.arange(1, size + 1) - (size - errors), 0) / np.arange(1, size + 1)
    return RiskCoverage(
        task=task,
        coverage=taken / max(size, 1),
        risk=np.cumsum(wrong)[last] / taken,
        margin=margin[last].astype(np.float64),
        area=Score(f"{task}.aurc", float(areas[0]), low, high, size),
        best=float(ideal.mean()) if size else math.nan,
        error=errors / size if size else math.nan,
    )


def _areas(
    wrong: Array, last: npt.NDArray[np.bool_], document: npt.NDArray[np.intp], weights: Array
) -> Array:
    """Mean risk over coverages of sorted sentences under r weightings of documents, shape (r,)."""
    out = np.full(len(weights), np.nan)
    step = max(CELLS // max(len(wrong), 1), 1)
    for start in range(0, len(weights), step):
        w = weights[start : start + step, document]
        taken = np.cumsum(w, axis=1)[:, last]
        risk = ratio(np.cumsum(w * wrong, axis=1)[:, last], taken)
        gained = np.diff(taken, axis=1, prepend=0.0)
        # Where nothing is taken yet nothing is gained either: those places weigh nothing.
        total = np.where(gained > 0, np.nan_to_num(risk) * gained, 0.0).sum(axis=1)
        out[start : start + step] = ratio(total, w.sum(axis=1))
    return out
