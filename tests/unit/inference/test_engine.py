"""Streaming through a bundle keeps order, row by row, across chunks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.bundle import Bundle, BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.protocol import Classifier, Logits
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


def test_no_more_is_read_than_a_few_chunks_ahead(
    codebook: Codebook, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory stays flat, however long the input."""
    monkeypatch.setattr(engine, "CHUNK", 5)
    read = 0

    def endless() -> Iterator[Sentence]:
        nonlocal read
        for read in itertools.count(1):
            yield Sentence(f"s{read}", "d", f"The soup of table {read} was excellent.")

    labelled = label_sentences(endless(), bundle)
    assert read == 0
    for _ in range(6):
        next(labelled)
    assert read == 5 * (2 + engine.AHEAD)


class Recording:
    """A classifier that keeps what it is asked to score; a text's logit is its length."""

    def __init__(self, inner: Classifier, *, reads_context: bool = False) -> None:
        self.codebook, self.reads_context = inner.codebook, reads_context
        self.asked: list[list[Sentence]] = []

    def predict_logits(self, asked: Sequence[Sentence]) -> Logits:
        self.asked.append(list(asked))
        lengths = [[len(one.text) + len(one.context)] for one in asked]
        return np.repeat(np.float32(lengths), self.codebook.width, axis=1)


def recording(bundle: Bundle, **how: bool) -> tuple[Bundle, Recording]:
    recorder = Recording(bundle.classifier, **how)
    return replace(bundle, classifier=recorder), recorder  # type: ignore[arg-type]


def test_equal_sentences_are_scored_once_within_a_span(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHUNK", 2)
    monkeypatch.setattr(engine, "SPAN", 6)
    texts = ["“a”", "bb", '"a"', "bb", "ccc", "bb", "bb", "a", "a"]
    given = [Sentence(f"s{i}", "d", text, context="x" * i) for i, text in enumerate(texts)]
    recorded, recorder = recording(bundle)
    made = list(label_sentences(given, recorded))
    assert [one.sentence for one in made] == given
    # Chunks run beside each other, so only their contents are certain, not their order.
    asked = sorted([one.text for one in chunk] for chunk in recorder.asked)
    assert asked == [["bb", "a"], ["ccc"], ["“a”", "bb"]]
    assert made[0].probabilities == made[2].probabilities
    assert made[1].probabilities == made[5].probabilities


def test_a_classifier_that_reads_context_sees_every_context(bundle: Bundle) -> None:
    recorded, recorder = recording(bundle, reads_context=True)
    given = [Sentence(f"s{i}", "d", "a", context=context) for i, context in enumerate("xyx")]
    assert len(list(label_sentences(given, recorded))) == 3
    assert [[one.context for one in chunk] for chunk in recorder.asked] == [["x", "y"]]


def test_an_error_of_the_model_comes_through(bundle: Bundle) -> None:
    recorded, recorder = recording(bundle)

    def broken(asked: Sequence[Sentence]) -> Logits:
        raise MemoryError(f"{len(asked)} sentences")

    recorder.predict_logits = broken  # type: ignore[method-assign]
    with pytest.raises(MemoryError, match="1 sentences"):
        list(label_sentences([Sentence("s", "d", "a")], recorded))
