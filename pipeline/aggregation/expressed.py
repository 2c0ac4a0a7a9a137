"""A label that a sentence expresses, with those who hold it and those it is toward."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.records import year_and_month

TEXT = "text"
"""Kind of a party that was linked to no actor: its words stand for it."""


@dataclass(frozen=True, slots=True)
class Party:
    """A holder or a target: an actor by its id, or words that were linked to none.

    `key` is the id, or the words without case, accents and punctuation. `kind` is that of the
    actor, or `TEXT`. Two parties are one where key and kind agree.
    """

    key: str
    kind: str
    name: str = field(compare=False)

    @property
    def linked(self) -> bool:
        """Whether it is a known actor."""
        return self.kind != TEXT

    @property
    def node(self) -> str:
        """An id that no other party has, linked or not."""
        return self.key if self.linked else f"{TEXT}:{self.key}"


@dataclass(frozen=True, slots=True)
class Expressed:
    """One label of one sentence, its probability, and who holds it toward whom.

    Joint holders are several parties, as are joint targets; `targets` is empty where there is none.
    """

    doc_id: str
    sentence_id: str
    text: str
    task: str
    label: str
    probability: float
    holders: tuple[Party, ...]
    targets: tuple[Party, ...]
    speaker: str | None = None
    date: str | None = None
    title: str | None = None
    source: str | None = None

    @property
    def year(self) -> str | None:
        """The year as YYYY; `None` where the date is not one of ISO 8601."""
        found = year_and_month(self.date or "")
        return found and found[0]

    @property
    def month(self) -> str | None:
        """The month as YYYY-MM; `None` where the date names none."""
        year, month = year_and_month(self.date or "") or ("", None)
        return f"{year}-{month}" if month else None
