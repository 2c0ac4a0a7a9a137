"""Actors of holders and targets: what the document has named before settles short names."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.actors import ActorLinker, actors_of, date_of
from pipeline.attribution.behalf import OWN_CAPACITY, Behalf, folded, spoken_for
from pipeline.attribution.questions import Answer, Passage, Question, Span
from pipeline.attribution.rules import first_reported

Ids = tuple[str, ...]
OWN = re.compile(r"(?:my|our)\b", re.IGNORECASE)
LOOKS_BACK = 200
"""Mentions before one that help to read it; keeps the time linear."""


@dataclass(frozen=True, slots=True)
class LinkedActors:
    """Ids of the actors of a holder and a target; empty where nothing was linked."""

    holder: Ids
    target: Ids


def link_answers(
    linker: ActorLinker,
    passage: Passage,
    date: str | None,
    questions: Sequence[Question],
    answers: Sequence[Answer],
) -> list[LinkedActors]:
    """Return the actors of the answers to questions about one passage.

    SPEAKER is linked through the passage's speaker, or through the group on whose behalf he says to
    speak, up to where he speaks in his national capacity. What the sentences before name, by whom
    they report and by other answers, helps to read short names.
    """
    day = date_of(date)
    named = _named(passage, answers)
    speaker = (
        () if passage.speaker is None else actors_of(linker.link_speaker(passage.speaker, date=day))
    )
    groups = list(_groups(linker, passage, date, speaker))

    def voice(position: int) -> Ids:
        return next((ids for at, ids in reversed(groups) if at <= position), ()) or speaker

    def ids(span: Span | None, question: Question) -> Ids:
        if span is None:
            return ()
        end = bisect_left(named, (min(span.start, question.sentence.start),))
        before = [words for _, words in named[max(0, end - LOOKS_BACK) : end]]
        words = passage.words(span)
        return actors_of(linker.link(words, speaker=passage.speaker, date=day, earlier=before))

    return [
        LinkedActors(
            voice(question.position) if answer.holder is None else ids(answer.holder, question),
            ids(answer.target, question),
        )
        for question, answer in zip(questions, answers, strict=True)
    ]


def _groups(
    linker: ActorLinker, passage: Passage, date: str | None, speaker: Ids
) -> Iterator[tuple[int, Ids]]:
    """Yield the sentence from which on the speaker speaks for whom; for nobody: empty."""

    def group(spoken: Behalf) -> Ids:
        for words in spoken.readings:
            links = linker.link(words, speaker=passage.speaker, date=date_of(date))
            if all(link.linked for link in links):
                # "I thank you on behalf of my delegation" does not end the part said for a group.
                own = OWN.match(words) and actors_of(links) == speaker
                return () if own else _named_once(linker, actors_of(links), date)
        return ()

    for at, sentence in enumerate(passage.sentences):
        text = folded(sentence.text)
        spoken = spoken_for(text)
        ids = group(spoken) if spoken is not None else ()
        begun = spoken.start if spoken is not None and ids else 0
        # "In my capacity as representative of X and on behalf of Y": what comes last, holds.
        if OWN_CAPACITY.search(text, begun):
            yield at, ()
        elif spoken is not None and ids:
            yield at, tuple(dict.fromkeys((*speaker, *ids))) if spoken.also else ids


def _named_once(linker: ActorLinker, ids: Ids, date: str | None) -> Ids:
    """Return the actors without a bloc that is followed by all its members."""
    members = linker.registry.members(ids[0], date_of(date))
    return ids[1:] if members and set(members) <= set(ids[1:]) else ids


def _named(passage: Passage, answers: Sequence[Answer]) -> list[tuple[int, str]]:
    """Return where the passage names somebody, and in which words, in order."""
    spans = {span for one in answers for span in (one.holder, one.target) if span is not None}
    found = {(span.start, passage.words(span)) for span in spans}
    for sentence in passage.sentences:
        if reported := first_reported(sentence.text):
            who = reported.who
            found.add((sentence.start + who.start, sentence.text[who.start : who.end]))
    return sorted(found)
