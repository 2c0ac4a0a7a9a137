from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pytest

from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.comparison import compare_all
from pipeline.evaluation.metrics import Outcomes, outcomes
from pipeline.records import Sentence
from pipeline.reporting.comparison import (
    EXAMPLES,
    ComparisonView,
    PairView,
    render_comparison,
    task_examples,
)

VOID = {"meta", "br", "rect", "line", "circle"}
NASTY = '<script>alert("x")</script> & "quoted" \u202e'


class Balance(HTMLParser):
    """Fails where tags do not match, and collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, _: object) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, _: object) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def said(tiny: Codebook, seed: int, gold: np.ndarray, documents: list[str]) -> Outcomes:
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=gold.shape) + np.where(gold == 1.0, 1.0, -1.0)
    rule = DecisionRule.plain(tiny)
    p = rule.probabilities(logits.astype(np.float32), tiny)
    return outcomes(documents, p, rule.decide(p, tiny), gold, tiny)


@pytest.fixture(scope="module")
def view(tiny: Codebook) -> ComparisonView:
    n = 120
    draw = np.random.default_rng(1)
    gold = np.zeros((n, tiny.width), dtype=np.float32)
    gold[:, :2] = draw.random((n, 2)) < 0.4
    gold[np.arange(n), 2 + draw.integers(0, 3, size=n)] = 1.0
    documents = [f"doc-{i // 4}" for i in range(n)]
    sentences = [Sentence(f"s{i}", documents[i], f"{NASTY} {i}") for i in range(n)]
    models = [said(tiny, seed, gold, documents) for seed in (2, 3, 4)]
    compared = compare_all(models[1:], models[0], tiny, replicates=100, seed=1, shuffles=99)
    pairs = tuple(
        PairView(f"<{j}>", "base & co", scores, task_examples(one, models[0], sentences, tiny))
        for j, (scores, one) in enumerate(zip(compared, models[1:], strict=True))
    )
    return ComparisonView(
        title="<0> against base",
        facts=(("Compared on", "file <b>"),),
        cautions=("Few & far between",),
        method=(("p", "a < b"),),
        pairs=pairs,
    )


def test_the_page_is_whole_escaped_and_asks_for_nothing(view: ComparisonView) -> None:
    page = render_comparison(view, made_on=date(2026, 2, 3))
    read = Balance()
    read.feed(page)
    assert read.open == []
    assert "script" not in read.seen
    assert not re.search(r"(src|href)\s*=|@import|url\(", page)
    for text in (NASTY, "base & co", "<0>", "file <b>", "Few & far between", "3 February 2026"):
        assert text in read.text
    assert page.count("<circle") == 2 * 7
    assert page.count('class="range"') == 2 * 7


def test_examples_are_counted_whole_and_shown_in_part(view: ComparisonView) -> None:
    for pair in view.pairs:
        assert [task.task for task in pair.examples] == ["topic", "tone"]
        for task in pair.examples:
            assert len(task.wins) == min(task.won, EXAMPLES)
            assert len(task.losses) == min(task.lost, EXAMPLES)
            assert task.won > 0


def test_the_models_words_are_their_labels_and_probabilities(tiny: Codebook) -> None:
    gold = np.array([[1, 0, 1, 0, 0], [0, 0, 1, 0, 0]], dtype=np.float32)
    rule = DecisionRule((1.0,) * 5, (0.0,) * 5, (0.5,) * 5, abstain_within=0.1)

    def model(rows: list[list[float]]) -> Outcomes:
        p = np.array(rows, dtype=np.float32)
        return outcomes(["a", "b"], p, rule.decide(p, tiny), gold, tiny)

    first = model([[0.9, 0.2, 0.8, 0.1, 0.1], [0.1, 0.2, 0.8, 0.1, 0.1]])
    second = model([[0.3, 0.2, 0.8, 0.1, 0.1], [0.45, 0.2, 0.8, 0.1, 0.1]])
    sentences = [Sentence("1", "a", "Good soup."), Sentence("2", "b", "Rain.")]
    topic, tone = task_examples(first, second, sentences, tiny)
    assert (topic.won, topic.lost, tone.won, tone.lost) == (2, 0, 0, 0)
    soup, rain = topic.wins
    assert (soup.document, soup.text, soup.gold) == ("a", "Good soup.", "Food")
    assert (soup.first, soup.second) == ("Food (0.90)", "no label (likeliest: Food, 0.30)")
    assert (rain.gold, rain.second) == ("no label", "undecided (likeliest: Food, 0.45)")


def test_identical_models_can_be_shown(tiny: Codebook) -> None:
    gold = np.zeros((4, tiny.width), dtype=np.float32)
    gold[:, 2] = 1.0
    one = said(tiny, 1, gold, ["a", "a", "b", "b"])
    (scores,) = compare_all([one], one, tiny, replicates=10, seed=1)
    sentences = [Sentence(str(i), "a", "t") for i in range(4)]
    pair = PairView("one", "two", scores, task_examples(one, one, sentences, tiny))
    page = render_comparison(ComparisonView("t", (), (), (), (pair,)), made_on=date(2026, 1, 1))
    assert "no score can be told apart" in page
