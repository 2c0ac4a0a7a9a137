"""Render predictions as one HTML file that needs nothing else: no network, no server, no font."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pipeline.codebook import Codebook
from pipeline.records import Prediction, Rejection, Statement
from pipeline.reporting.counts import by_date, by_speaker, shares
from pipeline.reporting.dates import first_day, last_day
from pipeline.reporting.facts import ModelFacts, score_rows
from pipeline.reporting.page import (
    embedded,
    label_colours,
    part,
    policy,
    template,
    without_surrogates,
    written_day,
)
from pipeline.reporting.view import (
    StatementView,
    build_statements,
    highlight_tasks,
    period,
    task_title,
)

_FIRST_OPEN = 8
"""With more statements than this, a report starts with all of them folded."""


def render_report(
    rows: Sequence[Prediction],
    statements: Mapping[str, Statement],
    codebook: Codebook,
    *,
    title: str,
    model: ModelFacts,
    made_on: date,
    rejected: Sequence[Rejection] = (),
) -> str:
    """Return the report as the text of an HTML document, to be written as UTF-8.

    `statements` are keyed by doc_id and shown in their order, whether or not they hold sentences; a
    document they lack is shown by its id. All text of the input is escaped; the page may run only
    the script it was made with and may request nothing (Content Security Policy).

    Raises:
        SettingsError: a prediction carries labels that are not in the codebook.
    """
    views = build_statements(rows, statements, codebook)
    style = part("report.css") + label_colours(codebook)
    script = part("common.js") + part("report.js")
    sentences = sum(len(view.sentences) for view in views)
    page = template("report.html.jinja").render(
        title=title,
        codebook=codebook,
        model=model,
        scores=score_rows(model),
        made_on=written_day(made_on),
        statements=views,
        sentences=sentences,
        speakers=sorted({view.speaker for view in views}, key=str.casefold),
        period=period(views),
        undated=sum(1 for view in views if not view.date),
        tasks=codebook.tasks,
        columns=codebook.columns,
        highlighted=highlight_tasks(codebook),
        attributed=_attributed(codebook),
        shares={task: shares(views, codebook, task) for task in codebook.tasks},
        by_speaker={task: by_speaker(views, codebook, task) for task in codebook.tasks},
        by_date={task: by_date(views, codebook, task) for task in codebook.tasks},
        rejected=rejected,
        unfolded=len(views) <= _FIRST_OPEN,
        policy=policy(style, script),
        style=style,
        script=script,
        data=embedded(_data(views, codebook, title, model)),
    )
    return without_surrogates(page)


def _data(
    views: Sequence[StatementView], codebook: Codebook, title: str, model: ModelFacts
) -> dict[str, object]:
    """Return what the script filters by and shows on demand; the texts are in the page itself."""
    tasks = list(codebook.tasks)
    sentences: list[list[object]] = []
    for view in views:
        for sentence in view.sentences:
            row, place = sentence.prediction, sentence.prediction.sentence
            chances = [
                row.probabilities.get(task, {}).get(label) for task, label in codebook.columns
            ]
            sentences.append(
                [
                    view.index,
                    place.sentence_id,
                    place.start,
                    place.end,
                    place.block.value,
                    " ".join(place.list_path),
                    place.heading,
                    list(sentence.given),
                    [tasks.index(task) for task in sentence.undecided],
                    [None if p is None else round(p, 4) for p in chances],
                    sentence.unread,
                ]
            )
    highlighted = highlight_tasks(codebook)
    return {
        "title": title,
        "model": model.model_id,
        "codebook": f"{codebook.name} {codebook.version}",
        "attributed": _attributed(codebook),
        "tasks": [
            {"name": name, "title": task_title(name), "main": name in highlighted}
            for name in codebook.tasks
        ],
        "columns": [
            [tasks.index(task), label, codebook.tasks[task].labels[label].title]
            for task, label in codebook.columns
        ],
        "statements": [
            {
                "heading": view.heading,
                "speaker": view.speaker,
                "date": view.date,
                "first": view.date and first_day(view.date),
                "last": view.date and last_day(view.date),
                "source": view.source,
                "location": view.location,
            }
            for view in views
        ],
        "sentences": sentences,
    }


def _attributed(codebook: Codebook) -> bool:
    return any(task.attribution for task in codebook.tasks.values())
