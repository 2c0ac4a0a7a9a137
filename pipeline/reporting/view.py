"""What a report shows, worked out from predictions: statements, their blocks and sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pipeline.codebook import Codebook
from pipeline.errors import SettingsError, near_matches
from pipeline.records import BlockKind, Prediction, Sentence, Statement
from pipeline.reporting.dates import iso_date

UNDECIDED = "-undecided"
"""Stands for an abstention in filters; label names begin with a letter, so it cannot clash."""

NO_LABEL = "-none"
"""Stands for the empty answer of a multilabel task in filters."""

_BLANK_LINE = re.compile(r"\n\s*\n")
_DEEPEST_INDENT = 4


@dataclass(frozen=True, slots=True)
class SentenceView:
    """One sentence: its number in the report, the columns given, the tasks left undecided.

    `marks` are the given columns that colour the text, `tags` the other given columns. `unread`
    says that no model saw it, since its row held no readable text; nothing is undecided then.
    """

    index: int
    prediction: Prediction
    given: tuple[int, ...]
    undecided: tuple[str, ...]
    marks: tuple[int, ...]
    tags: tuple[int, ...]
    unread: bool = False


@dataclass(frozen=True, slots=True)
class BlockView:
    """Neighbouring sentences that are set as one paragraph, heading or list item."""

    kind: BlockKind
    indent: int
    marker: str
    sentences: tuple[SentenceView, ...]


@dataclass(frozen=True, slots=True)
class StatementView:
    """One statement with its blocks; `date` is a day, month or year of ISO 8601, else empty."""

    index: int
    heading: str
    speaker: str
    date: str
    details: tuple[str, ...]
    source: str
    location: str
    given_whole: bool
    blocks: tuple[BlockView, ...]

    @property
    def sentences(self) -> tuple[SentenceView, ...]:
        """All sentences in reading order."""
        return tuple(s for block in self.blocks for s in block.sentences)


def highlight_tasks(codebook: Codebook) -> tuple[str, ...]:
    """Return the tasks whose labels colour the text: the multilabel ones, or all without any."""
    return codebook.multilabel_tasks() or tuple(codebook.tasks)


def task_title(task: str) -> str:
    """Return the name of a task as readers see it."""
    return task.replace("_", " ").capitalize()


def build_statements(
    rows: Sequence[Prediction], statements: Mapping[str, Statement], codebook: Codebook
) -> tuple[StatementView, ...]:
    """Group predictions by document, in the order of `statements`, sentences in reading order.

    A document that `statements` does not hold is shown by its id after the others. Without a text
    nothing is known of the layout: each sentence is a block. Statements without sentences are kept.

    Raises:
        SettingsError: a prediction carries labels that are not in the codebook; all at once.
    """
    _require_known_labels(rows, codebook)
    by_document: dict[str, list[Prediction]] = {doc_id: [] for doc_id in statements}
    for row in rows:
        by_document.setdefault(row.sentence.doc_id, []).append(row)
    views: list[StatementView] = []
    first = 0
    for index, (doc_id, predictions) in enumerate(by_document.items()):
        predictions.sort(
            key=lambda row: row.sentence.start
        )  # stable: equal offsets keep their order
        statement = statements.get(doc_id)
        sentences = [_sentence(first + n, row, codebook) for n, row in enumerate(predictions)]
        first += len(sentences)
        text = statement.text if statement else ""
        blocks = _blocks(sentences, text or None)
        views.append(_statement(index, doc_id, statement, blocks))
    return tuple(views)


def period(statements: Sequence[StatementView]) -> tuple[str, str] | None:
    """Return the first and the last date, `None` where no statement is dated."""
    dates = sorted(view.date for view in statements if view.date)
    return (dates[0], dates[-1]) if dates else None


def speaker_name(statement: Statement | None, doc_id: str) -> str:
    """Return the name a statement is counted under: its speaker, else where it comes from."""
    if statement is None:
        return f"Unknown speaker ({doc_id})"
    if statement.speaker and statement.speaker.strip():
        return statement.speaker.strip()
    source = statement.source
    name = source if "://" in source else PurePath(source).name
    return f"Unknown speaker ({name or doc_id})"


def _require_known_labels(rows: Sequence[Prediction], codebook: Codebook) -> None:
    unknown: set[str] = set()
    for row in rows:
        for task, labels in row.labels.items():
            if task not in codebook.tasks:
                unknown.add(f"unknown task '{task}'.{near_matches(task, codebook.tasks)}")
                continue
            mistakes = (codebook.label_mistake(task, label) for label in labels or ())
            unknown.update(filter(None, mistakes))
    if unknown:
        where = f"predictions against codebook '{codebook.name}' {codebook.version}"
        raise SettingsError(sorted(unknown), where=where)


def _sentence(index: int, row: Prediction, codebook: Codebook) -> SentenceView:
    given = tuple(
        j
        for j, (task, label) in enumerate(codebook.columns)
        if label in (row.labels.get(task) or ())
    )
    coloured = highlight_tasks(codebook)
    open_tasks = tuple(task for task in codebook.tasks if row.labels.get(task) is None)
    unread = len(open_tasks) == len(codebook.tasks) and not any(row.probabilities.values())
    return SentenceView(
        index=index,
        prediction=row,
        given=given,
        undecided=() if unread else open_tasks,
        marks=tuple(j for j in given if codebook.columns[j][0] in coloured),
        tags=tuple(j for j in given if codebook.columns[j][0] not in coloured),
        unread=unread,
    )


def _blocks(sentences: Sequence[SentenceView], text: str | None) -> tuple[BlockView, ...]:
    blocks: list[BlockView] = []
    before: Sentence | None = None
    for view in sentences:
        sentence = view.prediction.sentence
        gap = "" if text is None else text[before.end if before else 0 : sentence.start]
        if before is not None and text is not None and _continues(before, sentence, gap):
            last = blocks[-1]
            blocks[-1] = BlockView(last.kind, last.indent, last.marker, (*last.sentences, view))
        else:
            path = sentence.list_path
            opens_item = before is None or path != before.list_path or bool(gap.strip())
            blocks.append(
                BlockView(
                    kind=sentence.block,
                    indent=min(len(path), _DEEPEST_INDENT),
                    marker=path[-1] if path and opens_item else "",
                    sentences=(view,),
                )
            )
        before = sentence
    return tuple(blocks)


def _continues(before: Sentence, sentence: Sentence, gap: str) -> bool:
    """Tell whether `sentence` stands in the paragraph or item that `before` stands in.

    A list marker lies outside the offsets of sentences, so a gap that holds more than white space
    opens a new item.
    """
    if (before.block, before.list_path) != (sentence.block, sentence.list_path) or gap.strip():
        return False
    flowing = {BlockKind.PARAGRAPH, BlockKind.NUMBERED, BlockKind.LIST_ITEM}
    return not (_BLANK_LINE.search(gap) if sentence.block in flowing else "\n" in gap)


def _statement(
    index: int, doc_id: str, statement: Statement | None, blocks: tuple[BlockView, ...]
) -> StatementView:
    speaker = speaker_name(statement, doc_id)
    if statement is None:
        return StatementView(index, doc_id, speaker, "", (), "", "", False, blocks)
    date = (statement.date or "").strip()
    known = statement.speaker and statement.speaker.strip()
    details = (speaker if known else "Unknown speaker", date, (statement.genre or "").strip())
    return StatementView(
        index=index,
        heading=(statement.title or "").strip() or PurePath(statement.source).name or doc_id,
        speaker=speaker,
        date=iso_date(date),
        details=tuple(detail for detail in details if detail),
        source=statement.source,
        location=statement.location,
        given_whole=bool(statement.text) or not blocks,
        blocks=blocks,
    )
