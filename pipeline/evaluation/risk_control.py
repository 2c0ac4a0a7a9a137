"""How much to abstain so that wrong decisions stay rare: conformal risk control over documents.

After Angelopoulos, Bates, Fisch, Lei and Schuster (2024), "Conformal Risk Control". The loss of a
document at a margin m is the share of its sentences on which a decision is made and wrong; a
withheld decision costs nothing. It lies in [0, 1] and can only fall as m grows, since a decision is
withheld where its margin is below m. With n documents of mean loss R(m), the least m with

    n / (n + 1) * R(m) + 1 / (n + 1) <= risk

has, for one more document, an expected loss of at most `risk`. What this rests on: the n documents
and the new one are exchangeable, which means alike in kind and drawn alike, and none of the n was
used to train the model or to fit its thresholds. The expectation is over the n documents as well as
the new one: for given n documents it may lie above. Documents weigh the same whatever their length,
because sentences of one document are not exchangeable with those of another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule, Probabilities
from pipeline.errors import InputError, SettingsError, ShapeError
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.metrics import ratio
from pipeline.records import Score

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions of one task on n sentences whose labels are known; arrays of shape (n,).

    `margin` is that of the least certain label of the task, float32; `wrong` says whether any label
    is missing or too many; `document` numbers the documents from 0 without gaps.
    """

    margin: npt.NDArray[np.float32]
    wrong: npt.NDArray[np.bool_]
    document: npt.NDArray[np.intp]

    @property
    def documents(self) -> int:
        """Number of documents."""
        return int(self.document.max(initial=-1)) + 1

    def losses(self, margin: npt.ArrayLike) -> Array:
        """Return the loss of every document at one margin, or at one for each of them."""
        needed = np.broadcast_to(np.asarray(margin, dtype=np.float32), (self.documents,))
        made_wrong = self.wrong & (self.margin >= needed[self.document])
        size = np.bincount(self.document, minlength=self.documents)
        return np.bincount(self.document, weights=made_wrong, minlength=self.documents) / size


def decided(
    documents: npt.ArrayLike,
    probabilities: Probabilities,
    targets: Targets,
    rule: DecisionRule,
    codebook: Codebook,
    task: str,
) -> Decided:
    """Return the decisions of a task as they are when none is withheld.

    Args:
        documents: the document of each of n sentences.
        probabilities, targets: (n, codebook.width); sentences with an unknown label are left out.

    Raises:
        ShapeError: the arrays do not have that shape.
        KeyError: the codebook has no such task.
    """
    names = np.asarray(documents, dtype=np.str_)
    if probabilities.shape != targets.shape or names.shape != targets.shape[:1]:
        raise ShapeError(
            f"got {names.shape} documents, probabilities of shape {probabilities.shape} and "
            f"targets of shape {targets.shape}, expected (n,) and twice (n, {codebook.width})"
        )
    part = codebook.slice_of(task)
    known = ~np.isnan(targets[:, part]).any(axis=1)
    bold = DecisionRule(rule.scale, rule.bias, rule.threshold)
    given = bold.decide(probabilities[known], codebook).given[:, part]
    return Decided(
        margin=bold.margin(probabilities[known], codebook)[:, part].min(axis=1),
        wrong=(given != (targets[known, part] == 1.0)).any(axis=1),
        document=np.unique(names[known], return_inverse=True)[1],
    )


def least_documents(risk: float) -> int:
    """Return how many documents a bound needs at least: fewer cannot show so small a risk.

    Raises:
        SettingsError: `risk` is not between 0 and 1.
    """
    if not 0.0 < risk < 1.0:
        raise SettingsError([f"the risk is {risk}, expected between 0 and 1"], where="options")
    return int(np.ceil(1.0 / risk - 1.0 - 1e-9))


def margin_for(seen: Decided, risk: float) -> float:
    """Return the least margin whose bound on the expected loss is at most `risk`.

    It is 0 where no abstention is needed. Just above the margin of a decision is the next float32,
    so that `DecisionRule` withholds exactly the decisions that were withheld here.

    Raises:
        SettingsError: `risk` is not between 0 and 1.
        InputError: there are fewer documents than `least_documents`.
    """
    require_enough(seen, risk)
    steps, total = _steps(seen)
    n = seen.documents
    return _first(steps, total, risk * (n + 1) - 1.0)


def margins_without_each(seen: Decided, risk: float) -> npt.NDArray[np.float32]:
    """Return, for every document, the margin chosen on all the others.

    Each document is new to its margin, so the mean of their losses there estimates, without bias,
    what the bound for n - 1 documents promises.

    Raises:
        SettingsError: `risk` is not between 0 and 1.
        InputError: there are not more documents than `least_documents`.
    """
    require_enough(seen, risk, spare=1)
    steps, total = _steps(seen)
    n = seen.documents
    size = np.bincount(seen.document, minlength=n)
    chosen = np.zeros(n, dtype=np.float32)
    for i in range(n):
        mine = (seen.document == i) & seen.wrong
        made = mine.sum() - np.searchsorted(np.sort(seen.margin[mine]), steps, side="left")
        chosen[i] = _first(steps, total - made / size[i], risk * n - 1.0)
    return chosen


def require_enough(seen: Decided, risk: float, *, spare: int = 0) -> None:
    """Check that there are enough documents for a bound.

    Raises:
        SettingsError: `risk` is not between 0 and 1.
        InputError: there are fewer documents than `least_documents` plus `spare`.
    """
    least = least_documents(risk) + spare
    if seen.documents < least:
        raise InputError(
            f"a risk of {risk:g} needs labels of at least {least} documents for every task, got "
            f"{seen.documents}. Give more labelled documents or allow a higher risk."
        )


@dataclass(frozen=True, slots=True)
class RiskCheck:
    """What a margin does on documents that it was not chosen on.

    `margin` is that for further documents. `risk` is the mean loss of a document, the quantity that
    is bounded; `coverage` the share of sentences decided; `error` the share of wrong ones among the
    decisions made (not bounded, NaN where none is made), and `error_before` the same without
    abstention. Intervals resample documents and take the margin as given.
    """

    task: str
    bound: float
    margin: float
    risk: Score
    coverage: Score
    error: Score
    error_before: Score


def check_risk(
    seen: Decided,
    task: str,
    bound: float,
    margin: float,
    applied: npt.ArrayLike,
    *,
    replicates: int,
    seed: int,
) -> RiskCheck:
    """Measure risk, coverage and error of margins on documents they were not chosen on.

    Args:
        margin: what is reported as chosen.
        applied: the margin that every document is measured at: one, or one a document.
    """
    n = seen.documents
    needed = np.broadcast_to(np.asarray(applied, dtype=np.float32), (n,))
    made = seen.margin >= needed[seen.document]
    facts = np.stack(
        [
            np.bincount(seen.document, weights=values, minlength=n)
            for values in (made & seen.wrong, made, seen.wrong, np.ones(len(made)))
        ]
    )
    weights = np.vstack([np.ones((1, n)), document_weights(n, replicates=replicates, seed=seed)])
    wrong_made, decided_, wrong, sentences = facts @ weights.T
    losses = seen.losses(applied)

    def score(name: str, values: Array, support: int) -> Score:
        interval = percentile_interval(values[1:]) if n > 1 and not np.isnan(values[0]) else None
        low, high = interval or (None, None)
        return Score(f"{task}.{name}", float(values[0]), low, high, support)

    return RiskCheck(
        task=task,
        bound=bound,
        margin=margin,
        risk=score("risk", weights @ losses / n, n),
        coverage=score("coverage", ratio(decided_, sentences), len(made)),
        error=score("error", ratio(wrong_made, decided_), int(made.sum())),
        error_before=score("error_before", ratio(wrong, sentences), len(made)),
    )


def _steps(seen: Decided) -> tuple[npt.NDArray[np.float32], Array]:
    """Return the margins where the sum of losses may fall, ascending, and that sum at each.

    The first is 0, where every decision is made; then come the margins just above that of each
    wrong decision.
    """
    size = np.bincount(seen.document, minlength=seen.documents)
    wrong = np.flatnonzero(seen.wrong)
    order = wrong[np.argsort(seen.margin[wrong], kind="stable")]
    steps = np.append(
        np.float32(0.0), np.nextafter(seen.margin[order], np.float32(2.0), dtype=np.float32)
    )
    cost = 1.0 / size[seen.document[order]]
    # Summed from the end, so that the last entry, where nothing wrong is left, is exactly 0.
    left = np.append(np.cumsum(cost[::-1])[::-1], 0.0)
    # Of equal margins all decisions are withheld together: take the sum behind the last of them.
    last = np.searchsorted(steps, steps, side="right") - 1
    return steps, left[last]


def _first(steps: npt.NDArray[np.float32], total: Array, allowed: float) -> float:
    """Return the first step at which the sum of losses is allowed; at the last one it is 0."""
    return float(steps[np.flatnonzero(total <= allowed + 1e-9)[0]])
