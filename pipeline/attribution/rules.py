"""Holder and target by rules: who stands before a reporting verb, and what behind it.

The speaker holds what no other is reported to hold. The rules serve as the baseline that a trained
model must beat, and work without one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.actors.grammar import is_representative
from pipeline.actors.text import tokens, undotted
from pipeline.attribution.grammar import (
    ADVERBS,
    BEFORE_VERB,
    BEGINS,
    BEHIND_PHRASE,
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
    TOLD_BEHIND,
    VERB,
    may_be,
)
from pipeline.attribution.questions import Answer, Passage, Question, Span
from pipeline.records import Sentence

LOOKS_BACK = 12
"""Sentences before a pronoun in which its actor is looked for."""
_MOST_WORDS = 16
_FAR = 1_000
"""Characters before a verb in which its subject is looked for; keeps the time linear."""
_ABOUT = re.compile(r"\b(?:on|about)\b|[(,]")
"""Behind it, a speaker's description speaks of others."""
_IN_BRACKETS = re.compile(r"(?<=\s)\(([^()]+)\)")
_STANDS_FOR = re.compile(
    r"(?:the\s+)?(?:(?:permanent\s+)?(?:representative|mission|delegation)|republic|kingdom"
    r"|government)\s+of\s+(?:the\s+)?",
    re.IGNORECASE,
)
_NOUN_BEGINS = re.compile(
    r"(?:the|a|an|his|her|its|their|some|certain|several|many)\s\w", re.IGNORECASE
)
_CLAUSE = re.compile(r"(?<=\w)\s+(?:is|are|was|were|would|had|could|might)\s")
"""Behind it, something is said of whom a phrase names: "The Council is alarmed and | urges"."""
_PHRASE_END = re.compile(r"[,.;]|$")
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
        holder = _shifted(found.who, sentence.start)
        if PERSONAL.fullmatch(words):
            holder = antecedent(question.passage, holder)
        elif names_speaker(words, question.passage.speaker):
            holder = None
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
        if BEFORE_VERB.search(told, max(0, verb.start() - 24), verb.start()):
            continue
        behind = TOLD_BEHIND.match(told, verb.start()) and _behind(told, verb.end())
        who = behind or _subject(told, verb.start())
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


def antecedent(passage: Passage, pronoun: Span) -> Span | None:
    """Return whom a pronoun refers to; `None` where nobody was named who may be so called.

    That is who begins the sentence, or the last who said something in a sentence before it, or who
    began one.
    """
    words, own = passage.words(pronoun), passage.place(pronoun)
    far = max(-1, own - 1 - LOOKS_BACK)
    places = [_begins(passage.sentences[own], words, pronoun)]
    places += [_reports(passage.sentences[at], words) for at in range(own - 1, far, -1)]
    places += [_begins(passage.sentences[at], words) for at in range(own - 1, far, -1)]
    return next(filter(None, places), None)


def _reports(sentence: Sentence, pronoun: str) -> Span | None:
    found = first_reported(sentence.text)
    if found is None:
        return None
    words = sentence.text[found.who.start : found.who.end]
    if FIRST_PERSON.search(words) or PRONOUN.fullmatch(words) or not may_be(words, pronoun):
        return None
    return _shifted(found.who, sentence.start)


def _begins(sentence: Sentence, pronoun: str, before: Span | None = None) -> Span | None:
    found = BEGINS.match(sentence.text)
    if found is None or FIRST_PERSON.search(found["who"]) or not may_be(found["who"], pronoun):
        return None
    span = _shifted(Span(*found.span("who")), sentence.start)
    return None if before is not None and span.end > before.start else span


def names_speaker(words: str, speaker: str | None) -> bool:
    """Return whether a phrase names the speaker: "Estonia" where Estonia's representative speaks.

    Who speaks for a person ("Spokesman for the Secretary-General") is another one.
    """
    if speaker is None:
        return False
    return _is_called(words, _ABOUT.split(speaker)[0].strip()) or names_represented(words, speaker)


def names_represented(words: str, speaker: str | None) -> bool:
    """Return whether a phrase names whom the speaker represents: "Ada Maru (Estonia)".

    Whatever stands in brackets behind a person counts, a city as well ("Jane Doe (London)"): which
    names are those of States is not known here.
    """
    if speaker is None:
        return False
    person = tokens(undotted(_ABOUT.split(speaker)[0]))
    return is_representative(person) and any(
        _is_called(words, name) for name in _IN_BRACKETS.findall(speaker)
    )


def _is_called(words: str, named: str) -> bool:
    mine, theirs = _plain_words(words), _plain_words(named)
    if mine and mine == theirs:  # "the Republic of Korea" before it is cut to "Korea"
        return True
    while found := _STANDS_FOR.match(named):
        named = named[found.end() :]
    theirs = _plain_words(named)
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
        # "First, we call for calm"; but "The envoy, our friend, called for calm".
        if FIRST_PERSON.match(last) and not left.endswith(","):
            return _trimmed(text, Span(start + len(left) - len(pieces[-1]), start + len(left)))
        keep_first = not last or (last[0].islower() and not last.startswith(("the ", "a ", "he ")))
        if keep_first and first:
            whole = Span(start + cut, start + cut + len(pieces[0]))
            return None if NO_SUBJECT.match(first) else _noun_phrase(text, whole)
        cut += len(", ".join(pieces[:-1])) + 2
    return _noun_phrase(text, Span(start + cut, start + len(left)))


def _is_list(pieces: Sequence[str]) -> bool:
    return " and " in pieces[-1] and all(piece.strip()[:1].isupper() for piece in pieces)


def _noun_phrase(text: str, span: Span) -> Span | None:
    trimmed = _trimmed(text, span)
    if trimmed is None:
        return None
    words = text[trimmed.start : trimmed.end]
    if ended := _CLAUSE.search(words):
        words = words[: ended.start()]
        trimmed = Span(trimmed.start, trimmed.start + len(words))
    if len(words.split()) > _MOST_WORDS or VERB.search(words):
        return None
    if NO_SUBJECT.match(words) and not PERSONAL.fullmatch(words):
        if not (found := BEHIND_PHRASE.search(words)):
            return None
        trimmed = Span(trimmed.start + found.start(), trimmed.end)
        words = found[0]
    if FIRST_PERSON.match(words) or PERSONAL.fullmatch(words):
        return trimmed
    begins = _NOUN_BEGINS.match(words)
    return trimmed if begins or re.search(r"(?<=\w )[A-Z]|^[A-Z](?!\w*ly\b)", words) else None


def _inverted(text: str, verb: re.Match[str]) -> Span | None:
    """Return who stands behind the verb that follows a quotation: '"...", said the Minister.'"""
    if text[: verb.start()].strip(_EDGES + "?!"):
        return None
    return _behind(text, verb.end())


def _behind(text: str, start: int) -> Span | None:
    end = _PHRASE_END.search(text, start)
    return _noun_phrase(text, Span(start, end.start() if end else len(text)))


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
