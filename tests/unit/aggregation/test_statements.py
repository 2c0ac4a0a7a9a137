from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.aggregation import Expressed, statement_stances

Make = Callable[..., Expressed]


def test_sentences_of_one_statement_holder_label_and_target_are_one_entry(said: Make) -> None:
    rows = [
        said("a#0", targets="RUS", probability=0.6),
        said("a#3", targets="RUS", probability=0.8),
        said("a#4", targets=""),
        said("a#5", "praise", targets="RUS"),
        said("b#0", targets="RUS"),
    ]
    found = statement_stances(rows)
    assert [len(entry.evidence) for entry in found] == [2, 1, 1, 1]
    assert found[0].highest_probability == 0.8
    assert found[0].mean_probability == pytest.approx(0.7)
    assert found[1].target is None


def test_joint_holders_and_targets_have_an_entry_for_each_pair(said: Make) -> None:
    found = statement_stances([said("a#0", holders="FRA DEU", targets="RUS IRN")])
    pairs = [(entry.holder.key, entry.target.key) for entry in found if entry.target]
    assert pairs == [("FRA", "RUS"), ("FRA", "IRN"), ("DEU", "RUS"), ("DEU", "IRN")]
