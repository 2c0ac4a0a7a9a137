"""Render an evaluation as one HTML file: scores, slices, calibration, abstention, errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.evaluation.mistakes import Mistake
from pipeline.evaluation.reliability_bands import ReliabilityBands
from pipeline.evaluation.report import label_table, task_table
from pipeline.evaluation.risk_control import RiskCheck
from pipeline.evaluation.selective import RiskCoverage
from pipeline.evaluation.slices import (
    MIN_DOCUMENTS,
    MIN_POSITIVES,
    SHUFFLES,
    Slice,
    SliceAnalysis,
)
from pipeline.evaluation.word_weights import word_spans
from pipeline.records import EvaluationReport, LabelledSentence, Score
from pipeline.reporting.page import (
    label_colours,
    part,
    policy,
    template,
    without_surrogates,
    written_day,
)

NAMED_WORDS = 5
"""Words whose weight is written out below a sentence, and at least as strong ones are marked."""

_SIDE = 100.0
_SETTLED = 0.05
"""Coverage from which on a curve sets the scale: a few sentences make it jump before."""
_NO_BREAK = "\u00a0"
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShownMistake:
    """An error with its sentence and the weight of every word; none where it has a single word.

    `place` says whose sentence it is and when it was said, `gold` and `given` are titles of labels.
    """

    mistake: Mistake
    labelled: LabelledSentence
    weights: Array
    place: str


@dataclass(frozen=True, slots=True)
class ErrorBrowser:
    """The errors that are shown, out of how many, and what weighing their words took."""

    shown: tuple[ShownMistake, ...]
    found: Mapping[str, int]
    exact: bool
    scored: int
    seconds: float


@dataclass(frozen=True, slots=True)
class EvaluationFacts:
    """All that the page shows of one model on one data set; `reliability` is by column."""

    model_id: str
    report: EvaluationReport
    slices: SliceAnalysis
    reliability: Mapping[int, ReliabilityBands]
    curves: Sequence[RiskCoverage]
    checks: Sequence[RiskCheck]
    chosen_on: str
    errors: ErrorBrowser


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of text, its weight in steps from -3 to 3, and the weight as text."""

    text: str
    step: int
    title: str


def render_evaluation(
    facts: EvaluationFacts, codebook: Codebook, *, title: str, made_on: date
) -> str:
    """Return the page as the text of an HTML document, to be written as UTF-8.

    All text of the input is escaped; the page may run only the script it was made with and may
    request nothing (Content Security Policy).
    """
    style = part("report.css") + part("evaluation.css") + label_colours(codebook)
    script = part("evaluation.js")
    slices = facts.slices
    page = template("evaluation.html.jinja").render(
        title=title,
        facts=facts,
        codebook=codebook,
        made_on=written_day(made_on),
        task_rows=task_table(facts.report),
        label_rows=label_table(facts.report),
        facets=_facets(slices.slices),
        judged=sum(one.judged for one in slices.slices),
        least_documents=MIN_DOCUMENTS,
        least_positives=MIN_POSITIVES,
        shuffles=SHUFFLES,
        diagrams=[_diagram(column, bands, codebook) for column, bands in facts.reliability.items()],
        curves=[_curve(curve) for curve in facts.curves],
        errors=[_error(one, codebook) for one in facts.errors.shown],
        policy=policy(style, script),
        style=style,
        script=script,
        number=_number,
        signed=_signed,
        interval=_interval,
        p_value=_p_value,
    )
    return without_surrogates(page)


def _facets(slices: Sequence[Slice]) -> list[tuple[str, str, list[Slice], list[Slice]]]:
    """Return task, facet, judged slices and those too small, in their order."""
    keys = dict.fromkeys((one.task, one.facet) for one in slices)
    groups = []
    for task, facet in keys:
        here = [one for one in slices if (one.task, one.facet) == (task, facet)]
        groups.append(
            (task, facet, [s for s in here if s.judged], [s for s in here if not s.judged])
        )
    return groups


def _diagram(column: int, bands: ReliabilityBands, codebook: Codebook) -> dict[str, object]:
    task, label = codebook.columns[column]
    points = bands.points
    return {
        "title": codebook.tasks[task].labels[label].title,
        "task": task,
        "name": codebook.column_names[column],
        "css": f"l{column}",
        "line": _line(points.predicted, points.observed),
        "points": [
            (_x(p), _y(o), None if math.isnan(low) else (_y(low), _y(high)), p, o, n)
            for p, o, low, high, n in zip(
                points.predicted, points.observed, bands.low, bands.high, points.count, strict=True
            )
        ],
    }


def _curve(curve: RiskCoverage) -> dict[str, object]:
    settled = curve.risk[curve.coverage >= _SETTLED]
    top = max([0.01, *settled.tolist()])
    return {
        "task": curve.task,
        "line": _line(curve.coverage, np.minimum(curve.risk / top, 1.0)),
        "top": top,
        "error": None if math.isnan(curve.error) else _y(curve.error / top),
        "area": curve.area,
        "best": curve.best,
        "by_chance": curve.error,
    }


def _error(one: ShownMistake, codebook: Codebook) -> dict[str, object]:
    mistake, labels = one.mistake, codebook.tasks[one.mistake.task].labels
    column = codebook.column_names.index

    def tags(names: Sequence[str]) -> list[tuple[str, str]]:
        return [(labels[n].title, f"l{column(f'{mistake.task}.{n}')}") for n in names]

    wrong = (*mistake.false, *mistake.missed)
    strongest = _strongest(one)
    return {
        "task": mistake.task,
        "false": tags(mistake.false),
        "missed": tags(mistake.missed),
        "names": " ".join(f"{mistake.task}.{name}" for name in wrong),
        "kinds": " ".join(k for k in ("missed", "false") if getattr(mistake, k)),
        "confidence": f"{mistake.confidence:.3f}",
        "toward": _toward(mistake, codebook),
        "pieces": _pieces(one, [k for k, _ in strongest]),
        "words": [(_word(one, k), _signed(value)) for k, value in strongest],
        "context": one.labelled.sentence.context,
        "place": one.place,
    }


def _toward(mistake: Mistake, codebook: Codebook) -> str:
    """Say what a word of positive weight speaks for."""
    task, name = codebook.columns[mistake.column]
    title = codebook.tasks[task].labels[name].title
    if mistake.instead is not None:
        gold = codebook.columns[mistake.instead][1]
        return f"{title} rather than {codebook.tasks[task].labels[gold].title}"
    return title if name in mistake.false else f"no {title}"


def _strongest(one: ShownMistake) -> list[tuple[int, float]]:
    order = np.argsort(-np.abs(one.weights), kind="stable")[:NAMED_WORDS]
    return [(int(k), float(one.weights[k])) for k in order if one.weights[k]]


def _word(one: ShownMistake, k: int) -> str:
    start, end = word_spans(one.labelled.sentence.text)[k]
    return one.labelled.sentence.text[start:end]


def _pieces(one: ShownMistake, marked: Sequence[int]) -> list[_Piece]:
    """Cut the sentence into marked words and the text between them."""
    text, spans = one.labelled.sentence.text, word_spans(one.labelled.sentence.text)
    largest = max((abs(float(one.weights[k])) for k in marked), default=0.0)
    pieces: list[_Piece] = []
    done = 0
    for k in sorted(marked):
        start, end = spans[k]
        weight = float(one.weights[k])
        step = min(math.ceil(3 * abs(weight) / largest), 3)
        pieces.append(_Piece(text[done:start], 0, ""))
        pieces.append(_Piece(text[start:end], step if weight > 0 else -step, _signed(weight)))
        done = end
    return [piece for piece in (*pieces, _Piece(text[done:], 0, "")) if piece.text]


def _line(x: Array, y: Array) -> str:
    return " ".join(f"{_x(a)},{_y(b)}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _x(value: float) -> str:
    return f"{_SIDE * value:.2f}"


def _y(value: float) -> str:
    return f"{_SIDE * (1.0 - value):.2f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.2f}".replace("-", "\u2212")


def _interval(score: Score | Slice) -> str:
    if score.low is None or score.high is None:
        return ""
    return f"{score.low:.3f}{_NO_BREAK}to{_NO_BREAK}{score.high:.3f}"


def _p_value(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.4f}" if value < 0.01 else f"{value:.2f}"
