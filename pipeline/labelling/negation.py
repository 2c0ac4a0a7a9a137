"""The scope of negations in a sentence: what stands in it is hidden from the rules that ask so.

NegEx (Chapman et al., 2001, A simple algorithm for identifying negated findings and diseases in
discharge summaries, Journal of Biomedical Informatics 34), with scopes that reach forwards.
"""

from __future__ import annotations

import re

from pipeline.codebook import Negation
from pipeline.codebook.patterns import folded
from pipeline.labelling.typography import plain

_TOKEN = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[^\s]")
_ENDING = frozenset('.,;:!?()"')
_HIDDEN = "\x1a"  # the character that Unicode names "substitute"; cleaned texts have none


class Scopes:
    """Hides the words of a text that are negated; linear in the length of the text."""

    def __init__(self, negation: Negation) -> None:
        self._reach = negation.scope
        self._phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for kind, phrases in (
            ("pseudo", negation.pseudo),
            ("negator", negation.words),
            ("end", negation.ends),
        ):
            for words in map(_tokens, phrases):
                self._phrases.setdefault(words[0], []).append((words, kind))
        for known in self._phrases.values():
            known.sort(key=lambda phrase: -len(phrase[0]))

    def hidden(self, text: str) -> str:
        """Return `text` with every negated word replaced, character by character."""
        found = list(_TOKEN.finditer(text))
        words = [token.group().casefold() for token in found]
        out = list(text)
        left = i = 0
        while i < len(words):
            size, kind = self._phrase(words, i)
            if kind == "negator":
                left, i = self._reach, i + size
                continue
            if kind == "pseudo":
                i += size
                continue
            if kind == "end" or not words[i][0].isalnum():
                if kind == "end" or words[i] in _ENDING:
                    left = 0
                i += 1
                continue
            if left:
                left -= 1
                start, end = found[i].span()
                out[start:end] = _HIDDEN * (end - start)
            i += 1
        return "".join(out)

    def _phrase(self, words: list[str], at: int) -> tuple[int, str]:
        for phrase, kind in self._phrases.get(words[at], ()):
            if tuple(words[at : at + len(phrase)]) == phrase:
                return len(phrase), kind
        return 1, ""


def _tokens(phrase: str) -> tuple[str, ...]:
    seen = folded(plain(phrase))  # as rules see texts
    return tuple(token.group().casefold() for token in _TOKEN.finditer(seen))
