from __future__ import annotations

import math
from dataclasses import replace

from pipeline.evaluation.comparison import ScoreComparison
from pipeline.evaluation.comparison_table import (
    cautions,
    comparison_table,
    family_size,
    method,
    verdict,
)

CLEAR = ScoreComparison(
    *("topic.macro_f1", 0.8, 0.7, 0.1, 0.05, 0.15, 0.0001, 0.0004),
    *(1.5, 0.025, 0.07, 40),
)
UNCLEAR = replace(CLEAR, name="topic.food.f1", difference=-0.01, p=0.3, p_holm=0.6)
UNDEFINED = replace(
    CLEAR,
    name="topic.service.f1",
    second=math.nan,
    difference=math.nan,
    low=None,
    high=None,
    p=math.nan,
    p_holm=math.nan,
    design_effect=math.nan,
    detectable=math.nan,
    support=0,
)


def test_every_row_shows_what_is_defined() -> None:
    header, clear, unclear, undefined = comparison_table((CLEAR, UNCLEAR, UNDEFINED), "a", "b")
    assert header[:4] == ("score", "a", "b", "difference")
    assert clear == (
        *("topic.macro_f1", "0.800", "0.700", "+0.100", "[+0.050, +0.150]"),
        *("0.0001", "0.0004", "1.50", "0.070", "40"),
    )
    assert unclear[5:7] == ("0.30", "0.60")
    assert undefined[1:] == ("0.800", "-", "-", "", "-", "-", "-", "-", "0")


def test_the_verdict_names_what_can_be_told_apart() -> None:
    worse = replace(CLEAR, name="tone.macro_f1", difference=-0.1, p_holm=0.05)
    said = verdict((CLEAR, UNCLEAR, UNDEFINED, worse), "a", "b")
    assert said == (
        "a against b: better in topic.macro_f1 and worse in tone.macro_f1; no other score can be "
        "told apart."
    )
    assert verdict((UNCLEAR,), "a", "b").endswith("no score can be told apart on these documents.")
    assert verdict((CLEAR,), "a", "b") == "a against b: better in topic.macro_f1."


def test_the_family_holds_what_was_tested() -> None:
    assert family_size([(CLEAR, UNDEFINED), (UNCLEAR,)]) == 2


def test_few_documents_are_warned_of() -> None:
    assert cautions(125, 30) == []
    few, hopeless = cautions(5, 2)
    assert "5 documents are few" in few
    assert "below 0.06" in hopeless
    assert len(cautions(12, 10)) == 1


def test_the_method_says_whether_p_is_exact() -> None:
    assert "All 32 ways" in dict(method(5, 7, models=1, replicates=100))["p"]
    text = dict(method(125, 14, models=2, replicates=1000))
    assert "10,000 times" in text["p"]
    assert "all 14 differences" in text["p (Holm)"]
    assert "2 pairs" in text["p (Holm)"]
