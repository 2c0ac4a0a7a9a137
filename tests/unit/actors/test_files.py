from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline.actors import ActorKind, load_linker, load_registry
from pipeline.actors.files import shipped_folder
from pipeline.actors.linker import ActorLinker
from pipeline.actors.links import How, actors_of
from pipeline.errors import InputError, SettingsError

FICTION = """\
actors:
  talvera:
    kind: country
    name: Talvera
    aliases: [Republic of Talvera]
    adjectives: [Talveran]
    seats: [Port Merrin]
    source: the codebook of a study
  river-league:
    kind: bloc
    name: River League
    members:
      - {ids: [talvera, BEL], from: 2015-01-01}
      - {ids: [FRA], from: 2015-01-01, to: 2019-12-31}
    source: the codebook of a study
names:
  FRA: {aliases: [the Hexagon]}
source: the codebook of a study
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(FICTION, encoding="utf-8")
    return path


def test_the_shipped_files_hold_what_they_are_for() -> None:
    registry = load_registry()
    kinds = Counter(actor.kind for actor in registry.actors.values())
    assert kinds[ActorKind.COUNTRY] == 250
    assert all(kinds[kind] >= 15 for kind in ActorKind)
    assert all(actor.source for actor in registry.actors.values())
    named = {name.actor for name in registry.all_names()}
    assert named == set(registry.actors)


def test_countries_are_called_as_one_reads_them() -> None:
    actors = load_registry().actors
    assert actors["IRN"].name == "Islamic Republic of Iran"
    assert actors["VGB"].name == "British Virgin Islands"
    assert actors["SHN"].name == "Saint Helena, Ascension and Tristan da Cunha"


def test_fictional_countries_stay_text_until_the_user_adds_them(
    linker: ActorLinker, own: Path
) -> None:
    mentions = ["Talvera", "the Talveran forces", "Port Merrin", "the Permanent Representative of"
                " the Republic of Talvera", "France and Talvera", "the River League"]  # fmt: skip
    found = [actors_of(linker.link(mention)) for mention in mentions]
    assert found == [(), (), (), (), ("FRA",), ()]
    extended = load_linker([own])
    found = [actors_of(extended.link(mention)) for mention in mentions]
    assert found == [("talvera",)] * 4 + [("FRA", "talvera"), ("river-league",)]
    assert actors_of(extended.link("the Hexagon")) == ("FRA",)
    assert extended.registry.members("river-league", dt.date(2018, 1, 1)) == (
        "BEL",
        "FRA",
        "talvera",
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("kind: country", "kind: contry", r"own.yaml:3: .*Did you mean 'country'"),
        ("aliases: [Rep", "alias: [Rep", r"own.yaml:5: unknown key .*Did you mean 'aliases'"),
        ("[talvera, BEL]", "[talvera, BEI]", r"own.yaml:13: no actor has the id 'BEI'"),
        ("[talvera, BEL]", "[talvero, BEL]", r"own.yaml:13: .*'talvero'. Did you mean 'talvera'"),
        ("  FRA:", "  FRE:", r"own.yaml:17: no actor has the id 'FRE'. Did you mean"),
        ("[Republic of Talvera]", "[France]", r"own.yaml:2: 'France' names 'talvera', but 'FRA'"),
        ("[Republic of Talvera]", "['...']", r"own.yaml:5: .*holds no word"),
        ("  talvera:", "  hts:", r"own.yaml:2: 'hts' is the id of Hay'at Tahrir al-Sham"),
        ("to: 2019-12-31", "to: 2009-12-31", r"own.yaml:14: .*'from' 2015-01-01 is after"),
        ("    source: the codebook of a study\nnames", "names", r"own.yaml:9: .*source' is miss"),
        ("kind: bloc", "kind: bloc\n    of: river-league", r"own.yaml:11: .*a part of itself"),
        ("kind: bloc", "kind: bloc\n    listed: [{on: un-1276}]", r"own.yaml:11: .*'un-1267'"),
        ("\nsource: the codebook of a study", "", r"'names' needs a 'source'"),
    ],
)
def test_mistakes_are_told_with_their_line(
    own: Path, before: str, after: str, message: str
) -> None:
    text = own.read_text(encoding="utf-8")
    assert text.count(before) >= 1
    own.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_registry([own])
    assert re.search(message, str(caught.value)), str(caught.value)


def test_names_of_disjoint_periods_are_no_mistake_and_overlapping_ones_are(tmp_path: Path) -> None:
    text = """\
source: the codebook of a study
names:
  FRA: {aliases: [{name: the Chair, from: 2020-01-01, to: 2020-06-30}]}
  DEU: {aliases: [{name: the Chair, from: 2020-07-01, to: 2020-12-31}]}
"""
    path = tmp_path / "chairs.yaml"
    path.write_text(text, encoding="utf-8")
    linker = load_linker([path])
    link = linker.link("the Chair", date=dt.date(2020, 9, 1))
    assert actors_of(link) == ("DEU",)
    assert linker.link("the Chair")[0].how is How.AMBIGUOUS
    path.write_text(text.replace("2020-07-01", "2020-06-30"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"chairs.yaml:4: 'the Chair' names 'DEU', but 'FRA'"):
        load_registry([path])


def test_a_user_s_name_that_is_short_for_several_overrules_the_standard_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "source: the codebook of a study\nnames:\n  JOR: {short: [Jordan]}\n", encoding="utf-8"
    )
    assert actors_of(load_linker().link("Jordan")) == ("JOR",)
    linker = load_linker([path])
    assert linker.link("Jordan")[0].how is How.AMBIGUOUS
    assert actors_of(linker.link("Jordan", earlier=["Amman"])) == ("JOR",)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_registry([tmp_path / "none.yaml"])


def test_the_shipped_folder_is_the_one_of_the_source_tree() -> None:
    assert shipped_folder() == Path(__file__).resolve().parents[3] / "configs" / "actors"


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        ("AMISOM", "amisom"),
        ("UNISFA and UNMIK", "unisfa unmik"),
        ("UNDOF, UNITAD, UNITAMS, UNMAS and UNOWAS", "undof unitad unitams unmas unowas"),
        ("EULEX Kosovo", "eulex"),
        ("the Group of Five for the Sahel", "g5-sahel"),
        ("the G-5 Sahel Joint Force", "g5-sahel-joint-force"),
        ("the Frente POLISARIO", "frente-polisario"),
        ("Hizbollah", "hizbullah"),
        ("the Group of African States", "african-group"),
        ("the Arab Group", "arab-group"),
        ("the Libyan Government of National Accord", "LBY"),
    ],
)
def test_names_of_council_records_are_known(
    linker: ActorLinker, mention: str, expected: str
) -> None:
    assert " ".join(actors_of(linker.link(mention, date=dt.date(2020, 6, 1)))) == expected


def test_the_government_of_national_accord_is_libya_while_it_held_office(
    linker: ActorLinker,
) -> None:
    for day, expected in ((15, ("LBY",)), (16, ())):
        date = dt.date(2021, 3, day)
        assert actors_of(linker.link("the GNA", date=date, earlier=["Libya"])) == expected
        assert actors_of(linker.link("the Government of National Accord", date=date)) == expected
        assert actors_of(linker.link("the GNA", date=date)) == ()  # or Ghana's news agency
