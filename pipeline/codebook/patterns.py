"""Patterns and word lists of rules as automata that match in linear time.

RE2 (Cox, 2007, "Regular expression matching can be simple and fast") has no backtracking, so no
text and no pattern, however ill-meant, takes longer than its length allows. What needs backtracking
(look-around, back-references) it refuses.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

import re2

_MEMORY = 64 << 20
"""Bytes that one automaton may take; beyond them RE2 goes on without its cache, slower."""

_BREAK = r"[^\pL\pN_]"
_ADVICE = {
    b"(?=": "look-ahead is not known here; use 'unless', or write out what may follow",
    b"(?!": "look-ahead is not known here; use 'unless' for what silences the rule",
    b"(?<": "look-behind is not known here; use 'unless' or 'negated'",
    b"invalid escape": "back-references are not known here; write out the alternatives",
    b"repetition": "gaps are at most 1000 characters long",
    b"too large": "the pattern is too large; shorten its gaps, or split it into several rules",
}


class Pattern(Protocol):
    """A compiled pattern, for text in UTF-8."""

    def search(self, text: bytes) -> object | None:
        """Return something where the pattern stands in `text`."""


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Pattern:
    """Compile a case-insensitive regular expression, to be searched in text that is `folded`.

    Raises:
        ValueError: it is not one that RE2 knows; the message says what to write instead.
    """
    text = folded(pattern)
    if not text.isascii() and any(escape in text for escape in (r"\b", r"\w", r"\B", r"\W")):
        raise ValueError(
            r"\b and \w know Latin letters only, and this pattern has others; give the words as "
            r"'words', or use \pL for any letter"
        )
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled: Pattern = re2.compile(text, options)
    except re2.error as error:
        message = error.args[0]
        raw = message if isinstance(message, bytes) else str(message).encode()
        advice = next((told for sign, told in _ADVICE.items() if sign in raw), "")
        shown = raw.decode("utf-8", "replace")
        raise ValueError(
            f"not a regular expression of RE2: {shown}" + (f" ({advice})" if advice else "")
        ) from None
    return compiled


def words_pattern(entries: Iterable[str]) -> str:
    """Return a pattern of whole words and phrases in all their forms; see `forms`."""
    spelt = sorted({form for entry in entries for form in forms(entry)})
    spaced = (r"\s+".join(map(_escaped, form.split())) for form in spelt)
    return rf"(?:^|{_BREAK})(?:{'|'.join(spaced)})(?:{_BREAK}|$)"


def forms(entry: str) -> tuple[str, ...]:
    """Return a word or phrase with its regular English forms in -s, -ed and -ing.

    Of a phrase the first or the last word is changed ("call on" to "calling on", "war crime" to
    "war crimes"). Some forms exist in no text, which harms nobody; irregular ones are not known.
    Words with other than plain Latin letters keep their form.
    """
    parts = entry.split()
    found = [entry, *(" ".join((form, *parts[1:])) for form in _inflected(parts[0]))]
    if len(parts) > 1:
        found += [" ".join((*parts[:-1], form)) for form in _inflected(parts[-1])]
    return tuple(dict.fromkeys(found))


def folded(text: str) -> str:
    """Return `text` with accents taken off, character by character.

    RE2 takes word boundaries at Latin letters without accents; so both sides go without.
    """
    return text if text.isascii() else "".join(map(_base, text))


@lru_cache(maxsize=4096)
def _base(character: str) -> str:
    apart = unicodedata.normalize("NFD", character)
    return apart[0] if all(map(unicodedata.combining, apart[1:])) else character


def _inflected(word: str) -> tuple[str, ...]:
    if not (word.isascii() and word.isalpha()) or len(word) < 3:
        return ()
    low = word.lower()
    if low.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es", word + "ed", word + "ing"
    if low.endswith("e"):
        return word + "s", word + "d", word[:-1] + "ing"
    if low.endswith("y") and low[-2] not in "aeiou":
        return word[:-1] + "ies", word[:-1] + "ied", word + "ing"
    plain = (word + "s", word + "ed", word + "ing")
    closed = low[-1] not in "aeiouwy" and low[-2] in "aeiou" and low[-3] not in "aeiou"
    return (*plain, word + word[-1] + "ed", word + word[-1] + "ing") if closed else plain


def _escaped(word: str) -> str:
    return "".join(c if c.isalnum() or not c.isascii() else f"\\{c}" for c in word)
