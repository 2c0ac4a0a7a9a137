"""Weights of words: exact ones sum to the logit, those by leaving out are what leaving out does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.classifiers.features import fit_block
from pipeline.classifiers.linear import LinearClassifier
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import TaskType, load_codebook
from pipeline.errors import ShapeError
from pipeline.evaluation.word_weights import weigh_words, word_spans
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import LinearSettings, RulesSettings

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
TEXTS = (
    ("The soup was excellent.", ("food",), "praise"),
    ("The bread was stale and the soup cold.", ("food",), "blame"),
    ("A rude waiter came.", ("service",), "blame"),
    ("The friendly staff brought lovely wine.", ("food", "service"), "praise"),
    ("We sat by the window.", (), "neither"),
    ("We ordered at eight o'clock.", (), "neither"),
)
TRAIN = [
    LabelledSentence(Sentence(f"{n}#{i}", f"{n}", text), {"topic": topic, "tone": (tone,)})
    for n in range(4)
    for i, (text, topic, tone) in enumerate(TEXTS)
]


def sentence(text: str) -> Sentence:
    return Sentence("0#0", "0", text, end=len(text))


@pytest.fixture(scope="module")
def linear() -> LinearClassifier:
    made = LinearClassifier(TINY, LinearSettings(kind="linear", min_df=1))
    made.fit(TRAIN)
    return made


@pytest.mark.parametrize("text", [*(t for t, _, _ in TEXTS), "İstanbul’s “soup” – soup!", "Zz"])
def test_exact_weights_sum_to_the_logit(linear: LinearClassifier, text: str) -> None:
    shares = linear.word_shares(sentence(text))
    assert len(shares) == len(word_spans(text))
    logits = linear.predict_logits([sentence(text)])[0]
    empty = linear.predict_logits([sentence("")])[0]
    sums = shares.sum(axis=0)
    for name, task in TINY.tasks.items():
        part = TINY.slice_of(name)
        gap = (logits - empty - sums)[part]
        if task.type is TaskType.MULTICLASS:
            gap = gap - gap[0]
        assert gap == pytest.approx(0, abs=1e-4)


def test_exact_weights_cost_no_prediction(linear: LinearClassifier) -> None:
    toward = np.zeros((1, TINY.width))
    toward[0, 0] = 2.0
    asked: list[tuple[int, int]] = []
    found = weigh_words(
        linear, [sentence(TEXTS[0][0])], toward, on_scored=lambda a, b: asked.append((a, b))
    )
    assert (found.exact, found.scored, asked) == (True, 0, [])
    shares = linear.word_shares(sentence(TEXTS[0][0]))
    assert found.weights[0] == pytest.approx(2.0 * shares[:, 0])
    assert found.weights[0][1] > 0  # soup


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_shares_of_a_block_sum_to_its_product(text: str) -> None:
    texts = [t for t, _, _ in TEXTS] + [text]
    for analyzer, ngrams in (("word", (1, 2)), ("char_wb", (2, 4))):
        block = fit_block(texts, analyzer=analyzer, ngrams=ngrams, min_df=1, max_features=5000)  # type: ignore[arg-type]
        weights = np.random.default_rng(1).normal(size=(len(block.terms), 3)).astype(np.float32)
        shares = block.word_shares(text, weights)
        assert shares.shape == (len(text.split()), 3)
        assert shares.sum(axis=0) == pytest.approx(block.dot([text], weights)[0], abs=1e-4)


def test_left_out_words_by_hand() -> None:
    rules = RulesClassifier(TINY, RulesSettings())
    text = "The soup was  excellent."
    toward = np.zeros((3, TINY.width))
    toward[:, 0] = 1.0
    told: list[tuple[int, int]] = []
    found = weigh_words(
        rules,
        [sentence(text), sentence("Soup"), sentence("A soup, a bread")],
        toward,
        on_scored=lambda a, b: told.append((a, b)),
    )
    whole = rules.predict_logits([sentence(text)])[0, 0]
    without = rules.predict_logits([sentence("The was  excellent.")])[0, 0]
    assert found.weights[0].tolist() == pytest.approx([0, whole - without, 0, 0])
    assert whole > without
    assert found.weights[1].size == 0  # a single word cannot be left out
    assert found.weights[2].tolist() == [0, 0, 0, 0]  # each dish stands for the other
    assert not found.exact
    assert found.scored == 3 + 4 + 0 + 4
    assert told == [(11, 11)]


def test_the_context_stays(linear: LinearClassifier) -> None:
    class Listening(RulesClassifier):
        heard: list[Sentence]

        def predict_logits(self, sentences):  # type: ignore[no-untyped-def]
            self.heard = list(sentences)
            return super().predict_logits(sentences)

    listening = Listening(TINY, RulesSettings())
    one = replace(sentence("cold soup"), context="Before.")
    weigh_words(listening, [one], np.zeros((1, TINY.width)), on_scored=lambda *_: None)
    assert [s.text for s in listening.heard] == ["cold soup", "soup", "cold"]
    assert {s.context for s in listening.heard} == {"Before."}


def test_nothing_to_weigh() -> None:
    rules = RulesClassifier(TINY, RulesSettings())
    found = weigh_words(rules, [], np.zeros((0, TINY.width)), on_scored=lambda *_: None)
    assert found.weights == ()
    with pytest.raises(ShapeError, match=r"expected \(1, 5\)"):
        weigh_words(rules, [sentence("a")], np.zeros((2, 5)), on_scored=lambda *_: None)


def test_spans() -> None:
    text = "Ça va\u00a0bien ?"
    assert [text[a:b] for a, b in word_spans(text)] == ["Ça", "va", "bien", "?"]
    assert word_spans("") == []
