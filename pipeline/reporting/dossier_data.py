"""The data a dossier embeds; its script renders lists and charts from them on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.codebook import Codebook
from pipeline.records import Statement
from pipeline.reporting.dates import first_day, last_day
from pipeline.reporting.facts import ModelFacts
from pipeline.reporting.findings import FindingView, PartyView
from pipeline.reporting.view import SentenceView, StatementView, task_title


def facts_of(
    views: Sequence[StatementView],
    findings: Sequence[FindingView],
    codebook: Codebook,
    statements: Mapping[str, Statement],
    title: str,
    model: ModelFacts,
    attribution_model: str,
) -> dict[str, object]:
    """Return what filters and charts need: labels, actors, statements, findings.

    Sentences are numbered from the first of `views`. Actors are given by their place in "actors". A
    finding is [sentence, column, probability, holder, target or null], a party [actors, words or
    null where they are the name, probability, places].
    """
    first = _first(views)
    tasks = list(codebook.tasks)
    actors: dict[str, int] = {}

    def party(view: PartyView) -> list[object]:
        return [
            [actors.setdefault(name, len(actors)) for name in view.actors],
            None if view.actors == (view.words,) else view.words,
            _rounded(view.probability),
            [[sentence - first, start, end] for sentence, start, end in view.places],
        ]

    rows = [
        [
            finding.sentence - first,
            finding.column,
            _rounded(finding.probability),
            party(finding.holder),
            finding.target and party(finding.target),
        ]
        for finding in findings
    ]
    return {
        "title": title,
        "model": model.model_id,
        "attribution": attribution_model,
        "codebook": f"{codebook.name} {codebook.version}",
        "tasks": [task_title(name) for name in tasks],
        "columns": [
            [tasks.index(task), f"{task}.{label}", codebook.tasks[task].labels[label].title]
            for task, label in codebook.columns
        ],
        "actors": list(actors),
        "statements": [_statement(view, statements) for view in views],
        "findings": rows,
    }


def texts_of(views: Sequence[StatementView], codebook: Codebook) -> list[object]:
    """Return the text of each statement: its blocks as [kind, indent, marker, sentences].

    A sentence is [text, id, start, end, given labels as [column, probability], 1 if unreadable].
    """

    def sentence(view: SentenceView) -> list[object]:
        row, place = view.prediction, view.prediction.sentence
        given = []
        for j in view.given:
            task, label = codebook.columns[j]
            given.append([j, _rounded(row.probabilities.get(task, {}).get(label))])
        return [place.text, place.sentence_id, place.start, place.end, given, int(view.unread)]

    return [
        [
            [
                block.kind.name.lower(),
                block.indent,
                block.marker,
                list(map(sentence, block.sentences)),
            ]
            for block in view.blocks
        ]
        for view in views
    ]


def _statement(view: StatementView, statements: Mapping[str, Statement]) -> list[object]:
    """[sentences, heading, speaker, date, first day, last day, genre, source, location, doc_id].

    The date is shown as it was given; a statement is counted and filtered by its days, which are
    empty where it is of another form.
    """
    doc_id = view.sentences[0].prediction.sentence.doc_id if view.sentences else ""
    statement = statements.get(doc_id)
    return [
        len(view.sentences),
        view.heading,
        view.speaker,
        ((statement.date if statement else None) or "").strip(),
        first_day(view.date) if view.date else "",
        last_day(view.date) if view.date else "",
        ((statement.genre if statement else None) or "").strip(),
        view.source,
        view.location,
        doc_id,
    ]


def _first(views: Sequence[StatementView]) -> int:
    return next((s.index for view in views for s in view.sentences), 0)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
