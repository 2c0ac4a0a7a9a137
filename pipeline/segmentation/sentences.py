"""Cut the text of one block into sentences.

Own code rather than a library: the maintained permissive splitter `sentencex` (MIT), given the same
blocks, finds the sentences of the five gold statements just as well, but fails 12 of the 54
constructions in the tests ("chap. | IV", "arts. | 2 and 3", initials, footnote marks, an attributed
question), cuts "Ms. | Mueller" and before small letters in Council records, and would be one more
compiled dependency of the core install. It is about three times as fast.

Every pattern is possessive or of bounded length, so the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from pipeline.segmentation.abbreviations import (
    AFTER_CLOCK,
    CLOCK,
    CONNECTORS,
    DIVISIONS,
    LETTERED,
    MAYBE_FINAL,
    OPENERS,
    REFERENCES,
    TITLES,
)

_STOP = re.compile(
    r"([.!?…。！？؟۔।]++)"
    r"""((?:["'”’»›)\]}]|[¹²³⁰⁴-⁹]|\[\d{1,3}\])*+"""
    r"""(?:(?:(?<=[^\W\d_][.!?])|(?<=[.!?]["”’)]))\d{1,3}(?=\s))?+)"""
    r"(\s++)?"
)
"""A run of stops, closing marks with a footnote mark, white space. Once begun it always matches."""

_PAIRS = re.compile(
    r'"(?<![^\s(\[—–-]")(?=[^\s"])[^"]{1,600}(?<=\S)"(?!\w)'
    r"|[“„][^“”„]{1,600}”|«[^«»]{1,600}»|\([^()]{1,300}\)|\[[^\[\]]{1,300}\]"
)
_INNER_STOP = re.compile(r'[.!?…]\s+["“(]?[^\W\d_a-z]')
_QUOTED_STOPS = 2
"""A quotation of up to three sentences stays within the sentence that quotes it."""

_LAST_WORD = re.compile(r"(?:[^\W\d_]{1,2}\.)*+[^\W\d_]++\Z")
_NEXT_WORD = re.compile(r"""["'“‘«(\[]{0,3}([^\W\d_]++)(?!\w)""")
_REFERENT = re.compile(r"[\"'“‘(\[]{0,2}(?:\d|[IVXLC]{2,7}\b|[VX]\b)")
_FIRST_PART = re.compile(
    r"I(?=[;:.)\]]|\s(?:and|in|of|or|to)\b|,\s(?:arts?|chap|ch|paras?|sect)\.)"
)
"""More that may follow DIVISIONS: a lone "I", which with a comma speaks ("I, for one")."""
_LETTERED_PART = re.compile(r"\((?:[a-z]|[ivx]{1,5})\)(?!\s[^\W\d_a-z])")
"""May follow DIVISIONS and LETTERED: "(a)", unless a sentence begins behind it."""
_FIRST_ARTICLE = re.compile(r"I\sof\sthe\b")
"""May follow "Art", which is a word as well."""
_DESIGNATED = re.compile(
    r"\b(?:annex|appendix|area|category|chapter|class|group|part|phase|plan|schedule|section|zone)"
    r"\s\Z",
    re.IGNORECASE,
)
"""Before a single capital: it is a name of a part ("annex B."), not an initial."""
_ATTRIBUTION = re.compile(
    r"(?:[^\W\d_a-z][\w’'-]{0,30}\s){1,4}(?:said|says|asked|asks|added|told|wrote|stated|stressed"
    r"|warned|declared|replied|exclaimed|emphasi[sz]ed|continued|demanded|wondered)\b"
)
_QUOTES = frozenset("\"'”’»›")
_WIDE = frozenset("。！？।")
_CONTINUES = frozenset(",;:.!?…)]}%/&")
_OPENING = frozenset("\"'“‘«([„")
_DASHES = frozenset("-–—")
_LONGEST_ABBREVIATION = 8
_FEW = 40
"""Characters looked at where the answer does not depend on more; keeps the time linear."""


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the half-open spans of the sentences of one block, in order and trimmed.

    All characters but white space between sentences are covered. A text without letters or digits
    is one sentence; an empty or blank text has none.
    """
    start = len(text) - len(text.lstrip())
    if _STOP.search(text) is None:
        if start < len(text):
            yield start, len(text.rstrip())
        return
    last: tuple[int, int] | None = None
    pairs = _Pairs(text)
    for match in _STOP.finditer(text):
        after = match.end()
        if after >= len(text) or not _is_boundary(text, match, start):
            continue
        end = match.end(2)
        if pairs.keep_whole(match.start(), end, start):
            continue
        if last is not None:
            yield last
        last, start = (start, end), after
    end = len(text.rstrip())
    if last is not None and start < end and not any(map(str.isalnum, text[start:end])):
        last, start = (last[0], end), end
    if last is not None:
        yield last
    if start < end:
        yield start, end


def _is_boundary(text: str, match: re.Match[str], start: int) -> bool:
    """Whether the stop ends a sentence, quotations and brackets left aside; text follows it."""
    stops, closing, gap = match.groups()
    at, after = match.start(), match.end()
    if gap is None and stops[-1] not in _WIDE:
        return not closing and _is_missing_blank(text, at, after)
    if at - start < 6 and _is_enumerator(text[start:at]):
        return False
    first = _first_letter(text, after)
    if first in _CONTINUES or (first.islower() and text[after] != "("):  # "(spoke in French) We"
        return False
    if stops == ".":
        return _may_end(text, at, after)
    return not (stops[-1] in "!?" and closing[-1:] in _QUOTES and _ATTRIBUTION.match(text, after))


def _first_letter(text: str, position: int) -> str:
    """Return the first character from `position` on that is no opening mark, dash or blank."""
    for character in text[position : position + 4]:
        if character not in _OPENING and character not in _DASHES and character != " ":
            return character
    return ""


def _is_enumerator(beginning: str) -> bool:
    """Whether the sentence so far is no more than "1", "(a", "II" or an opening ellipsis."""
    bare = beginning.strip("([\"“‘' ")
    return len(bare) < 2 or bare.isdigit() or not bare.strip("IVX")


def _is_missing_blank(text: str, at: int, after: int) -> bool:
    """Whether a blank was lost after the stop ("in 2019.The report")."""
    word = _NEXT_WORD.match(text, after)
    if word is None or at < 2 or (word[1] not in OPENERS and word[1] != "I"):
        return False
    before = text[at - 2 : at]
    return before.islower() or (len(word[1]) > 1 and (before.isalnum() or before[1] == ")"))


def _may_end(text: str, at: int, after: int) -> bool:
    """Whether the single full stop at `at` is more than the mark of an abbreviation."""
    low = at - _LONGEST_ABBREVIATION
    if low >= 0 and text[low:at].isalpha():
        return True
    found = _LAST_WORD.search(text, max(low, 0), at)
    if found is None:
        return True
    word = found[0]
    key = word.lower()
    before = text[found.start() - 1 : found.start()]
    initial = len(word) == 1 and word.isupper() and not before.isalnum()
    if key in CONNECTORS:
        return False
    if key in TITLES and word[0].isupper():  # "MIN. ODE", but "by the GOV. The"
        return len(word) > 2 and word.isupper() and _opens_sentence(text, after)
    if (
        word in ("Sec", "SEC")
        and not text[max(0, found.start() - 4) : at - 3].rstrip()[-1:].isdigit()
    ):
        return _opens_sentence(text, after)  # "Sec. Ode", but "30 Sec. Ode" and "the SEC. The fund"
    # A capital "P." is an initial (George P. Ode), a small one a page.
    if (key in REFERENCES and not initial) or before == "/":
        return _REFERENT.match(text, after) is None and not _is_part(text, word, after)
    if key in CLOCK:
        following = _NEXT_WORD.match(text, after)
        return following is None or following[1] not in AFTER_CLOCK
    if initial and _DESIGNATED.search(text, max(0, found.start() - 10), found.start()):
        return True
    if initial or key in MAYBE_FINAL or "." in word:
        return _opens_sentence(text, after)
    return True


def _is_part(text: str, word: str, position: int) -> bool:
    """Whether "I" or "(a)" follows that belongs to the abbreviation of a division."""
    key = word.lower()
    if key in DIVISIONS and _FIRST_PART.match(text, position):
        return True
    if word == "Art" and _FIRST_ARTICLE.match(text, position):
        return True
    lettered = key in DIVISIONS or key in LETTERED or word == "Art"
    return lettered and _LETTERED_PART.match(text, position) is not None


def _opens_sentence(text: str, position: int) -> bool:
    word = _NEXT_WORD.match(text, position)
    if word is None or word[1] not in OPENERS:
        return False
    return len(word[1]) > 1 or text[word.end() : word.end() + 1] != "."  # "D. A. Smith"


class _Pairs:
    """Quotations and brackets of a text, found when first needed and passed once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: Iterator[re.Match[str]] | None = None
        self._start = self._end = -1

    def keep_whole(self, at: int, end: int, sentence_start: int) -> bool:
        """Whether the stop [at, end) lies inside a pair that must not be cut.

        A bracket is never cut. A quotation is kept when words of its sentence stand before it, or
        when the sentence goes on after it ('"... They wait," he said.').
        """
        if self._found is None:
            self._found = _PAIRS.finditer(self._text)
        while self._end < end:
            pair = next(self._found, None)
            if pair is None:
                self._start = self._end = len(self._text) + 1
                break
            self._start, self._end = pair.span()
        if not self._start < at < end < self._end:
            return False
        if self._text[self._start] in "([":
            return True
        quoted = self._text[self._start + 1 : self._end - 1]
        if len(list(islice(_INNER_STOP.finditer(quoted), _QUOTED_STOPS + 1))) > _QUOTED_STOPS:
            return False
        before = self._text[sentence_start : min(self._start, sentence_start + _FEW)]
        if any(map(str.isalnum, before)):
            return True
        return self._goes_on(quoted[-1])

    def _goes_on(self, last: str) -> bool:
        rest = self._text[self._end : self._end + 120].lstrip()
        if not rest:
            return False
        if rest[0].islower() or last in ",;:" or last.isalnum():
            return True
        return last in "!?" and _ATTRIBUTION.match(rest) is not None
