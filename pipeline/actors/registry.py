"""All known actors, the names they go by, and who belongs to them at a date."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.actors.model import Actor, Period
from pipeline.errors import InputError, near_matches


class NameKind(StrEnum):
    """How a name may be used."""

    NAME = "name"
    ADJECTIVE = "adjective"
    SEAT = "seat of government"
    HOLDER = "holder of the office"
    SHORT = "short name"
    FORMAL = "formal name"
    RECORDED = "name of verbatim records"


STANDS_ALONE = frozenset({NameKind.NAME, NameKind.SEAT, NameKind.HOLDER})


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an actor, when it holds, and where it was written."""

    actor: str
    text: str
    kind: NameKind
    period: Period
    where: str


class Registry:
    """Actors by id and names by key; built by `pipeline.actors.files`."""

    def __init__(self, actors: Mapping[str, Actor], names: Mapping[str, Sequence[Name]]) -> None:
        self.actors = dict(actors)
        self._names = {key: tuple(found) for key, found in names.items()}
        self.longest = max((key.count(" ") + 1 for key in self._names), default=0)
        """Words of the longest name."""
        self._children: dict[str, set[str]] = defaultdict(set)
        for actor in self.actors.values():
            if actor.of is not None:
                self._children[actor.of].add(actor.id)
        self._holders = [
            (key.split(), name)
            for key, found in self._names.items()
            for name in found
            if name.kind is NameKind.HOLDER
        ]

    def actor(self, actor: str) -> Actor:
        """Return the actor with this id.

        Raises:
            InputError: there is none.
        """
        if actor not in self.actors:
            raise InputError(f"No actor has the id '{actor}'.{near_matches(actor, self.actors)}")
        return self.actors[actor]

    def named(self, key: str) -> tuple[Name, ...]:
        """Return all names with this key, of any date."""
        return self._names.get(key, ())

    def all_names(self) -> tuple[Name, ...]:
        """Return every name of every actor."""
        return tuple(name for names in self._names.values() for name in names)

    def members(self, actor: str, date: dt.date | None) -> tuple[str, ...] | None:
        """Return the members of an organisation or bloc at a date, sorted.

        `None` where the files do not say: no members are given, the date lies outside the period
        they are known for, or no date is given and membership has changed.

        Raises:
            InputError: no actor has this id.
        """
        found = self.actor(actor)
        bounded = found.known != Period() or any(
            item.start is not None or item.end is not None for item in found.members
        )
        if not found.members or (date is None and bounded) or not found.known.holds(date):
            return None
        return tuple(sorted({i for item in found.members if item.holds(date) for i in item.ids}))

    def held_by(self, person: str, date: dt.date | None) -> frozenset[str]:
        """Return the offices that somebody held at the date whose name ends in `person` (a key)."""
        words = person.split()
        return frozenset(
            name.actor
            for key, name in self._holders
            if words and key[-len(words) :] == words and name.period.holds(date)
        )

    def belongs(self, member: str, actor: str, date: dt.date | None) -> bool:
        """Return whether `member` is one at the date; at any time, where the date is unknown."""
        return any(item.holds(date) and member in item.ids for item in self.actor(actor).members)

    def within(self, actor: str, whole: str) -> bool:
        """Return whether `actor` is `whole`, or a part of it at any depth."""
        at: str | None = actor
        while at is not None and at != whole:
            at = self.actors[at].of
        return at == whole

    def listed(self, actor: str, date: dt.date | None) -> tuple[str, ...]:
        """Return the names of the terrorist or sanctions lists that hold the group at the date."""
        return tuple(item.on for item in self.actor(actor).listed if item.holds(date))
