"""How labelling rules do: coverage, overlap, conflict, and against gold precision and recall.

Coverage, overlap and conflict are those of data programming (Ratner et al., 2017, "Snorkel"): the
share of the sentences that a rule speaks on; of these, the share on which another rule speaks on
the same label; and the share on which another rule contradicts it, by the opposite vote on its
label or, in a multiclass task, by a vote for another label. Intervals come from resampling whole
documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import ShapeError
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.labelling.rules import Firing, RuleSet, Votes
from pipeline.records import Score

Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RuleScores:
    """One rule on n sentences.

    Attributes:
        rule: the rule; a negative weight makes it speak against its label.
        spoke: sentences it speaks on.
        coverage, overlap, conflict: shares; see the module. The last two are NaN where it is mute.
        precision: share of right votes among those on sentences whose label is known.
        recall: share of the sentences with the label (without it, for a rule against it) that it
            speaks on rightly. Both are NaN where nothing is known.
        wrong: sentences of wrong votes, by position.
    """

    rule: Firing
    spoke: int
    coverage: float
    overlap: float
    conflict: float
    precision: Score
    recall: Score
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelScores:
    """All rules for one label together: precision and recall of "some rule speaks for it".

    `missed` are the sentences with the label, by position, that no rule speaks for.
    """

    column: str
    rules: int
    precision: Score
    recall: Score
    missed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RuleReport:
    """Rules on sentences; `silent` counts those by task on which no rule of the task speaks."""

    sentences: int
    documents: int
    known: int
    rules: tuple[RuleScores, ...]
    labels: tuple[LabelScores, ...]
    silent: Mapping[str, int]


def report_rules(
    votes: Votes,
    targets: Targets,
    documents: Sequence[str],
    rules: RuleSet,
    *,
    replicates: int,
    seed: int,
    examples: int = 5,
) -> RuleReport:
    """Score every rule, and the rules of every label together.

    Args:
        votes: of the m rules on n sentences, as `RuleSet.votes` makes them.
        targets: (n, codebook.width), NaN where unknown; all NaN where there is no gold.
        documents: the document of each of the n sentences.
        replicates: draws of documents for the intervals; 0 gives none.
        examples: of wrong votes and of misses, at most so many are kept, drawn at random.

    Raises:
        ShapeError: the arrays do not belong together.
    """
    codebook, count = rules.codebook, len(documents)
    if votes.shape != (count, len(rules)) or targets.shape != (count, codebook.width):
        raise ShapeError(
            f"got votes {votes.shape} and targets {targets.shape} for {count} sentences, "
            f"{len(rules)} rules and {codebook.width} columns"
        )
    names, numbers = np.unique(np.asarray(documents, dtype=str), return_inverse=True)
    draws = _Draws(numbers, len(names), replicates, seed)
    random = np.random.default_rng(seed)

    def some(mask: Mask) -> tuple[int, ...]:
        found = np.flatnonzero(mask)
        drawn = random.choice(found, size=min(examples, len(found)), replace=False)
        return tuple(sorted(drawn.tolist()))

    contrary = _contradicted(votes, rules.columns, codebook)
    scored = []
    for j, rule in enumerate(rules.rules):
        column = int(rules.columns[j])
        spoke = votes[:, j] != 0
        beside = (votes[:, rules.columns == column] != 0).sum(axis=1) > 1
        known = np.isfinite(targets[:, column])
        right = spoke & known & ((votes[:, j] > 0) == (targets[:, column] > 0.5))
        to_find = known & ((targets[:, column] > 0.5) == (rule.vote > 0))
        found = right & ((votes[:, j] > 0) == (rule.vote > 0))
        scored.append(
            RuleScores(
                rule=rule,
                spoke=int(spoke.sum()),
                coverage=_share(spoke.sum(), count),
                overlap=_share((spoke & beside).sum(), spoke.sum()),
                conflict=_share((spoke & contrary[:, j]).sum(), spoke.sum()),
                precision=draws.ratio("precision", right, spoke & known),
                recall=draws.ratio("recall", found, to_find),
                wrong=some(spoke & known & ~right),
            )
        )
    labels = []
    for column, name in enumerate(codebook.column_names):
        of_label = np.flatnonzero(rules.columns == column)
        given = (votes[:, of_label] > 0).any(axis=1)
        known, has = np.isfinite(targets[:, column]), targets[:, column] > 0.5
        labels.append(
            LabelScores(
                column=name,
                rules=len(of_label),
                precision=draws.ratio("precision", given & has, given & known),
                recall=draws.ratio("recall", given & has, has),
                missed=some(has & ~given),
            )
        )
    task_of = np.array([rule.task for rule in rules.rules], dtype=str)
    return RuleReport(
        sentences=count,
        documents=len(names),
        known=int(np.isfinite(targets).any(axis=1).sum()),
        rules=tuple(scored),
        labels=tuple(labels),
        silent={
            task: int((~(votes[:, task_of == task] != 0).any(axis=1)).sum())
            for task in codebook.tasks
        },
    )


class _Draws:
    """Ratios of counts with their intervals over documents."""

    def __init__(
        self, documents: npt.NDArray[np.intp], count: int, replicates: int, seed: int
    ) -> None:
        self._documents, self._count = documents, count
        self._weights = document_weights(count, replicates=replicates, seed=seed) if count else None

    def ratio(self, name: str, top: Mask, bottom: Mask) -> Score:
        """Return sum(top) / sum(bottom); the support is the latter."""
        above, below = (
            np.bincount(self._documents, weights=mask, minlength=self._count)
            for mask in (top, bottom)
        )
        interval = None
        if self._count > 1 and self._weights is not None:
            drawn = self._weights @ below
            ratios = np.divide(
                self._weights @ above, drawn, out=np.full_like(drawn, np.nan), where=drawn > 0
            )
            interval = percentile_interval(ratios)
        low, high = interval or (None, None)
        return Score(name, _share(above.sum(), below.sum()), low, high, int(below.sum()))


def _share(part: float | np.integer, whole: float | np.integer) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _contradicted(votes: Votes, columns: npt.NDArray[np.intp], codebook: Codebook) -> Mask:
    """Return where another rule contradicts a vote, shape (n, m)."""
    width = codebook.width
    for_label = np.stack([(votes[:, columns == c] > 0).any(axis=1) for c in range(width)], axis=1)
    against = np.stack([(votes[:, columns == c] < 0).any(axis=1) for c in range(width)], axis=1)
    out = np.zeros(votes.shape, dtype=bool)
    for j, column in enumerate(columns):
        others: Mask = np.zeros(len(votes), dtype=bool)
        task = codebook.columns[column][0]
        if codebook.tasks[task].type is TaskType.MULTICLASS:
            part = codebook.slice_of(task)
            rest = [c for c in range(part.start, part.stop) if c != column]
            others = np.asarray(for_label[:, rest].any(axis=1))
        out[:, j] = np.where(votes[:, j] > 0, against[:, column] | others, for_label[:, column])
    out &= votes != 0
    return out
