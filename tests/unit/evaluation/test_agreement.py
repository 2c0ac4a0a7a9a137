"""Agreement statistics against the worked examples of the papers that define them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ShapeError
from pipeline.evaluation.agreement import (
    Reliability,
    agreement,
    alpha,
    distances,
    kappa,
    masi,
    nominal,
    percent,
)


def columns(*coders: str) -> Reliability[str]:
    """One string a coder, one letter a unit, a dot where he is silent; every unit a document."""
    rows = [[None if value == "." else value for value in row] for row in zip(*coders, strict=True)]
    names = [f"coder {i}" for i in range(len(coders))]
    return Reliability.of(names, rows, range(len(rows)))


def alpha_of(data: Reliability[str]) -> float:
    pairs = data.coincidences().sum(axis=0, keepdims=True)
    return float(alpha(pairs, distances(data.values, nominal))[0])


@pytest.mark.parametrize(
    ("coders", "expected"),
    [
        (("0100000010", "1110010000"), 0.095),  # A: binary
        (("aabbdcccedda", "babbbccceddd"), 0.692),  # B: nominal
    ],
)
def test_alpha_of_two_observers(coders: tuple[str, ...], expected: float) -> None:
    assert round(alpha_of(columns(*coders)), 3) == expected


def test_alpha_with_silent_observers() -> None:
    """Example C: four observers, twelve units, seven answers missing; unit 12 cannot be paired."""
    data = columns("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    assert data.units == 11
    assert data.coincidences().sum() == pytest.approx(40)
    assert round(alpha_of(data), 3) == 0.743


def test_kappa_of_cohens_example() -> None:
    """Cohen (1960): two psychologists, 200 patients, three diagnoses."""
    table = np.array([[[88.0, 14, 18], [10, 40, 10], [2, 6, 12]]])
    assert kappa(table)[0] == pytest.approx(0.29 / 0.59)


def test_masi_as_defined() -> None:
    one, two, three = frozenset("a"), frozenset("ab"), frozenset("bcd")
    none: frozenset[str] = frozenset()
    assert masi(one, one) == masi(none, none) == 0
    assert masi(one, none) == masi(one, frozenset("b")) == 1
    assert masi(one, two) == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert masi(two, three) == pytest.approx(1 - 1 / 4 * 1 / 3)
    # documented values of another implementation, which rounds 2/3 to .67 and 1/3 to .33
    assert masi(frozenset("ab"), frozenset("abcd")) == pytest.approx(0.665, abs=0.002)
    assert masi(frozenset("abcd"), frozenset("cde")) == pytest.approx(0.868, abs=0.002)


def test_alpha_of_sets_by_hand() -> None:
    """Three units: {a} {a}, {a} {a,b}, {} {b}; chance over all pairs of the six answers."""
    sets = [("a", "a"), ("a", "ab"), ("", "b")]
    data = Reliability.of(("x", "y"), [[frozenset(s) for s in row] for row in sets], "uvw")
    found = alpha(data.coincidences().sum(axis=0, keepdims=True), distances(data.values, masi))[0]
    observed = (0 + 2 / 3 + 1) / 3
    # answers: a a a ab {} b; of 15 pairs: 3 equal, a-ab 3 and ab-b 1 at 2/3, the other 8 at 1
    expected = (4 * 2 / 3 + 8) / 15
    assert found == pytest.approx(1 - observed / expected)


answers = st.lists(
    st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=3, max_size=3), min_size=1, max_size=8
)


@given(answers)
def test_alpha_is_one_minus_observed_over_expected(rows: list[list[str | None]]) -> None:
    """Against the definition, pair by pair."""
    data = Reliability.of("xyz", rows, range(len(rows)))
    units = [[v for v in row if v is not None] for row in rows]
    units = [unit for unit in units if len(unit) > 1]
    pool = list(itertools.chain.from_iterable(units))
    found = alpha_of(data)
    if len(set(pool)) < 2:
        assert math.isnan(found)
        return
    observed = sum(
        sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units
    ) / len(pool)
    pairs = list(itertools.permutations(pool, 2))
    expected = sum(a != b for a, b in pairs) / len(pairs)
    assert found == pytest.approx(1 - observed / expected)


def test_percent_and_crossed_answers() -> None:
    data = columns("aab.", "abba")
    assert percent(data.coincidences().sum(axis=0, keepdims=True))[0] == pytest.approx(2 / 3)
    assert data.crossed(0, 1).sum(axis=0).tolist() == [[1, 1], [0, 1]]


def test_intervals_come_from_documents() -> None:
    """The same units in few documents say less than in many."""
    draw = np.random.default_rng(4)
    first = draw.integers(0, 2, 400)
    second = np.where(draw.random(400) < 0.2, 1 - first, first)
    rows = [[str(a), str(b)] for a, b in zip(first, second, strict=True)]
    order = sorted(rows, key=lambda row: row[0] != row[1])  # errors stand together
    few = Reliability.of("xy", order, [i // 20 for i in range(400)])
    many = Reliability.of("xy", order, range(400))
    wide, narrow = (agreement(d, nominal, replicates=400, seed=1).alpha for d in (few, many))
    assert wide.value == pytest.approx(narrow.value)
    assert wide.low is not None
    assert wide.high is not None
    assert narrow.low is not None
    assert narrow.high is not None
    assert wide.low <= wide.value <= wide.high
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert narrow.support == 400


def test_what_is_undefined_says_so() -> None:
    found = agreement(columns("aaa", "aaa"), nominal, replicates=50, seed=0)
    assert math.isnan(found.alpha.value)
    assert found.alpha.low is None
    assert found.percent.value == 1
    nothing = agreement(columns("a..", ".b."), nominal, replicates=50, seed=0)
    assert math.isnan(nothing.percent.value)
    assert nothing.percent.support == 0


def test_rows_must_fit() -> None:
    with pytest.raises(ShapeError, match="2 answers each"):
        Reliability.of("xy", [["a"]], ["d"])
