"""What a file of actors holds, as models; the files are described in docs/actors.md."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from pipeline.actors.text import name_key
from pipeline.validated_yaml import StrictModel

ActorId = Annotated[str, Field(pattern=r"^(?:[A-Z]{3}|[a-z][a-z0-9-]*)$")]
OwnId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Source = Annotated[str, Field(min_length=1)]


class ActorKind(StrEnum):
    """What an actor is."""

    COUNTRY = "country"
    ORGANISATION = "organisation"
    BLOC = "bloc"
    GROUP = "group"
    OFFICE = "office"


class Period(StrictModel):
    """From the first day to the last, both included; `None` is without bound."""

    start: dt.date | None = Field(default=None, alias="from")
    end: dt.date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"'from' {self.start} is after 'to' {self.end}")
        return self

    def holds(self, date: dt.date | None) -> bool:
        """Return whether the date lies in the period; an unknown date lies in every one."""
        if date is None:
            return True
        return (self.start is None or self.start <= date) and (self.end is None or date <= self.end)

    def meets(self, other: Period) -> bool:
        """Return whether a day lies in both periods."""
        return (self.start is None or other.end is None or self.start <= other.end) and (
            other.start is None or self.end is None or other.start <= self.end
        )


def _as_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class DatedName(Period):
    """A name and when it stands for the actor; written as plain text where it always does."""

    name: str

    @model_validator(mode="after")
    def _has_letters(self) -> Self:
        if not name_key(self.name):
            raise ValueError(f"'{self.name}' holds no word that could be found")
        return self


Names = tuple[Annotated[DatedName, BeforeValidator(_as_name)], ...]


class Members(Period):
    """Members that joined and left on the same days."""

    ids: Annotated[tuple[ActorId, ...], Field(min_length=1)]


class Listing(Period):
    """On which list of `lists` a group stands, and since when."""

    on: str


class NameLists(StrictModel):
    """Further names of an actor (see the head of configs/actors/countries.yaml)."""

    aliases: Names = ()
    adjectives: Names = ()
    seats: Names = ()
    short: Names = ()
    formal: Names = ()
    recorded: Names = ()


class Entry(NameLists):
    """An actor as written in a file."""

    kind: ActorKind
    name: Annotated[str, Field(min_length=1)]
    source: Source
    of: ActorId | None = None
    holders: Names = ()
    members: tuple[Members, ...] = ()
    known: Period = Period()
    listed: tuple[Listing, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not name_key(self.name):
            raise ValueError(f"'{self.name}' holds no word that could be found")
        return self


class ActorFile(StrictModel):
    """A file of actors: new ones, and names for actors that are known already."""

    source: Source | None = None
    lists: dict[str, Source] = Field(default_factory=dict)
    actors: dict[OwnId, Entry] = Field(default_factory=dict)
    names: dict[ActorId, NameLists] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if self.names and self.source is None:
            raise ValueError("'names' needs a 'source' of the file that says where they are from")
        if not self.names and not self.actors:
            raise ValueError("expected 'actors' or 'names'")
        return self


class Actor(BaseModel, frozen=True):
    """An actor with an id that stays: ISO 3166-1 alpha-3, else the key of its entry."""

    id: str
    kind: ActorKind
    name: str
    source: str
    of: str | None = None
    members: tuple[Members, ...] = ()
    known: Period = Period()
    listed: tuple[Listing, ...] = ()
