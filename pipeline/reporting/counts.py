"""Counts of given labels by speaker and by date. They count predictions, not corrected shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.codebook import Codebook, TaskType
from pipeline.reporting.dates import first_day, last_day
from pipeline.reporting.view import NO_LABEL, UNDECIDED, SentenceView, StatementView

MOST_DATES = 12
"""More distinct dates than this are summed by month, more months than twice this by year."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many sentences of a row carry one answer.

    `key` is "task.label" as filters name it, `css` the class that carries the label's colour, and
    `heat` the count's share of the largest count of its table, in tenths rounded up.
    """

    key: str
    title: str
    css: str
    number: int
    heat: int


@dataclass(frozen=True, slots=True)
class CountRow:
    """Counts of one speaker, or of dates that the span from `start` to `end` (inclusive) selects.

    Both are empty where no span selects just these.
    """

    name: str
    speaker: str
    start: str
    end: str
    statements: int
    sentences: int
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """One answer to a task: how many sentences of the report carry it."""

    key: str
    title: str
    css: str
    number: int
    percent: float


def answers(codebook: Codebook, task: str) -> tuple[tuple[str, str, str], ...]:
    """Return (key, title, css class) of every answer to a task: its labels, none, undecided."""
    found = [
        (f"{task}.{label}", codebook.tasks[task].labels[label].title, f"l{j}")
        for j, (name, label) in enumerate(codebook.columns)
        if name == task
    ]
    if codebook.tasks[task].type is TaskType.MULTILABEL:
        found.append((f"{task}.{NO_LABEL}", "No label", "plain"))
    found.append((f"{task}.{UNDECIDED}", "Undecided", "plain"))
    return tuple(found)


def shares(statements: Sequence[StatementView], codebook: Codebook, task: str) -> tuple[Share, ...]:
    """Return counts and shares of every answer to `task`; undecided only where it occurs.

    Shares are of the sentences that could be read.
    """
    sentences = [s for statement in statements for s in statement.sentences if not s.unread]
    numbers = _tally(sentences, codebook, task)
    whole = max(len(sentences), 1)
    return tuple(
        Share(key, title, css, numbers[key], 100 * numbers[key] / whole)
        for key, title, css in answers(codebook, task)
        if numbers[key] or not key.endswith(UNDECIDED)
    )


def by_speaker(
    statements: Sequence[StatementView], codebook: Codebook, task: str
) -> tuple[CountRow, ...]:
    """Return one row a speaker; those with most given labels first."""
    groups: dict[str, list[StatementView]] = {}
    for statement in statements:
        groups.setdefault(statement.speaker, []).append(statement)
    rows = [("", "", name, name, members) for name, members in groups.items()]
    found = _rows(rows, codebook, task)
    return tuple(sorted(found, key=lambda r: (-_labelled(r), -r.sentences, r.name.casefold())))


def by_date(
    statements: Sequence[StatementView], codebook: Codebook, task: str
) -> tuple[CountRow, ...]:
    """Return one row a date (or month, or year, where there are many), undated statements last.

    A month or year beside dates that lie in it has no span: one would select these too.
    """
    width = _date_width({s.date for s in statements if s.date})
    groups: dict[str, list[StatementView]] = {}
    for statement in sorted(statements, key=lambda s: (s.date == "", s.date)):
        groups.setdefault(statement.date[:width], []).append(statement)
    around = {date for date in groups if any(o != date and o.startswith(date) for o in groups)}
    spans = {d: (first_day(d), last_day(d)) for d in groups if d and d not in around}
    rows = [
        (*spans.get(date, ("", "")), date or "No date", "", members)
        for date, members in groups.items()
    ]
    return _rows(rows, codebook, task)


def _date_width(dates: set[str]) -> int:
    """Return how many characters of an ISO date to group by: 10 a day, 7 a month, 4 a year."""
    if len(dates) <= MOST_DATES:
        return 10
    return 7 if len({date[:7] for date in dates}) <= 2 * MOST_DATES else 4


def _rows(
    groups: Iterable[tuple[str, str, str, str, list[StatementView]]], codebook: Codebook, task: str
) -> tuple[CountRow, ...]:
    tallies = [
        (group, _tally([s for m in group[4] for s in m.sentences], codebook, task))
        for group in groups
    ]
    labels = [(k, t, c) for k, t, c in answers(codebook, task) if c != "plain"]
    peak = max((numbers[k] for _, numbers in tallies for k, _, _ in labels), default=0) or 1
    shown = [*labels, *(a for a in answers(codebook, task) if a[0].endswith(UNDECIDED))]
    return tuple(
        CountRow(
            name=name,
            speaker=speaker,
            start=start,
            end=end,
            statements=len(members),
            sentences=sum(len(m.sentences) for m in members),
            counts=tuple(
                Count(key, title, css, numbers[key], -(-10 * numbers[key] // peak))
                for key, title, css in shown
            ),
        )
        for (start, end, name, speaker, members), numbers in tallies
    )


def _labelled(row: CountRow) -> int:
    return sum(count.number for count in row.counts if count.css != "plain")


def _tally(sentences: Iterable[SentenceView], codebook: Codebook, task: str) -> dict[str, int]:
    numbers = {key: 0 for key, _, _ in answers(codebook, task)}
    names = codebook.column_names
    columns = range(*codebook.slice_of(task).indices(codebook.width))
    for sentence in sentences:
        if sentence.unread:
            continue
        given = [names[j] for j in sentence.given if j in columns]
        if task in sentence.undecided:
            given = [f"{task}.{UNDECIDED}"]
        elif not given and f"{task}.{NO_LABEL}" in numbers:
            given = [f"{task}.{NO_LABEL}"]
        for key in given:
            numbers[key] += 1
    return numbers
