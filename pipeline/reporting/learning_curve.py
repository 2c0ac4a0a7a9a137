"""Learning curves as one HTML page: a plot and a table a task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.codebook import Codebook
from pipeline.evaluation.learning_curve import CurvePoint, FittedCurve
from pipeline.evaluation.score_text import score_text
from pipeline.reporting.page import (
    label_colours,
    part,
    policy,
    template,
    without_surrogates,
    written_day,
)

WIDTH, HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 16, 10, 28
_STEPS = 40


@dataclass(frozen=True, slots=True)
class CurveFacts:
    """What the curves rest on; `documents` are those to train on, at most."""

    classifier: str
    codebook: str
    documents: int
    test_documents: int
    repeats: int
    replicates: int


@dataclass(frozen=True, slots=True)
class _Line:
    """One score in a plot: positions in pixels, and a row of the table."""

    name: str
    css: str
    marks: tuple[tuple[float, float, float | None, float | None], ...]
    path: str
    band: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Plot:
    """One task: its lines, the whole task first, and the marks of its axes."""

    metric: str
    lines: tuple[_Line, ...]
    sizes: tuple[tuple[float, str, bool], ...]
    levels: tuple[tuple[float, str], ...]


def render_curves(
    curves: Sequence[FittedCurve], facts: CurveFacts, codebook: Codebook, *, made_on: date
) -> str:
    """Return the page as the text of an HTML document, to be written as UTF-8.

    It runs no script and may request nothing.
    """
    style = part("estimates.css") + part("learning_curve.css") + label_colours(codebook)
    plots = {
        task: _plot([c for c in curves if c.score.startswith(f"{task}.")], task, codebook)
        for task in codebook.tasks
    }
    page = template("learning_curve.html.jinja").render(
        facts=facts,
        plots=plots,
        width=WIDTH,
        height=HEIGHT,
        bottom=HEIGHT - _BOTTOM,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        made_on=written_day(made_on),
        policy=policy(style),
        style=style,
    )
    return without_surrogates(page)


def shown(point: CurvePoint) -> str:
    """Return a score with its interval, as text, and how many draws of it are undefined."""
    lacking = point.undefined and not math.isnan(point.value)
    return score_text(point) + (f" ({point.undefined} undefined)" if lacking else "")


def _plot(curves: Sequence[FittedCurve], task: str, codebook: Codebook) -> _Plot:
    sizes = list(dict.fromkeys(p.documents for curve in curves for p in curve.points))
    ahead = {p.documents for curve in curves for p in curve.points if p.extrapolated}
    first, last = math.log(sizes[0]), math.log(max(sizes[-1], sizes[0] + 1))
    columns = list(codebook.columns)

    def x(documents: float) -> float:
        share = (math.log(documents) - first) / (last - first)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(score: float) -> float:
        return round(_TOP + (1.0 - score) * (HEIGHT - _TOP - _BOTTOM), 1)

    lines = []
    for curve in curves:
        name = curve.score.split(".")[1]
        whole = (task, name) not in columns
        path, band = "", ""
        if curve.law is not None and curve.laws is not None:
            at = np.geomspace(sizes[0], sizes[-1], _STEPS)
            path = " ".join(f"{x(n)},{y(s)}" for n, s in zip(at, curve.law.at(at)[0], strict=True))
            if whole:
                low, high = np.quantile(curve.laws.at(at), [0.025, 0.975], axis=0)
                edge = [*zip(at, high, strict=True), *zip(at[::-1], low[::-1], strict=True)]
                band = " ".join(f"{x(n)},{y(s)}" for n, s in edge)
        measured = [p for p in curve.points if not (p.extrapolated or math.isnan(p.value))]
        by_size = {p.documents: shown(p) for p in curve.points}
        lines.append(
            _Line(
                name="all labels" if whole else name,
                css="whole" if whole else f"l{columns.index((task, name))}",
                marks=tuple(
                    (
                        x(p.documents),
                        y(p.value),
                        None if p.low is None else y(p.low),
                        None if p.high is None else y(p.high),
                    )
                    for p in measured
                ),
                path=path,
                band=band,
                cells=tuple(by_size.get(size, "-") for size in sizes),
            )
        )
    metric = "average precision" if curves[0].score.endswith("average_precision") else "F1"
    return _Plot(
        metric,
        tuple(lines),
        tuple((x(size), f"{size:,}", size in ahead) for size in sizes),
        tuple((y(level), f"{level:.1f}") for level in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    )
