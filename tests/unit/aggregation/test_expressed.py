from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.aggregation import Expressed, Party


@pytest.mark.parametrize(
    ("date", "year", "month"),
    [
        ("2024-03-05", "2024", "2024-03"),
        ("2024-03-05T10:00:00Z", "2024", "2024-03"),
        ("2024-03-05 10:00", "2024", "2024-03"),
        ("2024-03", "2024", "2024-03"),
        ("2024", "2024", None),
        ("20240305", None, None),
        ("2024-13-01", None, None),
        ("2024-3-1", None, None),
        ("2024-03-051", None, None),
        ("March 2024", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_dates_are_read_only_where_they_are_iso_8601(
    said: Callable[..., Expressed], date: str | None, year: str | None, month: str | None
) -> None:
    row = said("a#0", date=date)
    assert (row.year, row.month) == (year, month)


def test_words_are_never_taken_for_an_actor_of_the_same_key() -> None:
    words, actor = Party("eu", "text", "EU"), Party("eu", "bloc", "European Union")
    assert words != actor
    assert words.node != actor.node
    assert not words.linked
    assert actor.linked


def test_the_same_words_in_other_spellings_are_one_party() -> None:
    assert Party("rebels", "text", "the Rebels") == Party("rebels", "text", "rebels")
