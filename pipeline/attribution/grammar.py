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
    " find found inform confirm concur retort vow recommend propose advise counsel caution plead"
    " enjoin characterise characterize"
)
_JUDGING = (
    "condemn deplore denounce decry criticise criticize accuse blame reject slam blast censure"
    " protest describe term brand label praise commend welcome regret lament oppose back support"
    " endorse complain call love brand hail salute castigate rebuke chide commend"
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


# "The so-called truce" and "the US-backed forces" report nothing, but "re-affirms" does.
# "Terms" are a noun ("in terms of").
VERB = re.compile(
    rf"(?<!-)\b(?:(?:[Rr]e|[Pp]re)-)?(?!terms\b)"
    rf"(?:{_any_of(_SAYING, _JUDGING, _ASKING)}|call(?= (?:on|upon|for)\b))\b"
    r"(?! by\b)"
    r"|(?<=\w )(?:Decries|Condemns|Calls|Urges|Denounces|Says|Warns)\b"  # headlines
)
TAKES_OBJECT = re.compile(rf"\b(?:{_any_of(_JUDGING, _ASKING, bare=True)})\b")
"""What the verb is followed by names whom or what it is directed at."""
BEFORE_VERB = re.compile(
    r"\b(?:to|should|must|could|can|may|might|would|a|an|the|their|its|his|her|no|any"
    r"|(?:is|are|was|were|be|been|being)(?:\s+(?:\w+ly|also|again|not|well))?)\s+$"
    r"|\w['’]s?\s+$",
    re.IGNORECASE,
)
"""Behind these the word is an infinitive, a noun or passive, and nobody is reported to say it.

Behind a possessive it is a noun as well: "the envoy's calls for calm".
"""
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
    r"(?:\s++(?:also|then|once(?: again| more(?! than))?|again|more than ever|therefore|thus|hence"
    r"|always|never|still|now|too|further|has|have|had|is|was|were|will|would|strongly"
    r"|firmly|repeatedly|today|yesterday|recently|jointly|both|all|not|in turn|\w+ly"
    r"|(?:him|her|it|them)sel(?:f|ves)|on \d{1,2} [A-Z]\w+|on [A-Z]\w+day"
    r"|(?:last|this) \w+)\b)++\s*$",
    re.IGNORECASE,
)
LEADING = re.compile(
    r"^(?:and|but|or|as|while|when|that|so|yet|for|then|also|where|because|although|however"
    r"|today|yesterday|meanwhile|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|\d+[.)])\s+",
    re.IGNORECASE,
)
TOLD_BEHIND = re.compile(
    r"(?<=, )(?:says?|said|adds|added|warns|warned|argues|argued)\b"
    r"(?=(?:(?!\b(?:is|are|was|were|will|would|has|have|had|could|might|that|to)\b)[^,.;]){1,100}"
    r"(?:[,.;]|$))"
)
"""A verb whose subject follows, and no clause: "The trial has begun, says the Minister.\""""
BEHIND_PHRASE = re.compile(
    r"(?<=\s)(?:the|my|our)\s+(?:(?!(?:of|in|on|at|to|for|by|with)\b)[\w’'-]+\s+){0,3}[\w’'-]+$"
)
"""Whom a phrase that begins with a preposition ends with: "In its statement | the Council"."""
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

_BODIES = (
    "council|committee|commission|union|group|government|ministry|assembly|authority|party"
    "|parliament|movement|coalition|organi[sz]ation|alliance|league|company|agency|community|bank"
    "|fund|secretariat|resolution|draft|statement|text|report|communiqu[eé]|meeting|summit"
    "|conference"
)
_PERSONS = (
    "president|minister|chair(?:man|woman|person)?|spokes(?:man|woman|person)|ambassador|general"
    "|colonel|secretary|secretary-general|envoy|representative|commissioner|chancellor|king|queen"
    "|pope|senator|chief|director|delegate|premier|leader|source|official|diplomat"
)
_MANY = (
    "ministers|presidents|leaders|members|heads|states|countries|nations|delegations|experts"
    "|ambassadors|allies|parties|representatives|participants|officials|sides|envoys"
)
_BODY = re.compile(rf"\b(?:{_BODIES})\b(?!['’]s)", re.IGNORECASE)
_PERSON = re.compile(rf"\b(?:(?:Mr|Mrs|Ms|Dr)\b|{_PERSONS})\b", re.IGNORECASE)
_SEVERAL = re.compile(
    r"\sand\s|^(?:the\s+)?(?:two|three|four|five|six|seven|eight|nine|ten|both)\b"
    rf"|\b(?:{_MANY})\b",
    re.IGNORECASE,
)
_OF = r"(?:\s+of\s+(?:the\s+)?[A-Z][\w’'-]*(?:\s+[A-Z][\w’'-]*)*)?"
BEGINS = re.compile(
    rf"(?:\d+[.)]\s+|and\s+|but\s+)?(?P<who>(?:(?:the|an?)\s+)?(?:[\w’'-]+\s+){{0,4}}?"
    rf"(?i:{_BODIES}|{_PERSONS}|{_MANY})\b(?!['’-]){_OF}(?:\s+[A-Z][\w’'-]*)*"
    r"|(?:(?:Mr|Mrs|Ms|Dr)s?\.?\s+)?[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+)+(?=\s+[a-z]))"
)
"""Who begins a sentence: an office, a body, several of them, or a name of two words."""


def may_be(words: str, pronoun: str) -> bool:
    """Return whether a pronoun may stand for a phrase, by its number and what it is a name of."""
    head = words.split(" of ")[0]
    several = _SEVERAL.search(head) is not None
    person = _PERSON.search(head) is not None
    match pronoun.casefold():
        case "he" | "she":
            return not several and (person or not _BODY.search(head))
        case "it":
            return not several and not person
        case _:
            return several or not person
