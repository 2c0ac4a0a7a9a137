"""Where the verbatim words of a labelled file stand in the statement."""

from __future__ import annotations

from pipeline.attribution.questions import Asked, Passage, Span
from pipeline.records import SPEAKER


def holder_span(asked: Asked) -> Span | None:
    """Return where the holder stands: in the sentence, else in the nearest one before it.

    `None` where the holder is the speaker, or his words stand nowhere up to the sentence.
    """
    words = asked.gold.holder
    if words is None or words == SPEAKER:
        return None
    passage, at = asked.question.passage, asked.question.position
    for position in range(at, -1, -1):
        if span := find_words(passage, position, words):
            return span
    return None


def target_span(asked: Asked) -> Span | None:
    """Return where the target stands in the sentence; `None` where it names none."""
    words = asked.gold.target
    return (
        None
        if words is None
        else find_words(asked.question.passage, asked.question.position, words)
    )


def find_words(passage: Passage, position: int, words: str) -> Span | None:
    """Return the first place of `words` in a sentence, at the bounds of words if possible."""
    sentence = passage.sentences[position]
    text = sentence.text
    found = text.find(words)
    first = found
    while found >= 0 and not _bounded(text, found, found + len(words)):
        found = text.find(words, found + 1)
    start = found if found >= 0 else first
    if start < 0 or not words:
        return None
    return Span(sentence.start + start, sentence.start + start + len(words))


def _bounded(text: str, start: int, end: int) -> bool:
    return not (start and text[start - 1].isalnum()) and not (
        end < len(text) and text[end].isalnum()
    )
