"""Precision and recall on the labelled samples of mentions (seeds/actors)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.actors import ActorLinker, actors_of, date_of
from pipeline.evaluation.behaviour import wilson
from pipeline.records import SPEAKER

ROOT = Path(__file__).parents[3]
LEAST_PRECISION = 0.95
LEAST_RECALL = 0.9
WRITTEN, DRAWN = "sample.jsonl", "corpus-sample.jsonl"


def _rows(name: str) -> list[dict[str, object]]:
    lines = (ROOT / "seeds" / "actors" / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _words(value: object) -> Sequence[str]:
    assert isinstance(value, list)
    return [str(item) for item in value]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _interval(right: int, of: int) -> str:
    low, high = wilson(right, of)
    return f"{right / of:.3f} [{low:.3f}, {high:.3f}]"


@pytest.mark.parametrize("name", [WRITTEN, DRAWN])
def test_linking_is_precise(
    name: str, linker: ActorLinker, capsys: pytest.CaptureFixture[str]
) -> None:
    right = wrong = missed = exact = 0
    rows = _rows(name)
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
            f"\n{name}: {len(rows)} mentions, precision {_interval(right, right + wrong)}, "
            f"recall {_interval(right, right + missed)}, {exact} exactly right\n"
        )
    assert precision >= LEAST_PRECISION
    assert recall >= LEAST_RECALL


@pytest.mark.parametrize("name", [WRITTEN, DRAWN])
def test_the_sample_is_sound(name: str, linker: ActorLinker) -> None:
    rows = _rows(name)
    assert len(rows) >= 200
    for row in rows:
        assert set(_words(row["actors"])) <= set(linker.registry.actors), row
    keys = [(r["mention"], r["speaker"], tuple(_words(r["earlier"])), r["date"]) for r in rows]
    assert len(set(keys)) == len(keys)


def test_the_sample_holds_every_holder_and_target_of_the_gold_labels() -> None:
    gold = (ROOT / "seeds" / "gold" / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    sampled = {(row["speaker"], row["mention"]) for row in _rows(WRITTEN) if row["from"] == "gold"}
    for line in gold:
        document = json.loads(line)
        for sentence in document["sentences"]:
            for stance in sentence["stance"]:
                for mention in (stance["holder"], stance["target"]):
                    if mention is not None:
                        assert (document["speaker"], mention) in sampled
    assert any(mention == SPEAKER for _, mention in sampled)


def test_the_drawn_sample_stands_in_the_corpus() -> None:
    documents: dict[str, tuple[object, object, list[str]]] = {}
    for file in ("register", "error-led", "literary", "further"):
        text = (ROOT / "seeds" / "corpus" / f"{file}.jsonl").read_text(encoding="utf-8")
        for line in text.splitlines():
            row = json.loads(line)
            sentences = [sentence["text"] for sentence in row["sentences"]]
            documents[row["doc_id"]] = (row["speaker"], row["date"], sentences)
    rows = _rows(DRAWN)
    for row in rows:
        speaker, date, sentences = documents[str(row["doc_id"])]
        assert (row["speaker"], row["date"]) == (speaker, date)
        assert row["context"] in sentences
        assert str(row["mention"]) in str(row["context"])
        assert row["mention"] != SPEAKER
    assert len({str(row["mention"]).casefold() for row in rows}) == len(rows)
