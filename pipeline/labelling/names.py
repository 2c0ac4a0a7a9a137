"""Find the names in a collection of English texts without a model, and swap them for others.

Who is spoken of must not decide what is said: a classifier that has learned which country is guilty
is of no use for the next conflict. Swapped names make test cases for that (invariance tests;
Ribeiro et al., 2020, "Beyond Accuracy") and training data against it.

A name is a capitalised word that the collection writes so inside a sentence and never in lower
case, or one on the committed lists. Institutions, months, titles and well-known terrorist
organisations are on the list of words never taken for names, as they carry meaning. The kind of a
name follows from its neighbours over the whole collection: a title before it speaks for a person, a
preposition before and no noun after it for a place, a noun after it or an ending that makes an
adjective of another name for a people.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pipeline.labelling.name_lists import NameLists, Replacements


class NameKind(StrEnum):
    """What a name names; a people's name is an adjective as well (Kenyan)."""

    COUNTRY = "country"
    PLACE = "place"
    PEOPLE = "people"
    PERSON = "person"
    GROUP = "group"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W\d_]+(?:['’‘](?!s\b)[^\W\d_]+)*")
_PARTICLE = r"(?:[aA][lnrsd]|[aA]sh|[eE][lzd])-"
_LED_BY_PARTICLE = re.compile(rf"(?<![\w-]){_PARTICLE}$")
_JOIN = re.compile(
    rf"[ -]{_PARTICLE}|-(?:e|ut|ul|es|ez)-| (?:(?:bin|ibn|abu|de|del|da|van|von) )?", re.ASCII
)
_INSIDE = (" ", "-", ", ", " (")
"""What stands before a word that does not begin a sentence."""
_GROUP_HEADS = _words(
    "Ansar Harakat Hizb Jabhat Jaish Jaysh Jund Junud Kataib Lashkar Liwa Saraya Tehrik"
)
_TITLES = _words(
    "Mr Mrs Ms Dr Sir Dame Lord Lady President Minister Ambassador General Envoy Secretary Colonel "
    "Sheikh Prince King Queen Pope Captain Major Marshal Chancellor Commissioner Representative "
    "Professor Judge Senator Governor Commander Director Coordinator Spokesman Spokeswoman "
    "spokesman spokeswoman spokesperson Imam Ayatollah Bishop Archbishop"
)
_TITLED = re.compile(
    rf"\b(?P<title>{'|'.join(sorted(_TITLES))})\.? "
    rf"(?P<given>(?!(?:{'|'.join(sorted(_TITLES))})\b)[^\W\d_a-z][^\W\d_]* )?$"
)
_FAMILY = re.compile(r" [^\W\d_a-z](?!\.)[^\W\d_]+\b(?!-)")
_BEFORE = re.compile(r"([^\W\d_]+)\.? $")
_AFTER = re.compile(r"[ -]([^\W\d_]+)")
_ARTICLES = _words("the The a A an An")
_PLACE_BEFORE = _words(
    "in to from near at into across over of between around outside inside towards toward"
)
_NO_NOUN = _words(
    "a about after again against all also although an and are as at be because been before but by "
    "can cannot could did do does during for from had has have he her here his how if in into is "
    "it its just may might more most must near nor not now of on once only or our over said says "
    "she should since so still such than that the their them then there these they this those "
    "through to today too under until upon was we were what when where which while who whose will "
    "with within without would yet"
)
_ENDINGS = ("ese", "ish", "ian", "ean", "ani", "an", "ic", "n", "i")
_ADJECTIVE_ENDINGS = ("ian", "ean", "ese")
_VOWELS = ("", "a", "e", "i", "o", "u", "y", "ia", "ya")


@dataclass(frozen=True, slots=True)
class _Mention:
    """A run of adjacent name words, text[start:end], and what stands around it."""

    start: int
    end: int
    words: tuple[str, ...]
    before: str
    titled: bool
    several: bool
    noun_follows: bool


class NameSwapper:
    """The names of a collection of texts and their kinds; `learn` makes one.

    `kinds` holds every name word that is swapped, and every known name of several words; `ordinary`
    the words that the collection writes in lower case.
    """

    def __init__(
        self,
        kinds: Mapping[str, NameKind],
        bases: Mapping[str, str],
        never: frozenset[str],
        ordinary: frozenset[str],
    ) -> None:
        self.kinds = dict(kinds)
        self.ordinary = ordinary
        self._bases = dict(bases)
        self._never = never
        several = sorted((name for name in kinds if " " in name), key=len, reverse=True)
        self._phrase = re.compile(rf"\b(?:{'|'.join(map(re.escape, several)) or '(?!)'})\b")

    @classmethod
    def learn(cls, texts: Iterable[str], lists: NameLists) -> NameSwapper:
        """Find the names in `texts`; the more texts, the surer that a word is one."""
        collection = list(dict.fromkeys(texts))
        kinds, bases = _known(lists)
        capitalised, ordinary = _vocabulary(collection)
        found = capitalised - lists.never - _TITLES
        words = found | {name for name in kinds if " " not in name}
        listed = frozenset(kinds)
        derived = {word: base for word in found - listed if (base := _base_of(word, words))}
        adjectives = {*derived, *(word for word in found if word.endswith(_ADJECTIVE_ENDINGS))}
        provisional = {**dict.fromkeys(words, NameKind.PLACE), **kinds}
        votes = cls(provisional, bases, lists.never, ordinary)._votes(collection)
        for word in found - listed:
            kinds[word] = _decided(word, votes[word], is_adjective=word in adjectives)
        bases |= {word: base for word, base in derived.items() if kinds[word] is NameKind.PEOPLE}
        for base in set(bases.values()) - listed:
            if kinds[base] is NameKind.PLACE:
                kinds[base] = NameKind.COUNTRY
        return cls(kinds, bases, lists.never, ordinary)

    def swap(self, text: str, random: np.random.Generator, replacements: Replacements) -> str:
        """Return `text` with every name replaced by one of its kind; all other words stay.

        Within the text a name has one replacement throughout, different names have different ones
        (while there are enough), and a country and its adjective stay together.
        """
        return self.swap_all([text], random, replacements)[0]

    def swap_all(
        self, texts: Sequence[str], random: np.random.Generator, replacements: Replacements
    ) -> list[str]:
        """Swap as `swap` does, consistently over texts that belong together."""
        draw = _Draw(random, replacements)
        return [self._swapped(text, draw) for text in texts]

    def _swapped(self, text: str, draw: _Draw) -> str:
        parts: list[str] = []
        at = 0
        for mention in self._mentions(text):
            new = self._replacement(mention, draw)
            if new is not None:
                parts += [text[at : mention.start], new]
                at = mention.end
        return "".join([*parts, text[at:]]) if parts else text

    def _replacement(self, mention: _Mention, draw: _Draw) -> str | None:
        kind, last = self._kind(mention), mention.words[-1]
        bare = mention.before in _ARTICLES and not mention.noun_follows
        if kind is NameKind.PERSON:
            given, _, family = draw.one(last, kind, mention).rpartition(" ")
            return f"{given} {family}" if mention.several else family
        if kind is NameKind.PEOPLE:
            plural = last.endswith("s") and last[:-1] in self.kinds
            singular = last[:-1] if plural else last
            if bare and not plural and singular not in self._bases:
                return None
            country = self._bases.get(singular, singular)
            return draw.country(country, mention, plural=plural)[1] + ("s" if plural else "")
        if kind is NameKind.COUNTRY:
            name, adjective = draw.country(" ".join(mention.words), mention, plural=False)
            if mention.before in ("the", "The"):
                return f"Republic of {name}"
            return adjective if mention.before in _ARTICLES else name
        if bare:
            return None  # a river, a party, a newspaper: nothing that a town could stand for
        return draw.one(" ".join(mention.words), kind, mention)

    def _kind(self, mention: _Mention) -> NameKind:
        kinds = [self.kinds[word] for word in mention.words]
        if NameKind.GROUP in kinds:
            return NameKind.GROUP
        if mention.titled or NameKind.PERSON in kinds:
            return NameKind.PERSON
        return kinds[-1]

    def _mentions(self, text: str) -> list[_Mention]:
        names: list[tuple[int, int, str]] = []
        free = 0
        for phrase in [*self._phrase.finditer(text), None]:
            upto = len(text) if phrase is None else phrase.start()
            names += [
                (word.start(), word.end(), word[0])
                for word in _WORD.finditer(text, free, upto)
                if word[0] in self.kinds
            ]
            if phrase is not None:
                names.append((phrase.start(), phrase.end(), phrase[0]))
                free = phrase.end()
        mentions: list[_Mention] = []
        i = 0
        while i < len(names):
            start, end, word = names[i]
            run = [word]
            i += 1
            while (
                i < len(names)
                and self._joins(run[-1], names[i][2])
                and _JOIN.fullmatch(text, end, names[i][0])
            ):
                end = names[i][1]
                run.append(names[i][2])
                i += 1
            if led := _LED_BY_PARTICLE.search(text, max(0, start - 6), start):
                start = led.start()
            mentions.append(self._mention(text, start, end, tuple(run)))
        return mentions

    def _mention(self, text: str, start: int, end: int, words: tuple[str, ...]) -> _Mention:
        titled = _TITLED.search(text, max(0, start - 40), start)
        more = False
        if titled is not None:
            # A given name, or the family name after it, that is not known as a name.
            more = bool(titled["given"])
            start = titled.start("given") if more else titled.end()
            if len(words) == 1 and not more and (family := self._family(text, end)):
                more, end = True, family.end()
        before = _BEFORE.search(text, max(0, start - 24), start)
        after = _AFTER.match(text, end)
        return _Mention(
            start=start,
            end=end,
            words=words,
            before=before[1] if before else "",
            titled=titled is not None,
            several=more or len(words) > 1,
            noun_follows=after is not None and after[1].islower() and after[1] not in _NO_NOUN,
        )

    def _family(self, text: str, end: int) -> re.Match[str] | None:
        found = _FAMILY.match(text, end)
        return None if found is None or found[0].strip() in self._never else found

    def _joins(self, left: str, right: str) -> bool:
        apart = (NameKind.PEOPLE, NameKind.COUNTRY)
        return self.kinds[left] not in apart and self.kinds[right] not in apart

    def _votes(self, texts: Iterable[str]) -> dict[str, dict[NameKind, float]]:
        votes: dict[str, dict[NameKind, float]] = defaultdict(lambda: defaultdict(float))
        for text in texts:
            for mention in self._mentions(text):
                kind, weight = _evidence(mention)
                if weight:
                    for word in mention.words:
                        votes[word][kind] += weight
        return votes


class _Draw:
    """Replacements drawn for one text: one for each name, none twice while there are others."""

    def __init__(self, random: np.random.Generator, lists: Replacements) -> None:
        self._random = random
        self._lists = lists
        self._chosen: dict[str, str] = {}
        self._pairs: dict[str, tuple[str, str]] = {}

    def one(self, name: str, kind: NameKind, mention: _Mention) -> str:
        """Return the place, person or group that stands for `name`."""
        if name not in self._chosen:
            lists = self._lists
            pool = {
                NameKind.PERSON: lists.persons,
                NameKind.GROUP: lists.groups,
            }.get(kind, lists.places)
            self._chosen[name] = self._pick(
                [(new, new) for new in pool if new != name], set(self._chosen.values()), mention
            )[0]
        return self._chosen[name]

    def country(self, name: str, mention: _Mention, *, plural: bool) -> tuple[str, str]:
        """Return the country that stands for the country `name`, and its adjective."""
        if name not in self._pairs:
            pool = [pair for pair in self._lists.countries.items() if name not in pair]
            taken = {country for country, _ in self._pairs.values()}
            # The noun of a people takes an s only after these endings: Kenyans, Iraqis.
            fit = [pair for pair in pool if pair[1].endswith(("an", "i"))] if plural else pool
            self._pairs[name] = self._pick(fit or pool, taken, mention)
        return self._pairs[name]

    def _pick(
        self, pool: list[tuple[str, str]], taken: set[str], mention: _Mention
    ) -> tuple[str, str]:
        left = [pair for pair in pool if pair[0] not in taken] or pool
        if mention.before.lower() in ("a", "an"):
            vowel = mention.before.lower() == "an"
            # The adjective is what follows an article.
            left = [pair for pair in left if (pair[1][0] in "AEIO") == vowel] or left
        return left[int(self._random.integers(len(left)))]


def _known(lists: NameLists) -> tuple[dict[str, NameKind], dict[str, str]]:
    """Return the kinds of the listed names, and the country of every listed adjective."""
    known = lists.known
    countries = {**known.countries, **lists.training.countries, **lists.test.countries}
    kinds = dict.fromkeys(known.places, NameKind.PLACE)
    kinds |= dict.fromkeys(known.persons, NameKind.PERSON)
    kinds |= dict.fromkeys((*known.peoples, *countries.values()), NameKind.PEOPLE)
    kinds |= dict.fromkeys((f"{name}s" for name in known.peoples), NameKind.PEOPLE)
    kinds |= dict.fromkeys((f"{name}s" for name in countries.values()), NameKind.PEOPLE)
    kinds |= dict.fromkeys(countries, NameKind.COUNTRY)
    return kinds, {adjective: country for country, adjective in countries.items()}


def _vocabulary(texts: Iterable[str]) -> tuple[set[str], frozenset[str]]:
    """Return the words written with a capital inside sentences and never without; and the others.

    The others are those that are written in lower case somewhere.
    """
    lower: set[str] = set()
    inside: set[str] = set()
    for text in texts:
        words = list(_WORD.finditer(text))
        capitals = sum(word[0][0].isupper() for word in words)
        heading = capitals > 0.7 * len(words)
        end = -1
        for word in words:
            shape = word[0]
            if shape.islower():
                lower.add(shape)
            elif not heading and _is_capitalised(shape) and text[end : word.start()] in _INSIDE:
                inside.add(shape)
            end = word.end()
    return {word for word in inside if word.lower() not in lower}, frozenset(lower)


def _is_capitalised(word: str) -> bool:
    return len(word) > 2 and word[0].isupper() and word[1:].islower()


def _base_of(word: str, names: set[str]) -> str | None:
    """Return the name of which `word` is the adjective: Talvera of Talveran."""
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 3:
            for vowel in _VOWELS:
                if stem + vowel in names and stem + vowel != word:
                    return stem + vowel
    return None


def _evidence(mention: _Mention) -> tuple[NameKind, float]:
    """Return the kind that the neighbours of a mention speak for, and how strongly."""
    article, single = mention.before in _ARTICLES, len(mention.words) == 1
    if mention.titled:
        return NameKind.PERSON, 1.0
    if article and mention.noun_follows and single:
        return NameKind.PEOPLE, 1.0
    if mention.before in _PLACE_BEFORE and not mention.noun_follows:
        return NameKind.PLACE, 1.0
    if mention.before == "of" or (single and not article and not mention.noun_follows):
        return NameKind.PLACE, 0.4
    # Two names in a row are a person more often than a place, which is seldom without "in".
    return NameKind.PERSON, 0.0 if single else 0.3


def _decided(word: str, votes: Mapping[NameKind, float], *, is_adjective: bool) -> NameKind:
    if word in _GROUP_HEADS:
        return NameKind.GROUP
    most = max(votes.values(), default=0.0)
    if most and votes.get(NameKind.PERSON) == most:
        return NameKind.PERSON
    people = votes.get(NameKind.PEOPLE, 0.0) + is_adjective
    return NameKind.PEOPLE if people > votes.get(NameKind.PLACE, 0.0) else NameKind.PLACE
