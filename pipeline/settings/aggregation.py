"""Choices of `stance aggregate`."""

from __future__ import annotations

from enum import StrEnum


class Period(StrEnum):
    """Length of the periods in the table of actors."""

    MONTH = "month"
    YEAR = "year"


class TableFormat(StrEnum):
    """Format of the tables: the ending of their files."""

    CSV = "csv"
    PARQUET = "parquet"
