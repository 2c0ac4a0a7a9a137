"""The span model with the rules that it needs: who a pronoun is, and who reports plainly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.attribution.grammar import PERSONAL, VERB
from pipeline.attribution.questions import Answer, Attributor, Passage, Question, Span
from pipeline.attribution.rules import RuleAttributor, antecedent, names_represented

SURE = 0.9
"""Below this probability of "the speaker", somebody whom the rules find is believed instead; chosen
on documents of the corpus, of which some were learned from."""

DATELINE = re.compile(r"[^a-z]*[A-Z][^a-z]*\s[-–—]{1,2}\s+(?=\S)")
"""How news begin: the place in capitals and a dash; it is no part of who is named behind it."""

BEHIND_NAME = re.compile(
    rf",?\s(?:who|which|whose|whom)\b|,\s(?:led|headed|chaired|backed|an?)\s|,?\s(?:{VERB.pattern})(?=\s)"
)
"""What is said of whom a phrase names: a relative clause, an apposition, what he reports."""

_NAME = (
    r"(?:(?:the|his|her|its|their)\s+)?[A-Z][\w’'.-]*"
    r"(?:\s+(?:of\s+(?:the\s+)?)?(?:[A-Z][\w’'.-]*|counterpart|colleague))*"
)
OTHERS = re.compile(rf"(?:,\s+{_NAME})*,?\s+and\s+{_NAME}")
"""The others of a joint holder, behind the first: ", Estonia and the Republic of Korea"."""


class CombinedAttributor:
    """Takes the model's spans, without a dateline and with all of a joint holder; three exceptions.

    A pronoun becomes the actor named before: the model reads a few sentences before the one asked
    about, and an actor named earlier it can only point to by the pronoun. A State is the speaker
    where it is his, "Ada Maru (Estonia)"; whether a body that speaks of itself by name is one, the
    model has learned. And where the model doubts that the speaker holds the label, the one who
    stands before a reporting verb does.
    """

    def __init__(self, model: Attributor) -> None:
        self._model = model
        self._rules = RuleAttributor()

    @property
    def name(self) -> str:
        """The name of the model, which decides nearly all."""
        return self._model.name

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Return one answer a question; the probability of a holder by rule is not known."""
        answers = self._model.answer(questions)
        return [self._reviewed(q, a) for q, a in zip(questions, answers, strict=True)]

    def _reviewed(self, question: Question, answer: Answer) -> Answer:
        passage = question.passage
        if answer.holder is None:
            if answer.p_holder is not None and answer.p_holder < SURE:
                [ruled] = self._rules.answer([question])
                if ruled.holder is not None:
                    return replace(answer, holder=ruled.holder, p_holder=None)
            return answer
        holder = _whole(passage, answer.holder)
        if PERSONAL.fullmatch(passage.words(holder)):
            holder = antecedent(passage, holder) or holder
        elif names_represented(passage.words(holder), passage.speaker):
            return replace(answer, holder=None)
        return replace(answer, holder=holder)


def _whole(passage: Passage, holder: Span) -> Span:
    """Return the holder from behind a dateline up to the last of those named together."""
    sentence = passage.sentences[passage.place(holder)]
    words = passage.words(holder)
    dateline = DATELINE.match(words)
    if (ended := BEHIND_NAME.search(words)) and ended.start() > (dateline.end() if dateline else 0):
        holder = Span(holder.start, holder.start + ended.start())
    others = OTHERS.match(sentence.text, holder.end - sentence.start)
    return Span(
        holder.start + (dateline.end() if dateline else 0),
        sentence.start + others.end() if others else holder.end,
    )
