"""Shares of a label among all sentences, from predictions on all and true labels on a sample.

Counting predictions (classify and count) carries the errors of the model into the share. The other
estimators use a sample whose inclusion probabilities are known to take them out.

Every estimator returns its value and what each document adds to its error (the linearised, or
influence, values; Särndal, Swensson and Wretman, 1992, Model Assisted Survey Sampling, ch. 5), so
that variances and differences between groups hold for sentences that are alike within documents.
Documents are taken as independent draws: the error is that for the share in texts of this kind,
somewhat more than for the share in exactly these texts. Intervals are in `share_intervals`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import ShapeError

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FOLDS = 5
"""Parts in which documents are set aside while the predictions are fitted to the true labels."""


@dataclass(frozen=True, slots=True)
class Survey:
    """One label on all n sentences of a population, and its truth on the sampled ones.

    All arrays are (n,): the number of the sentence's document, counted from 0; 1.0 where the model
    gives the label, else 0.0; its predicted probability (or again 1.0 and 0.0); the probability
    with which the sentence came into the sample, in (0, 1], NaN where it did not; the true label,
    1.0 or 0.0, NaN where it was not sampled.

    Raises:
        ShapeError: the arrays differ in length or in which sentences were sampled, or an inclusion
            probability lies outside (0, 1].
    """

    documents: npt.NDArray[np.intp]
    given: Array
    score: Array
    inclusion: Array
    truth: Array

    def __post_init__(self) -> None:
        arrays = (self.documents, self.given, self.score, self.inclusion, self.truth)
        shapes = [array.shape for array in arrays]
        if len(set(shapes)) != 1 or len(shapes[0]) != 1:
            raise ShapeError(f"got arrays of shapes {shapes}, expected five of one shape (n,)")
        if not np.array_equal(np.isnan(self.inclusion), np.isnan(self.truth)):
            raise ShapeError("inclusion and truth must be known for the same sentences")
        known = self.inclusion[self.sampled]
        if not ((known > 0) & (known <= 1)).all():
            raise ShapeError("inclusion probabilities must lie in (0, 1]")

    @property
    def sampled(self) -> Mask:
        """Which sentences are in the sample."""
        return ~np.isnan(self.inclusion)

    def weights(self, members: Mask) -> Array:
        """Return 1 / inclusion probability of sampled members and 0 elsewhere, (n,)."""
        inside = self.sampled & members
        weights: Array = np.where(inside, 1.0 / np.where(inside, self.inclusion, 1.0), 0.0)
        return weights

    def labels(self) -> Array:
        """Return the true labels, 0 where the sentence was not sampled, (n,)."""
        return np.where(self.sampled, self.truth, 0.0)

    def sum_by_document(self, values: Array) -> Array:
        """Return the sums of n values by document, (documents,)."""
        sums: Array = np.bincount(self.documents, weights=values).astype(np.float64)
        return sums

    def count_documents(self, members: Mask) -> int:
        """Return in how many documents the members stand."""
        return len(np.unique(self.documents[members]))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share (NaN where it is undefined) and what each document adds to its error.

    `influence` is (documents,), or shorter where the last ones add nothing; `clusters` says how
    many documents are behind the spread, and `constants` how many numbers were fitted to them.
    `evidence` is the number of documents in which the rarer kind was met; see `evidence`.
    """

    value: float
    influence: Array
    clusters: int
    constants: int = 1
    evidence: float = math.inf

    @property
    def freedom(self) -> int:
        """Degrees of freedom."""
        return self.clusters - self.constants

    @property
    def variance(self) -> float:
        """Variance, clustered by document; NaN without degrees of freedom."""
        if self.freedom < 1 or math.isnan(self.value):
            return math.nan
        return float((self.influence**2).sum()) * self.clusters / self.freedom


def classify_and_count(survey: Survey, members: Mask) -> Estimate:
    """Return the share of members that the model gives the label: right only without errors."""
    return _mean(survey, survey.given, members, survey.count_documents(members))


def sample_only(survey: Survey, members: Mask) -> Estimate:
    """Return the weighted share in the sample alone (Hájek, 1971); the model plays no part."""
    return prediction_powered(survey, members, power=0.0)


def adjusted_count(survey: Survey, members: Mask) -> Estimate:
    """Return the count corrected by sensitivity and specificity (Rogan and Gladen, 1978).

    (q + specificity - 1) / (sensitivity + specificity - 1), where q is the share of members that
    are given the label. Sensitivity and specificity are those of the whole sample, not only of its
    members: the estimate assumes that they are the same in every group. It may lie outside [0, 1],
    and is NaN where the sample lacks positives or negatives, or the model is not better than
    chance.
    """
    everyone = np.ones(len(survey.given), dtype=np.bool_)
    weights, y = survey.weights(everyone), survey.labels()
    count = classify_and_count(survey, members)
    sensitivity, for_positive = _ratio(survey, weights * y, survey.given)
    specificity, for_negative = _ratio(survey, weights * (1 - y), 1 - survey.given)
    gain = sensitivity + specificity - 1
    clusters = survey.count_documents(survey.sampled)
    if not gain > 0:  # also where it is NaN
        return Estimate(math.nan, np.zeros_like(count.influence), clusters)
    value = (count.value + specificity - 1) / gain
    influence = count.influence + (1 - value) * for_negative - value * for_positive
    seen = evidence(survey, everyone)
    return Estimate(value, influence / gain, clusters, evidence=seen)


def prediction_powered(survey: Survey, members: Mask, power: float | None = None) -> Estimate:
    """Return the prediction-powered share with power tuning (PPI++; Angelopoulos et al., 2023).

    The weighted share of the sample, plus `power` times what the mean prediction of all members
    exceeds that of the sampled ones. Without a `power` it is the one with the least variance
    between documents, from 0 to N / (N - n), n of N members sampled (1 where only the others are
    averaged, as published). Published for samples drawn with equal probabilities; here every
    mean over the sample is weighted by the inverse inclusion probability. NaN without sampled
    members.
    """
    weights = survey.weights(members)
    clusters = survey.count_documents(survey.sampled & members)
    share, of_truth = _ratio(survey, weights, survey.labels())
    if not clusters:
        return Estimate(math.nan, of_truth, 0)
    predicted, of_prediction = _ratio(survey, weights, survey.score)
    constants = 1
    if power is None:
        spread = float((of_prediction**2).sum())
        power = float((of_truth * of_prediction).sum()) / spread if spread > 0 else 0.0
        inside, size = int((survey.sampled & members).sum()), int(members.sum())
        power, constants = min(max(power, 0.0), size / max(size - inside, 1)), 2
    whole = _mean(survey, survey.score, members, clusters)
    value = share + power * (whole.value - predicted)
    influence = of_truth + power * (whole.influence - of_prediction)
    return Estimate(value, influence, clusters, constants, evidence(survey, members))


def design_based(survey: Survey, members: Mask, fitted: Array) -> Estimate:
    """Return the share by design-based supervised learning (DSL; Egami et al., 2023).

    The mean over members of fitted + (truth - fitted) / inclusion probability, the second term only
    for sampled sentences. `fitted` (n,) may be wrong in any way so long as a document's own labels
    did not enter it: see `cross_fitted`. With zeros it is the estimate of Horvitz and Thompson
    (1952). NaN without sampled members.
    """
    clusters = survey.count_documents(survey.sampled & members)
    pseudo = fitted + survey.weights(members) * (survey.labels() - fitted)
    value, influence = _ratio(survey, members.astype(np.float64), pseudo)
    seen = evidence(survey, members)
    return Estimate(value if clusters else math.nan, influence, clusters, evidence=seen)


def cross_fitted(survey: Survey, seed: int = 0) -> Array:
    """Return the expected true label given the prediction, (n,), for `design_based`.

    A weighted linear regression of the true label on the probability and the decision, fitted to
    the sampled documents of the other `FOLDS` - 1 folds. Folds are of documents; they depend on
    the seed and on the documents' numbers, not on the order of sentences.
    """
    draw = np.random.default_rng(seed)
    count = int(survey.documents.max(initial=-1)) + 1
    has_sample = np.zeros(count, dtype=np.bool_)
    has_sample[survey.documents[survey.sampled]] = True
    fold = np.empty(count, dtype=np.intp)
    for part in (np.flatnonzero(has_sample), np.flatnonzero(~has_sample)):
        fold[draw.permutation(part)] = np.arange(len(part)) % FOLDS
    of_sentence = fold[survey.documents]
    facts = np.column_stack([np.ones_like(survey.score), survey.score, survey.given])
    root = np.sqrt(survey.weights(np.ones(len(survey.score), dtype=np.bool_)))
    y = survey.labels()
    out = np.zeros(len(survey.score))
    for k in range(FOLDS):
        rows = np.flatnonzero(survey.sampled & (of_sentence != k))
        if len(rows):
            scale = root[rows]
            best = np.linalg.lstsq(facts[rows] * scale[:, None], y[rows] * scale, rcond=1e-10)[0]
            out[of_sentence == k] = facts[of_sentence == k] @ best
    return out


def weight_gap(survey: Survey) -> tuple[float, float]:
    """Return how many sentences the sample stands for by its weights, and the standard error.

    The Horvitz-Thompson estimate of n; far from n, the sample was not drawn from this population
    with these probabilities.
    """
    weights = survey.weights(np.ones(len(survey.given), dtype=np.bool_))
    by_document = survey.sum_by_document(weights - 1.0)
    return float(weights.sum()), float(np.sqrt((by_document**2).sum()))


def evidence(survey: Survey, members: Mask) -> float:
    """Return in how many documents sampled members have the label, or lack it if that is rarer.

    Counted as documents of equal weight (Kish, 1965, Survey Sampling): a few heavy ones among many
    light ones count as few.
    """
    weights, y = survey.weights(members), survey.labels()
    counts = []
    for kind in (y, 1 - y):
        by_document = survey.sum_by_document(weights * kind)
        squares = float((by_document**2).sum())
        counts.append(float(by_document.sum()) ** 2 / squares if squares > 0 else 0.0)
    return min(counts)


def _mean(survey: Survey, values: Array, members: Mask, clusters: int) -> Estimate:
    """Mean over members; NaN without any."""
    value, influence = _ratio(survey, members.astype(np.float64), values)
    return Estimate(value, influence, clusters)


def _ratio(survey: Survey, weights: Array, values: Array) -> tuple[float, Array]:
    """Weighted mean and its influence by document; NaN and zeros without weight."""
    total = float(weights.sum())
    if not total > 0:
        return math.nan, survey.sum_by_document(np.zeros_like(values))
    mean = float((weights * values).sum()) / total
    return mean, survey.sum_by_document(weights * (values - mean)) / total
