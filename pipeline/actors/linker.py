"""Link mentions of actors to ids: lists are split, phrases read, the rest stays text.

Holders and targets of stances are phrases: names, adjectives with a noun, offices, seats of
government, lists of States. Event data codes them by dictionaries of actors and agents (CAMEO,
Schrodt 2012; PLOVER, 2023), matched anywhere in a sentence. Here the whole phrase must be
understood, word for word, or it stays text: a wrong actor in a table of who condemned whom does
more harm than a missing one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pipeline.actors.files import load_registry, load_shipped_grammar
from pipeline.actors.grammar import (
    STYLES,
    TITLES,
    Grammar,
    HeadReader,
    is_person,
    is_representative,
    person_of,
)
from pipeline.actors.links import How, Link, Links, Surroundings, actors_of, missed
from pipeline.actors.model import ActorKind
from pipeline.actors.phrases import PhraseReader
from pipeline.actors.registry import NameKind, Registry
from pipeline.actors.text import name_key, tokens, undotted, word_set

_ASIDE = re.compile(
    r"\s*\((?:spoke|speaking|interpretation|originally)\b[^)]*\)|,?\s*transmitted by .*$",
    re.IGNORECASE,
)
_EDGES = ' \t\n.,;:!?"“”„«»*_'
_BEHALF = re.compile(r"^(?P<voice>.*?)\bon behalf of (?P<whom>.+)$", re.IGNORECASE | re.DOTALL)
_ALSO = re.compile(r"(?:,?\s+|^)(?:speaking\s+)?also(?:\s+speaking)?\s*$", re.IGNORECASE)
_TOO = re.compile(r",?\s+(?:too|as well)$", re.IGNORECASE)
_BRACKETS = re.compile(r"^(?P<outer>.*\S)\s*\((?P<inner>[^()]+)\)$", re.DOTALL)
_SEPARATOR = re.compile(
    r"\s*,\s*(?:and|&|as well as)\s+|\s*[,;]\s*|\s+(?:and|&|as well as|together with|along with)\s+"
    r"|(?<=\w)/(?=\w)",
    re.IGNORECASE,
)
_ITS_MEMBERS = re.compile(
    r"(?:all )?(?:of )?(?:its|their) (?:(?:\d+|(?:twenty|thirty|fifty)[- ]\w+) )?"
    r"members?(?: states| countries)?",
    re.IGNORECASE,
)
_PREPOSITION = word_set("of in between among against on with from for to by over as like including")
_OF_STATES = frozenset({ActorKind.ORGANISATION, ActorKind.BLOC})
_CACHED = 20_000
_MOST_CUTS = 12
"""Separators that one part of a list may hold: "the Ministers of Trade, Industry and Energy of X".

Without a bound, reading a list takes the cube of its length.
"""
_LONGEST = 5_000
"""Characters of a mention; the names of all States have 3,300."""
_DEEPEST = 40
"""Phrases in phrases: "the spokesman of | the President of | the Council of | ..."."""
_MOST_READ = 1_000_000
"""Characters to read for one mention, in all its parts.

A list of all States takes 0.4 of it.
"""


class ActorLinker:
    """Links mentions to the actors of a registry; made once, it keeps what it has read."""

    def __init__(self, registry: Registry, grammar: Grammar) -> None:
        self.registry = registry
        self._phrases = PhraseReader(registry, HeadReader(grammar))
        self._alone = lru_cache(maxsize=_CACHED)(self._read_alone)

    def link(
        self,
        mention: str,
        *,
        speaker: str | None = None,
        date: dt.date | None = None,
        earlier: Sequence[str] = (),
    ) -> Links:
        """Return the actors of a mention, part by part; parts that stay text say why.

        `speaker` is the document's speaker as its source names him; `earlier` holds the actors that
        the document has named before the mention, in its words and order. Names that hold at
        certain dates only count at any date where `date` is `None`.
        """
        around = Surroundings(
            date=date,
            speaker=speaker,
            speakers=self.link_speaker(speaker, date=date) if speaker is not None else (),
            earlier=tuple(self._alone(text, date, False) for text in earlier),
        )
        return self._read(mention, around)

    def link_speaker(self, speaker: str, *, date: dt.date | None = None) -> Links:
        """Return the actors of a document's speaker as its source names him.

        Who stands there speaks for somebody, so more is understood than in running text: "Georgia"
        is the State, "Jane Doe (Kenya)" is no newspaper and where it appears.
        """
        return self._alone(speaker, date, True)

    def _read_alone(self, text: str, date: dt.date | None, speaks: bool) -> Links:
        around = Surroundings(date=date, formal=speaks, names_speaker=speaks)
        return self._read(text, around)

    def _read(self, mention: str, around: Surroundings) -> Links:
        try:
            if len(mention) <= _LONGEST:
                return _Reading(self.registry, self._phrases).read(mention, around)
        except _TooMuchError:
            pass
        return (missed(mention, How.UNKNOWN, "too long or too nested to be read"),)


class _TooMuchError(Exception):
    """A mention takes more reading than any that is meant to be understood."""


class _Reading:
    """One mention while it is read, part by part; no part is read twice.

    What is around a part differs in `formal` alone from what is around the mention.
    """

    def __init__(self, registry: Registry, phrases: PhraseReader) -> None:
        self.registry = registry
        self._phrases = phrases
        self._wholes: dict[tuple[str, bool], Links] = {}
        self._parts: dict[tuple[str, bool], Links] = {}
        self._depth = 0
        self._left = _MOST_READ

    def read(self, mention: str, around: Surroundings) -> Links:
        """Return the links of what may be a list.

        Raises:
            _TooMuchError: it is too long or too nested.
        """
        self._spend(mention)
        key = (mention, around.formal)
        if key not in self._wholes:
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _TooMuchError
            self._wholes[key] = self._read(mention, around)
            self._depth -= 1
        return self._wholes[key]

    def _phrase(self, text: str, around: Surroundings) -> Links:
        self._spend(text)
        key = (text, around.formal)
        if key not in self._parts:
            self._parts[key] = self._phrases.read(text, around, self.read)
        return self._parts[key]

    def _spend(self, text: str) -> None:
        self._left -= len(text) + 1
        if self._left < 0:
            raise _TooMuchError

    def _read(self, mention: str, around: Surroundings) -> Links:
        text = _ASIDE.sub("", undotted(mention)).strip(_EDGES)
        brackets = _BRACKETS.match(text)
        if brackets and not self._phrases.named(text, around):
            return self._bracketed(text, brackets["outer"], brackets["inner"], around)
        links = self._phrase(text, around)
        if any(link.linked for link in links) or links[0].how in (
            How.AMBIGUOUS,
            How.DATE,
            How.PRONOUN,
            How.NO_SPEAKER,
        ):
            return links
        if behalf := _BEHALF.match(text):
            return self._spoken_for(behalf["voice"], behalf["whom"], around)
        return self._list(text, around) or links

    def _spoken_for(self, voice: str, whom: str, around: Surroundings) -> Links:
        """Read those on whose behalf somebody speaks; "also" on their behalf: himself as well."""
        also, too = _ALSO.search(voice), _TOO.search(whom)
        links = self.read(whom[: too.start()] if too else whom, around.as_formal())
        own = voice[: also.start()] if also else voice
        return (*self.read(own, around), *links) if (also or too) and own.strip(_EDGES) else links

    def _bracketed(self, text: str, outer: str, inner: str, around: Surroundings) -> Links:
        """Read "Mr. Nebenzia (Russian Federation)" and "Hay'at Tahrir al-Sham (HTS)"."""
        behalf = _BEHALF.match(inner)
        if behalf and not _ALSO.sub("", behalf["voice"]).strip(_EDGES):
            return self._spoken_for(f"{outer} {behalf['voice']}", behalf["whom"], around)
        inside = self._recorded(inner, around) or self.read(inner, around.as_formal())
        outside = self.read(outer, around)
        is_linked = all(link.linked for link in outside)
        if not all(link.linked for link in inside):
            return outside
        if is_linked:
            if actors_of(inside) == actors_of(outside) or self._sums_up(inside, outside, around):
                return outside
            return (missed(text, How.AMBIGUOUS, "the words in brackets name another actor"),)
        words = tokens(outer)
        if len(inside) != 1 or inside[0].how is How.SEAT:
            return (missed(text, How.UNKNOWN),)
        [link] = inside
        # Without a title it may be a newspaper and where it appears.
        person = person_of(words) if words[0].key in TITLES else None
        kind = self.registry.actors[link.actors[0]].kind
        if around.names_speaker and kind is ActorKind.COUNTRY and is_representative(words):
            person = person_of(words, STYLES)
        if person is None:
            return (missed(text, How.UNKNOWN),)
        return (replace(link, text=text, how=How.BRACKETS, role="office", person=person),)

    def _recorded(self, inner: str, around: Surroundings) -> Links:
        """Read a name that stands for a State in brackets behind a speaker only."""
        if not around.names_speaker:
            return ()
        names = self.registry.named(name_key(inner))
        actors = {
            name.actor
            for name in names
            if name.kind is NameKind.RECORDED and name.period.holds(around.date)
        }
        return (Link(inner, tuple(actors), How.NAME),) if len(actors) == 1 else ()

    def _sums_up(self, inside: Links, outside: Links, around: Surroundings) -> bool:
        """Return whether brackets hold the whole of what stands before them.

        "Rosemary DiCarlo (UN)" holds an office of it; "the Niger, South Africa and Tunisia (A3)"
        are some of it, or it is not known who belongs to it.
        """
        wholes, actors = actors_of(inside), actors_of(outside)
        if len(wholes) != 1:
            return False
        [whole] = wholes
        if all(self.registry.within(actor, whole) for actor in actors):
            return True
        if len(actors) == 1 or self.registry.actors[whole].kind not in _OF_STATES:
            return False
        members = self.registry.members(whole, around.date)
        return members is None or any(actor in members for actor in actors)

    def _list(self, text: str, around: Surroundings) -> Links:
        """Split "France, Bosnia and Herzegovina and the UK"; empty where it is no list."""
        cuts = [(m.start(), m.end()) for m in _SEPARATOR.finditer(text) if m.start() and m.end()]
        if not cuts:
            return ()
        starts = [0, *(end for _, end in cuts)]
        ends = [*(start for start, _ in cuts), len(text)]
        parts: list[Links] = []
        i = 0
        while i < len(starts):
            for j in range(min(len(starts) - 1, i + _MOST_CUTS), i - 1, -1):
                links = self._part(
                    text[starts[i] : ends[j]], around, whole=i == 0 and j == len(starts) - 1
                )
                if any(link.linked for link in links) or j == i:
                    break
            parts.append(links)
            i = j + 1
        only_comma = len(cuts) == 1 and text[slice(*cuts[0])].strip() == ","
        if only_comma and len(parts) == 2:
            return self._apposition(text, parts)
        return self._guarded(self._as_states(parts, around))

    def _part(self, text: str, around: Surroundings, *, whole: bool) -> Links:
        if whole:  # was read before it was split
            return (missed(text, How.UNKNOWN),)
        text = text.strip(_EDGES)
        brackets = _BRACKETS.match(text)
        if brackets and not self._phrases.named(text, around):
            return self._bracketed(text, brackets["outer"], brackets["inner"], around)
        return self._phrase(text, around)

    def _as_states(self, parts: Sequence[Links], around: Surroundings) -> list[Links]:
        """Read ambiguous names in a list of States as States ("Armenia, Georgia and Turkey")."""
        firsts = [links[0] for links in parts]
        unclear = [link.how is How.AMBIGUOUS for link in firsts]
        states = [
            link.linked
            and not link.role
            and self.registry.actors[link.actors[0]].kind is ActorKind.COUNTRY
            for link in firsts
        ]
        if not any(states) or not all(a or b for a, b in zip(unclear, states, strict=True)):
            return list(parts)
        return [
            self._part(links[0].text, around.as_formal(), whole=False) if again else links
            for links, again in zip(parts, unclear, strict=True)
        ]

    def _guarded(self, parts: Sequence[Links]) -> Links:
        """Give up names that belong to a longer phrase: "the war between | Israel and Hamas"."""
        kept: list[Link] = []
        inside = False
        last = parts[-1][0]
        shared = not last.linked and self._phrases.starts_with_owner(last.text)
        for links in parts:
            link = links[0]
            if _ITS_MEMBERS.fullmatch(link.text) and kept and kept[-1].linked:
                kept[-1] = replace(kept[-1], text=f"{kept[-1].text} and {link.text}")
                continue
            if not link.linked and any(w.key in _PREPOSITION for w in tokens(link.text)):
                inside = True
            if link.linked and (inside or (shared and not link.role)):
                kept.append(missed(link.text, How.UNKNOWN, "part of a longer phrase"))
            else:
                kept += links
        return tuple(kept)

    def _apposition(self, text: str, parts: Sequence[Links]) -> Links:
        """Read "Sergey Lavrov, Foreign Minister of Russia"; places ("Aleppo, Syria") stay text."""
        first, second = (links[0] for links in parts)
        if first.linked and second.linked and first.actors != second.actors:
            return tuple(link for links in parts for link in links)
        if (
            first.linked
            and self.registry.actors[first.actors[0]].kind is ActorKind.ORGANISATION
            and not any(word.capital for word in tokens(second.text))
        ):
            return (replace(first, text=text),)  # "League of Arab States, ministerial meeting"
        for link, other in ((first, second), (second, first)):
            words = tokens(other.text)
            office = link.linked and (
                link.role == "office"
                or self.registry.actors[link.actors[0]].kind is ActorKind.OFFICE
            )
            if office and not other.linked and is_person(words):
                return (replace(link, text=text, person=person_of(words)),)
        return (missed(text, How.UNKNOWN),)


def load_linker(files: Sequence[Path] = (), *, folder: Path | None = None) -> ActorLinker:
    """Read the shipped actors and the user's `files`, and return a linker.

    Raises:
        InputError: a file cannot be read.
        SettingsError: all mistakes of a file at once, with lines.
    """
    return ActorLinker(load_registry(files, folder=folder), load_shipped_grammar(folder))


def date_of(text: str | None) -> dt.date | None:
    """Return the date that a statement's date begins with (YYYY-MM-DD); `None` for any other."""
    found = re.match(r"\d{4}-\d{2}-\d{2}", text or "")
    if found is None:
        return None
    try:
        return dt.date.fromisoformat(found[0])
    except ValueError:  # 2024-02-31
        return None
