"""Offices with who holds them, and what only belongs to an office."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.actors import ActorLinker, How, actors_of


@pytest.mark.parametrize(
    ("mention", "date", "expected"),
    [
        ("Special Envoy Pedersen", "2020-06-01", "un-envoy-syria"),
        ("Special Envoy Geir Pedersen", "2020-06-01", "un-envoy-syria"),
        ("Special Envoy Griffiths", "2020-06-01", "un-envoy-yemen"),
        ("Special Envoy Griffiths", "2023-06-01", ""),
        ("the High Commissioner Michelle Bachelet", "2020-06-01", "un-human-rights-commissioner"),
        ("High Commissioner Bachelet", "2020-06-01", "un-human-rights-commissioner"),
        ("High Commissioner Bachelet", "2023-06-01", ""),
        ("High Commissioner Grandi", "2020-06-01", "un-refugees-commissioner"),
        ("High Representative Borrell", "2020-06-01", "eu-high-representative"),
        ("Prosecutor Bensouda", "2020-06-01", "icc-prosecutor"),
        ("Prosecutor Maru", "2020-06-01", ""),
        ("Secretary-General Guterres", "2020-06-01", "un-secretary-general"),
    ],
)
def test_a_short_title_is_settled_by_who_holds_the_office(
    linker: ActorLinker, mention: str, date: str, expected: str
) -> None:
    links = linker.link(mention, date=dt.date.fromisoformat(date))
    assert " ".join(actors_of(links)) == expected
    if expected:
        assert links[0].how is How.OFFICE
        assert links[0].person


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        ("the Secretary-General's Report", ""),
        ("the Secretary-General's Roadmap", ""),
        ("Guterres's Critics", ""),
        ("the Prosecutor's Bensouda", ""),
        ("the Secretary-General's Special Envoy", "un-special-envoy"),
        ("the Secretary-General's Special Representative for Chad", "un-special-envoy"),
        ("Secretary-General António Guterres", "un-secretary-general"),
    ],
)
def test_what_belongs_to_an_office_is_not_the_office(
    linker: ActorLinker, mention: str, expected: str
) -> None:
    assert " ".join(actors_of(linker.link(mention))) == expected
