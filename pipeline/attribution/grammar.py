"""Words that tell who says something: reporting verbs, pronouns, and where phrases end.

Lists of English words, not of labels: they hold for any codebook whose labels are expressed by
somebody. The verbs are those that quotations are found by (Pareti, 2012; Krestel et al., 2008),
with the performative verbs of diplomatic language.
"""

from __future__ import annotations

import re

_SAYING = (
    "say told tell add declare announce explain write wrote written argue insist maintain warn"
    " stress underline underscore emphasise emphasize reiterate repeat recall affirm reaffirm"
    " express voice remark think thought believe consider deem agree echo claim note state point"
    " find found"
)
_JUDGING = (
    "condemn deplore denounce decry criticise criticize accuse blame reject slam blast censure"
    " protest describe term brand label praise commend welcome regret lament oppose back support"
    " endorse complain call love"
)
_ASKING = (
    "urge ask appeal implore exhort beg encourage invite expect vow pledge promise refuse demand"
    " request press want hope"
)
_IRREGULAR = {"say": "said", "slam": "slammed", "beg": "begged", "label": "labelled"}
_AS_THEY_ARE = frozenset({"told", "wrote", "written", "thought", "found"})


def _reported(verb: str) -> list[str]:
    """Return the forms that stand behind somebody else: "condemns", "condemned".

    The bare form is left out: behind a noun it mostly is a noun itself ("the firm support").
    """
    if verb in _AS_THEY_ARE:
        return [verb]
    if verb[-1] == "y" and verb[-2] not in "aeiou":
        return [f"{verb[:-1]}ies", f"{verb[:-1]}ied"]
    ends_hissing = verb.endswith(("s", "sh", "ch", "x"))
    past = _IRREGULAR.get(verb) or (f"{verb}d" if verb[-1] == "e" else f"{verb}ed")
    return [f"{verb}es" if ends_hissing else f"{verb}s", past]


def _any_of(*verbs: str, bare: bool = False) -> str:
    forms = [form for group in verbs for verb in group.split() for form in _reported(verb)]
    if bare:
        forms += [verb for group in verbs for verb in group.split()]
    return "|".join(sorted(set(forms), key=len, reverse=True))


VERB = re.compile(
    rf"\b(?:{_any_of(_SAYING, _JUDGING, _ASKING)}|call(?= (?:on|upon|for)\b))\b"
    r"|(?<=\w )(?:Decries|Condemns|Calls|Urges|Denounces|Says|Warns)\b"  # headlines
)
TAKES_OBJECT = re.compile(rf"\b(?:{_any_of(_JUDGING, _ASKING, bare=True)})\b")
"""What the verb is followed by names whom or what it is directed at."""
BEFORE_VERB = re.compile(
    r"\b(?:to|should|must|could|can|may|might|would|a|an|the|their|its|his|her|no|any)\s+$",
    re.IGNORECASE,
)
"""Behind these the word is an infinitive or a noun, and nobody is reported to say anything."""
NO_SUBJECT = re.compile(
    r"(?:let|allow|do|does|did|it|that|this|these|those|such|what|how|there|if|once|whether"
    r"|with|by|in|at|on|for|of|as|from|to|the (?:fact|situation|time))\b",
    re.IGNORECASE,
)

FIRST_PERSON = re.compile(r"\b(?:we|i|us|me|our|my|ours|mine)\b", re.IGNORECASE)
PRONOUN = re.compile(
    r"(?:he|she|it|they|him|her|them|this|these|those|who|which|one|some|others)", re.IGNORECASE
)
PERSONAL = re.compile(r"(?:he|she|they|it)", re.IGNORECASE)
BEHIND_QUOTE = re.compile(
    r"(?:according to|in the words of|as (?:put|expressed|stated) by) (?P<who>[^,.;]+)",
    re.IGNORECASE,
)
PASSIVE = re.compile(
    rf"\b(?:is|are|was|were|been|being) (?:\w+ly )?(?P<verb>{_any_of(_JUDGING)})"
    r" by (?P<who>[^,.;]+)",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]?")
ADVERBS = re.compile(
    r"(?:\s+(?:also|then|again|once more|further|has|have|had|is|was|were|will|would|strongly"
    r"|firmly|repeatedly|today|yesterday|recently|jointly|both|all|not|\w+ly))+\s*$",
    re.IGNORECASE,
)
LEADING = re.compile(
    r"^(?:and|but|or|as|while|when|that|so|yet|for|then|also|where|because|although|however"
    r"|today|yesterday|meanwhile|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|\d+[.)])\s+",
    re.IGNORECASE,
)
BOUNDARY = re.compile(r"[;:—–?!()]|\s-\s|\b(?:that|while|when|because|although|who|which|but)\b")
OBJECT_PREPOSITION = re.compile(
    r"\s*(?:in the strongest (?:possible )?terms\s+|strongly\s+|again\s+|all those\s+)?"
    r"(?:(?:on|upon|for|to|at|with|in)\s+)?(?:the (?:call|calls|appeal) (?:by|of|for)\s+)?",
    re.IGNORECASE,
)
OBJECT_END = re.compile(
    r"[;:,?!()\"“”]|\.(?=\s|$)|\s-\s|\s(?:to|that|which|who|whom|whose|where|when|while|as"
    r"|and (?:to|that|the|we|also|calls?|called|urges?|urged|demands?|demanded)|but|because|until"
    r"|unless|without|immediately|must|should|have|has|is|are|was|were|will)\b",
    re.IGNORECASE,
)
