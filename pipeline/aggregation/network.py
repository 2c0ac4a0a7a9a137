"""Who holds which label toward whom: edges between parties, and GraphML of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from pipeline.aggregation.expressed import Expressed, Party

GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NODE_FIELDS = (("name", "string"), ("kind", "string"), ("linked", "boolean"))
_EDGE_FIELDS = (
    *(("task", "string"), ("label", "string"), ("sentences", "int"), ("statements", "int")),
    *(("weight", "double"), ("first", "string"), ("last", "string"), ("sentence_ids", "string")),
)


@dataclass(frozen=True, slots=True)
class Edge:
    """One holder's label toward one target, in all statements together."""

    holder: Party
    target: Party
    task: str
    label: str
    evidence: list[Expressed] = field(default_factory=list)

    @property
    def statements(self) -> int:
        """In how many statements it stands."""
        return len({one.doc_id for one in self.evidence})

    @property
    def sentence_ids(self) -> list[str]:
        """The sentences that show it."""
        return [one.sentence_id for one in self.evidence]

    @property
    def dates(self) -> tuple[str, str] | None:
        """The first and the last date; `None` where no sentence has one of ISO 8601."""
        known = sorted(one.date[:10] for one in self.evidence if one.date and one.year)
        return (known[0], known[-1]) if known else None


def edges(rows: Iterable[Expressed]) -> list[Edge]:
    """Return one edge a holder, target, task and label; rows without a target give none.

    Joint holders and joint targets give an edge for each pair. The most frequent come first.
    """
    found: dict[tuple[Party, Party, str, str], Edge] = {}
    for row in rows:
        for holder in row.holders:
            for target in row.targets:
                key = (holder, target, row.task, row.label)
                found.setdefault(key, Edge(*key)).evidence.append(row)
    return sorted(found.values(), key=lambda edge: -len(edge.evidence))


def to_graphml(drawn: Sequence[Edge]) -> bytes:
    """Return the network as GraphML: a directed graph with an edge a label, so several a pair.

    Written with the standard library: the classifier's few packages hold no graph library, and
    the bytes do not hang on which XML library is installed. Characters that XML cannot hold become
    U+FFFD. `weight` is the number of sentences, by which programs scale edges.
    """
    ElementTree.register_namespace("", GRAPHML)
    root = ElementTree.Element(_tag("graphml"))
    for kind, fields in (("node", _NODE_FIELDS), ("edge", _EDGE_FIELDS)):
        for name, type_ in fields:
            of = {"id": f"{kind}-{name}", "for": kind, "attr.name": name, "attr.type": type_}
            ElementTree.SubElement(root, _tag("key"), of)
    graph = ElementTree.SubElement(root, _tag("graph"), {"edgedefault": "directed"})
    for party in dict.fromkeys(p for edge in drawn for p in (edge.holder, edge.target)):
        node = ElementTree.SubElement(graph, _tag("node"), {"id": _clean(party.node)})
        facts = (party.name, party.kind, str(party.linked).lower())
        _describe(node, "node", [name for name, _ in _NODE_FIELDS], facts)
    for number, edge in enumerate(drawn):
        ends = {"source": _clean(edge.holder.node), "target": _clean(edge.target.node)}
        line = ElementTree.SubElement(graph, _tag("edge"), {"id": f"e{number}", **ends})
        first, last = edge.dates or ("", "")
        count = str(len(edge.evidence))
        values = (edge.task, edge.label, count, str(edge.statements), count, first, last)
        named = [name for name, _ in _EDGE_FIELDS]
        _describe(line, "edge", named, (*values, " ".join(edge.sentence_ids)))
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _describe(
    element: ElementTree.Element, kind: str, names: Sequence[str], values: Sequence[str]
) -> None:
    for name, value in zip(names, values, strict=True):
        if value:
            data = ElementTree.SubElement(element, _tag("data"), {"key": f"{kind}-{name}"})
            data.text = _clean(value)


def _tag(name: str) -> str:
    return f"{{{GRAPHML}}}{name}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
