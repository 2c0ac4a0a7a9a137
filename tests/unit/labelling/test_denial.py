"""Denied copies no longer say it, affirmed ones still do, and the rest is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.labelling import denial
from pipeline.labelling.denial import affirmed, denied

ROOT = Path(__file__).parents[3]


def all_of(text: str, change: object = denied, draws: int = 2000) -> set[str]:
    random = np.random.default_rng(1)
    made = {change(text, random) for _ in range(draws)}  # type: ignore[operator]
    return {one for one in made if one is not None}


def test_a_verb_of_its_own_is_negated_or_the_whole_is_denied() -> None:
    made = all_of("We strongly condemn the raid.")
    assert "We do not condemn the raid." in made
    assert "We refuse to condemn the raid." in made
    assert "It is not true that we strongly condemn the raid." in made
    made = all_of("The envoy urged both sides to stop.")
    assert "The envoy refused to urge both sides to stop." in made
    assert "The envoy did not urge both sides to stop." in made


def test_names_keep_their_capital_in_a_clause() -> None:
    assert all_of("I condemn the raid.", affirmed) >= {"It is true that I condemn the raid."}
    assert all("the raid was" in one for one in all_of("The raid was a crime.", affirmed))


@pytest.mark.parametrize(
    "text",
    [
        "We do not condemn the raid.",
        "Nobody condemns the raid.",
        "Do we condemn the raid?",
        "Stop the raid!",
        "We call on all sides to:",
        "“We condemn the raid.”",
        "Condemns the raid;",
        "",
    ],
)
def test_what_is_denied_asked_or_quoted_is_left_alone(text: str) -> None:
    assert all_of(text) == set()


def test_only_one_of_two_verbs_is_never_negated_alone() -> None:
    made = all_of("We welcome the talks and urge both sides to stop.")
    assert made
    assert all("we welcome the talks and urge both sides to stop" in one for one in made)


def test_no_wording_is_one_of_the_direction_tests() -> None:
    """A model must not be tested on the frames it was trained with."""
    lines = (ROOT / "seeds" / "behaviour" / "direction.jsonl").read_text().splitlines()
    tested = [json.loads(line)["after"].lower() for line in lines]
    for frame in (*denial._DENYING, *denial._AFFIRMING):
        words = frame.lower().split("{}")
        assert not any(all(part.strip(" .") in one for part in words) for one in tested), frame


@given(st.text(max_size=200), st.integers(0, 99))
def test_any_text_gives_one_sentence_or_none(text: str, seed: int) -> None:
    for change in (denied, affirmed):
        made = change(text, np.random.default_rng(seed))
        assert made is None or (made.endswith(".") and "\n" not in made and made != text)
