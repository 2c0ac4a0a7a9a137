"""Statement x holder x label x target, with the sentences that are the evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean

from pipeline.aggregation.expressed import Expressed, Party


@dataclass(frozen=True, slots=True)
class StatementStance:
    """What one statement says of one holder's label toward one target (or toward none)."""

    first: Expressed
    holder: Party
    target: Party | None
    evidence: list[Expressed] = field(default_factory=list)

    @property
    def highest_probability(self) -> float:
        """The probability of the label in the sentence where it is most likely."""
        return max(one.probability for one in self.evidence)

    @property
    def mean_probability(self) -> float:
        """The mean over the sentences."""
        return fmean(one.probability for one in self.evidence)


def statement_stances(rows: Iterable[Expressed]) -> list[StatementStance]:
    """Return one entry a statement, holder, task, label and target, in order of first appearance.

    Joint holders and joint targets give one entry each, so that a sentence may be evidence of
    several entries; numbers of sentences must not be added up over holders or targets.
    """
    found: dict[tuple[str, Party, str, str, Party | None], StatementStance] = {}
    for row in rows:
        for holder in row.holders:
            for target in row.targets or (None,):
                key = (row.doc_id, holder, row.task, row.label, target)
                entry = found.setdefault(key, StatementStance(row, holder, target))
                entry.evidence.append(row)
    return list(found.values())
