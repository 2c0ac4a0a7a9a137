"""The cuts of the five real statements against those of the annotators, in source offsets."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.ingest.cleaning import clean
from pipeline.records import BlockKind, Statement
from pipeline.segmentation import segment

SEEDS = Path(__file__).parents[3] / "seeds"
Spans = set[tuple[str, int, int]]


def _read() -> tuple[Spans, Spans, dict[str, BlockKind]]:
    gold: Spans = set()
    found: Spans = set()
    kinds: dict[str, BlockKind] = {}
    for line in (SEEDS / "gold" / "gold.jsonl").read_text("utf-8").splitlines():
        document = json.loads(line)
        name = document["file"]
        cleaned = clean((SEEDS / "statements" / name).read_bytes().decode("utf-8"))
        gold |= {(name, s["start"], s["end"]) for s in document["sentences"]}
        for sentence in segment(Statement(name, cleaned.text, name, offsets=cleaned.offsets)):
            found.add((name, *cleaned.offsets.span_to_source(sentence.start, sentence.end)))
            kinds[sentence.text] = sentence.block
    return gold, found, kinds


def _f1(gold: set[object], found: set[object]) -> float:
    return 2 * len(gold & found) / (len(gold) + len(found))


def test_spans_and_ends() -> None:
    gold, found, _ = _read()
    assert len(gold) == 92
    assert _f1(set(gold), set(found)) >= 0.98
    assert _f1({(n, e) for n, _, e in gold}, {(n, e) for n, _, e in found}) >= 0.98


def test_kinds() -> None:
    kinds = _read()[2]
    assert kinds["(Signed) Nasr Al-Hariri"] is BlockKind.SIGNATURE
    assert kinds["Head, Syrian Negotiation Commission"] is BlockKind.SIGNATURE
    assert kinds["Agencies Via Xinhua"] is BlockKind.FOOTER
    assert kinds["cgtn.com"] is BlockKind.FOOTER
    assert kinds["The Path Forward: Challenges to Peace"] is BlockKind.HEADING
    assert sum(kind is BlockKind.LIST_ITEM for kind in kinds.values()) == 3
    assert sum(kind is BlockKind.HEADING for kind in kinds.values()) == 5
