"""Cells of CSV are no formulas, come back as they were, and may be long."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.csv_cells import field_limit, guarded, unguarded

texts = st.one_of(st.text(), st.text(st.sampled_from("'=+-@\t\ra"), max_size=6))


@given(text=texts)
def test_a_guarded_cell_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(text=texts)
def test_no_guarded_cell_is_a_formula(text: str) -> None:
    assert not guarded(text).startswith(tuple("=+-@\t\r"))


@pytest.mark.parametrize("text", ["", "'", "'We' said so", "a=b", "''"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


def test_the_limit_of_the_process_is_as_it_was_also_after_an_error() -> None:
    before = csv.field_size_limit()
    rows = csv.reader(["x" * (before + 1)])
    with field_limit():
        assert len(next(rows)[0]) == before + 1
    with pytest.raises(csv.Error), field_limit(3):
        next(csv.reader(["four"]))
    assert csv.field_size_limit() == before
