"""A score as text: its value, and its interval where it has one."""

from __future__ import annotations

import math
from typing import Protocol

UNDEFINED = "-"
"""Shown in tables for a quantity the data leave undefined."""


class Measured(Protocol):
    """A value that may be NaN, and the bounds of its interval where it has one."""

    @property
    def value(self) -> float: ...

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def score_text(score: Measured, *, sign: str = "", undefined: str = UNDEFINED) -> str:
    """Return value and interval: "0.712 [0.650, 0.770]"; `sign` "+" shows signs."""
    if math.isnan(score.value):
        return undefined
    interval = interval_text(score.low, score.high, sign=sign)
    return f"{value_text(score.value, sign=sign)} {interval}".rstrip()


def value_text(value: float, *, sign: str = "") -> str:
    """Return a value with three decimals, or a dash where it is undefined."""
    return UNDEFINED if math.isnan(value) else f"{value:{sign}.3f}"


def interval_text(low: float | None, high: float | None, *, sign: str = "") -> str:
    """Return an interval, empty where there is none."""
    return "" if low is None or high is None else f"[{low:{sign}.3f}, {high:{sign}.3f}]"
