"""Words of a mention and the key under which a name is found.

Two spellings have one key where they differ in case, accents, apostrophes, hyphens, punctuation or
a leading "the" only: "Hay'at Tahrir al-Sham" and "HAYAT TAHRIR AL SHAM". There is no likeness
beyond that: "Niger" and "Nigeria" have different keys, and no distance is ever computed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"@?[^\W_]+(?:['’‘ʼʿʾ`][^\W_]+)*['’]?|[+&]")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘ʼʿʾ`"))
_POSSESSIVE = re.compile(r"(?:['’]s|(?<=s)['’])$", re.IGNORECASE)
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
_SYNONYMS = {"st": "saint", "&": "and", "+": "plus"}
_ACRONYMS_LIKE_WORDS = frozenset({"us", "is", "who"})
"""Words that are names only in capitals."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word: its spelling, its place in the text, its key with and without a possessive ending."""

    text: str
    start: int
    end: int
    key: str
    stem: str

    @property
    def possessive(self) -> bool:
        """Whether it ends in an apostrophe and perhaps s."""
        return bool(_POSSESSIVE.search(self.text))

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital letter."""
        return self.text[:1].isupper()


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


def undotted(text: str) -> str:
    """Return the text in NFKC, with U.S. and U.N. written as US and UN."""
    composed = unicodedata.normalize("NFKC", text)
    return _DOTTED.sub(lambda match: match[0].replace(".", ""), composed)


def tokens(text: str) -> tuple[Token, ...]:
    """Return the words of a text that `undotted` has prepared; hyphens part words."""
    return tuple(
        Token(
            word[0],
            word.start(),
            word.end(),
            _folded(word[0]),
            _folded(_POSSESSIVE.sub("", word[0])),
        )
        for word in _WORD.finditer(text)
    )


def key_of(words: Sequence[Token]) -> str:
    """Return the key of a run of words; a possessive ending of the last does not count."""
    if words and words[0].key == "the":
        words = words[1:]
    return " ".join([*(word.key for word in words[:-1]), *(word.stem for word in words[-1:])])


def name_key(name: str) -> str:
    """Return the key under which a name is kept; empty for a name without letters or digits."""
    words = tokens(undotted(name))
    if words and words[0].key == "the":
        words = words[1:]
    return " ".join(word.key for word in words)


def _folded(word: str) -> str:
    if word.isupper() and word.casefold() in _ACRONYMS_LIKE_WORDS:
        return word
    apart = unicodedata.normalize("NFKD", word.casefold().translate(_APOSTROPHES))
    plain = "".join(c for c in apart if not unicodedata.combining(c)).translate(_LETTERS)
    return _SYNONYMS.get(plain, plain)
