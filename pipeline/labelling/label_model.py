"""From the votes of rules to probabilities of labels.

Three models. `majority`: the share of votes for a label. `weights`: the log-odds of the rules that
speak, added up (naive Bayes with the weights of the codebook). `dawid-skene`: error rates of every
rule and probabilities of the labels are estimated together from votes alone by expectation
maximisation (Dawid & Skene, 1979, Applied Statistics 28(1), 20-28).

Rules are no coders, and the last model heeds that. A rule can speak for or against its own label
only, so its answers hang on whether that label is true, not on which other is. Silence is no vote;
it is an answer with rates of its own, since a rule that seldom misses says much by it. And the
shares of the labels are taken as given (as Ratner et al., 2019, take them), because rules that
only ever speak for their label leave them open: they are those of the votes, and known labels are
counted beside them (see `PRIOR_SENTENCES`). Rules are taken to err independently, which rules of
similar wording do not; probabilities are therefore too far from one half.

Three independent witnesses are the fewest that tell their error rates apart (Allman, Matias &
Rhodes, 2009, Annals of Statistics 37(6A), 3099-3132, after Kruskal, 1977): two rules have four
rates, and what they say together leaves three free numbers. Where there are fewer, `dawid-skene`
takes the majority, unless enough is known to count the rates (`WeakLabels.voted`).

Coders may vote beside the rules. They answer a whole task, so each has a matrix of confusion as in
Dawid and Skene's paper; a sentence that a coder did not see says nothing of that coder.

Labels are estimated one by one, or one multiclass task by one; where constraints of the codebook
link them, their probabilities are then conditioned on what these allow (see `constraints`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import DEFAULT_WEIGHT, Codebook, TaskType
from pipeline.errors import ShapeError
from pipeline.labelling.constraints import conditioned
from pipeline.labelling.rules import RuleSet, Votes
from pipeline.settings.weak import LabelModel

Array = npt.NDArray[np.float64]

PRIOR_LOG_ODDS = -2.5
"""Log-odds of a multilabel label on which no rule speaks: a prevalence of about 8 %."""

START_WEIGHT = 2.0
"""Log-odds of one vote at the start of the estimation."""

FEWEST_RULES = 3
"""Rules from which error rates can be told from votes alone."""

PRIOR_SENTENCES = 100.0
"""Known sentences that the shares of the votes are worth.

The prior of the shares is a Dirichlet distribution with so many pseudo-sentences, spread as the
votes are; the estimate is its maximum a posteriori (Gelman et al., 2013, Bayesian Data Analysis,
3.4). Few known sentences thus move the shares little, and many settle them.
"""

_MOST_STEPS = 300
_LARGEST_STEP = 1e-4
_PSEUDO_COUNT = 1.0
"""Sentences added to both classes of a rule, with its answers in their overall shares."""
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class WeakLabels:
    """What a label model makes of the votes of m rules on n sentences.

    Attributes:
        probabilities: shape (n, codebook.width); in a multiclass task they sum to one. NaN in a
            multilabel column or a multiclass task without a rule, of which nothing is known, where
            no coder answered either; and see `contradicted`.
        speaks: shape (m, 2), estimated probability that a rule votes in its own direction where
            its label is true and where it is not; NaN where that is not estimated.
        converged: whether the estimate has come to rest.
        voted: columns ("task.label") that `dawid-skene` left to the majority.
        contradicted: sentences whose known labels break the constraints; these stand, and labels
            that constraints link to them are unknown.
    """

    probabilities: Array
    speaks: Array
    converged: bool
    voted: tuple[str, ...] = ()
    contradicted: int = 0


def label_votes(
    votes: Votes,
    rules: RuleSet,
    model: LabelModel,
    *,
    known: Array | None = None,
    answers: Array | None = None,
) -> WeakLabels:
    """Turn votes into probabilities; known labels keep theirs, and the estimate learns from them.

    Args:
        votes: as `RuleSet.votes` makes them, shape (n, m).
        known: labels given by people, shape (n, codebook.width), NaN where unknown.
        answers: the same of each of k coders, who may err, shape (k, n, codebook.width); a coder
            answers a task as a whole or not at all.

    Raises:
        ShapeError: the arrays do not belong together.
    """
    codebook = rules.codebook
    shape = (len(votes), codebook.width)
    if known is None:
        known = np.full(shape, np.nan)
    if answers is None:
        answers = np.empty((0, *shape))
    if {known.shape, answers.shape[1:]} != {shape} or votes.shape != (shape[0], len(rules)):
        raise ShapeError(
            f"got votes {votes.shape}, known labels {known.shape} and answers {answers.shape} for "
            f"{len(rules)} rules and {codebook.width} columns"
        )
    pro, contra = (_by_column((votes == vote).astype(np.float64), rules) for vote in (1, -1))
    given, denied = (answers == 1).sum(axis=0), (answers == 0).sum(axis=0)
    for part in codebook.choices:
        if part.stop - part.start > 1:
            denied[:, part] = 0  # a coder has one vote, for the class that he names
    pro, contra = pro + given, contra + denied
    speaks, converged = np.full((len(rules), 2), np.nan), True
    voted: list[str] = []
    match model:
        case LabelModel.MAJORITY:
            found = _majority(pro, contra, codebook)
        case LabelModel.WEIGHTS:
            weights = np.array([abs(rule.weight) for rule in rules.rules])
            evidence = _by_column(votes * weights, rules) + DEFAULT_WEIGHT * (given - denied)
            found = _from_log_odds(evidence, codebook)
        case LabelModel.DAWID_SKENE:
            start = _from_log_odds(START_WEIGHT * (pro - contra), codebook)
            found = _majority(pro, contra, codebook)
            for part in codebook.choices:
                mine = _rules_of(part, rules)
                coders = _answered(answers[:, :, part])
                witnesses = len(mine) + int((coders.sum(axis=1) >= PRIOR_SENTENCES).sum())
                if not _identified(witnesses, known[:, part]):
                    voted += codebook.column_names[part] if len(mine) or coders.any() else ()
                    continue
                problem = _Problem(
                    votes[:, mine],
                    rules.columns[mine] - part.start,
                    part.stop - part.start,
                    answers[:, :, part],
                )
                found[:, part], rates, rested = problem.solve(start[:, part], known[:, part])
                own = [0 if rules.rules[j].vote > 0 else 1 for j in mine]
                speaks[mine] = rates[np.arange(len(mine)), own]
                converged &= rested
    for part in codebook.choices:
        if not len(_rules_of(part, rules)):
            found[~_answered(answers[:, :, part]).any(axis=0), part] = np.nan
    found, contradicted = conditioned(np.where(np.isnan(known), found, known), known, codebook)
    return WeakLabels(found, speaks, converged, tuple(voted), contradicted)


def hard_labels(
    probabilities: Array, codebook: Codebook, *, confidence: float
) -> list[dict[str, tuple[str, ...] | None]]:
    """Return the labels of every sentence by task; `None`, unknown, where the model is in doubt.

    A multiclass task takes its most probable label, if that has at least `confidence`. A multilabel
    task takes those with at least `confidence`, if all others have at most one less it; it is
    unknown as a whole where one of its labels is (NaN), since a list of labels denies all others.
    Where two labels would break a constraint of the codebook, each has one half or just about, and
    their tasks are in doubt; only what is certain, as labels of people are, stands all the same.
    """
    out: list[dict[str, tuple[str, ...] | None]] = []
    for row in probabilities:
        labels: dict[str, tuple[str, ...] | None] = {}
        for name, task in codebook.tasks.items():
            chances = row[codebook.slice_of(name)]
            if task.type is TaskType.MULTICLASS:
                # equal chances say nothing
                sure = chances.max() >= confidence and (chances == chances.max()).sum() == 1
                labels[name] = (tuple(task.labels)[int(chances.argmax())],) if sure else None
            else:
                sure = bool(((chances >= confidence) | (chances <= 1 - confidence)).all())
                pairs = zip(task.labels, chances, strict=True)
                labels[name] = tuple(n for n, p in pairs if p >= confidence) if sure else None
        for constraint in codebook.constraints:
            if constraint.broken_by(labels):
                for name in (constraint.when, constraint.other):
                    if 0 < row[codebook.column_names.index(name)] < 1:
                        labels[name.split(".")[0]] = None
        out.append(labels)
    return out


def _by_column(values: Array, rules: RuleSet) -> Array:
    """Add up the m columns of `values` by the label that their rule speaks on."""
    owner = np.zeros((len(rules), rules.codebook.width))
    owner[np.arange(len(rules)), rules.columns] = 1.0
    return np.asarray(values @ owner, dtype=np.float64)


def _rules_of(part: slice, rules: RuleSet) -> npt.NDArray[np.intp]:
    return np.flatnonzero((rules.columns >= part.start) & (rules.columns < part.stop))


def _answered(answers: Array) -> npt.NDArray[np.bool_]:
    """Return where coders answered, (k, n), of answers (k, n, columns) to one task or label."""
    return np.asarray(np.isfinite(answers).all(axis=2), dtype=np.bool_)


def _identified(witnesses: int, known: Array) -> bool:
    """Whether votes, or else the known labels (n, classes), tell the rates of so many witnesses."""
    if witnesses == 0 or witnesses >= FEWEST_RULES:
        return witnesses > 0
    told = known[np.isfinite(known).all(axis=1)]
    if told.shape[1] == 1:
        told = np.hstack([told, 1 - told])
    return len(told) >= PRIOR_SENTENCES and bool(told.any(axis=0).all())


def _from_log_odds(evidence: Array, codebook: Codebook) -> Array:
    out = np.empty_like(evidence)
    for part in codebook.choices:
        if part.stop - part.start == 1:
            out[:, part] = (1 + np.tanh((evidence[:, part] + PRIOR_LOG_ODDS) / 2)) / 2
        else:
            out[:, part] = _normalised(evidence[:, part])
    return out


def _majority(pro: Array, contra: Array, codebook: Codebook) -> Array:
    """Return shares of votes, with one further vote that is split as all sentences are.

    Exclusive classes have equal chances in a sentence without a vote: the shares are those of
    classes with a rule, and say nothing of a sentence on which all are silent.
    """
    out = np.empty_like(pro)
    for part in codebook.choices:
        ours, theirs = pro[:, part], contra[:, part]
        if part.stop - part.start == 1:
            prior = (ours > theirs).mean(axis=0) if len(ours) else 0.0
            out[:, part] = (ours + prior) / (ours + theirs + 1)
        else:
            left = np.maximum(ours - theirs, 0)
            spoken = left.any(axis=1)
            split = left[spoken] / left[spoken].sum(axis=1, keepdims=True)
            prior = np.full_like(left, 1 / left.shape[1])
            prior[spoken] = split.mean(axis=0) if len(split) else 0.0
            out[:, part] = (left + prior) / (left.sum(axis=1, keepdims=True) + 1)
    return out


class _Problem:
    """Expectation maximisation for c exclusive classes, or for one label and its absence.

    `owner` is the class that each rule speaks on, shape (m,); `answers` are those of coders, shape
    (k, n, classes asked for).
    """

    def __init__(
        self, votes: Votes, owner: npt.NDArray[np.intp], classes: int, answers: Array
    ) -> None:
        self._binary = classes == 1
        self._classes = 2 if self._binary else classes  # the label stands first
        self._owner = owner
        self._said = [(votes == answer).astype(np.float64) for answer in (1, -1)]
        if self._binary:
            answers = np.concatenate([answers, 1 - answers], axis=2)
        self._answers = np.nan_to_num(answers)
        totals = [said.sum(axis=0) for said in self._said]
        self._totals = np.stack([*totals, len(votes) - totals[0] - totals[1]], axis=1)

    def solve(self, start: Array, known: Array) -> tuple[Array, Array, bool]:
        """Return class probabilities (n, classes asked for), rates (m, 2, 2), and if it converged.

        `rates[j]` holds the chances of a vote for and against (rows: answer) where the class of
        rule j is true and where it is not (columns).
        """
        fixed = np.isfinite(known).all(axis=1)
        truth = known[fixed]
        if self._binary:
            start = np.hstack([start, 1 - start])
            truth = np.hstack([truth, 1 - truth])
        classes = np.clip(start, _LEAST, None)
        classes /= classes.sum(axis=1, keepdims=True)
        shares = self._shares(classes, truth) if len(classes) else classes[:0]
        classes[fixed] = truth
        rates, converged = self._rates(classes), not len(classes)
        for _ in range(_MOST_STEPS if len(classes) else 0):
            updated = self._expected(rates, self._confusions(classes), shares)
            updated[fixed] = truth
            step = float(np.abs(updated - classes).max())
            classes, rates = updated, self._rates(updated)
            if step < _LARGEST_STEP:
                converged = True
                break
        return (classes[:, :1] if self._binary else classes), rates[:, :2], converged

    def _shares(self, classes: Array, truth: Array) -> Array:
        """Return the shares of the classes (c,): those of the votes, and the known ones beside."""
        counted = truth.sum(axis=0) + PRIOR_SENTENCES * classes.mean(axis=0)
        shares: Array = np.clip(counted / (len(truth) + PRIOR_SENTENCES), _LEAST, None)
        return shares

    def _rates(self, classes: Array) -> Array:
        """Return the chances of the answers for, against and silence, shape (m, 3, 2)."""
        mine = np.arange(len(self._owner)), self._owner
        own = [(said.T @ classes)[mine] for said in self._said]
        size = classes.sum(axis=0)[self._owner]
        inside = np.stack([*own, size - own[0] - own[1]], axis=1)
        usual = self._totals / max(len(classes), 1)
        counts = np.stack([inside, self._totals - inside], axis=2)
        counts = np.maximum(counts, 0.0) + _PSEUDO_COUNT * usual[:, :, None]
        sums = counts.sum(axis=1, keepdims=True)
        rates: Array = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
        return rates

    def _confusions(self, classes: Array) -> Array:
        """Return the chances that coders name a class (last) where one is true, shape (k, c, c)."""
        counts = np.einsum("nt,kns->kts", classes, self._answers)
        usual = counts.sum(axis=1, keepdims=True)
        usual = usual / np.maximum(usual.sum(axis=2, keepdims=True), 1.0)
        counts += _PSEUDO_COUNT * usual + _LEAST
        return np.asarray(counts / counts.sum(axis=2, keepdims=True), dtype=np.float64)

    def _expected(self, rates: Array, confusions: Array, shares: Array) -> Array:
        safe = np.maximum(rates, 1e-12)
        gain = np.log(safe[:, :, 0]) - np.log(safe[:, :, 1])
        owner = np.zeros((len(self._owner), self._classes))
        owner[np.arange(len(self._owner)), self._owner] = 1.0
        scores = np.log(shares) + gain[:, 2] @ owner
        scores = scores + np.einsum("kns,kts->nt", self._answers, np.log(confusions))
        for said, answer in zip(self._said, (0, 1), strict=True):
            scores = scores + said @ ((gain[:, answer] - gain[:, 2])[:, None] * owner)
        return _normalised(scores)


def _normalised(scores: Array) -> Array:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)
