"""For whom a speaker says to speak: "On behalf of the European Union, we ...", "I speak on ...".

Only the first person counts, and only what the speaker does himself: in "we heard the statement
made on behalf of X" and "violence committed on behalf of X" others act. All gaps are bounded, so
that the time stays linear.

How a group is called and who belongs to it often stand together: "the African members of the
Council, namely, X, Y and Z", "the Nordic countries - ...", "the co-penholders, X and Y". Which of
the two can be read is for the linking to find out, so all readings are returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORDS = r"(?:(?!\b(?:has|is|said|says|told|was|that(?! are\b))\b)[^.;:]){1,400}?"
_END = (
    # "Austria, Germany and the Netherlands, call for": only what cannot go on with the list.
    r"(?=[.;:]|\Z|,\s+(?!(?:the|and|as well|its|their|my|our|all|both)\b)(?-i:[a-z])"
    r"|,?\s+(?:and )?(?:I|we|(?:let|allow|permit) (?:me|us)|may (?:I|we))\b|,\s+my delegation\b"
    r"|,?\s+(?:an?|the (?:attached|enclosed|following|letter|position|report|statement|text))\b"
    r"|,?\s(?:and (?:to|would|wish)|namely|too|(?<!well )as(?! well as\b)|which|who|whose"
    r"|for whom|today|here|about|regarding|concerning"
    r"|(?:in|with) (?:connection|order|reference|regard|relation|respect|response)"
    r"|in (?:my|our)|on th(?:e|is)|at (?:such|this)|to (?!the\b)(?-i:[a-z]+))\b)"
)
_WHOM = rf"(?P<behalf>\bon behalf of )(?P<whom>{_WORDS}){_END}"
_CALLS = (
    r"(?:(?:(?:your )?excellenc|colleague|dear|distinguished|madam|mr\b|mrs\b|ms\b|first|second"
    r"|third|finally|lastly|today|again|once|at the outset|in conclusion)[^,;:]{0,40},\s*"
    r"|(?:and|now|so|today),?\s+){0,2}"
)
_OPENING = re.compile(
    r"\A\W{0,5}" + _CALLS + r"(?:(?:acting|intervening|speaking|writing)\s"
    r"(?:(?:also|again|here|now|today|to you)\s){0,2})?"
    + _WHOM
    + rf"(?:(?:,?\s*+namely,?\s++|:\s++){_WORDS})?"
    # The main clause is in the first person, behind adjuncts at most.
    + r"(?:,\s+(?:again|as|at|first|here|in|once|on|today|with)\b[^,.;:]{0,100}){0,2}"
    r",?\s+(?:(?:again|hereby|here|now|once more|once again|therefore|today),?\s+)?"
    r"(?:I|we|let (?:me|us)|allow (?:me|us)|permit (?:me|us)|may (?:I|we)|my delegation)\b",
    re.IGNORECASE,
)
_OTHERS = (
    r"\b(?:acting|by|committed|delivered|given|he|heard|issued|made|perpetrated|presented|she"
    r"|speaking|spoken|that|they|those|which|who)\b"
)
_SUBJECT = (
    r"\b(?:I|we|my delegation|(?:let|allow|permit) (?:me|us)"
    r"|it is (?:a|an|my|our) (?:\w{1,15} )?(?:honou?r|privilege|pleasure))\b"
)
_LEADS = (
    r"(?:['’]m|,?\s+(?:again|also|am|and|are|distinct|for|glad|great|had|has|have|here|hereby"
    r"|honou?r|honou?red|is|like|me|my delegation|now|of|particular|pleased|pleasure|privilege"
    r"|privileged|shall|should|special|the|therefore|to|today|truly|us|want|wanted|will|wish|would)\b"
    r"){0,9}"
)
_GAP = rf"(?:(?!{_OTHERS})[^.;:])"
_ACTS = (
    r"(?:\s+(?:(?:brief|speak|speaking|write|writing"
    r"|(?:make|making|take|taking|deliver|delivering) (?:an?|my|our|the|this|these|some))\b"
    + _GAP
    + r"{0,120}?|(?:address|convey|express|extend|forward|present|read|reiterate|submit|transmit)"
    # Not "present proof of crimes on behalf of X": what is addressed or sent is named.
    r"(?:t?ing)?\b(?:"
    + _GAP
    + r"{0,120}?\b(?:assembly|committee|concern|condolences|conference|council|debate|gratitude"
    r"|here|herein|herewith|letter|meeting|members|message|position|remarks|report|request"
    r"|resolution|session|statement|support|sympathy|text|thanks|today|views|you)\b"
    + _GAP
    + r"{0,60}?)?|thank (?:all|everyone|you)))?"
)
_ACTING = re.compile(_SUBJECT + _LEADS + _ACTS + r",?\s+" + _WHOM, re.IGNORECASE)
_WE_THE = re.compile(
    rf"\A\W{{0,5}}(?:I|we),(?:(?!{_OTHERS})[^.;:]){{1,200}}?,\s+(?:(?:acting|speaking)\s+)?{_WHOM}",
    re.IGNORECASE,
)

_NAMELY = re.compile(rf"(?:,?\s*+namely,?\s++|:\s++)(?P<list>{_WORDS}){_END}", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]{1,2}\s+|—")
_JOINING = re.compile(
    r"(?:,|\s+[-–—]{1,2}|—)?\s*\b(?P<and>and|as well as) (?:also )?(?:on behalf )?(?:of )?",
    re.IGNORECASE,
)
_TITLE = re.compile(r"(?-i:[^A-Z,]){3,80},\s+(?=(?:the )?(?-i:[A-Z]))", re.IGNORECASE)
"""Who they are before their names: "the co-penholders, Belgium and Germany"."""
_TITLED = re.compile(r",\s+(?:the|both|all|our)\s+(?-i:[a-z])[^,]*\Z", re.IGNORECASE)
"""The same behind them: "Belgium and Germany, the co-penholders on the dossier"."""
_ALSO = re.compile(r"\balso(?:,?\s+speaking)?,?\s+\Z", re.IGNORECASE)
_TOO = re.compile(r",?\s+(?:too|as well(?! as))\b", re.IGNORECASE)
OWN_CAPACITY = re.compile(
    r"\bin (?:my|our|its|a) national capacity\b"
    r"|\bin (?:my|our) (?:own )?capacity as (?:the )?(?:(?:deputy|foreign|permanent|prime)\s+){0,2}"
    r"(?:minister|representative)\b",
    re.IGNORECASE,
)
"""By these words a speaker goes over to what he says for himself alone."""
_AND = re.compile(r"\band\s+\Z", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Behalf:
    """For whom a speaker says to speak: where that stands, and in which words.

    The first of `readings` that is understood wholly holds. `also` says that he speaks for himself
    as well.
    """

    start: int
    readings: tuple[str, ...]
    also: bool


def folded(sentence: str) -> str:
    """Return a sentence with one space for each run of white space, as `spoken_for` reads it."""
    return _SPACES.sub(" ", sentence)


def spoken_for(sentence: str) -> Behalf | None:
    """Return those on whose behalf the speaker says to speak, or `None`.

    `sentence` is folded: on long runs of white space the time would grow faster than linearly.
    """
    for form in (_OPENING, _ACTING, _WE_THE):
        if found := form.search(sentence):
            before = sentence[: found.start("behalf")]
            also = (
                _ALSO.search(before)
                or _TOO.match(sentence, found.end("whom"))
                or (_AND.search(before) and OWN_CAPACITY.search(before))
            )
            readings = tuple(dict.fromkeys(_readings(sentence, found)))
            return Behalf(found.start("behalf"), readings, also is not None)
    return None


def _readings(sentence: str, found: re.Match[str]) -> Iterator[str]:
    """Yield who is named, then what they are called."""
    called, *listed = _DASH.split(_JOINING.sub(_joined, found["whom"]), maxsplit=1)
    if namely := _NAMELY.match(sentence, found.end("whom")):
        listed.append(_JOINING.sub(_joined, namely["list"]))
    for words in (*listed, called):
        plain = words.strip(" ,-–—")
        yield plain
        if title := _TITLE.match(plain):
            yield plain[title.end() :]
        if " and " in plain and (titled := _TITLED.search(plain)):
            yield plain[: titled.start()]


def _joined(words: re.Match[str]) -> str:
    return f" {words['and']} "
