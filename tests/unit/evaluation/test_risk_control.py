"""Conformal risk control: a case by hand, brute force, monotony, and the promise by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import InputError, SettingsError, ShapeError
from pipeline.evaluation.risk_control import (
    Decided,
    check_risk,
    decided,
    least_documents,
    margin_for,
    margins_without_each,
)

Draw = Callable[..., "object"]


def of(*rows: tuple[int, float, bool]) -> Decided:
    document, margin, wrong = zip(*rows, strict=True)
    return Decided(
        np.array(margin, dtype=np.float32), np.array(wrong), np.array(document, dtype=np.intp)
    )


BY_HAND = of(
    (0, 0.1, True),
    (0, 0.9, False),
    (1, 0.3, True),
    (2, 0.5, False),
    (3, 0.2, True),
    (3, 0.6, True),
)


def above(margin: float) -> float:
    return float(np.nextafter(np.float32(margin), np.float32(2)))


@pytest.mark.parametrize(
    ("margin", "losses"),
    [
        (0.0, [0.5, 1, 0, 1]),
        (0.2, [0, 1, 0, 1]),  # a margin that is just reached is enough
        (0.25, [0, 1, 0, 0.5]),
        (0.5, [0, 0, 0, 0.5]),
        (1.0, [0, 0, 0, 0]),
    ],
)
def test_a_loss_is_the_share_of_wrong_decisions_made(margin: float, losses: list[float]) -> None:
    assert BY_HAND.losses(margin).tolist() == losses


@pytest.mark.parametrize(
    ("risk", "margin"),
    [
        # n = 4: the sum of losses may be 5 * risk - 1. It is 2.5 at first, and falls to
        # 2 above 0.1, to 1.5 above 0.2, to 0.5 above 0.3 and to 0 above 0.6.
        (0.7, 0.0),
        (0.69, above(0.1)),
        (0.5, above(0.2)),
        (0.49, above(0.3)),
        (0.3, above(0.3)),
        (0.29, above(0.6)),
        (0.2, above(0.6)),
    ],
)
def test_margins_by_hand(risk: float, margin: float) -> None:
    assert margin_for(BY_HAND, risk) == margin


def test_too_few_documents_are_refused() -> None:
    assert (least_documents(0.1), least_documents(0.2), least_documents(0.05)) == (9, 4, 19)
    with pytest.raises(InputError, match=r"risk of 0\.19 needs labels of at least 5 documents"):
        margin_for(BY_HAND, 0.19)
    with pytest.raises(InputError, match="at least 5 documents for every task, got 4"):
        margins_without_each(BY_HAND, 0.2)


@pytest.mark.parametrize("risk", [0.0, 1.0, -0.1, 1.5])
def test_a_risk_is_a_share(risk: float) -> None:
    with pytest.raises(SettingsError, match="expected between 0 and 1"):
        margin_for(BY_HAND, risk)


@st.composite
def decisions(draw: st.DrawFn) -> Decided:
    sizes = draw(st.lists(st.integers(1, 4), min_size=6, max_size=15))
    n = sum(sizes)
    margin = draw(
        st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.35, 0.7, 1.0]), min_size=n, max_size=n)
    )
    wrong = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    document = np.repeat(np.arange(len(sizes)), sizes)
    return Decided(np.array(margin, dtype=np.float32), np.array(wrong), document)


def bounded(seen: Decided, margin: float, risk: float) -> bool:
    n = seen.documents
    return bool(n / (n + 1) * seen.losses(margin).mean() + 1 / (n + 1) <= risk + 1e-9)


def brute(seen: Decided, risk: float) -> float:
    """The least of all margins that decisions can need, from the definition."""
    steps = [0.0, *(above(float(m)) for m in np.unique(seen.margin))]
    return next(step for step in steps if bounded(seen, step, risk))


@given(decisions(), st.floats(0.15, 0.95))
def test_the_least_margin_that_meets_the_bound(seen: Decided, risk: float) -> None:
    assert margin_for(seen, risk) == brute(seen, risk)


@given(decisions(), st.lists(st.floats(0, 1.1), min_size=2, max_size=2))
def test_losses_fall_as_the_margin_grows(seen: Decided, margins: list[float]) -> None:
    low, high = sorted(margins)
    assert (seen.losses(high) <= seen.losses(low)).all()


@given(decisions(), st.lists(st.floats(0.15, 0.95), min_size=2, max_size=2))
def test_less_risk_takes_no_smaller_margin(seen: Decided, risks: list[float]) -> None:
    low, high = sorted(risks)
    assert margin_for(seen, low) >= margin_for(seen, high)


@settings(max_examples=30)
@given(decisions(), st.floats(0.2, 0.95))
def test_margins_without_each_document(seen: Decided, risk: float) -> None:
    for i, margin in enumerate(margins_without_each(seen, risk)):
        rows = seen.document != i
        numbered = np.unique(seen.document[rows], return_inverse=True)[1]
        others = Decided(seen.margin[rows], seen.wrong[rows], numbered)
        assert margin == np.float32(brute(others, risk))


def test_the_rule_withholds_what_was_meant(codebook: Codebook, draw_sample: Draw) -> None:
    """A margin handed to `DecisionRule` leaves exactly the loss that was promised."""
    sample = draw_sample(400, 5, documents=60, unknown=0.2)
    plain = DecisionRule.plain(codebook)
    for task in codebook.tasks:
        part = codebook.slice_of(task)
        seen = decided(
            sample.documents, sample.probabilities, sample.targets, plain, codebook, task
        )
        known = ~np.isnan(sample.targets[:, part]).any(axis=1)
        assert len(seen.margin) == known.sum()
        assert 0 < seen.wrong.mean() < 1
        margin = margin_for(seen, 0.3)
        assert margin > 0
        rule = DecisionRule(plain.scale, plain.bias, plain.threshold, {task: margin})
        made = rule.decide(sample.probabilities, codebook)
        withheld = made.withheld[known, part].any(axis=1)
        assert withheld.tolist() == (seen.margin < np.float32(margin)).tolist()
        wrong = (made.given[known, part] != (sample.targets[known, part] == 1)).any(axis=1)
        assert seen.losses(margin).sum() == pytest.approx(
            sum((wrong & ~withheld)[seen.document == d].mean() for d in range(seen.documents))
        )
        others = [name for name in codebook.tasks if name != task]
        for name in others:
            assert not made.withheld[:, codebook.slice_of(name)].any()


def test_arrays_that_do_not_fit(codebook: Codebook, draw_sample: Draw) -> None:
    sample = draw_sample(10, 1)
    task = next(iter(codebook.tasks))
    rule = DecisionRule.plain(codebook)
    with pytest.raises(ShapeError, match=r"\(9,\) documents"):
        decided(sample.documents[:9], sample.probabilities, sample.targets, rule, codebook, task)


def made_up(documents: int, draw: np.random.Generator) -> Decided:
    """Certainty is uniform, an error less likely the more of it, and documents differ."""
    size = draw.integers(1, 8, documents)
    document = np.repeat(np.arange(documents), size)
    margin = draw.random(len(document)).astype(np.float32)
    hard = draw.random(documents)[document]
    return Decided(margin, draw.random(len(document)) < hard * (1 - margin), document)


def true_risk(margin: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Half of the integral of 1 - m from `margin` to 1: the mean difficulty is one half."""
    return 0.25 * (1 - margin) ** 2


def test_the_promise_holds_in_expectation_and_is_not_idle() -> None:
    """Over many draws the mean true risk is at most the bound, but near it."""
    draw = np.random.default_rng(11)
    for documents, least in ((20, 0.04), (80, 0.08)):
        margins = [margin_for(made_up(documents, draw), 0.1) for _ in range(600)]
        risks = true_risk(np.minimum(np.array(margins), 1.0))
        error = risks.std() / math.sqrt(len(risks))
        assert risks.mean() <= 0.1 + 3 * error
        assert risks.mean() > least


def test_leaving_each_document_out_estimates_the_true_risk() -> None:
    draw = np.random.default_rng(12)
    measured, true = [], []
    for _ in range(200):
        seen = made_up(30, draw)
        margins = margins_without_each(seen, 0.1)
        measured.append(seen.losses(margins).mean())
        true.append(true_risk(np.minimum(margins.astype(np.float64), 1.0)).mean())
    error = np.std(np.array(measured) - np.array(true)) / math.sqrt(200)
    assert abs(np.mean(measured) - np.mean(true)) < 4 * error


def test_a_check_by_hand() -> None:
    check = check_risk(BY_HAND, "tone", 0.5, above(0.2), above(0.2), replicates=200, seed=1)
    assert check.risk.value == pytest.approx(1.5 / 4)
    assert check.coverage.value == pytest.approx(4 / 6)
    assert check.error.value == pytest.approx(2 / 4)
    assert check.error_before.value == pytest.approx(4 / 6)
    assert (check.risk.support, check.error.support) == (4, 4)
    for score in (check.risk, check.coverage, check.error_before):
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high


def test_where_nothing_is_decided_no_error_is_defined() -> None:
    check = check_risk(BY_HAND, "tone", 0.2, 1.1, 1.1, replicates=50, seed=1)
    assert (check.risk.value, check.coverage.value) == (0, 0)
    assert math.isnan(check.error.value)
    assert check.error.low is None
