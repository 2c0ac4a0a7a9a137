"""The words by which a mention is read as owner and head: "the Russian | Foreign | Minister"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from pipeline.actors.model import Source
from pipeline.actors.text import Token, name_key, word_set
from pipeline.validated_yaml import StrictModel, load_model

Owner = Literal["country", "organisation", "bloc", "group", "office", "seat", "possessive"]
MEMBERS = "members"
OFFICE = "office"
CONDUCT = frozenset({"conduct", "group-conduct", "owned-conduct"})
_MEMBERS_WITH = frozenset({"member", "members"})
_PREPOSITIONS = word_set("on against of in to towards from by at for over into")
_PLAIN_TITLES = word_set("mr mrs ms miss")
_ARTICLES = word_set("le les la el il der die das")
_NO_LONGER = word_set("former ex late")
_BODIES = word_set(
    "agence agencia agency ansar arabiya army associated association bank bbc bloc boys brigade "
    "brigades broadcasting brotherhood business campaign center centre channel chronicle club cnn "
    "coalition committee company corporation council cross daily express fein forum foundation "
    "friends front fund future gazeta gazette globe group guardian herald independent initiative "
    "institute international jazeera journal knesset league magazine media members mirror monitor "
    "movement nation network networks news newspaper newswire observatory observer online "
    "organisation organization party post pravda press presse project quds radio report reporters "
    "review rights school service shimbun society studies telegraph television times today "
    "tribune trust tv union university watch weekly welle wire witness workers world yorker "
    "zeitung"
)
"""Known words of newspapers and bodies."""
_BODIES_OR_FAMILIES = word_set("day star sun")
"""The same, which begin a name as well: "Toronto Sun", but "Sun Lei"."""
_PARTICLES = word_set("al el ben bin ibn de del da dos di van von der la")
_LONGEST_PERSON = 6
TITLES = word_set(
    "mr mrs ms miss dr sir dame lord lady sheikh sheikha prince princess archbishop monsignor "
    "baroness ambassador"
)
STYLES = TITLES | word_set(
    "he hm excellency president minister professor judge king queen his her the honourable"
)
"""What may stand before a name in the field of the speaker; "he" is H.E.

In a text "president" and "minister" are offices that are read with their State.
"""


class HeadWords(StrictModel):
    """Heads of one role, and whose they may be."""

    owners: tuple[Owner, ...]
    words: tuple[str, ...]


class Grammar(StrictModel):
    """The lists of configs/actors/grammar.yaml."""

    source: Source
    heads: dict[str, HeadWords]
    modifiers: frozenset[str]
    tails: frozenset[str]
    blocked: frozenset[str]
    never: tuple[str, ...]
    forms: frozenset[str]
    sets: frozenset[str]
    deeds: frozenset[str]


@dataclass(frozen=True, slots=True)
class HeadPhrase:
    """What stands behind an owner: the role of its head, and the person named behind it."""

    role: str
    person: str


class HeadReader:
    """Reads the words around an owner by the lists of a grammar."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._roles: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for role, head in grammar.heads.items():
            for word in head.words:
                self._roles.setdefault(word, []).append((role, frozenset(head.owners)))
        owned = {w for role in CONDUCT for w in grammar.heads[role].words}
        self._conduct = frozenset(owned)
        self._nouns = frozenset(self._roles) - owned
        self._offices = frozenset(grammar.heads[OFFICE].words)
        self._in_role = frozenset(self._roles) | grammar.modifiers | _MEMBERS_WITH
        self._in_office = self._nouns | grammar.modifiers | TITLES | {"the", "a", "an"}
        self._never = frozenset(name_key(name) for name in grammar.never)

    def never(self, key: str) -> bool:
        """Return whether the phrase is the name of something that the lists would misread."""
        return key in self._never

    def blocked(self, words: Sequence[Token]) -> bool:
        """Return whether a word says that the owner himself is not meant."""
        return any(word.key in self.grammar.blocked for word in words)

    def behind(
        self, words: Sequence[Token], owners: Collection[str], *, named: bool
    ) -> HeadPhrase | None:
        """Read what follows an owner; `None` where it is not his office, body or deed.

        `owners` says what the owner is; `named` that it stands by its bare name, as in "the Syria
        offensive", which may be what is attacked.
        """
        strange = (n for n, word in enumerate(words) if word.key not in self._in_role)
        for end in range(min(next(strange, len(words)) + 1, len(words)), 0, -1):
            body, rest = words[:end], words[end:]
            role = self._role(body, owners)
            if role is None or (named and role in CONDUCT):
                continue
            if self.blocked(body) or (role not in CONDUCT and self.blocked(rest)):
                return None
            if not rest:
                return HeadPhrase(role, "")
            if role in CONDUCT:
                if rest[0].key in _PREPOSITIONS:
                    return HeadPhrase(role, "")
            elif role != MEMBERS and (rest[0].key in self.grammar.tails or self._charge(rest)):
                return HeadPhrase(role, "")
            elif any(word.key in self._offices for word in body) and is_person(rest):
                return HeadPhrase(role, person_of(rest))
        return None

    def _charge(self, words: Sequence[Token]) -> bool:
        """Return whether the words say what a minister or ministry is for: "of Foreign Affairs"."""
        return words[0].key == "of" and all(w.key in self.grammar.modifiers for w in words)

    def before(self, words: Sequence[Token], *, conduct: bool) -> bool:
        """Return whether these words may stand before an owner ("the senior | US official").

        Any plain words may stand before whoever did something ("the indiscriminate | Israeli
        air strikes").
        """
        if self.blocked(words):
            return False
        known = {*self.grammar.modifiers, "a", "an", "the"}
        return all(
            word.key in known or (conduct and word.text.islower() and word.key not in _PREPOSITIONS)
            for word in words
        )

    def may_be_office(self, words: Sequence[Token]) -> bool:
        """Return whether no more words are strange here than a person's name has.

        Where it is not, no longer run of words with this beginning is read as an office either.
        """
        strange = (word for word in words if word.key not in self._in_office)
        return next(islice(strange, _LONGEST_PERSON, None), None) is None

    def office_of(self, words: Sequence[Token]) -> HeadPhrase | None:
        """Read the words before "of X": "the Permanent Representative", "President Joe Biden"."""
        if not self.may_be_office(words):
            return None
        for end in range(len(words), 0, -1):
            role = self._office(words[:end])
            if role is not None and end == len(words):
                return HeadPhrase(role, "")
            if role == OFFICE and is_person(words[end:]) and not self.blocked(words[end:]):
                return HeadPhrase(role, person_of(words[end:]))
        return None

    def _office(self, words: Sequence[Token]) -> str | None:
        plain = [word for word in words if word.key not in ("the", "a", "an")]
        if not plain or self.blocked(plain):
            return None
        heads = [word.key for word in plain if word.key in self._nouns]
        if not heads or any(
            word.key not in self._nouns and word.key not in self.grammar.modifiers for word in plain
        ):
            return None
        roles = [role for role, _ in self._roles[heads[0]]]
        if MEMBERS in roles:
            return MEMBERS if all(w.key in (*_MEMBERS_WITH, "states") for w in plain) else None
        return roles[0]

    def owners_of(self, role: str) -> frozenset[str]:
        """Return what kinds of actors the heads of a role may belong to."""
        return frozenset(self.grammar.heads[role].owners)

    def description(self, words: Sequence[Token]) -> tuple[str, ...] | None:
        """Return the words of a description without owner ("the Foreign | Minister"), head last.

        `None` where it is none, or tells of one of several ("a minister").
        """
        plain = [word for word in words if word.key not in ("the", "this", "that")]
        if not plain or self.blocked(plain):
            return None
        keys = [*(word.key for word in plain[:-1]), plain[-1].stem]
        if len(keys) == 1 and keys[0] in self.grammar.forms:
            return (keys[0],)
        if keys[-1] not in self._nouns or MEMBERS in [r for r, _ in self._roles[keys[-1]]]:
            return None
        if all(key in self._nouns or key in self.grammar.modifiers for key in keys):
            return tuple(keys)
        return None

    def is_set(self, word: Token) -> bool:
        """Return whether the word may name several actors together ("allies")."""
        return word.key in self.grammar.sets

    def is_deed(self, words: Sequence[Token]) -> bool:
        """Return whether the words before "by X" tell of something X did."""
        keys = {word.key for word in words}
        return not self.blocked(words) and bool(keys & (self._conduct | self.grammar.deeds))

    def _role(self, body: Sequence[Token], owners: Collection[str]) -> str | None:
        keys = [word.key for word in body]
        role = next(
            (role for role, of in self._roles.get(keys[-1], ()) if not of.isdisjoint(owners)), None
        )
        if role == MEMBERS:
            return role if all(key in _MEMBERS_WITH for key in keys[:-1]) else None
        known = (key in self._roles or key in self.grammar.modifiers for key in keys[:-1])
        return role if role is not None and all(known) else None


def load_grammar(path: Path) -> Grammar:
    """Read the words.

    Raises:
        InputError: the file cannot be read.
        SettingsError: all mistakes at once, with lines.
    """
    return load_model(Grammar, path)


def is_person(words: Sequence[Token], *, least: int = 1) -> bool:
    """Return whether the words look like a person's name of `least` words, titles not counted."""
    plain = [word for word in words if word.key not in TITLES]
    return (
        max(least, 1) <= len(plain) <= _LONGEST_PERSON
        and plain[-1].capital
        and all(word.capital or word.key in _PARTICLES for word in plain)
    )


def is_representative(words: Sequence[Token]) -> bool:
    """Return whether the words before a State in brackets look like who speaks for it.

    That is a person of two names or with a title; no newspaper and no body ("Daily Herald"), as far
    as the known words of newspapers and bodies tell.
    """
    if not words or words[0].key in _NO_LONGER | {"the"}:
        return False
    if words[0].key in _PLAIN_TITLES:  # whatever the family is called: "Ms. Sun", "Mr. Cross"
        return True
    keys = {word.key for word in words}
    if keys & _BODIES or words[-1].key in _BODIES_OR_FAMILIES:
        return False
    if words[0].key in STYLES:
        return True
    names = [word for word in words if word.key not in _PARTICLES | _ARTICLES]
    return is_person(words, least=2) and len(names) > 1


def person_of(words: Sequence[Token], titles: Collection[str] = TITLES) -> str:
    """Return the name without titles, as keys."""
    kept = [word for word in words if word.key not in titles]
    return " ".join([*(word.key for word in kept[:-1]), *(word.stem for word in kept[-1:])])
