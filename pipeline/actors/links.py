"""What linking a mention gives, and what it may know of the document around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class How(StrEnum):
    """How a mention was linked, or why it was not."""

    NAME = "its name"
    SEAT = "the seat of its government"
    HOLDER = "who holds the office"
    PHRASE = "its name or adjective with a noun"
    OFFICE = "an office or body of it"
    BRACKETS = "the State in brackets"
    AGENT = "the one who did it"
    SPEAKER = "the speaker"
    CONTEXT = "an actor named before"
    # not linked
    UNKNOWN = "not linked: no known actor"
    AMBIGUOUS = "not linked: several actors are called so"
    PEOPLE = "not linked: a people or language, not a State"
    PRONOUN = "not linked: a pronoun"
    DESCRIPTION = "not linked: a description that the context does not settle"
    DATE = "not linked: not called so at that date"
    NO_SPEAKER = "not linked: the speaker is no known actor"


@dataclass(frozen=True, slots=True)
class Link:
    """One actor of a mention, or a part of it that stays text.

    `text` is the part's wording; `actors` holds one id, several where the part names a set that the
    context resolves ("the four NATO allies"), none where it stays text. `role` says what of the
    actor is meant (government, office, military, conduct, ...; empty for the actor himself),
    `person` who is named for it, in plain letters; `detail` more about why nothing was linked.
    """

    text: str
    actors: tuple[str, ...]
    how: How
    role: str = ""
    person: str = ""
    detail: str = ""

    @property
    def linked(self) -> bool:
        """Whether the part stands for an actor."""
        return bool(self.actors)


Links = tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the mention: the date, the speaker's actors, earlier mentions' links.

    `formal` says that the form of the mention shows that a State is meant, `names_speaker` that it
    is what a source writes in the field of the speaker.
    """

    date: dt.date | None = None
    speaker: str | None = None
    speakers: Links = ()
    earlier: tuple[Links, ...] = ()
    formal: bool = False
    names_speaker: bool = False

    def as_formal(self) -> Surroundings:
        """Return the same, for a place where only States stand."""
        return replace(self, formal=True)

    @property
    def named(self) -> frozenset[str]:
        """Ids of the speaker and of all actors named before."""
        return frozenset(actors_of(self.speakers)) | {
            actor for links in self.earlier for actor in actors_of(links)
        }


def actors_of(links: Sequence[Link]) -> tuple[str, ...]:
    """Return the ids of all parts, in order, each once."""
    return tuple(dict.fromkeys(actor for link in links for actor in link.actors))


def missed(text: str, how: How, detail: str = "") -> Link:
    """Return a part that stays text."""
    return Link(text, (), how, detail=detail)
