from __future__ import annotations

import io
from collections.abc import Callable

import networkx as nx

from pipeline.aggregation import Expressed, Party, edges, to_graphml
from pipeline.aggregation.expressed import TEXT

Make = Callable[..., Expressed]


def read_back(rows: list[Expressed]) -> nx.MultiDiGraph:
    return nx.read_graphml(io.BytesIO(to_graphml(edges(rows))), force_multigraph=True)


def test_an_edge_sums_up_a_label_of_one_toward_another(said: Make) -> None:
    rows = [
        said("a#0", targets="RUS", date="2024-05-01"),
        said("a#1", targets="RUS", date="2024-05-01"),
        said("b#0", targets="RUS", date="2023-12-24T08:00"),
        said("c#0", targets="RUS"),
        said("c#1", "praise", targets="RUS"),
        said("c#2"),
    ]
    blame, praise = edges(rows)
    assert (len(blame.evidence), blame.statements) == (4, 3)
    assert blame.dates == ("2023-12-24", "2024-05-01")
    assert blame.sentence_ids == ["a#0", "a#1", "b#0", "c#0"]
    assert praise.label == "praise"
    assert praise.dates is None


def test_joint_holders_give_an_edge_each(said: Make) -> None:
    found = edges([said("a#0", holders="FRA DEU", targets="RUS 'rebels'")])
    assert len(found) == 4


def test_graphml_is_read_by_another_library(said: Make) -> None:
    rows = [
        said("a#0", targets="RUS 'Rebels'", date="2024-05-01"),
        said("a#1", "praise", targets="RUS"),
        said("a#2", targets="FRA"),
    ]
    graph = read_back(rows)
    assert graph.is_directed()
    assert graph.nodes["FRA"] == {"name": "Land FRA", "kind": "country", "linked": True}
    assert graph.nodes["text:rebels"] == {"name": "Rebels", "kind": "text", "linked": False}
    assert {data["label"] for data in graph["FRA"]["RUS"].values()} == {"blame", "praise"}
    ((loop),) = graph["FRA"]["FRA"].values()
    assert loop["sentences"] == 1
    assert loop["weight"] == 1.0
    assert "first" not in loop
    (blame,) = (d for d in graph["FRA"]["RUS"].values() if d["label"] == "blame")
    assert blame["first"] == blame["last"] == "2024-05-01"
    assert blame["sentence_ids"] == "a#0"


def test_names_are_escaped_and_characters_xml_cannot_hold_are_replaced(said: Make) -> None:
    nasty = '<b>&"\x00\x0b\ud800\uffff]]>'
    row = said("a#0", targets="RUS")
    party = Party(nasty, TEXT, nasty)
    row = Expressed(**{name: getattr(row, name) for name in row.__slots__} | {"targets": (party,)})
    graph = read_back([row])
    shown = '<b>&"\ufffd\ufffd\ufffd\ufffd]]>'
    assert graph.nodes[f"text:{shown}"]["name"] == shown


def test_an_empty_network_is_valid() -> None:
    assert len(read_back([])) == 0
