"""Holder and target by rules: who stands before a reporting verb, and what behind it.

The speaker holds what no other is reported to hold. The rules serve as the baseline that a trained
model must beat, and work without one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.attribution.grammar import (
    ADVERBS,
    BEFORE_VERB,
    BEHIND_QUOTE,
    BOUNDARY,
    FIRST_PERSON,
    LEADING,
    NO_SUBJECT,
    OBJECT_END,
    OBJECT_PREPOSITION,
    PASSIVE,
    PERSONAL,
    PRONOUN,
    QUOTED,
    TAKES_OBJECT,
    VERB,
)
from pipeline.attribution.questions import Answer, Passage, Question, Span

LOOKS_BACK = 12
"""Sentences before a pronoun in which its actor is looked for."""
_MOST_WORDS = 16
_FAR = 1_000
"""Characters before a verb in which its subject is looked for; keeps the time linear."""
_ABOUT = re.compile(r"\b(?:on|about)\b|[(,]")
"""Behind it, a speaker's description speaks of others."""
_STANDS_FOR = re.compile(
    r"(?:the\s+)?(?:(?:permanent\s+)?(?:representative|mission|delegation)|republic|kingdom"
    r"|government)\s+of\s+(?:the\s+)?",
    re.IGNORECASE,
)
_NOUN_BEGINS = re.compile(
    r"(?:the|a|an|his|her|its|their|some|certain|several|many)\s\w", re.IGNORECASE
)
_EDGES = " ,.;:\"“”'’"


@dataclass(frozen=True, slots=True)
class Reported:
    """Somebody who says something in a sentence: positions in the text of the sentence."""

    who: Span
    verb: Span
    passive: bool = False


class RuleAttributor:
    """Answers by grammar alone."""

    name = "rules"

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Return one answer a question; probabilities are not known."""
        return [_answer(question) for question in questions]


def _answer(question: Question) -> Answer:
    sentence = question.sentence
    found = first_reported(sentence.text)
    target = _object(sentence.text, found.verb if found and not found.passive else None)
    holder = None
    if found is not None:
        words = sentence.text[found.who.start : found.who.end]
        if PERSONAL.fullmatch(words):
            holder = antecedent(question.passage, question.position)
        elif not names_speaker(words, question.passage.speaker):
            holder = _shifted(found.who, sentence.start)
    return Answer(holder, None if target is None else _shifted(target, sentence.start))


def first_reported(text: str) -> Reported | None:
    """Return the first who says something in a sentence; `None` where it is the author alone.

    Words in quotation marks are what is said; they are not looked at, unless all is quoted.
    """
    told = QUOTED.sub(lambda m: " " * len(m[0]), text)
    if not told.strip(_EDGES + "?!"):
        return None
    if found := PASSIVE.search(told):
        who = _trimmed(told, Span(*found.span("who")))
        if who and not FIRST_PERSON.match(told, who.start):
            return Reported(who, Span(*found.span("verb")), passive=True)
    for verb in VERB.finditer(told):
        if BEFORE_VERB.search(told, max(0, verb.start() - 8), verb.start()):
            continue
        who = _subject(told, verb.start())
        if who is None:
            who = _inverted(told, verb) if told != text else None
        if who is None:
            continue
        if FIRST_PERSON.match(told, who.start):
            return None
        return Reported(who, Span(*verb.span()))
    if found := BEHIND_QUOTE.search(told):
        who = _trimmed(told, Span(*found.span("who")))
        if who and not FIRST_PERSON.match(told, who.start):
            return Reported(who, who, passive=True)
    return None


def antecedent(passage: Passage, position: int) -> Span | None:
    """Return the last named one who said something before the sentence at `position`."""
    for at in range(position - 1, max(-1, position - 1 - LOOKS_BACK), -1):
        sentence = passage.sentences[at]
        found = first_reported(sentence.text)
        if found is None:
            continue
        words = sentence.text[found.who.start : found.who.end]
        if not PRONOUN.fullmatch(words):
            return _shifted(found.who, sentence.start)
    return None


def names_speaker(words: str, speaker: str | None) -> bool:
    """Return whether a phrase names the speaker: "Estonia" where Estonia's representative speaks.

    Who speaks for a person ("Spokesman for the Secretary-General") is another one.
    """
    named = "" if speaker is None else _ABOUT.split(speaker)[0].strip()
    while found := _STANDS_FOR.match(named):
        named = named[found.end() :]
    mine, theirs = _plain_words(words), _plain_words(named)
    if not mine or not named[:1].isupper():
        return False
    if mine == theirs or (len(mine) > 1 and theirs[: len(mine) + 1] == [*mine, "of"]):
        return True
    initials = "".join(re.findall(r"\b[A-Z]", named)).casefold()
    return len(mine) == 1 and len(initials) > 1 and mine[0] == initials


def _plain_words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.casefold()) if word != "the"]


def _subject(text: str, end: int) -> Span | None:
    """Return the noun phrase that ends before the verb at `end`."""
    far = max(0, end - _FAR)
    start = max((m.end() for m in BOUNDARY.finditer(text, far, end)), default=far)
    gap = text.rfind("   ", start, end)  # where a quotation was
    start = max(start, gap + 3 if gap >= 0 else 0)
    left = text[start:end]
    left = ADVERBS.sub("", left.rstrip())
    cut = 0
    while found := LEADING.match(left[cut:].lstrip()):
        cut += len(left[cut:]) - len(left[cut:].lstrip()) + found.end()
    pieces = left[cut:].split(", ")
    if len(pieces) > 1 and not _is_list(pieces):
        last = pieces[-1].strip(_EDGES)
        first = pieces[0].strip(_EDGES)
        keep_first = not last or (last[0].islower() and not last.startswith(("the ", "a ", "he ")))
        if keep_first and first:
            return _noun_phrase(text, Span(start + cut, start + cut + len(pieces[0])))
        cut += len(", ".join(pieces[:-1])) + 2
    return _noun_phrase(text, Span(start + cut, start + len(left)))


def _is_list(pieces: Sequence[str]) -> bool:
    return " and " in pieces[-1] and all(piece.strip()[:1].isupper() for piece in pieces)


def _noun_phrase(text: str, span: Span) -> Span | None:
    trimmed = _trimmed(text, span)
    if trimmed is None:
        return None
    words = text[trimmed.start : trimmed.end]
    if len(words.split()) > _MOST_WORDS or VERB.search(words):
        return None
    if NO_SUBJECT.match(words) and not PERSONAL.fullmatch(words):
        return None
    if FIRST_PERSON.match(words) or PERSONAL.fullmatch(words):
        return trimmed
    begins = _NOUN_BEGINS.match(words)
    return trimmed if begins or re.search(r"(?<=\w )[A-Z]|^[A-Z](?!\w*ly\b)", words) else None


def _inverted(text: str, verb: re.Match[str]) -> Span | None:
    """Return who stands behind the verb that follows a quotation: '"...", said the Minister.'"""
    if text[: verb.start()].strip(_EDGES + "?!"):
        return None
    end = re.search(r"[,.;]|$", text[verb.end() :])
    return _noun_phrase(text, Span(verb.end(), verb.end() + (end.start() if end else 0)))


def _object(text: str, verb: Span | None) -> Span | None:
    """Return the phrase behind the verb that is directed at somebody, or behind the first such."""
    verbs = list(TAKES_OBJECT.finditer(text))
    if verb is not None:
        verbs = [m for m in verbs if m.start() >= verb.start] or verbs
    for found in verbs:
        led = OBJECT_PREPOSITION.match(text, found.end())
        start = led.end() if led else found.end()
        ended = OBJECT_END.search(text, start)
        span = _trimmed(text, Span(start, ended.start() if ended else len(text)))
        if span and not PRONOUN.fullmatch(text[span.start : span.end]):
            return span
    return None


def _trimmed(text: str, span: Span) -> Span | None:
    part = text[span.start : span.end]
    start = span.start + len(part) - len(part.lstrip(_EDGES))
    end = span.start + len(part.rstrip(_EDGES))
    return Span(start, end) if start < end else None


def _shifted(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)
