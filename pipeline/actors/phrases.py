"""Read one phrase that is not a list: a name, an owner with his noun, an office of someone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipeline.actors.context import (
    read_description,
    read_person,
    read_self,
    read_set,
    resolve_name,
)
from pipeline.actors.grammar import HeadReader, is_person, person_of
from pipeline.actors.links import How, Link, Links, Surroundings, missed
from pipeline.actors.model import ActorKind
from pipeline.actors.registry import Name, NameKind, Registry
from pipeline.actors.text import Token, key_of, tokens

_OF = frozenset({"of"})
_FOR_TOO = frozenset({"spokesman", "spokeswoman", "spokesperson", "spokespersons"})
_BEHIND_DEED = frozenset({"on", "against", "in", "at", "of"})
_MOST_LEADING = 4

Whole = Callable[[str, Surroundings], Links]
"""Reads a text that may be a list (`pipeline.actors.linker`)."""


@dataclass(frozen=True, slots=True)
class _Owner:
    """An actor at the beginning of a phrase, and how it is named there."""

    text: str
    actor: str
    kind: NameKind
    possessive: bool


class PhraseReader:
    """Links phrases by the names of a registry and the words of a grammar."""

    def __init__(self, registry: Registry, heads: HeadReader) -> None:
        self._registry = registry
        self._heads = heads

    def read(self, text: str, around: Surroundings, whole: Whole) -> Links:
        """Return the links of a phrase; one part that stays text where it is not understood.

        `whole` reads what may be a list: X in "the Presidents of X".
        """
        words = tokens(text)
        if not words:
            return (missed(text, How.UNKNOWN),)
        own = read_self(text, words, self._heads, around)
        if own is not None:
            return own
        named = self._name(text, words, around)
        if named is not None and named.how is not How.PEOPLE:
            return (named,)
        if self._heads.never(key_of(words)):
            return (missed(text, How.UNKNOWN, "a name of its own"),)
        told = (
            read_set(text, words, self._registry, self._heads, around),
            named,
            self._people(text, words),
        )
        for link in told:
            if link is not None:
                return (link,)
        return (
            self._office_with_person(text, words, around)
            or self._joined(text, words, around)
            or self._owned(text, words, around)
            or self._possessed(text, words, around, whole)
            or self._office_of(text, words, around, whole)
            or self._counterpart(text, words, around)
            or self._by_agent(text, words, around, whole)
            or self._by_context(text, words, around)
        )

    def named(self, text: str, around: Surroundings) -> bool:
        """Return whether the whole phrase is a name."""
        link = self._name(text, tokens(text), around)
        return link is not None and link.linked

    def starts_with_owner(self, text: str) -> bool:
        """Return whether a known name or adjective begins the phrase."""
        words = [word for word in tokens(text) if word.key != "the"]
        return bool(words) and self._longest(words, 0) is not None

    def _name(self, text: str, words: Sequence[Token], around: Surroundings) -> Link | None:
        return resolve_name(text, self._registry.named(key_of(words)), self._registry, around)

    def _people(self, text: str, words: Sequence[Token]) -> Link | None:
        key = key_of(words)
        names = self._registry.named(key.removesuffix("s"))
        if key.endswith("s") and any(name.kind is NameKind.ADJECTIVE for name in names):
            return missed(text, How.PEOPLE)
        return None

    def _office_with_person(
        self, text: str, words: Sequence[Token], around: Surroundings
    ) -> Links | None:
        """Read "UN Secretary-General António Guterres"; "Mr. Guterres" by the name alone.

        The mandate of an office may follow as well: "Special Envoy of the Secretary-General for X".
        Where several offices are called so, the person tells which: "Special Envoy Pedersen".
        """
        for end in range(min(len(words) - 1, self._registry.longest + 1), 0, -1):
            person = words[end:]
            # "The Secretary-General's Report" is not his: what follows is no person's name.
            if words[end - 1].possessive or (
                not is_person(person) and person[0].key not in self._heads.grammar.tails
            ):
                continue
            names = self._registry.named(key_of(words[:end]))
            if names and is_person(person):
                key = person_of(person)
                titled = {name.actor for name in names if name.period.holds(around.date)}
                held = titled & self._registry.held_by(key, around.date)
                if len(held) == 1:
                    return (Link(text, tuple(held), How.OFFICE, person=key),)
            found = resolve_name(text, names, self._registry, around)
            if (
                found is not None
                and found.linked
                and self._registry.actors[found.actors[0]].kind is ActorKind.OFFICE
            ):
                name = person_of(person) if is_person(person) else ""
                return (replace(found, how=How.OFFICE, person=name),)
        if is_person(words):
            key = person_of(words)
            holders = [n for n in self._registry.named(key) if n.kind is NameKind.HOLDER]
            if found := resolve_name(text, holders, self._registry, around):
                return (replace(found, person=key),)
        return None

    def _longest(self, words: Sequence[Token], at: int) -> tuple[int, tuple[Name, ...]] | None:
        for end in range(min(len(words), at + self._registry.longest), at, -1):
            if names := self._registry.named(key_of(words[at:end])):
                return end, names
        return None

    def _owner(
        self, text: str, words: Sequence[Token], at: int, around: Surroundings
    ) -> tuple[int, _Owner] | None:
        found = self._longest(words, at)
        if found is None:
            return None
        end, names = found
        part = text[words[at].start : words[end - 1].end]
        possessive = words[end - 1].possessive
        adjectives = {
            name.actor
            for name in names
            if name.kind is NameKind.ADJECTIVE and name.period.holds(around.date)
        }
        if len(adjectives) == 1:
            [actor] = adjectives
            return end, _Owner(part, actor, NameKind.ADJECTIVE, possessive)
        link = resolve_name(part, names, self._registry, around)
        if link is None or not link.linked:
            return None
        kind = NameKind.SEAT if link.how is How.SEAT else NameKind.NAME
        return end, _Owner(part, link.actors[0], kind, possessive)

    def _owned(self, text: str, words: Sequence[Token], around: Surroundings) -> Links | None:
        """Read "Russian forces", "the French and German foreign ministers", "Israel's attacks"."""
        start = 1 if words[0].key in ("the", "a", "an") else 0
        for at in range(start, min(start + _MOST_LEADING + 1, len(words))):
            owners, end = self._owners(text, words, at, around)
            if not owners:
                continue
            phrases = [
                self._heads.behind(words[end:], self._belonging(o), named=self._bare(o))
                for o in owners
            ]
            first = phrases[0]
            if first is None or any(phrase is None for phrase in phrases):
                return None
            conduct = first.role.endswith("conduct")
            if not self._heads.before(words[start:at], conduct=conduct):
                return None
            person = first.person if len(owners) == 1 else ""
            return tuple(
                Link(
                    text if len(owners) == 1 else f"{owner.text}{text[words[end - 1].end :]}",
                    (owner.actor,),
                    How.PHRASE,
                    first.role,
                    person,
                )
                for owner in owners
            )
        return None

    def _owners(
        self, text: str, words: Sequence[Token], at: int, around: Surroundings
    ) -> tuple[list[_Owner], int]:
        owners: list[_Owner] = []
        end = at
        while found := self._owner(text, words, at, around):
            end, owner = found
            owners.append(owner)
            if end >= len(words):
                break
            between = text[words[end - 1].end : words[end].start].strip()
            if words[end].key == "and" and end + 1 < len(words):
                at = end + 1
                if words[at].key == "the":
                    at += 1
            elif between in ("-", "–", ",", "/"):
                at = end
            else:
                break
        return owners, end

    def _belonging(self, owner: _Owner) -> frozenset[str]:
        kind = str(self._registry.actors[owner.actor].kind)
        if owner.possessive:
            return frozenset({kind, "possessive"})
        return frozenset({"seat"} if owner.kind is NameKind.SEAT else {kind})

    def _bare(self, owner: _Owner) -> bool:
        return (
            owner.kind is NameKind.NAME
            and not owner.possessive
            and not owner.text.isupper()
            and self._registry.actors[owner.actor].kind is ActorKind.COUNTRY
        )

    def _joined(self, text: str, words: Sequence[Token], around: Surroundings) -> Links | None:
        """Read "the European Union's foreign policy chief" as a name without the possessive."""
        for at, word in enumerate(words[:-1], start=1):
            if word.possessive:
                key = f"{key_of(words[:at])} {key_of(words[at:])}"
                found = resolve_name(text, self._registry.named(key), self._registry, around)
                return (found,) if found is not None and found.linked else None
        return None

    def _possessed(
        self, text: str, words: Sequence[Token], around: Surroundings, whole: Whole
    ) -> Links | None:
        """Read "the regime's brutality" as the regime's."""
        for at, word in enumerate(words[:-1]):
            if not word.possessive:
                continue
            links = whole(text[: words[at].start] + _stem(words[at]), around)
            if not all(link.linked for link in links):
                return None
            for link in links:
                kinds = {str(self._registry.actors[actor].kind) for actor in link.actors}
                phrase = self._heads.behind(words[at + 1 :], {*kinds, "possessive"}, named=False)
                if phrase is None:
                    return None
            role = "" if phrase is None else phrase.role
            person = "" if phrase is None else phrase.person
            return tuple(replace(x, text=text, role=role, person=person) for x in links)
        return None

    def _office_of(
        self, text: str, words: Sequence[Token], around: Surroundings, whole: Whole
    ) -> Links | None:
        """Read "the Permanent Representative of Belgium", "the Presidents of France and Mali"."""
        for at in range(1, len(words) - 1):
            before = words[:at]
            if words[at].key not in _OF and not (
                words[at].key == "for" and before[-1].key in _FOR_TOO
            ):
                continue
            if not self._heads.may_be_office(before):
                return None
            office = self._heads.office_of(before)
            if office is None or self._is_list(before, text, around, whole):
                continue
            right = text[words[at + 1].start :]
            links, person = self._with_person(right, around.as_formal(), whole)
            if not links or not links[0].linked:
                continue
            allowed = self._heads.owners_of(office.role)
            kinds = {self._registry.actors[a].kind for link in links for a in link.actors}
            if not all(kind in allowed or kind is ActorKind.OFFICE for kind in kinds):
                return None
            head = text[: words[at + 1].start]
            return tuple(
                replace(
                    link,
                    text=f"{head}{link.text}",
                    how=How.OFFICE,
                    role=office.role,
                    person=office.person or person,
                )
                if link.linked
                else link
                for link in links
            )
        return None

    def _is_list(
        self, before: Sequence[Token], text: str, around: Surroundings, whole: Whole
    ) -> bool:
        """Return whether "the Secretary-General and the heads | of X" names another one first."""
        ends = [word.start for word in before[1:] if word.key == "and"]
        return any(link.linked for end in ends for link in whole(text[:end].strip(), around))

    def _with_person(self, text: str, around: Surroundings, whole: Whole) -> tuple[Links, str]:
        """Read "Russia Vladimir Putin" and "Russia to the United Nations" behind an office."""
        links = whole(text, around)
        if links and links[0].linked:
            return links, links[0].person
        words = tokens(text)
        for at in range(1, len(words)):
            tail = words[at:]
            if tail[0].key in self._heads.grammar.tails:
                return whole(text[: tail[0].start].strip(), around), ""
        if found := self._longest(words, 1 if words[0].key == "the" else 0):
            end, _ = found
            if is_person(words[end:], least=2):
                return whole(text[: words[end - 1].end], around), person_of(words[end:])
        return links, ""

    def _counterpart(self, text: str, words: Sequence[Token], around: Surroundings) -> Links | None:
        """Read "his Russian counterpart Vladimir Putin"."""
        if words[0].key not in ("his", "her", "its", "their"):
            return None
        found = self._owner(text, words, 1, around)
        if found is None:
            return None
        end, owner = found
        rest = words[end:]
        if not rest or rest[0].key != "counterpart" or not (not rest[1:] or is_person(rest[1:])):
            return None
        return (Link(text, (owner.actor,), How.PHRASE, "office", person_of(rest[1:])),)

    def _by_agent(
        self, text: str, words: Sequence[Token], around: Surroundings, whole: Whole
    ) -> Links | None:
        """Read "the attack by Hamas on Israel", "crimes committed by the Syrian regime"."""
        for at in range(1, len(words) - 1):
            if words[at].key != "by" or not self._heads.is_deed(words[:at]):
                continue
            ends = [word.start for word in words[at + 2 :] if word.key in _BEHIND_DEED]
            for end in (len(text), *ends):
                links = whole(text[words[at + 1].start : end].strip(), around)
                if all(link.linked for link in links):
                    return tuple(replace(x, how=How.AGENT, role="conduct") for x in links)
        return None

    def _by_context(self, text: str, words: Sequence[Token], around: Surroundings) -> Links:
        return (
            read_person(text, words, around)
            or read_description(text, words, self._heads, around)
            or missed(text, How.UNKNOWN),
        )


def _stem(word: Token) -> str:
    """Return the word as written, without its possessive ending."""
    return word.text.rstrip("'’") if word.text[-1] in "'’" else word.text[:-2]
