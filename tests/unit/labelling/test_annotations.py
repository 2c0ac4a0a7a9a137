"""Annotations: what those of one document tell of its statement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.labelling.annotations import Item, same_number, shared_facts

ITEM = Item("d", "d#0", "So.", speaker="A guest", date="2024-03-01", genre="review")
ALL = {"speaker": "A guest", "date": "2024-03-01", "genre": "review"}


def test_what_some_do_not_know_the_others_tell() -> None:
    assert shared_facts([Item("d", "d#1", "No."), ITEM, ITEM]) == (ALL, ())
    assert shared_facts([Item("d", "d#1", "No.")]) == ({}, ())
    assert shared_facts([]) == ({}, ())


def test_where_they_differ_nothing_is_taken() -> None:
    other = replace(ITEM, speaker="A cook", genre="letter")
    assert shared_facts([ITEM, other]) == ({"date": "2024-03-01"}, ("speaker", "genre"))


@pytest.mark.parametrize("rewritten", ["01/03/2024", "1. März 2024", "45352"])
def test_a_date_of_another_form_is_no_other_date(rewritten: str) -> None:
    other = replace(ITEM, date=rewritten)
    assert shared_facts([other, ITEM]) == (ALL, ())
    assert shared_facts([other, other])[0]["date"] == rewritten
    assert shared_facts([ITEM, replace(ITEM, date="2024-04-01")])[1] == ("date",)


def test_numbers_are_compared_exactly_unless_one_was_cut() -> None:
    assert same_number("0012", "12,0")
    assert same_number("1234567890123456789", "1.23457E+18")
    assert not same_number("1234567890123456789", "1234567890123456790")
    for other in ("12_3", "inf", "nan", "1.0E+9999"):
        assert not same_number("123", other)
        assert not same_number(other, other)
