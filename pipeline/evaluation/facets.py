"""What labelled sentences can be sliced by: facets of their document, of themselves, of a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.records import SPEAKER, LabelledDocument, LabelledSentence

YEAR, LENGTH = "year", "length"
_BANDS = ((10, "up to 10 words"), (20, "11 to 20 words"), (30, "21 to 30 words"))
_LONGEST = "more than 30 words"


def facets(
    documents: Sequence[LabelledDocument], labelled: Sequence[LabelledSentence]
) -> dict[str, list[str | None]]:
    """Return, for each facet, its value in every sentence; `None` where it is not known."""

    def of_document(values: Sequence[str | None]) -> list[str | None]:
        pairs = zip(documents, values, strict=True)
        return [(value or "").strip() or None for one, value in pairs for _ in one.sentences]

    return {
        "genre": of_document([one.genre for one in documents]),
        "speaker": of_document([one.speaker for one in documents]),
        YEAR: of_document([_year(one.date) for one in documents]),
        "part": of_document([one.part for one in documents]),
        LENGTH: [_length(one.sentence.text) for one in labelled],
        "block": [one.sentence.block.value for one in labelled],
    }


def _year(date: str | None) -> str | None:
    """Return the year of a date that begins with one, as ISO dates do."""
    start = (date or "").strip()[:5]
    return start[:4] if start[:4].isdecimal() and start[4:] in ("", "-") else None


def _length(text: str) -> str:
    words = len(text.split())
    return next((name for most, name in _BANDS if words <= most), _LONGEST)


def ordered(
    facet: str, values: Sequence[str | None], known: npt.NDArray[np.bool_]
) -> tuple[str, ...]:
    """Return the values that occur where `known`: years and lengths in order, others by number."""
    counts = Counter(v for v, there in zip(values, known, strict=True) if there and v is not None)
    if facet == LENGTH:
        return tuple(name for name in (*(n for _, n in _BANDS), _LONGEST) if name in counts)
    if facet == YEAR:
        return tuple(sorted(counts))
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def by_holder(
    labelled: Sequence[LabelledSentence], task: str, labels: Sequence[str]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which labels are held by the speaker and which by somebody else, (n, labels) each."""
    direct = np.zeros((len(labelled), len(labels)), dtype=bool)
    reported = direct.copy()
    for row, one in enumerate(labelled):
        for entry in one.attributions:
            # Attributions do not name their task: gold labels of the task decide what counts.
            if entry.holder and entry.label in labels and one.labels.get(task):
                held = direct if entry.holder == SPEAKER else reported
                held[row, labels.index(entry.label)] = True
    return direct, reported
