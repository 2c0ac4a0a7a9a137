"""What a report says about the model behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Interval = tuple[float, float | None, float | None]
"""A measured value and the bounds of its 95 % interval, `None` where there is none."""

_NO_SCORES: Mapping[str, Interval] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Name, description, measured scores and honest limits of the model that made the labels.

    `limits` is plain text; blank lines part its paragraphs. It must say what the labels cannot be
    used for, because the report knows neither the model nor its training data. `scores` maps the
    name of a measure, as readers shall see it, to its value and interval.
    """

    model_id: str
    description: str
    limits: str
    scores: Mapping[str, Interval] = field(default_factory=lambda: _NO_SCORES)


def score_rows(model: ModelFacts) -> list[tuple[str, tuple[str, str]]]:
    """Return each measure's name with its value and interval as readers see them."""
    return [(name, _score(*interval)) for name, interval in model.scores.items()]


def _score(value: float, low: float | None, high: float | None) -> tuple[str, str]:
    if math.isnan(value):
        return "not defined", "on the data measured"
    interval = "no interval" if low is None or high is None else f"{low:.2f} to {high:.2f}"
    return f"{value:.2f}", interval
