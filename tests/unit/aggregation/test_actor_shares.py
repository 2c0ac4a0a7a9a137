from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.aggregation import ActorShare, Expressed, actor_shares
from pipeline.settings.aggregation import Period

Make = Callable[..., Expressed]


def find(shares: list[ActorShare], holder: str, period: str, label: str) -> ActorShare:
    (found,) = [
        one for one in shares if (one.holder.key, one.period, one.label) == (holder, period, label)
    ]
    return found


def test_a_sentence_counts_once_however_many_labels_it_has(said: Make) -> None:
    rows = [
        said("a#0", "blame", date="2024-01-05"),
        said("a#0", "praise", date="2024-01-05"),
        said("a#1", "praise", date="2024-01-05"),
        said("b#0", "praise", date="2024-02-01"),
    ]
    one = find(actor_shares(rows, Period.MONTH), "FRA", "(all)", "blame")
    assert (one.sentences, one.statements) == (1, 1)
    assert (one.attributed_sentences, one.attributed_statements) == (3, 2)
    assert one.share == pytest.approx(1 / 3)


def test_periods_with_other_labels_only_are_listed_with_zeros(said: Make) -> None:
    rows = [
        said("a#0", "blame", date="2024-01-05"),
        said("b#0", "praise", date="2025-02-01"),
        said("c#0", "praise"),
        said("d#0", "blame", holders="DEU", date="2024-01-01"),
    ]
    by_month = actor_shares(rows, Period.MONTH)
    assert find(by_month, "FRA", "2025-02", "blame").share == 0.0
    assert find(by_month, "FRA", "(none)", "praise").sentences == 1
    assert {one.period for one in by_month if one.holder.key == "DEU"} == {"(all)", "2024-01"}
    by_year = actor_shares(rows, Period.YEAR)
    assert {one.period for one in by_year if one.holder.key == "FRA"} == {
        *("(all)", "2024", "2025", "(none)"),
    }


def test_tasks_are_apart(said: Make) -> None:
    rows = [said("a#0", "blame"), said("a#0", "warm", task="tone")]
    shares = [one for one in actor_shares(rows, Period.YEAR) if one.period == "(all)"]
    assert [(one.task, one.label, one.share) for one in shares] == [
        ("stance", "blame", 1.0),
        ("tone", "warm", 1.0),
    ]


def test_joint_holders_each_have_the_label(said: Make) -> None:
    shares = actor_shares([said("a#0", holders="FRA DEU")], Period.YEAR)
    assert {one.holder.key for one in shares} == {"FRA", "DEU"}


@pytest.mark.parametrize("statements", [1, 2, 4])
def test_few_statements_give_no_interval_and_say_so(said: Make, statements: int) -> None:
    rows = [
        said(f"d{n}#{i}", "blame" if i else "praise") for n in range(statements) for i in (0, 1)
    ]
    one = find(actor_shares(rows, Period.YEAR), "FRA", "(all)", "blame")
    assert one.low is None
    assert one.high is None
    assert one.cautions == ("no interval: under 5 statements",)


def test_a_label_of_few_statements_has_no_interval(said: Make) -> None:
    rows = [said(f"d{n}#0", "blame" if n < 4 else "praise") for n in range(30)]
    one = find(actor_shares(rows, Period.YEAR), "FRA", "(all)", "blame")
    assert one.low is None
    assert one.cautions == ("no interval: label met (or lacking) in under 5 statements",)


def test_the_interval_is_wider_where_sentences_of_a_statement_are_alike(said: Make) -> None:
    draw = np.random.default_rng(1)
    alike, mixed = [], []
    for n in range(40):
        label = "blame" if n % 2 else "praise"
        alike += [said(f"d{n}#{i}", label) for i in range(10)]
        labels = draw.permutation(["blame", "praise"] * 5)
        mixed += [said(f"d{n}#{i}", str(label)) for i, label in enumerate(labels)]
    wide = find(actor_shares(alike, Period.YEAR), "FRA", "(all)", "blame")
    assert wide.low is not None
    assert wide.high is not None
    assert wide.low < 0.5 < wide.high
    assert 0.25 < wide.high - wide.low < 0.4  # 40 statements, not 400 sentences
    assert wide.cautions == ()
    narrow = find(actor_shares(mixed, Period.YEAR), "FRA", "(all)", "blame")
    assert narrow.share == 0.5
    assert narrow.cautions == ("no interval: no statement differs from the others",)


def test_order_does_not_matter(said: Make) -> None:
    rows = [said(f"d{n}#0", "blame" if n % 3 else "praise") for n in range(30)]
    forth = find(actor_shares(rows, Period.YEAR), "FRA", "(all)", "blame")
    back = find(actor_shares(rows[::-1], Period.YEAR), "FRA", "(all)", "blame")
    assert (forth.share, forth.low, forth.high) == pytest.approx((back.share, back.low, back.high))
