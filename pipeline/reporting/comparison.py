"""A comparison of models as one HTML page that needs nothing else: differences and examples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.codebook import Codebook
from pipeline.evaluation.comparison import ScoreComparison
from pipeline.evaluation.comparison_table import (
    SIGNIFICANCE,
    comparison_table,
    family_size,
    verdict,
)
from pipeline.evaluation.disagreement import Disagreement, disagreements
from pipeline.evaluation.metrics import Outcomes
from pipeline.records import Sentence
from pipeline.reporting.page import part, policy, template, without_surrogates, written_day

EXAMPLES = 15
"""Sentences shown of each kind, task and pair of models."""

_WIDTH, _MARGIN = 240, 6
_STEPS = (0.04, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence that one model gets right and the other wrong, with what each of them says."""

    document: str
    text: str
    gold: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class TaskExamples:
    """Sentences of one task that the first model wins and loses; `won`, `lost` count all."""

    task: str
    won: int
    lost: int
    wins: tuple[Example, ...]
    losses: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class PairView:
    """Two models by the names they are shown under."""

    first: str
    second: str
    scores: tuple[ScoreComparison, ...]
    examples: tuple[TaskExamples, ...]

    @property
    def verdict(self) -> str:
        """Where the models differ after correction."""
        return verdict(self.scores, self.first, self.second)


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """All that the page says; `facts` and `method` are (heading, text), `cautions` plain text."""

    title: str
    facts: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]
    method: tuple[tuple[str, str], ...]
    pairs: tuple[PairView, ...]


def task_examples(
    first: Outcomes, second: Outcomes, sentences: Sequence[Sentence], codebook: Codebook
) -> tuple[TaskExamples, ...]:
    """Return the sentences of every task that exactly one of two models gets right.

    Raises:
        ShapeError: the two do not have the same sentences, documents and targets.
    """
    found = []
    for task in codebook.tasks:
        apart = disagreements(first, second, codebook, task, most=EXAMPLES)

        def shown(chosen: Sequence[Disagreement], task: str = task) -> tuple[Example, ...]:
            return tuple(
                Example(
                    document=sentences[one.row].doc_id,
                    text=sentences[one.row].text,
                    gold=_gold(first, one.row, task, codebook),
                    first=_said(first, one.row, task, codebook),
                    second=_said(second, one.row, task, codebook),
                )
                for one in chosen
            )

        wins, losses = shown(apart.wins), shown(apart.losses)
        found.append(TaskExamples(task, apart.won, apart.lost, wins, losses))
    return tuple(found)


def render_comparison(view: ComparisonView, *, made_on: date) -> str:
    """Return the page as the text of an HTML document, to be written as UTF-8.

    All text of the input is escaped; the page runs no script and may request nothing.
    """
    style = part("comparison.css")
    scale = _scale(view)
    tables = [
        (pair, *_head_and_rows(pair, scale), list(_ticks(scale)) if pair.scores else [])
        for pair in view.pairs
    ]
    page = template("comparison.html.jinja").render(
        view=view,
        tables=tables,
        family=family_size([pair.scores for pair in view.pairs]),
        scale=f"{scale:g}",
        width=_WIDTH,
        middle=_place(0.0, scale),
        made_on=written_day(made_on),
        style=style,
        policy=policy(style),
    )
    return without_surrogates(page)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table; positions are in pixels of the plot, `None` where nothing is drawn."""

    cells: tuple[str, ...]
    point: float | None
    low: float | None
    high: float | None
    unseen: tuple[float, float] | None
    of_task: bool
    told_apart: bool


def _head_and_rows(pair: PairView, scale: float) -> tuple[tuple[str, ...], list[_Row]]:
    header, *rows = comparison_table(pair.scores, pair.first, pair.second)
    drawn = []
    for score, cells in zip(pair.scores, rows, strict=True):
        reach = score.detectable
        drawn.append(
            _Row(
                cells=cells,
                point=None if math.isnan(score.difference) else _place(score.difference, scale),
                low=None if score.low is None else _place(score.low, scale),
                high=None if score.high is None else _place(score.high, scale),
                unseen=None
                if math.isnan(reach)
                else (_place(-reach, scale), _place(reach, scale) - _place(-reach, scale)),
                of_task=score.name.count(".") == 1,
                told_apart=score.p_holm <= SIGNIFICANCE,
            )
        )
    return header, drawn


def _scale(view: ComparisonView) -> float:
    """Return the difference at the right end of every plot."""
    ends = [
        abs(end)
        for pair in view.pairs
        for score in pair.scores
        for end in (score.difference, score.low, score.high)
        if end is not None and not math.isnan(end)
    ]
    largest = max(ends, default=0.0)
    return next((step for step in _STEPS if largest <= step), _STEPS[-1])


def _place(value: float, scale: float) -> float:
    inner = _WIDTH / 2 - _MARGIN
    return round(_WIDTH / 2 + max(-1.0, min(1.0, value / scale)) * inner, 1)


def _ticks(scale: float) -> Iterator[tuple[float, str]]:
    for end in (-scale, -scale / 2, 0.0, scale / 2, scale):
        yield _place(end, scale), f"{end:+g}" if end else "0"


def _gold(seen: Outcomes, row: int, task: str, codebook: Codebook) -> str:
    columns = codebook.slice_of(task)
    labels = codebook.tasks[task].labels.values()
    right = seen.targets[row, columns] == 1.0
    return ", ".join(t.title for t, yes in zip(labels, right, strict=True) if yes) or "no label"


def _said(seen: Outcomes, row: int, task: str, codebook: Codebook) -> str:
    """Return the labels given with their probabilities, or the likeliest that was not given."""
    columns = codebook.slice_of(task)
    titles = [label.title for label in codebook.tasks[task].labels.values()]
    p = seen.probabilities[row, columns]
    given = [f"{titles[j]} ({p[j]:.2f})" for j in range(len(titles)) if seen.given[row, columns][j]]
    if given:
        return ", ".join(given)
    likeliest = int(p.argmax())
    word = "undecided" if seen.withheld[row, columns].any() else "no label"
    return f"{word} (likeliest: {titles[likeliest]}, {p[likeliest]:.2f})"
