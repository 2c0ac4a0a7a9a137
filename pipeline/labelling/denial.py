"""A sentence denied or affirmed: what negation does to a stance, shown on sentences that hold one.

Counterfactual augmentation (Kaushik, Hovy & Lipton, 2020): a denied copy no longer expresses what
the sentence expresses, an affirmed copy in nearly the same words still does, so that neither the
words of the stance nor those around it decide alone. No frame is one of the direction tests in
seeds/behaviour word for word; ways to negate a verb ("do not", "cannot", "will not", "refused to",
"declined to") occur there as well, having no substitute, so those tests flatter.
"""

from __future__ import annotations

import re

import numpy as np

_DENYING = (
    "We dispute that {}.",
    "Those who say that {} are mistaken.",
    "It is not true that {}.",
    "It is not so that {}.",
    "It cannot be said that {}.",
    "We have never said that {}.",
    "Nobody in my Government holds that {}.",
    "My delegation cannot accept the statement that {}.",
    "We reject the claim that {}.",
    "We do not support the position that {}.",
    "We would not go so far as to say that {}.",
    "The spokesman denied that {}.",
    "She did not want to repeat that {}.",
    "There is no reason to think that {}.",
    "We voted against the paragraph which says that {}.",
    "We keep away from the appeal in which it is said that {}.",
    "Far be it from us to hold that {}.",
    "We are asked to say that {}, and we will not say it.",
    "Others hold that {}, but we are of the opposite opinion.",
    "The assertion that {} is one that we cannot make our own.",
    "Unlike the speaker before us, we do not hold that {}.",
    "To say that {} would be wrong.",
    "It would be premature to say that {}.",
    "That {} is a story without evidence.",
    "That {} has yet to be shown.",
    "It remains unproven that {}.",
    "The rumour that {} is unfounded.",
    "The allegation that {} is false.",
    "Little speaks for the theory that {}.",
    "We doubt very much that {}.",
    "We were wrong to say that {}.",
    "I would be lying if I said that {}.",
    "I am not going to tell you that {}.",
    "We would be the last to say that {}.",
    "The idea that {} is foreign to us.",
    "We do not read the facts to mean that {}.",
    "If it could be shown that {}, we would say it aloud.",
    "My Government takes no position on whether {}.",
    "It is for historians, and certainly not for us, to find that {}.",
    "The Ambassador left open whether {}.",
    "Asked whether {}, the Minister said no.",
    "Asked whether {}, the spokesman gave no answer.",
    "Nowhere does the statement say that {}.",
    "The report does not find that {}.",
    "The draft resolution no longer says that {}.",
    "The sentence which said that {} was struck from the text.",
    "There was no majority for the finding that {}.",
    "The motion which holds that {} was voted down with our vote.",
    "We abstained because the text says that {}.",
)
_AFFIRMING = (
    "We share the view that {}.",
    "It is true that {}.",
    "We have always said that {}.",
    "My delegation believes that {}.",
    "Let there be no doubt that {}.",
    "Nobody can deny that {}.",
    "We do not hide that {}.",
    "We do not take back that {}.",
    "The spokesman repeated that {}.",
    "The Minister said once more that {}.",
    "We voted for the paragraph which says that {}.",
    "We are asked to say that {}, and we do say it.",
    "Others deny that {}, but we are of the opposite opinion.",
    "The assertion that {} is one that we make our own.",
    "To say that {} is only just.",
    "There is no denying that {}.",
    "It cannot be disputed that {}.",
    "It has been shown beyond doubt that {}.",
    "We do not doubt that {}.",
    "We were right to say that {}.",
    "I would be lying if I did not say that {}.",
    "I am not afraid to tell you that {}.",
    "We would be the first to say that {}.",
    "Nothing will change our conviction that {}.",
    "Asked whether {}, the Minister said yes.",
    "The draft resolution still says that {}, and we stand by it.",
    "The Council agreed that {}.",
    "We voted in favour because the text says that {}.",
)
_SUBJECTS = (
    r"we|I|they|you|the two (?:ministers|sides|leaders)|the members of the Council"
    r"|the ministers|the leaders|both (?:ministers|Governments)"
)
_VERBS = (
    "condemn|deplore|denounce|decry|call|urge|appeal|demand|support|welcome|commend|back|endorse"
    "|insist|ask"
)
_PLURAL = re.compile(
    rf"^((?:{_SUBJECTS}) )(?:\w+ly |again |also |fully )?((?:{_VERBS})\b.*)$", re.I
)
_SINGULAR = re.compile(
    rf"^(\S+ (?:(?!and |which |who |that )[\w'.-]+ ){{0,5}}?)(?:\w+ly |again |also )?"
    rf"(?<!are )(?<!is )(?<!was )(?<!were )(?<!been )(?<!be )(?<!has )(?<!have )(?<!had )"
    rf"({_VERBS})(?:s|d|ed)( (?:on|for|upon|to|the|all|any|both|this|these|its|every|that)\b.*)$"
)
_NOT_PLURAL = (
    *("do not", "did not", "cannot", "will not", "would not", "see no need to"),
    *("have no intention to", "are not ready to", "have no reason to", "refuse to", "decline to"),
)
_NOT_SINGULAR = (
    *("does not", "did not", "refuses to", "refused to", "declined to", "is not ready to"),
    *("failed to", "has so far not wanted to"),
)
_OPENINGS = re.compile(
    r"^(?:we|I|the|this|these|those|my|our|it|there|he|she|they|all|any|both|no|every|such|an?"
    r"|its|their|his|her|only|today|once|until|as long as)\b",
    re.I,
)
_STATEMENT = re.compile(r"^[^\W\d_][^\n?!:;]*[^.?!:;\s]\.$")
_NEGATED = re.compile(
    r"\b(?:not|never|no|nor|neither|none|nobody|nothing|without|cannot)\b|n't", re.I
)
_SECOND_VERB = re.compile(
    rf"\band (?:we |I |they |it )?(?:\w+ly |again |also )?"
    rf"(?:{_VERBS}|reiterate|express|hope|stress|reaffirm|pay|will|remain)(?:s|d|ed)?\b"
)
_QUOTES = re.compile(r"[\"“”]")


def denied(text: str, random: np.random.Generator) -> str | None:
    """Return `text` so that it no longer expresses a stance; `None` where that cannot be done.

    Either its own verb is negated, or it stands in a clause that its speaker denies. Sentences that
    are negated already, questions, commands, lists and quotations are left alone.
    """
    if _NEGATED.search(text) or not _fits(text):
        return None
    own = _own_verb_negated(text, random)
    if own is not None and random.random() < _OWN_VERB:
        return own
    return _in_clause(text, _DENYING, random)


def affirmed(text: str, random: np.random.Generator) -> str | None:
    """Return `text` in a clause that its speaker affirms; `None` where that cannot be done."""
    return _in_clause(text, _AFFIRMING, random) if _fits(text) else None


_OWN_VERB = 0.6
"""Share of the sentences with a verb of their own to negate in which that is done."""


def _fits(text: str) -> bool:
    return bool(_STATEMENT.match(text)) and not _QUOTES.search(text)


def _own_verb_negated(text: str, random: np.random.Generator) -> str | None:
    if _SECOND_VERB.search(text):  # it would stay as it is
        return None
    if plural := _PLURAL.match(text):
        subject, rest = plural.groups()
        return f"{subject}{random.choice(_NOT_PLURAL)} {rest}"
    if singular := _SINGULAR.match(text):
        subject, verb, rest = singular.groups()
        return f"{subject}{random.choice(_NOT_SINGULAR)} {verb}{rest}"
    return None


def _in_clause(text: str, frames: tuple[str, ...], random: np.random.Generator) -> str | None:
    opening = _OPENINGS.match(text)
    if not opening:
        return None
    clause = text[:-1]
    if opening.group().lower() != "i":
        clause = clause[0].lower() + clause[1:]
    return frames[int(random.integers(len(frames)))].format(clause)
