"""Count what a labelled corpus holds, for data cards and `stance data check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.codebook import Codebook
from pipeline.records import LabelledDocument


@dataclass(frozen=True, slots=True)
class PartCounts:
    """Size of one part and how many of its sentences carry each label (keys "task.label")."""

    part: str
    documents: int
    sentences: int
    labels: Mapping[str, int]


def count_parts(documents: Sequence[LabelledDocument], codebook: Codebook) -> list[PartCounts]:
    """Return the counts of every part in order of appearance, and last of all parts ("total").

    Documents without a part are counted under their genre, else under "".
    """
    parts: dict[str, list[LabelledDocument]] = {}
    for document in documents:
        parts.setdefault(document.part or document.genre or "", []).append(document)
    counted = [_count(part, members, codebook) for part, members in parts.items()]
    return [*counted, _count("total", documents, codebook)]


def _count(part: str, documents: Sequence[LabelledDocument], codebook: Codebook) -> PartCounts:
    given = Counter(
        f"{task}.{label}"
        for document in documents
        for labelled in document.sentences
        for task in codebook.tasks
        for label in labelled.labels.get(task) or ()
    )
    return PartCounts(
        part=part,
        documents=len(documents),
        sentences=sum(len(document.sentences) for document in documents),
        labels={name: given[name] for name in codebook.column_names},
    )
