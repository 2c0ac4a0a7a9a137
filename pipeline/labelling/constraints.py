"""Probabilities of labels, given that the constraints of the codebook hold.

A label model finds the probabilities P_g of every choice g (one label, or all labels of a
multiclass task) on its own. Where the answers y to all choices must lie in the set A that the
constraints allow, and within A have the shares of independent choices, Bayes' rule gives

    P(y | votes) = prod_g P_g(y_g | votes) / sum over z in A of prod_g P_g(z_g | votes)

for y in A and 0 elsewhere. A label's probability is the sum over the y that give it. Both sums are
taken exactly, answer by answer, over the choices that constraints link; a label that no constraint
names keeps its probability.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, TaskType

Array = npt.NDArray[np.float64]

_LEAST = 1e-12
"""Probability of what a label model holds impossible; only people are certain."""

_IMPOSSIBLE = -1e9
"""Stands for the logarithm of zero, and is less than any sum of true ones."""

_AT_ONCE = 1 << 22
"""Numbers of the largest array, sentences by combinations."""


def conditioned(probabilities: Array, known: Array, codebook: Codebook) -> tuple[Array, int]:
    """Return the probabilities under the constraints, and the number of contradicted sentences.

    Known labels stand. Where they leave no allowed combination, the other labels that constraints
    link to them become unknown (NaN). A label of which nothing is known (NaN) stays unknown, and
    nothing follows from it but what its being given or not given would both allow.

    Args:
        probabilities: shape (n, codebook.width); those of a multiclass task sum to one.
        known: the same of labels given by people, 0 or 1, NaN where unknown.
    """
    found = probabilities.copy()
    contradicted = np.zeros(len(found), dtype=np.bool_)
    for part in codebook.linked:
        before = probabilities[:, part.columns]
        told = np.isfinite(known[:, part.columns])
        chances = np.where(told, before, np.clip(before, _LEAST, 1 - _LEAST))
        chosen = _chosen(part.columns, codebook)
        patterns, pattern = np.unique(np.isfinite(before), axis=0, return_inverse=True)
        for i, seen in enumerate(patterns):
            if not seen.any():
                continue
            answers = np.unique(part.combinations[:, seen], axis=0).astype(np.float64)
            rows = np.flatnonzero(pattern.reshape(-1) == i)
            for block in np.array_split(rows, len(rows) * len(answers) // _AT_ONCE + 1):
                values, possible = _marginals(chances[np.ix_(block, seen)], answers, chosen[seen])
                values[~possible] = np.nan
                cells = np.ix_(block, part.columns[seen])
                found[cells] = np.where(
                    told[np.ix_(block, seen)], before[np.ix_(block, seen)], values
                )
                contradicted[block] |= ~possible
    return found, int(contradicted.sum())


def _chosen(columns: npt.NDArray[np.intp], codebook: Codebook) -> npt.NDArray[np.bool_]:
    """Return which columns are labels of a multiclass task."""
    found = [codebook.tasks[codebook.columns[j][0]].type is TaskType.MULTICLASS for j in columns]
    return np.array(found, dtype=np.bool_)


def _marginals(
    chances: Array, answers: Array, chosen: npt.NDArray[np.bool_]
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return what (n, w) chances become if only `answers` (c, w) can be, and where one of them can.

    Where a label is `chosen` from a multiclass task, its absence is another's presence, and does
    not count a second time.
    """
    scores = _log(chances) @ answers.T
    scores += _log(1 - chances[:, ~chosen]) @ (1 - answers[:, ~chosen]).T
    best = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - best)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.minimum(weights @ answers, 1.0), best[:, 0] > _IMPOSSIBLE / 2


def _log(chances: Array) -> Array:
    out = np.full_like(chances, _IMPOSSIBLE)
    np.log(chances, out=out, where=chances > 0)
    return out
