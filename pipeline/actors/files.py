"""Read files of actors into a registry; every mistake is reported with file and line."""

from __future__ import annotations

import sysconfig
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pipeline.actors.grammar import Grammar, load_grammar
from pipeline.actors.model import Actor, ActorFile, ActorKind, DatedName, Entry, NameLists, Period
from pipeline.actors.registry import STANDS_ALONE, Name, NameKind, Registry
from pipeline.actors.text import name_key
from pipeline.errors import SettingsError, near_matches
from pipeline.validated_yaml import read_yaml, validate_model

SHIPPED = Path("configs/actors")
SHIPPED_FILES = (
    "countries.yaml",
    "organisations.yaml",
    "blocs.yaml",
    "groups.yaml",
    "offices.yaml",
)
GRAMMAR = "grammar.yaml"
ISO = "ISO 3166-1, by the package iso3166"


def shipped_folder() -> Path:
    """Return where the shipped files lie: in the source tree, or where the wheel puts them.

    Raises:
        SettingsError: they are in neither place.
    """
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    places = (
        Path(__file__).resolve().parents[2] / SHIPPED,
        *(
            Path(sysconfig.get_path("data", scheme)) / "share" / "stance-pipeline" / SHIPPED
            for scheme in schemes
        ),
    )
    for place in places:
        if (place / GRAMMAR).exists():
            return place
    looked = ", ".join(str(place) for place in places)
    raise SettingsError(
        [f"the files of actors are missing; looked in {looked}. Install the package again."],
        where=str(SHIPPED),
    )


def load_registry(files: Sequence[Path] = (), *, folder: Path | None = None) -> Registry:
    """Read the countries, the shipped files and the user's `files`, in this order.

    Raises:
        InputError: a file cannot be read.
        SettingsError: all mistakes of a file at once, with lines.
    """
    collection = _shipped(folder or shipped_folder()).copy()
    for path in files:
        collection.add(path)
    return Registry(collection.actors, collection.names())


def load_shipped_grammar(folder: Path | None = None) -> Grammar:
    """Read the words by which mentions are read."""
    return load_grammar((folder or shipped_folder()) / GRAMMAR)


class _Collection:
    """Actors and names while files are read one after the other."""

    def __init__(self) -> None:
        self.actors: dict[str, Actor] = {}
        self._lists: dict[str, str] = {}
        self._names: dict[str, list[Name]] = defaultdict(list)
        self._iso: dict[str, list[Name]] = defaultdict(list)

    def copy(self) -> _Collection:
        """Return one to which files can be added without changing this one."""
        other = _Collection()
        other.actors |= self.actors
        other._lists |= self._lists
        for mine, its in ((self._names, other._names), (self._iso, other._iso)):
            its.update({key: list(names) for key, names in mine.items()})
        return other

    def names(self) -> Mapping[str, Sequence[Name]]:
        """Return all names; a name of the standard gives way to a rule about it in the files."""
        ruled = {
            key
            for key, names in self._names.items()
            if any(name.kind in (NameKind.SHORT, NameKind.FORMAL) for name in names)
        }
        merged = {key: list(names) for key, names in self._names.items()}
        for key, names in self._iso.items():
            if key not in ruled:
                merged[key] = [*names, *merged.get(key, [])]
        return merged

    def add_countries(self) -> None:
        """Add the countries of ISO 3166-1 with their names of the standard."""
        from iso3166 import countries

        for country in countries:
            code = country.alpha3
            shown = next(_turned(country.apolitical_name), country.apolitical_name)
            self.actors[code] = Actor(id=code, kind=ActorKind.COUNTRY, name=shown, source=ISO)
            for name in {country.name, country.apolitical_name, *_turned(country.name)}:
                entry = Name(code, name, NameKind.NAME, Period(), ISO)
                self._iso[name_key(name)].append(entry)

    def add(self, path: Path) -> None:
        """Add a file.

        Raises:
            InputError: it cannot be read.
            SettingsError: all its mistakes.
        """
        data = read_yaml(path)
        found = validate_model(ActorFile, data, where=str(path))
        places = _Places(path, data)
        mistakes = list(self._wrong_ids(found, places))
        if not mistakes:
            self._lists |= found.lists
            for actor, entry in found.actors.items():
                self.actors[actor] = Actor(
                    id=actor,
                    kind=entry.kind,
                    name=entry.name,
                    source=entry.source,
                    of=entry.of,
                    members=entry.members,
                    known=entry.known,
                    listed=entry.listed,
                )
            for section, actor, lists in _sections(found):
                where = places.of(section, actor)
                for kind, name in _written(lists):
                    mistakes += self._add_name(actor, kind, name, where)
        if mistakes:
            raise SettingsError(mistakes, where=str(path))

    def _add_name(self, actor: str, kind: NameKind, name: DatedName, where: str) -> Iterator[str]:
        key = name_key(name.name)
        for other in (*self._names[key], *self._iso.get(key, ())):
            if (
                other.actor != actor
                and {kind, other.kind} <= STANDS_ALONE
                and name.meets(other.period)
            ):
                yield (
                    f"{where}: '{name.name}' names '{actor}', but '{other.actor}' as well "
                    f"({other.where}). Write it under 'short' of both: it then holds only where "
                    "the text has named one of them."
                )
        period = Period(**{"from": name.start, "to": name.end})
        self._names[key].append(Name(actor, name.name, kind, period, where))

    def _wrong_ids(self, found: ActorFile, places: _Places) -> Iterator[str]:
        known = {*self.actors, *found.actors}
        for actor in found.names:
            if actor not in known:
                near = near_matches(actor, known)
                yield f"{places.of('names', actor)}: no actor has the id '{actor}'.{near}"
        for actor, entry in found.actors.items():
            if actor in self.actors:
                yield (
                    f"{places.of('actors', actor)}: '{actor}' is the id of "
                    f"{self.actors[actor].name} already. Add names to it under 'names', or take "
                    "another id."
                )
            if entry.of is not None and entry.of not in known:
                near = near_matches(entry.of, known)
                place = places.of("actors", actor, "of")
                yield f"{place}: no actor has the id '{entry.of}'.{near}"
            for i, item in enumerate(entry.members):
                for member in sorted(set(item.ids) - known):
                    near = near_matches(member, known)
                    place = places.of("actors", actor, "members", i)
                    yield f"{place}: no actor has the id '{member}'.{near}"
            lists = {**self._lists, **found.lists}
            for i, listing in enumerate(entry.listed):
                if listing.on not in lists:
                    near = near_matches(listing.on, lists)
                    place = places.of("actors", actor, "listed", i)
                    yield f"{place}: no list is called '{listing.on}'.{near}"
        yield from _circles({**self.actors}, found, places)


@lru_cache(maxsize=1)
def _shipped(folder: Path) -> _Collection:
    """Read the shipped files once a process; they take longer than all linking."""
    collection = _Collection()
    collection.add_countries()
    for name in SHIPPED_FILES:
        collection.add(folder / name)
    return collection


class _Places:
    """Lines of a file."""

    def __init__(self, path: Path, data: object) -> None:
        self._path = path
        self._data = data

    def of(self, *location: str | int) -> str:
        """Return "file:line" of a key or item."""
        from ruamel.yaml.comments import CommentedMap, CommentedSeq

        node, line = self._data, 0
        for part in location:
            if isinstance(node, CommentedMap):
                line = node.lc.key(part)[0] + 1
                node = node[part]
            elif isinstance(node, CommentedSeq) and isinstance(part, int):
                line = node.lc.item(part)[0] + 1
                node = node[part]
        return f"{self._path}:{line}"


def _sections(found: ActorFile) -> Iterator[tuple[str, str, NameLists]]:
    for actor, entry in found.actors.items():
        yield "actors", actor, entry
    for actor, lists in found.names.items():
        yield "names", actor, lists


def _written(lists: NameLists) -> Iterator[tuple[NameKind, DatedName]]:
    if isinstance(lists, Entry):
        yield NameKind.NAME, DatedName(name=lists.name)
        yield from ((NameKind.HOLDER, name) for name in lists.holders)
    yield from ((NameKind.NAME, name) for name in lists.aliases)
    yield from ((NameKind.ADJECTIVE, name) for name in lists.adjectives)
    yield from ((NameKind.SEAT, name) for name in lists.seats)
    yield from ((NameKind.SHORT, name) for name in lists.short)
    yield from ((NameKind.FORMAL, name) for name in lists.formal)
    yield from ((NameKind.RECORDED, name) for name in lists.recorded)


def _turned(name: str) -> Iterator[str]:
    """Yield "Islamic Republic of Iran" for the standard's "Iran, Islamic Republic of"."""
    short, comma, form = name.partition(", ")
    if comma and " and " not in form:  # "Bonaire, Sint Eustatius and Saba" are three
        yield f"{form} {short}"


def _circles(actors: Mapping[str, Actor], found: ActorFile, places: _Places) -> Iterator[str]:
    of = {**{i: actor.of for i, actor in actors.items()}}
    of |= {i: entry.of for i, entry in found.actors.items()}
    for actor in found.actors:
        seen: set[str] = set()
        at: str | None = actor
        while at is not None and at not in seen:
            seen.add(at)
            at = of.get(at)
        if at == actor:
            yield f"{places.of('actors', actor, 'of')}: '{actor}' is a part of itself"
