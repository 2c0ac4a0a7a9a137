"""Estimated shares as one HTML page: a plot and a table a label, and the text for a paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.codebook import Codebook
from pipeline.evaluation.estimate_table import METHODS, EstimateRow
from pipeline.reporting.estimate_text import EstimateFacts, method_text, percent
from pipeline.reporting.page import (
    label_colours,
    part,
    policy,
    template,
    without_surrogates,
    written_day,
)

_WIDTH, _MARGIN = 280, 8
_STEPS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class _Line:
    """One group in a label's plot and table; positions in pixels, `None` where undefined."""

    group: str
    point: float | None
    low: float | None
    high: float | None
    counted: float | None
    cells: tuple[str, ...]
    sizes: tuple[int, ...]
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Panel:
    """One label: its lines, the marks of its axis, and its differences as text."""

    label: str
    definition: str
    css: str
    lines: tuple[_Line, ...]
    marks: tuple[tuple[float, str], ...]
    differences: tuple[tuple[str, tuple[str, ...]], ...]


def render_estimates(
    rows: Sequence[EstimateRow],
    facts: EstimateFacts,
    codebook: Codebook,
    *,
    title: str,
    made_on: date,
) -> str:
    """Return the page as the text of an HTML document, to be written as UTF-8.

    All text of the input is escaped; the page runs no script and may request nothing.
    """
    style = part("estimates.css") + label_colours(codebook)
    tasks = {
        task: [
            _panel([r for r in rows if (r.task, r.label) == (task, label)], facts, codebook, j)
            for j, (of, label) in enumerate(codebook.columns)
            if of == task
        ]
        for task in dict.fromkeys(row.task for row in rows)
    }
    page = template("estimates.html.jinja").render(
        title=title,
        facts=facts,
        tasks=tasks,
        methods=[METHODS[method] for method in facts.methods],
        main=METHODS[facts.method],
        text=method_text(rows, facts),
        made_on=written_day(made_on),
        width=_WIDTH,
        policy=policy(style),
        style=style,
    )
    return without_surrogates(page)


def _panel(
    rows: Sequence[EstimateRow], facts: EstimateFacts, codebook: Codebook, column: int
) -> _Panel:
    task, label = codebook.columns[column]
    shares = [row for row in rows if not row.contrast]
    drawn = [row for row in shares if row.method in (facts.method, "cc")]
    reach = [row.high if row.method == facts.method and row.high else row.value for row in drawn]
    ends = [end for end in reach if not math.isnan(end)]
    scale = next((step for step in _STEPS if step >= max(ends, default=0.0)), 1.0)
    by_group = {group: _of_group(shares, group) for group in dict.fromkeys(r.group for r in shares)}
    pairs = dict.fromkeys(row.group for row in rows if row.contrast)
    return _Panel(
        label=codebook.tasks[task].labels[label].title,
        definition=codebook.tasks[task].labels[label].definition,
        css=f"l{column}",
        lines=tuple(_line(group, found, facts, scale) for group, found in by_group.items()),
        marks=tuple((_at(k / 4), f"{100 * scale * k / 4:g} %") for k in range(5)),
        differences=tuple(
            (pair, tuple(percent(r) for r in rows if r.contrast and r.group == pair))
            for pair in pairs
        ),
    )


def _of_group(rows: Sequence[EstimateRow], group: str) -> dict[str, EstimateRow]:
    return {row.method: row for row in rows if row.group == group}


def _line(group: str, found: dict[str, EstimateRow], facts: EstimateFacts, scale: float) -> _Line:
    main = found[facts.method]
    sizes = main.sizes
    return _Line(
        group=group,
        point=_place(main.value, scale),
        low=_place(main.low, scale),
        high=_place(main.high, scale),
        counted=_place(found["cc"].value, scale),
        cells=tuple(percent(found[method]) for method in facts.methods),
        sizes=(sizes.sentences, sizes.sampled_sentences, sizes.sampled_documents),
        cautions=main.cautions,
    )


def _place(value: float | None, scale: float) -> float | None:
    if value is None or math.isnan(value):
        return None
    return _at(min(max(value / scale, 0.0), 1.0))


def _at(part: float) -> float:
    return round(_MARGIN + part * (_WIDTH - 2 * _MARGIN), 1)
