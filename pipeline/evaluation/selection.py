"""What choosing settings by their score does to that score: nested cross-validation.

Settings that were chosen for a score on some documents look better there than they are (Cawley &
Talbot, 2010). Nested cross-validation (Varma & Simon, 2006) chooses on the documents outside a fold
and scores on those inside it. F1 is computed once from counts over all folds, because a mean of F1
over folds is biased where a label is rare (Forman & Scholz, 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.comparison import f1_scores, score_names, summed_counts
from pipeline.records import Score

Array = npt.NDArray[np.float64]

MEAN = "mean macro_f1"
"""The score that is searched for: macro-F1, averaged over the tasks where it is defined."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Scores of one name, each with a 95 % interval from a bootstrap over documents.

    - `inner`: of the chosen settings, on the documents they were chosen on.
    - `outer`: of the chosen settings, on documents that had no part in the choice.
    - `optimism`: inner minus outer.
    - `present`: of the settings that stand in the file, on the documents of `outer`.
    - `gain`: outer minus present.
    """

    inner: Score
    outer: Score
    optimism: Score
    present: Score
    gain: Score


def mean_macro_f1(counts: Array, codebook: Codebook) -> float:
    """Return the score that is searched for, NaN where no label is given or was to be given.

    `counts` is (documents, 3, codebook.width), as `comparison.document_counts` returns them.
    """
    return float(_macro_f1(counts.sum(axis=0)[None], codebook)[0, 0])


def selection_scores(
    inner: Array, outer: Array, present: Array, codebook: Codebook, *, replicates: int, seed: int
) -> dict[str, Selection]:
    """Return `MEAN` and the macro-F1 of every task before and after the choice was made.

    The three are counts of the same documents in the same order, shape (documents, 3,
    codebook.width). In `inner` a document may be counted several times, but each equally often.
    All scores of a replicate are of the same draw of documents. Settings are not chosen anew in a
    replicate, so the intervals leave out what other documents would have made of the choice.
    """
    documents = len(outer)
    drawn = document_weights(documents, replicates=replicates, seed=seed)
    weights = np.vstack([np.ones((1, documents)), drawn])
    before, after, plain = (
        _macro_f1(summed_counts(weights, counts), codebook) for counts in (inner, outer, present)
    )
    support = int(outer[:, 2].sum())
    found = {}
    for j, name in enumerate(_names(codebook)):
        columns = {
            "inner": before[:, j],
            "outer": after[:, j],
            "optimism": before[:, j] - after[:, j],
            "present": plain[:, j],
            "gain": after[:, j] - plain[:, j],
        }
        found[name] = Selection(
            **{key: _score(f"{name}: {key}", values, support) for key, values in columns.items()}
        )
    return found


def _names(codebook: Codebook) -> Iterator[str]:
    yield MEAN
    yield from (f"{task}.macro_f1" for task in codebook.tasks)


def _macro_f1(sums: Array, codebook: Codebook) -> Array:
    """Return the scores of `_names` from sums (r, 3, labels), shape (r, 1 + tasks)."""
    of_tasks = [name.endswith(".macro_f1") for name in score_names(codebook)]
    macro = f1_scores(sums, codebook)[:, of_tasks]
    defined = ~np.isnan(macro)
    total = np.where(defined, macro, 0.0).sum(axis=1, keepdims=True)
    number = defined.sum(axis=1, keepdims=True)
    mean = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return np.concatenate([mean, macro], axis=1)


def _score(name: str, values: Array, support: int) -> Score:
    value = float(values[0])
    interval = None if np.isnan(value) or len(values) < 2 else percentile_interval(values[1:])
    low, high = interval or (None, None)
    return Score(name, value, low, high, support)
