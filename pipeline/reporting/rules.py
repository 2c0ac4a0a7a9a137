"""What the rules of a codebook do, as one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.codebook import Codebook
from pipeline.evaluation.rule_report import RuleReport
from pipeline.records import Rejection, Sentence
from pipeline.reporting.agreement import shown
from pipeline.reporting.page import part, policy, template, without_surrogates


def render_rules(
    report: RuleReport,
    sentences: Sequence[Sentence],
    codebook: Codebook,
    *,
    rejected: Sequence[Rejection] = (),
) -> str:
    """Return the report as the text of an HTML document, to be written as UTF-8.

    `sentences` are those that the positions in the report stand for.
    """
    style = part("agreement.css")
    page = template("rules.html.jinja").render(
        report=report,
        sentences=sentences,
        codebook=codebook,
        policy=policy(style),
        style=style,
        shown=shown,
        share=share,
        rejected=rejected,
    )
    return without_surrogates(page)


def share(value: float) -> str:
    """Return a share as per cent; empty where it is undefined."""
    return "" if math.isnan(value) else f"{value:.1%}"
