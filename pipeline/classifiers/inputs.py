"""What a classifier reads besides the sentence itself."""

from __future__ import annotations

from pipeline.records import Sentence


def context_of(sentence: Sentence) -> str:
    """Return the text that introduces the sentence; empty where there is none.

    A list item continues the sentence that opens its list ("We call on members to:"), wherever that
    stands; any other sentence continues the one before it.
    """
    return sentence.lead_in or sentence.context
