"""Rows made in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.aggregation import Expressed, Party

Make = Callable[..., Expressed]


@pytest.fixture
def said() -> Make:
    """Return a maker of rows: holders and targets by id, or as words in quotation marks."""

    def make(
        place: str,
        label: str = "blame",
        holders: str = "FRA",
        targets: str = "",
        *,
        date: str | None = None,
        probability: float = 0.9,
        task: str = "stance",
    ) -> Expressed:
        return Expressed(
            doc_id=place.split("#")[0],
            sentence_id=place,
            text=f"Sentence {place}.",
            task=task,
            label=label,
            probability=probability,
            holders=tuple(map(party, holders.split())),
            targets=tuple(map(party, targets.split())),
            date=date,
        )

    return make


def party(name: str) -> Party:
    if name.startswith("'"):
        return Party(name.strip("'").casefold(), "text", name.strip("'"))
    return Party(name, "country", f"Land {name}")
