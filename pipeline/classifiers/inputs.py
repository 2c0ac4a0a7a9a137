"""What a classifier reads of a sentence, and what it reads besides it."""

from __future__ import annotations

import re

from pipeline.labelling.typography import plain
from pipeline.records import Sentence

_MARKER = r"""["']?(?:\d{1,3}[.)]|\((?:\d{1,3}|[a-z]|[ivx]{1,5})\)|[a-z]\)|[-•*·])\s++(?!\d)"""
_CHAIR = (
    r"(?:(?:deputy|acting|vice)[ -])?(?:president|chair(?:man|woman|person)?|speaker|moderator"
    r"|secretary-general|(?:high )?commissioner|minister|ambassador)"
)
_ADDRESS = (
    rf"(?:(?:(?:dear |distinguished )?(?:mr|mrs|ms|madame?|mister)\.? {_CHAIR}"
    r"|(?:your )?excellenc(?:y|ies)|ladies and gentlemen"
    r"|(?:dear|distinguished|honou?rable) (?:colleagues|members|delegates|friends|guests)"
    r"),\s++)"
)
_DIGITS = str.maketrans("0123456789", "0" * 10)
_OPENING = re.compile(rf"\s*+(?:{_MARKER})?{_ADDRESS}*(?=\W*\w)", re.IGNORECASE)


def as_read(text: str) -> str:
    """Return a sentence as trained classifiers read it.

    In plain typography, without its `opening`, and with one digit in the place of all: how many
    were killed, and when, should not decide on a label (zeros stand for digits in Lample et al.,
    2016, "Neural Architectures for Named Entity Recognition"). The result is as long as what it
    stands for, so that positions differ from those in `text` by the length of the opening only.
    """
    said = plain(text)
    return said[opening(said) :].translate(_DIGITS)


def opening(text: str) -> int:
    """Return how many characters of a sentence are list number and address ("Mr. President, ").

    No trained classifier reads them before its sentence: whether a paragraph is numbered, and whom
    the speaker turns to, should not decide on a label. A text that is nothing else is read whole.
    """
    found = _OPENING.match(text)
    return found.end() if found else 0


def context_of(sentence: Sentence) -> str:
    """Return the text that introduces the sentence; empty where there is none.

    A list item continues the sentence that opens its list ("We call on members to:"), wherever that
    stands; any other sentence continues the one before it.
    """
    return sentence.lead_in or sentence.context
