"""The agreement of coders as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.codebook import Codebook
from pipeline.evaluation.agreement_report import AgreementReport, Question
from pipeline.evaluation.score_text import score_text
from pipeline.records import Rejection, Score
from pipeline.reporting.page import part, policy, template, without_surrogates
from pipeline.reporting.view import task_title

MOST_DISPUTED = 100
"""Disputed sentences that are shown; the adjudication file holds all."""


def render_agreement(
    report: AgreementReport, codebook: Codebook, *, rejected: Sequence[Rejection] = ()
) -> str:
    """Return the report as the text of an HTML document, to be written as UTF-8."""
    style = part("agreement.css")
    page = template("agreement.html.jinja").render(
        report=report,
        codebook=codebook,
        policy=policy(style),
        style=style,
        questions=[(question, _title(question, codebook)) for question in report.questions],
        pairs=[
            (first, second)
            for i, first in enumerate(report.coders)
            for second in report.coders[i + 1 :]
        ],
        shown=shown,
        bar=_bar,
        disputes=[
            (dispute, [(one.coder, _answers(one.labels)) for one in dispute.codings])
            for dispute in report.disputes[:MOST_DISPUTED]
        ],
        rejected=rejected,
    )
    return without_surrogates(page)


def shown(score: Score) -> str:
    """Return a score with its interval, as pages show it."""
    return score_text(score, undefined="not defined")


def _bar(score: Score) -> tuple[float, float, float] | None:
    """Return value and interval as per cent of a bar from 0 to 1, `None` where undefined."""
    if not score.defined:
        return None
    low = score.value if score.low is None else score.low
    high = score.value if score.high is None else score.high
    value, low, high = (100 * min(max(x, 0.0), 1.0) for x in (score.value, low, high))
    return round(value, 1), round(low, 1), round(high - low, 1)


def _title(question: Question, codebook: Codebook) -> str:
    if question.label is None:
        return task_title(question.task)
    return codebook.tasks[question.task].labels[question.label].title


def _answers(labels: Mapping[str, tuple[str, ...] | None]) -> str:
    return "; ".join(
        f"{task}: " + ("unanswered" if given is None else ", ".join(given) or "none")
        for task, given in labels.items()
    )
