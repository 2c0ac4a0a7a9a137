"""Streaming through a bundle keeps order, row by row, across chunks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.bundle import Bundle, BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.inference import engine, label_sentences
from pipeline.records import Sentence
from pipeline.settings.classifiers import RulesSettings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bundle(codebook: Codebook, tmp_path: Path) -> Bundle:
    facts = BundleFacts(name="rules", description="Rules.")
    rule = DecisionRule.plain(codebook)
    write_bundle(tmp_path / "bundle", RulesClassifier(codebook, RulesSettings()), rule, facts)
    return load_bundle(tmp_path / "bundle")


def sentences(codebook: Codebook, n: int) -> list[Sentence]:
    examples = [
        text
        for task in codebook.tasks.values()
        for x in task.labels.values()
        for text in x.examples
    ]
    return [Sentence(f"s{i}", "d", text) for i, text in zip(range(n), itertools.cycle(examples))]


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 20])
def test_order_is_kept_across_chunks(
    codebook: Codebook, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(engine, "CHUNK", 7)
    given = sentences(codebook, count)
    made = list(label_sentences(iter(given), bundle))
    assert [one.sentence for one in made] == given
    assert {one.model_id for one in made} <= {bundle.model_id}
    if count:
        wanted, decisions = bundle.predict(given)
        for row, one in enumerate(made):
            flat = [one.probabilities[task][label] for task, label in codebook.columns]
            np.testing.assert_array_equal(flat, wanted[row])
            labels = [label in (one.labels[task] or ()) for task, label in codebook.columns]
            assert labels == decisions.given[row].tolist()


def test_no_more_is_read_than_a_chunk_ahead(
    codebook: Codebook, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory stays flat, however long the input."""
    monkeypatch.setattr(engine, "CHUNK", 5)
    read = 0

    def endless() -> Iterator[Sentence]:
        nonlocal read
        for read in itertools.count(1):
            yield Sentence(f"s{read}", "d", "The soup was excellent.")

    labelled = label_sentences(endless(), bundle)
    assert read == 0
    for _ in range(6):
        next(labelled)
    assert read == 10
