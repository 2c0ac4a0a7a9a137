"""Dates of statements as pages count them: days, months or years of ISO 8601."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

# A time of day may follow, as in `records.year_and_month`; digits of other scripts are no date.
_ISO = re.compile(
    r"([0-9]{4})(?:(-(?:0[1-9]|1[0-2]))(-(?:0[1-9]|[12][0-9]|3[01]))?)?(?![^T ])", re.ASCII
)


def iso_date(text: str) -> str:
    """Return the day, month or year that a date names, without a time; empty for other forms.

    A day that the calendar lacks counts in its month, as `stance aggregate` counts it.
    """
    found = _ISO.match(text)
    if found is None or found[1] == "0000":
        return ""
    year, month, day = found.groups(default="")
    return year + month + (day if _exists(year + month + day) else "")


def first_day(iso: str) -> str:
    """Return the first day of a day, month or year ("2018-02" -> "2018-02-01")."""
    return iso + "-01-01"[len(iso) - 4 :]


def last_day(iso: str) -> str:
    """Return the last day of a day, month or year ("2018-02" -> "2018-02-28")."""
    if len(iso) != len("2018-02"):
        return iso + "-12-31"[len(iso) - 4 :]
    return f"{iso}-{monthrange(int(iso[:4]), int(iso[5:]))[1]}"


def readable(iso: str) -> str:
    """Write a day out ("7 February 2018"); a month or a year stays as it is."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B} {iso[:4]}"


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
