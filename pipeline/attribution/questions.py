"""What is asked: who holds a label that a sentence expresses, and toward whom."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Protocol

from pipeline.codebook import Codebook
from pipeline.records import Attribution, LabelledDocument, Sentence


class Span(NamedTuple):
    """Half-open positions in the text of a statement."""

    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """The sentences of one statement in order, each at its offsets, and who speaks in it.

    Sentences need not lie side by side: what stands between them belongs to none.
    """

    sentences: tuple[Sentence, ...]
    speaker: str | None = None

    @cached_property
    def _starts(self) -> list[int]:
        return [sentence.start for sentence in self.sentences]

    def words(self, span: Span) -> str:
        """Return the text at `span`, which must lie inside one sentence."""
        sentence = self.sentences[self.place(span)]
        return sentence.text[span.start - sentence.start : span.end - sentence.start]

    def place(self, span: Span) -> int:
        """Return the position of the sentence that `span` lies in.

        Raises:
            ValueError: it lies in none.
        """
        at = bisect_right(self._starts, span.start) - 1
        if at >= 0 and span.end <= self.sentences[at].end:
            return at
        raise ValueError(f"{span} lies in no sentence of the statement")


@dataclass(frozen=True, slots=True)
class Question:
    """Who holds a label of the sentence at `position`, and toward whom?

    `label` is its title in the codebook: what a reader is told, not what the code calls it.
    """

    passage: Passage
    position: int
    label: str

    @property
    def sentence(self) -> Sentence:
        """The sentence that expresses the label."""
        return self.passage.sentences[self.position]


@dataclass(frozen=True, slots=True)
class Answer:
    """Holder and target as positions in the statement's text.

    `holder` is `None` where the speaker holds the label, `target` where none is named. The
    probabilities are of these choices; `None` where a rule made them.
    """

    holder: Span | None
    target: Span | None
    p_holder: float | None = None
    p_target: float | None = None


class Attributor(Protocol):
    """Answers questions; the answers are in their order."""

    @property
    def name(self) -> str:
        """What made the answers, for the rows."""

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Return one answer a question."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the words of its right answer, of a labelled document."""

    question: Question
    gold: Attribution
    doc_id: str


def passage_of(document: LabelledDocument) -> tuple[Passage, list[int]]:
    """Return the sentences of a labelled document laid out in a row, and where each stands.

    Labelled files have no text between sentences, so a space stands for it. A context that is not
    the sentence before (a window cut from a longer text) becomes a sentence of its own.
    """
    laid: list[Sentence] = []
    places: list[int] = []
    at = 0

    def lay(sentence: Sentence) -> None:
        nonlocal at
        end = at + len(sentence.text)
        laid.append(replace(sentence, start=at, end=end))
        at = end + 1

    before = ""
    for labelled in document.sentences:
        sentence = labelled.sentence
        if sentence.context and sentence.context != before:
            lay(replace(sentence, text=sentence.context, context=""))
        places.append(len(laid))
        lay(sentence)
        before = sentence.text
    return Passage(tuple(laid), document.speaker), places


def asked_of(documents: Sequence[LabelledDocument], codebook: Codebook) -> list[Asked]:
    """Return a question for every label whose holder or target the documents give."""
    titles = {
        label: facts.title
        for task in codebook.tasks.values()
        if task.attribution
        for label, facts in task.labels.items()
    }
    asked: list[Asked] = []
    for document in documents:
        passage, places = passage_of(document)
        for labelled, place in zip(document.sentences, places, strict=True):
            for gold in labelled.attributions:
                if gold.label in titles:
                    question = Question(passage, place, titles[gold.label])
                    asked.append(Asked(question, gold, document.doc_id))
    return asked
