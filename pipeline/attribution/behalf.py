"""For whom a speaker says to speak: "On behalf of the European Union, we ...", "I speak on ...".

Only the first person counts, and only what the speaker does himself: in "we heard the statement
made on behalf of X" and "violence committed on behalf of X" others act. All gaps are bounded, so
that the time stays linear.
"""

from __future__ import annotations

import re

_WHOM = (
    r"\bon behalf of (?P<whom>(?:(?!\b(?:has|is|said|says|that|told|was)\b)[^.;:]){1,400}?)"
    # "Austria, Germany and the Netherlands, call for": only what cannot go on with the list.
    r"(?=[.;:]|\Z|,\s+(?!(?:the|and|as well|its|their|my|our|all|both)\b)(?-i:[a-z])"
    r"|,?\s+(?:and )?(?:I|we|(?:let|allow|permit) (?:me|us)|may (?:I|we))\b|,\s+my delegation\b"
    r"|,?\s+(?:an?|the (?:attached|enclosed|following|letter|position|report|statement|text))\b"
    r"|,?\s(?:and (?:to|would|wish)|namely|which|who|whose|for whom|today|here|about|regarding"
    r"|concerning|(?:in|with) (?:connection|order|reference|regard|relation|respect|response)"
    r"|in (?:my|our)|on th(?:e|is)|at this|to (?!the\b)(?-i:[a-z]+))\b)"
)
_CALLS = (
    r"(?:(?:(?:your )?excellenc|colleague|dear|distinguished|madam|mr\b|mrs\b|ms\b|first|second"
    r"|third|finally|lastly|today|again|once|at the outset|in conclusion)[^,;:]{0,40},\s*"
    r"|(?:and|now|so|today),?\s+){0,2}"
)
_OPENING = re.compile(
    r"\A\W{0,5}" + _CALLS + r"(?:(?:acting|intervening|speaking|writing)\s"
    r"(?:(?:also|again|here|now|today|to you)\s){0,2})?"
    + _WHOM
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
    r"(?:['’]m|,?\s+(?:again|also|am|are|for|glad|had|has|have|here|hereby|honou?r|honou?red|is|like"
    r"|me|my delegation|now|of|pleased|pleasure|privilege|privileged|shall|should|the|therefore|to"
    r"|today|us|want|wanted|will|wish|would)\b){0,9}"
)
_GAP = rf"(?:(?!{_OTHERS})[^.;:])"
_ACTS = (
    r"(?:\s+(?:(?:speak|speaking|write|writing"
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


def spoken_for(sentence: str) -> str | None:
    """Return the words for those on whose behalf the speaker says to speak, or `None`."""
    for form in (_OPENING, _ACTING, _WE_THE):
        if found := form.search(sentence):
            return found["whom"]
    return None
