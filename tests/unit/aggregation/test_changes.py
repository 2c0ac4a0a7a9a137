from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.aggregation import Change, Expressed, Verdict, find_changes
from pipeline.aggregation.changes import scan

Make = Callable[..., Expressed]
MONTHS = [f"{year}-{month:02}" for year in (2022, 2023) for month in range(1, 13)]


def statements(
    said: Make, having: list[int], each: int, holder: str = "FRA", label: str = "blame"
) -> list[Expressed]:
    """Each month has `each` statements, of which so many have the label, the others another."""
    return [
        said(
            f"{holder}-{label}-{month}-{n}#0",
            label if n < count else "other",
            holder,
            date=f"{month}-15",
        )
        for month, count in zip(MONTHS, having, strict=False)
        for n in range(each)
    ]


def of(changes: list[Change], label: str, holder: str = "FRA") -> Change:
    (one,) = [one for one in changes if (one.label, one.holder.key) == (label, holder)]
    return one


def test_a_clear_change_is_found_where_it_is(said: Make) -> None:
    one = of(find_changes(statements(said, [0] * 7 + [4] * 5, each=5)), "blame")
    assert one.verdict is Verdict.CHANGE
    assert (one.month, one.earliest, one.latest) == ("2022-08", "2022-08", "2022-08")
    assert one.before == (0, 35)
    assert one.after == (20, 25)
    assert one.p == pytest.approx(2 / math.comb(12, 5), abs=0.0015)  # of all orders of the months
    assert one.p < one.p_holm < 0.02  # the other label is tested as well
    assert "0 of 35 statements before 2022-08, 20 of 25 from then on" in one.words


def test_no_change_is_said_without_claiming_that_there_was_none(said: Make) -> None:
    one = of(find_changes(statements(said, [2, 3] * 6, each=5)), "blame")
    assert one.verdict is Verdict.NO_CHANGE
    assert one.p_holm > 0.05
    assert "does not show that there was none" in one.words


@pytest.mark.parametrize(
    ("having", "each", "lacks"),
    [
        ([0, 0, 5, 5, 5], 5, "12 months needed, 5 found"),
        ([0, 1, 0, 2, 1, 2], 3, "20 statements needed, 18 found"),
        ([0] * 8 + [2, 2], 4, "5 statements with the label needed, 4 found"),
        ([5] * 8 + [3, 3], 5, "5 statements without it needed, 4 found"),
    ],
)
def test_too_little_is_said_in_words(said: Make, having: list[int], each: int, lacks: str) -> None:
    one = of(find_changes(statements(said, having, each)), "blame")
    assert one.verdict is Verdict.TOO_LITTLE
    assert lacks in one.words
    assert one.month is None
    assert math.isnan(one.p)
    assert math.isnan(one.p_holm)


def test_words_that_were_linked_to_nobody_and_undated_statements_are_left_out(said: Make) -> None:
    rows = statements(said, [0] * 7 + [4] * 5, each=5, holder="'rebels'")
    assert find_changes(rows) == []
    dated = statements(said, [0] * 7 + [4] * 5, each=5)
    undated = [said(f"u{n}#0", "blame", date="2022") for n in range(50)]
    assert of(find_changes([*dated, *undated]), "blame").statements == 60


def test_a_long_statement_weighs_as_much_as_a_short_one(said: Make) -> None:
    rows = statements(said, [2, 3] * 6, each=5)
    last = rows[-5]
    assert last.label == "blame"
    many = [said(f"{last.doc_id}#{i}", date=last.date) for i in range(1, 200)]
    longer, shorter = (of(find_changes(x), "blame") for x in ([*rows, *many], rows))
    assert longer == shorter


def test_scan_is_the_log_likelihood_ratio() -> None:
    has, total = np.array([1, 2, 6]), np.array([6, 5, 8])

    def loglik(k: int, n: int) -> float:
        share = k / n
        return sum(x * math.log(y) for x, y in ((k, share), (n - k, 1 - share)) if x)

    expected = [
        loglik(1, 6) + loglik(8, 13) - loglik(9, 19),
        loglik(3, 11) + loglik(6, 8) - loglik(9, 19),
    ]
    assert scan(has, total) == pytest.approx(expected)
    assert (scan(has, total) >= 0).all()


@pytest.mark.parametrize("alike", [False, True])
def test_false_alarms_are_as_rare_as_the_level_says(said: Make, alike: bool) -> None:
    """150 series without a change: about 5 % have p <= 0.05, also where months differ."""
    draw = np.random.default_rng(3)
    rows = []
    for n in range(150):
        share = draw.beta(0.7, 0.7, size=14) if alike else np.full(14, 0.4)
        rows += statements(said, draw.binomial(4, share).tolist(), each=4, holder=f"A{n}")
    tested = [one for one in find_changes(rows) if one.label == "blame" and one.month]
    assert len(tested) > 140
    small = sum(one.p <= 0.05 for one in tested) / len(tested)
    assert 0.01 < small < 0.11
    assert sum(one.verdict is Verdict.CHANGE for one in tested) <= 1


def test_the_same_rows_give_the_same_answer(said: Make) -> None:
    rows = statements(said, [2, 3] * 6, each=5)
    assert find_changes(rows) == find_changes(rows)
