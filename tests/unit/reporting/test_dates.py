"""Dates as pages count them: days, months, years, and what is none."""

from __future__ import annotations

import pytest

from pipeline.records import year_and_month
from pipeline.reporting.dates import first_day, iso_date, last_day, readable


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        *((date, date) for date in ("2018", "2018-02", "2018-02-28", "2020-02-29")),
        ("2018-02-07T10:00", "2018-02-07"),
        ("2018-02-07 10:00", "2018-02-07"),
        ("2018-02-30", "2018-02"),  # no day of the calendar: counts in its month
        *((other, "") for other in ("", "7 February 2018", "2018-13", "2018-00", "2018-02-077")),
        *((other, "") for other in ("2018/02", "20180207", "0000", "2018-2", "２０１８-02")),
    ],
)
def test_which_dates_count(text: str, iso: str) -> None:
    assert iso_date(text) == iso


@pytest.mark.parametrize("text", ["2018", "2018-02", "2018-02-30", "2018-02-31T1", "2018-2", "x"])
def test_months_are_those_of_aggregate(text: str) -> None:
    year, month = year_and_month(text) or ("", None)
    assert iso_date(text)[:7] == (f"{year}-{month}" if month else year)


def test_days_a_date_covers() -> None:
    assert [first_day(d) for d in ("2018", "2018-02", "2018-02-07")] == [
        "2018-01-01", "2018-02-01", "2018-02-07",
    ]  # fmt: skip
    assert [last_day(d) for d in ("2018", "2018-02", "2020-02", "2018-11", "2018-02-07")] == [
        "2018-12-31", "2018-02-28", "2020-02-29", "2018-11-30", "2018-02-07",
    ]  # fmt: skip


def test_days_are_written_out() -> None:
    assert [readable(d) for d in ("2018", "2018-02", "0802-02-07")] == [
        "2018", "2018-02", "7 February 0802",
    ]  # fmt: skip
