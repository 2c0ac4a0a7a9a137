from __future__ import annotations

import datetime as dt

import pytest

from pipeline.actors import ActorKind, ActorLinker, Registry
from pipeline.errors import InputError


@pytest.fixture(scope="session")
def registry(linker: ActorLinker) -> Registry:
    return linker.registry


def _members(registry: Registry, actor: str, date: str) -> set[str]:
    found = registry.members(actor, dt.date.fromisoformat(date))
    assert found is not None
    return set(found)


@pytest.mark.parametrize(
    ("actor", "member", "last_without", "first_with"),
    [
        ("nato", "FIN", "2023-04-03", "2023-04-04"),
        ("nato", "SWE", "2024-03-06", "2024-03-07"),
        ("nato", "MKD", "2020-03-26", "2020-03-27"),
        ("un-security-council", "KOR", "2023-12-31", "2024-01-01"),
        ("asean", "TLS", "2025-10-25", "2025-10-26"),
    ],
)
def test_members_join_on_their_day(
    registry: Registry, actor: str, member: str, last_without: str, first_with: str
) -> None:
    assert member not in _members(registry, actor, last_without)
    assert member in _members(registry, actor, first_with)


def test_members_leave_on_their_day(registry: Registry) -> None:
    assert "GBR" in _members(registry, "eu", "2020-01-31")
    assert "GBR" not in _members(registry, "eu", "2020-02-01")
    assert "MLI" in _members(registry, "ecowas", "2025-01-28")
    assert "MLI" not in _members(registry, "ecowas", "2025-01-29")


@pytest.mark.parametrize(
    ("actor", "size"),
    [("eu", 27), ("nato", 32), ("african-union", 55), ("arab-league", 22), ("g7", 7), ("p5", 5)],
)
def test_sizes_of_today(registry: Registry, actor: str, size: int) -> None:
    assert len(_members(registry, actor, "2025-06-01")) == size


@pytest.mark.parametrize("year", range(2019, 2027))
def test_the_council_has_fifteen_members_ten_of_them_elected(registry: Registry, year: int) -> None:
    for day in (f"{year}-01-01", f"{year}-12-31"):
        council = _members(registry, "un-security-council", day)
        assert len(council) == 15
        assert _members(registry, "e10", day) == council - _members(registry, "p5", day)
        assert len(_members(registry, "a3", day)) == 3
        assert _members(registry, "a3", day) <= _members(registry, "african-union", day) & council


def test_nothing_is_expanded_where_it_is_not_known(registry: Registry) -> None:
    assert registry.members("un-security-council", dt.date(2018, 12, 31)) is None
    assert registry.members("un-security-council", dt.date(2027, 1, 1)) is None
    assert registry.members("nato", None) is None
    assert registry.members("oic", dt.date(2020, 1, 1)) is None
    assert registry.members("e3", None) == ("DEU", "FRA", "GBR")


def test_every_member_was_never_in_two_periods_at_once(registry: Registry) -> None:
    for actor in registry.actors.values():
        for i, one in enumerate(actor.members):
            for other in actor.members[i + 1 :]:
                assert not (set(one.ids) & set(other.ids) and one.meets(other)), actor.id


def test_parts_and_wholes(registry: Registry) -> None:
    assert registry.within("un-cted", "un")
    assert registry.within("eu", "eu")
    assert not registry.within("un", "un-cted")
    assert registry.within("irgc", "IRN")


def test_listings_have_their_time(registry: Registry) -> None:
    assert registry.listed("hts", dt.date(2024, 12, 1)) == ("un-1267",)
    assert registry.listed("hts", dt.date(2026, 3, 1)) == ()
    assert registry.listed("free-syrian-army", None) == ()


def test_an_unknown_id_is_told_with_near_ones(registry: Registry) -> None:
    with pytest.raises(InputError, match="'SYX'"):
        registry.actor("SYX")
    assert registry.actor("SYR").kind is ActorKind.COUNTRY


def test_who_held_an_office_at_a_date(linker: ActorLinker) -> None:
    held = linker.registry.held_by
    assert held("griffiths", dt.date(2020, 1, 1)) == {"un-envoy-yemen"}
    assert held("martin griffiths", dt.date(2022, 1, 1)) == {"emergency-relief-coordinator"}
    assert held("griffiths", None) == {"un-envoy-yemen", "emergency-relief-coordinator"}
    assert held("riffiths", None) == held("", None) == frozenset()
