"""Precision and recall on the hand-labelled sample of mentions (seeds/actors)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.actors import ActorLinker, actors_of, date_of
from pipeline.records import SPEAKER

ROOT = Path(__file__).parents[3]
LEAST_PRECISION = 0.95
LEAST_RECALL = 0.9


def _rows() -> list[dict[str, object]]:
    lines = (ROOT / "seeds" / "actors" / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _words(value: object) -> Sequence[str]:
    assert isinstance(value, list)
    return [str(item) for item in value]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def test_linking_is_precise(linker: ActorLinker, capsys: pytest.CaptureFixture[str]) -> None:
    right = wrong = missed = exact = 0
    rows = _rows()
    for row in rows:
        links = linker.link(
            str(row["mention"]),
            speaker=_text(row["speaker"]),
            date=date_of(_text(row["date"])),
            earlier=_words(row["earlier"]),
        )
        got, want = set(actors_of(links)), set(_words(row["actors"]))
        right += len(got & want)
        wrong += len(got - want)
        missed += len(want - got)
        exact += got == want
    precision, recall = right / (right + wrong), right / (right + missed)
    with capsys.disabled():
        sys.stdout.write(
            f"\nactors: {len(rows)} mentions, precision {precision:.3f}, recall {recall:.3f}, "
            f"{exact} exactly right\n"
        )
    assert precision >= LEAST_PRECISION
    assert recall >= LEAST_RECALL


def test_the_sample_is_sound(linker: ActorLinker) -> None:
    rows = _rows()
    assert len(rows) >= 200
    for row in rows:
        assert set(_words(row["actors"])) <= set(linker.registry.actors), row
    keys = [(r["mention"], r["speaker"], tuple(_words(r["earlier"])), r["date"]) for r in rows]
    assert len(set(keys)) == len(keys)


def test_the_sample_holds_every_holder_and_target_of_the_gold_labels() -> None:
    gold = (ROOT / "seeds" / "gold" / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    sampled = {(row["speaker"], row["mention"]) for row in _rows() if row["from"] == "gold"}
    for line in gold:
        document = json.loads(line)
        for sentence in document["sentences"]:
            for stance in sentence["stance"]:
                for mention in (stance["holder"], stance["target"]):
                    if mention is not None:
                        assert (document["speaker"], mention) in sampled
    assert any(mention == SPEAKER for _, mention in sampled)
