"""Estimators of shares against examples worked by hand, a published package, and simulation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ShapeError
from pipeline.evaluation.sampling_design import draw_documents, draw_sentences
from pipeline.evaluation.share_estimates import (
    Estimate,
    Survey,
    adjusted_count,
    classify_and_count,
    cross_fitted,
    design_based,
    evidence,
    prediction_powered,
    sample_only,
    weight_gap,
)
from pipeline.evaluation.share_intervals import difference, interval

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
NAN = math.nan


def dsl(survey: Survey, members: Mask) -> Estimate:
    return design_based(survey, members, cross_fitted(survey))


def all_of(survey: Survey) -> Mask:
    return np.ones(len(survey.given), dtype=np.bool_)


def draw(
    seed: int,
    *,
    documents: int = 80,
    sampled: int = 300,
    sensitivity: tuple[float, float] = (0.8, 0.55),
    specificity: tuple[float, float] = (0.9, 0.98),
    whole_documents: bool = False,
) -> tuple[Survey, Mask]:
    """A population whose model errs otherwise in the second half of the documents; share 0.2."""
    random = np.random.default_rng(seed)
    document = np.repeat(np.arange(documents), random.integers(5, 25, size=documents))
    group = document >= documents // 2
    truth = (random.random(len(document)) < random.beta(1, 4, documents)[document]).astype(float)
    right = np.where(
        truth == 1,
        np.where(group, sensitivity[1], sensitivity[0]),
        np.where(group, specificity[1], specificity[0]),
    )
    said = np.where(random.random(len(document)) < right, truth, 1 - truth)
    score = np.clip(0.2 + 0.6 * said + random.normal(0, 0.05, len(document)), 0, 1)
    if whole_documents:
        inclusion = draw_documents(document, sampled, seed=seed)
    else:
        inclusion = draw_sentences(np.zeros(len(document), dtype=np.intp), sampled, seed=seed)
    known = np.where(np.isnan(inclusion), np.nan, truth)
    return Survey(document, said, score, inclusion, known), group


def hand() -> Survey:
    """Six sentences of six documents, three of them sampled."""
    return Survey(
        documents=np.arange(6),
        given=np.array([1.0, 0, 0, 1, 0, 0]),
        score=np.array([0.9, 0.2, 0.4, 0.7, 0.1, 0.1]),
        inclusion=np.array([0.5, 0.25, 0.25, NAN, NAN, NAN]),
        truth=np.array([1.0, 0, 1, NAN, NAN, NAN]),
    )


def test_horvitz_thompson_by_hand() -> None:
    survey = hand()
    estimate = design_based(survey, all_of(survey), np.zeros(6))
    assert estimate.value == pytest.approx((1 / 0.5 + 1 / 0.25) / 6)
    # Pseudo-outcomes are 2, 0, 4, 0, 0, 0 with mean 1; squares of their distances are 1 1 9 1 1 1.
    assert estimate.variance == pytest.approx(14 / 36 * 3 / 2)


def test_hajek_by_hand() -> None:
    survey = hand()
    estimate = sample_only(survey, all_of(survey))
    assert estimate.value == pytest.approx((2 + 4) / (2 + 4 + 4))
    parts = np.array([2 * 0.4, 4 * -0.6, 4 * 0.4, 0, 0, 0]) / 10
    np.testing.assert_allclose(estimate.influence, parts)
    assert estimate.clusters == 3


def test_design_based_by_hand() -> None:
    survey = hand()
    fitted = np.array([0.8, 0.1, 0.5, 0.6, 0.0, 0.1])
    pseudo = [0.8 + 0.2 / 0.5, 0.1 - 0.1 / 0.25, 0.5 + 0.5 / 0.25, 0.6, 0.0, 0.1]
    estimate = design_based(survey, all_of(survey), fitted)
    assert estimate.value == pytest.approx(sum(pseudo) / 6)


def test_rogan_and_gladen_by_hand() -> None:
    """Sensitivity 16 / 20, specificity 72 / 80, 300 of 1,000 given: (0.3 + 0.9 - 1) / 0.7."""
    said = np.concatenate([np.ones(16), np.zeros(4), np.ones(8), np.zeros(72)])
    truth = np.concatenate([np.ones(20), np.zeros(80)])
    said = np.concatenate([said, np.ones(276), np.zeros(624)])
    truth = np.concatenate([truth, np.full(900, NAN)])
    inclusion = np.where(np.isnan(truth), NAN, 0.1)
    survey = Survey(np.arange(1000), said, said, inclusion, truth)
    estimate = adjusted_count(survey, all_of(survey))
    assert estimate.value == pytest.approx(0.2 / 0.7)
    # Rogan and Gladen's variance, for a group that has no part in the sample.
    outside = adjusted_count(survey, ~survey.sampled)
    q = 276 / 900
    p = (q + 0.9 - 1) / 0.7
    assert outside.value == pytest.approx(p)
    parts = q * (1 - q) / 900, (1 - p) ** 2 * 0.9 * 0.1 / 80, p**2 * 0.8 * 0.2 / 20
    assert outside.variance == pytest.approx(sum(parts) / 0.7**2 * 100 / 99)


@pytest.mark.parametrize(
    ("said", "truth"),
    [([1.0, 0, 1, 0], [1.0, 1, 1, 1]), ([0.0, 1, 0, 1], [1.0, 0, 1, 0])],
    ids=["no negatives in the sample", "worse than chance"],
)
def test_the_adjusted_count_is_undefined(said: list[float], truth: list[float]) -> None:
    given_ = np.array(said)
    survey = Survey(np.arange(4), given_, given_, np.full(4, 0.5), np.array(truth))
    assert math.isnan(adjusted_count(survey, all_of(survey)).value)
    assert interval(adjusted_count(survey, all_of(survey))) is None


def unclustered(seed: int) -> tuple[Survey, Array, Array, Array]:
    random = np.random.default_rng(seed)
    truth = (random.random(3000) < 0.25).astype(float)
    score = np.clip(0.15 + 0.5 * truth + random.normal(0, 0.2, 3000), 0, 1)
    chosen = random.permutation(3000) < 300
    survey = Survey(
        np.arange(3000),
        (score > 0.5).astype(float),
        score,
        np.where(chosen, 0.1, NAN),
        np.where(chosen, truth, NAN),
    )
    return survey, truth[chosen][:, None], score[chosen][:, None], score[~chosen][:, None]


@pytest.mark.slow  # importing the other package takes most of it
@pytest.mark.parametrize("seed", range(3))
def test_prediction_powered_agrees_with_ppi_python(seed: int) -> None:
    """Published code splits labelled from unlabelled; we take all: power N / (N - n) as large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ppi_py import ppi_mean_ci, ppi_mean_pointestimate
    survey, y, yhat, others = unclustered(seed)
    members = all_of(survey)
    for power in (0.0, 0.4, 0.9):
        theirs = float(ppi_mean_pointestimate(y, yhat, others, lam=0.9 * power).item())
        low, high = ppi_mean_ci(y, yhat, others, alpha=0.05, lam=0.9 * power)
        ours = prediction_powered(survey, members, power=power)
        assert ours.value == pytest.approx(theirs, abs=1e-12)
        error = (float(high[0]) - float(low[0])) / 2 / 1.959964
        assert math.sqrt((ours.influence**2).sum()) == pytest.approx(error, rel=1e-3)
    theirs = float(ppi_mean_pointestimate(y, yhat, others).item())
    low, high = ppi_mean_ci(y, yhat, others, alpha=0.05)
    ours = prediction_powered(survey, members)
    error = (float(high[0]) - float(low[0])) / 2 / 1.959964
    # Their tuning takes the variance of predictions from all sentences, ours from the sample.
    assert ours.value == pytest.approx(theirs, abs=error / 5)
    assert math.sqrt(ours.variance) == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize("estimator", [prediction_powered, dsl, adjusted_count])
@pytest.mark.parametrize("whole_documents", [False, True])
def test_a_perfect_model_gives_the_census(
    estimator: Callable[[Survey, Mask], Estimate], whole_documents: bool
) -> None:
    survey, group = draw(
        1,
        documents=500,
        sampled=30 if whole_documents else 300,
        sensitivity=(1, 1),
        specificity=(1, 1),
        whole_documents=whole_documents,
    )
    survey = Survey(survey.documents, survey.given, survey.given, survey.inclusion, survey.truth)
    for members in (all_of(survey), group, ~group):
        census = classify_and_count(survey, members)
        estimate = estimator(survey, members)
        assert estimate.value == pytest.approx(float(survey.given[members].mean()), abs=1e-9)
        # What is left is the spread between documents, which a census has as well.
        np.testing.assert_allclose(estimate.influence, census.influence, atol=1e-9)
        alone = sample_only(survey, members)
        assert (census.influence**2).sum() < 0.25 * (alone.influence**2).sum()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), whole_documents=st.booleans())
def test_the_order_of_sentences_changes_nothing(seed: int, whole_documents: bool) -> None:
    survey, group = draw(seed, sampled=30, whole_documents=whole_documents)
    order = np.random.default_rng(seed).permutation(len(group))
    mixed = Survey(
        survey.documents[order],
        survey.given[order],
        survey.score[order],
        survey.inclusion[order],
        survey.truth[order],
    )
    for estimator in (classify_and_count, sample_only, adjusted_count, prediction_powered, dsl):
        one, other = estimator(survey, group), estimator(mixed, group[order])
        assert one.value == pytest.approx(other.value, abs=1e-9, nan_ok=True)
        np.testing.assert_allclose(one.influence, other.influence, atol=1e-9)


@pytest.mark.parametrize("estimator", [sample_only, adjusted_count, prediction_powered])
def test_only_the_proportions_of_weights_count(
    estimator: Callable[[Survey, Mask], Estimate],
) -> None:
    survey, group = draw(3)
    smaller = Survey(
        survey.documents, survey.given, survey.score, survey.inclusion / 3, survey.truth
    )
    one, other = estimator(survey, group), estimator(smaller, group)
    assert one.value == pytest.approx(other.value)
    assert one.variance == pytest.approx(other.variance)


def test_sampling_everything_gives_the_truth() -> None:
    survey, group = draw(4, sampled=80, whole_documents=True)
    truth = float(survey.truth[group].mean())
    assert sample_only(survey, group).value == pytest.approx(truth)
    assert prediction_powered(survey, group).value == pytest.approx(truth)
    assert dsl(survey, group).value == pytest.approx(truth)


def test_a_useless_prediction_is_not_used() -> None:
    survey, group = draw(5)
    flat = Survey(
        survey.documents,
        survey.given,
        np.full_like(survey.score, 0.3),
        survey.inclusion,
        survey.truth,
    )
    assert prediction_powered(flat, group).value == sample_only(flat, group).value


def test_repeated_documents_do_not_look_like_more_of_them() -> None:
    """Every sentence four times within its document: the same share, and the same error."""
    survey, group = draw(6)
    fold = Survey(
        *(
            np.repeat(a, 4)
            for a in (
                survey.documents,
                survey.given,
                survey.score,
                survey.inclusion,
                survey.truth,
            )
        )
    )
    for estimator in (sample_only, prediction_powered, adjusted_count, dsl):
        one, other = estimator(survey, group), estimator(fold, np.repeat(group, 4))
        assert one.value == pytest.approx(other.value)
        assert one.variance == pytest.approx(other.variance)


def test_cross_fitting_does_not_see_a_documents_own_labels() -> None:
    survey, _ = draw(7, sampled=40, whole_documents=True)
    before = cross_fitted(survey)
    document = int(survey.documents[survey.sampled][0])
    own = survey.documents == document
    other = Survey(
        survey.documents,
        survey.given,
        survey.score,
        survey.inclusion,
        np.where(own, 1 - survey.truth, survey.truth),
    )
    after = cross_fitted(other)
    np.testing.assert_array_equal(before[own], after[own])
    assert not np.allclose(before, after)


def test_evidence_counts_the_rarer_kind_by_weight() -> None:
    survey = hand()
    assert evidence(survey, all_of(survey)) == pytest.approx(1.0)  # one negative
    only = np.array([True, False, True, True, True, True])
    assert evidence(survey, only) == 0.0  # no negative
    heavy = Survey(
        np.arange(6),
        np.zeros(6),
        np.zeros(6),
        np.array([0.01, 1, 1, 1, 1, 1]),
        np.array([1.0, 1, 1, 0, 0, 0]),
    )
    assert evidence(heavy, all_of(heavy)) == pytest.approx(102**2 / (100**2 + 2))


def test_no_sampled_member_no_estimate() -> None:
    survey = hand()
    rest = np.array([False, False, False, True, True, True])
    for estimator in (sample_only, prediction_powered, dsl):
        assert math.isnan(estimator(survey, rest).value)
        assert interval(estimator(survey, rest)) is None
    assert classify_and_count(survey, rest).value == pytest.approx(1 / 3)


def test_weights_that_add_up_and_weights_that_do_not() -> None:
    survey, _ = draw(8)
    total, _ = weight_gap(survey)
    assert total == pytest.approx(len(survey.given))
    wrong = Survey(survey.documents, survey.given, survey.score, survey.inclusion / 2, survey.truth)
    total, error = weight_gap(wrong)
    assert total - len(survey.given) > 3 * error


@pytest.mark.parametrize(
    "change",
    [
        {"truth": np.array([1.0, 0, NAN, NAN, NAN, NAN])},
        {"inclusion": np.array([0.5, 0.25, 1.5, NAN, NAN, NAN])},
        {"inclusion": np.array([0.5, 0.25, 0.0, NAN, NAN, NAN])},
        {"score": np.zeros(5)},
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Array]) -> None:
    survey = hand()
    fields = {
        name: getattr(survey, name)
        for name in ("documents", "given", "score", "inclusion", "truth")
    }
    with pytest.raises(ShapeError):
        Survey(**{**fields, **change})


@pytest.mark.parametrize("whole_documents", [False, True])
def test_intervals_cover_where_counting_fails(whole_documents: bool) -> None:
    """150 populations of share 0.2 in both groups, the model sees twice as many in the first."""
    repeats, sampled = 150, 60 if whole_documents else 400
    hits: dict[str, int] = dict.fromkeys(("cc", "ppi", "dsl"), 0)
    gaps: dict[str, int] = dict.fromkeys(("cc", "ppi", "dsl"), 0)
    for seed in range(repeats):
        survey, group = draw(seed, documents=120, sampled=sampled, whole_documents=whole_documents)
        estimators = {"cc": classify_and_count, "ppi": prediction_powered, "dsl": dsl}
        for name, estimator in estimators.items():
            first, second = estimator(survey, ~group), estimator(survey, group)
            low, high = interval(first) or (NAN, NAN)
            hits[name] += low <= 0.2 <= high
            low, high = difference(first, second)[1] or (NAN, NAN)
            gaps[name] += low <= 0.0 <= high
    for name in ("ppi", "dsl"):
        assert 0.89 * repeats <= hits[name], hits
        assert 0.89 * repeats <= gaps[name] < repeats, gaps
    assert hits["cc"] < 0.6 * repeats
    assert gaps["cc"] < 0.1 * repeats
