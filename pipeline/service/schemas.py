"""What the service takes and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from pipeline.bundle import Figure
from pipeline.codebook import TaskType
from pipeline.records import BlockKind
from pipeline.service.limits import ServiceLimits

_HALVES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def _whole(value: object) -> object:
    """Replace half characters, which JSON can spell but no encoding can hold, as cleaning does."""
    return value.translate(_HALVES) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_whole)]
Fact = Annotated[str, Field(max_length=1_000), BeforeValidator(_whole)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StatementRequest(_Strict):
    """A whole statement; it is cleaned and cut into sentences as documents are."""

    text: Text = Field(description="The statement; markdown and marks of quotation are removed.")
    speaker: Fact | None = Field(default=None, description="Who speaks; part of the document's id.")
    date: Fact | None = Field(default=None, description="YYYY-MM-DD; part of the document's id.")
    genre: Fact | None = Field(default=None, description="Kind of text; given back as it is.")
    title: Fact | None = Field(default=None, description="Title; given back as it is.")

    @property
    def characters(self) -> int:
        """Characters to read."""
        return len(self.text)


class SentenceWithContext(_Strict):
    """One sentence, and what stands before it."""

    text: Text
    context: Text = Field(default="", description="The sentence before it; helps the model.")


def _kind_of_item(value: object) -> str | None:
    if isinstance(value, str):
        return "text"
    return "object" if isinstance(value, dict | SentenceWithContext) else None


Item = Annotated[
    Annotated[Text, Tag("text")] | Annotated[SentenceWithContext, Tag("object")],
    Discriminator(
        _kind_of_item,
        custom_error_type="not_a_sentence",
        custom_error_message="a string, or an object with 'text' and 'context'",
    ),
]


class SentencesRequest(_Strict):
    """Sentences that are cut already; every one comes back in its place."""

    sentences: list[Item] = Field(
        description="Strings, or objects with 'text' and 'context'. The context of a sentence is "
        "only what is given as such, never the sentence before it in the list."
    )

    @property
    def characters(self) -> int:
        """Characters to read."""
        return sum(
            len(item) if isinstance(item, str) else len(item.text) + len(item.context)
            for item in self.sentences
        )


STATEMENT, SENTENCES = "statement", "sentences"
"""The two kinds of request; the second is known by its key."""


def _kind_of_request(value: object) -> str:
    sentences = isinstance(value, SentencesRequest) or (
        isinstance(value, dict) and SENTENCES in value and "text" not in value
    )
    return SENTENCES if sentences else STATEMENT


ClassifyRequest = Annotated[
    Annotated[StatementRequest, Tag(STATEMENT)] | Annotated[SentencesRequest, Tag(SENTENCES)],
    Discriminator(_kind_of_request),
]


class StatementInfo(BaseModel):
    """What is known of the statement; `doc_id` is the one that `stance classify` gives to a row of
    a table with these fields."""

    doc_id: str
    speaker: str | None
    date: str | None
    genre: str | None
    title: str | None


class LabelledSentence(BaseModel):
    """One sentence with its labels."""

    id: str = Field(description="In a statement, the id that `stance classify` gives.")
    text: str = Field(description="Cleaned text: what the model read.")
    start: int = Field(description="Position in the cleaned statement, half-open, from 0.")
    end: int
    source_start: int | None = Field(
        description="Position in the text as it was sent, after wrongly decoded characters were "
        "mended; null where sentences were sent."
    )
    source_end: int | None
    block: BlockKind = Field(description="Kind of text block the sentence stands in.")
    labels: dict[str, list[str] | str | None] = Field(
        description="For each task a list of labels, or one label; null where the model abstains "
        "or the sentence could not be read."
    )
    probabilities: dict[str, dict[str, float] | None] = Field(
        description="For each task the calibrated probability of every label; null where the "
        "sentence could not be read."
    )
    problem: str | None = Field(description="Why the sentence could not be read.")


class Classification(BaseModel):
    """The answer: all sentences in order."""

    model_id: str
    statement: StatementInfo | None = Field(description="Null where sentences were sent.")
    sentences: list[LabelledSentence]
    problem: str | None = Field(description="Why the text gives no sentence.")


class LabelInfo(BaseModel):
    """A label and its meaning."""

    name: str
    title: str
    definition: str


class TaskInfo(BaseModel):
    """A task: any number of its labels (multilabel), or exactly one (multiclass)."""

    name: str
    type: TaskType
    question: str
    labels: list[LabelInfo]


class ModelInfo(BaseModel):
    """The model, its labels, its measured figures, and the limits of this service."""

    model_id: str
    kind: str
    created: str
    made_by: str
    description: str
    licence: str
    codebook: str
    codebook_version: str
    tasks: list[TaskInfo]
    figures: list[Figure] = Field(description="Measured scores with 95 % intervals.")
    limits: list[str] = Field(description="What to know before trusting the model.")
    request_limits: ServiceLimits


class State(BaseModel):
    """That the service lives, or is ready."""

    status: str


class Mistake(BaseModel):
    """One thing that was wrong: where, what was got, what was expected."""

    where: str
    got: str
    expected: str


class Problem(BaseModel):
    """Why there is no answer (RFC 9457, application/problem+json)."""

    type: str = Field(description="Which problem; a link to its explanation.")
    title: str
    status: int
    detail: str
    errors: list[Mistake]
