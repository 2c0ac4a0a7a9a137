"""Changes of a text that keep its labels: other names, dates and figures, other typography.

They are what an invariance test asks of a classifier (Ribeiro et al., 2020, "Beyond Accuracy:
Behavioral Testing of NLP Models with CheckList"). Each is deterministic given the generator, keeps
a text one sentence and leaves alone what it does not apply to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.labelling.name_lists import Replacements
from pipeline.labelling.names import NameSwapper
from pipeline.records import Sentence

Texts = Sequence[str]
Perturbation = Callable[[Texts, np.random.Generator], list[str]]
"""Changes texts that belong together: first the sentence, then what it is read with."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_YEAR = r"(?:19|20)\d\d"
_MONTH = "|".join((*_MONTHS, r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"))
# March and May are verbs as well, so a month counts only beside a day or a year.
_DATE = re.compile(
    rf"\b(?P<day>\d\d?) (?P<month>{_MONTH})(?!\w)(?: (?P<year>{_YEAR})\b)?"
    rf"|\b(?P<month2>{_MONTH}) (?P<day2>\d\d?)\b(?!,\d)(?:,? (?P<year2>{_YEAR})\b)?"
    rf"|\b(?P<month3>{_MONTH}) (?P<year3>{_YEAR})\b"
    rf"|\b(?P<weekday>{'|'.join(_DAYS)})\b"
    rf"|(?<!resolution )(?<!resolutions )(?<![\w.,$€£/-])(?P<year4>{_YEAR})(?![\w/-]|[.,]\d)"
)
_FIGURE = re.compile(r"(?<![\w.,/-])\d+(?:[.,]\d+)*(?![\w/-]|[.,]\d)")
_LIST_NUMBER = re.compile(r"^\W*\d+[.)] ")
_LISTED = re.compile(r"^\W*(?:\d+|[a-zA-Z]|[ivxIVX]+)[.)]|^\s*[-–—•*]")
_ADDRESSED = re.compile(
    r"^\W*(?:mr|mrs|ms|madam|mister|sir|distinguished|dear|your|excellenc\w+|ladies)\b", re.I
)
_SENTENCE = re.compile(r"^[^\W\d_a-z][^\n]*[.!?]['\"’”]?$")
_FIRST_WORDS = re.compile(r"^([^\W\d_]+)(?: ([^\W\d_]+))?")
_TYPOGRAPHIC = str.maketrans("‘’“”", "''\"\"")
_OPENING = re.compile(r"(?:(?<=^)|(?<=[\s(\[—–-]))(['\"])(?=\S)")


def perturbations(swapper: NameSwapper, names: Replacements) -> Mapping[str, Perturbation]:
    """Return all perturbations by name; `names` are put in the place of those `swapper` knows."""

    def swapped(texts: Texts, random: np.random.Generator) -> list[str]:
        return swapper.swap_all(texts, random, names)

    return {
        "names": swapped,
        "dates": other_dates,
        "figures": other_figures,
        "address": _of_the_sentence(lambda text: addressed(text, swapper.ordinary)),
        "list_number": _of_the_sentence(numbered),
        "quotes": _everywhere(other_quotes),
        "lower_case": _everywhere(str.lower),
        "final_stop": _of_the_sentence(without_final_stop),
    }


def perturbed(
    sentence: Sentence, perturbation: Perturbation, random: np.random.Generator
) -> Sentence:
    """Return the sentence with text and context perturbed alike; its offsets stay those it had."""
    text, context, lead_in = perturbation(
        [sentence.text, sentence.context, sentence.lead_in], random
    )
    return replace(sentence, text=text, context=context, lead_in=lead_in)


def other_dates(texts: Texts, random: np.random.Generator) -> list[str]:
    """Replace dates, weekdays and years by others, each one by the same throughout.

    The number of a resolution is no year.
    """
    drawn: dict[str, str] = {}

    def draw(kind: str, old: str, pool: Sequence[str]) -> str:
        key = f"{kind} {old}"
        if key not in drawn:
            drawn[key] = _other(old, pool, random)
        return drawn[key]

    pools = {
        "day": [str(day) for day in range(1, 29)],
        "month": _MONTHS,
        "year": [str(year) for year in range(1991, 2026)],
        "weekday": _DAYS,
    }

    def replaced(match: re.Match[str]) -> str:
        new, at = "", match.start()
        found = [(match.start(group), group) for group, old in match.groupdict().items() if old]
        for start, group in sorted(found):
            kind = group.rstrip("234")
            new += match.string[at:start] + draw(kind, match[group], pools[kind])
            at = match.end(group)
        return new + match.string[at : match.end()]

    return [_DATE.sub(replaced, text) for text in texts]


def other_figures(texts: Texts, random: np.random.Generator) -> list[str]:
    """Replace figures by others of the same length, each one by the same throughout.

    Dates, list numbers, zero, one and a hundred stay: the words around them depend on them.
    """
    drawn: dict[str, str] = {}

    def draw(match: re.Match[str]) -> str:
        old = match[0]
        if old in ("0", "1", "100"):
            return old
        while old not in drawn or drawn[old] == old:
            digits = [str(random.integers(0, 10)) if c.isdigit() else c for c in old]
            drawn[old] = "".join([str(random.integers(2, 10)), *digits[1:]])
        return drawn[old]

    changed: list[str] = []
    for text in texts:
        number = _LIST_NUMBER.match(text)
        new, at = "", number.end() if number else 0
        kept = text[:at]
        for date in _DATE.finditer(text, at):
            new += _FIGURE.sub(draw, text[at : date.start()]) + date[0]
            at = date.end()
        changed.append(kept + new + _FIGURE.sub(draw, text[at:]))
    return changed


def addressed(text: str, ordinary: frozenset[str]) -> str:
    """Return the sentence with "Mr. President, " before it, unless it has an address or is none.

    Args:
        ordinary: words that do not keep their capital after it, in lower case.
    """
    if _ADDRESSED.match(text) or _LISTED.match(text) or not _SENTENCE.match(text):
        return text
    words = _FIRST_WORDS.match(text)
    if words is not None and words[1] != "I" and words[1].lower() in ordinary:
        part_of_a_name = words[2] is not None and words[2][0].isupper() and words[2] != "I"
        if not part_of_a_name:
            text = text[0].lower() + text[1:]
    return f"Mr. President, {text}"


def numbered(text: str) -> str:
    """Return the text with a list number before it, unless it has a marker."""
    return text if _LISTED.match(text) else f"3. {text}"


def other_quotes(text: str) -> str:
    """Return the text with straight quotation marks and apostrophes where they were typographic.

    Where there are none of those, straight ones become typographic.
    """
    straight = text.translate(_TYPOGRAPHIC)
    if straight != text:
        return straight
    opened = _OPENING.sub(lambda match: "‘" if match[1] == "'" else "“", text)
    return opened.replace("'", "’").replace('"', "”")


def without_final_stop(text: str) -> str:
    """Return the text without its full stop; an ellipsis stays."""
    return text if text.endswith("..") else text.removesuffix(".")


def _other(old: str, pool: Sequence[str], random: np.random.Generator) -> str:
    left = [new for new in pool if new != old]
    return left[int(random.integers(len(left)))]


def _everywhere(change: Callable[[str], str]) -> Perturbation:
    return lambda texts, _: [change(text) for text in texts]


def _of_the_sentence(change: Callable[[str], str]) -> Perturbation:
    return lambda texts, _: [change(texts[0]), *texts[1:]]
