"""A bounded attack on the whole way of `stance classify`; nothing may escape, hang or be lost."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.robustness.attack import run
from benchmarks.robustness.cases import GROUPS, SUFFIXES, good_files

QUICK = ("random bytes", "damaged files", "strange text")


def test_the_good_files_are_good() -> None:
    assert set(good_files()) == set(SUFFIXES)


def test_the_cases_of_a_seed_are_always_the_same() -> None:
    for group in QUICK:
        first, second = (list(GROUPS[group](Random(7), 1)) for _ in range(2))  # noqa: S311
        assert first == second


@pytest.mark.parametrize("group", QUICK)
def test_a_short_attack_finds_nothing(group: str) -> None:
    outcome = run(group, seed=1, scale=1)
    assert outcome.failures == []
    assert outcome.cases >= 18


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_a_longer_attack_finds_nothing(group: str) -> None:
    outcome = run(group, seed=2, scale=1)
    assert outcome.failures == []
    assert outcome.reasons.total() + outcome.labelled > 0
