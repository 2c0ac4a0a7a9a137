"""Near-duplicates meet in one group, others do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.labelling.near_duplicates import near_duplicate_groups

LONG = (
    "The members of the Council met on 24 October to consider the report of the Secretary-General "
    "on the northern region and heard a briefing by his Special Representative in the afternoon"
)


def test_case_figures_and_punctuation_do_not_count() -> None:
    groups = near_duplicate_groups(
        ["Paid 5 million.", "We paid.", "PAID 12 million!", LONG, LONG.replace("24", "7") + "."]
    )
    assert groups.tolist() == [0, 1, 0, 2, 2]


def test_one_other_word_in_a_long_sentence_is_a_near_duplicate_and_in_a_short_one_is_not() -> None:
    assert len(set(near_duplicate_groups([LONG, LONG + " today"]).tolist())) == 1
    assert len(set(near_duplicate_groups(["We condemn it", "We support it"]).tolist())) == 2


def test_texts_without_a_word_are_told_apart() -> None:
    assert near_duplicate_groups(["***", "---", "***"]).tolist() == [0, 1, 0]


def test_nothing_gives_nothing() -> None:
    assert near_duplicate_groups([]).tolist() == []


@given(st.lists(st.text(max_size=12), max_size=12))
def test_equal_texts_share_a_group_and_numbers_have_no_gaps(texts: list[str]) -> None:
    groups = near_duplicate_groups([*texts, *texts]).tolist()
    assert groups[: len(texts)] == groups[len(texts) :]
    assert sorted(set(groups)) == list(range(len(set(groups))))
