"""Counts by label, speaker and date, against numbers counted by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.codebook import Codebook
from pipeline.records import Prediction, Sentence, Statement
from pipeline.reporting.counts import by_date, by_speaker, shares
from pipeline.reporting.view import StatementView, build_statements

Predict = Callable[..., Prediction]


@pytest.fixture
def views(predict: Predict, tiny: Codebook) -> tuple[StatementView, ...]:
    statements = {
        "a": Statement("a", "", "a.txt", speaker="Ann", date="2018-02-07"),
        "b": Statement("b", "", "b.txt", speaker="Bo", date="2018-02-09"),
        "c": Statement("c", "", "c.txt", speaker="Ann"),
    }
    rows = [
        predict("a", "1", 0, topic=("food", "service")),
        predict("a", "2", 2, topic=()),
        predict("b", "3", 0, topic=None),
        predict("b", "4", 2, topic=("food",), tone=("praise",)),
        predict("c", "5", 0, topic=("food",), tone=("blame",)),
    ]
    return build_statements(rows, statements, tiny)


def test_shares(views: tuple[StatementView, ...], tiny: Codebook) -> None:
    found = {s.key: (s.number, s.percent) for s in shares(views, tiny, "topic")}
    assert found == {
        "topic.food": (3, 60.0),
        "topic.service": (1, 20.0),
        "topic.-none": (1, 20.0),
        "topic.-undecided": (1, 20.0),
    }
    claims = {s.key: s.number for s in shares(views, tiny, "tone")}
    assert claims == {"tone.praise": 1, "tone.blame": 1, "tone.neither": 3}


def test_what_could_not_be_read_is_in_no_count(predict: Predict, tiny: Codebook) -> None:
    unread = Prediction(Sentence("u", "a", ""), {"topic": None, "tone": None}, {}, "m")
    views = build_statements([predict("a", "1", topic=("food",)), unread], {}, tiny)
    found = {s.key: (s.number, s.percent) for s in shares(views, tiny, "topic")}
    assert found == {"topic.food": (1, 100.0), "topic.service": (0, 0.0), "topic.-none": (0, 0.0)}


def test_by_speaker(views: tuple[StatementView, ...], tiny: Codebook) -> None:
    rows = by_speaker(views, tiny, "topic")
    assert [(r.name, r.statements, r.sentences) for r in rows] == [("Ann", 2, 3), ("Bo", 1, 2)]
    assert [[c.number for c in r.counts] for r in rows] == [[2, 1, 0], [1, 0, 1]]
    assert [c.title for c in rows[0].counts] == ["Food", "Service", "Undecided"]
    assert [c.heat for c in rows[0].counts] == [10, 5, 0]


def test_by_date(views: tuple[StatementView, ...], tiny: Codebook) -> None:
    rows = by_date(views, tiny, "topic")
    assert [(r.name, r.start, r.end) for r in rows] == [
        ("2018-02-07", "2018-02-07", "2018-02-07"),
        ("2018-02-09", "2018-02-09", "2018-02-09"),
        ("No date", "", ""),
    ]
    assert [[c.number for c in r.counts] for r in rows] == [[1, 1, 0], [1, 0, 1], [1, 0, 0]]


def test_a_date_that_is_around_others_has_no_span(tiny: Codebook) -> None:
    statements = {d: Statement(d, "", d, date=d) for d in ("2017", "2018", "2018-02", "")}
    rows = by_date(build_statements([], statements, tiny), tiny, "topic")
    assert [(r.name, r.start, r.end) for r in rows] == [
        ("2017", "2017-01-01", "2017-12-31"),
        ("2018", "", ""),
        ("2018-02", "2018-02-01", "2018-02-28"),
        ("No date", "", ""),
    ]


@pytest.mark.parametrize(
    ("dates", "names"),
    [
        ([f"2018-02-{d:02}" for d in range(1, 14)], ["2018-02"]),
        ([f"{y}-{m:02}-01" for y in (2016, 2017, 2018) for m in range(1, 13)],
         ["2016", "2017", "2018"]),
        (["2018", "2018-02"], ["2018", "2018-02"]),
    ],
)  # fmt: skip
def test_many_dates_are_summed(dates: list[str], names: list[str], tiny: Codebook) -> None:
    statements = {d: Statement(d, "", d, date=d) for d in dates}
    views = build_statements([], statements, tiny)
    rows = by_date(views, tiny, "topic")
    assert [r.name for r in rows] == names
    assert sum(r.statements for r in rows) == len(dates)
