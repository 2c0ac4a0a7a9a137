"""The page of an evaluation: nothing of the input runs, everything that was measured is shown."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import load_codebook
from pipeline.evaluation.curves import Reliability
from pipeline.evaluation.mistakes import Mistake
from pipeline.evaluation.reliability_bands import ReliabilityBands
from pipeline.evaluation.risk_control import RiskCheck
from pipeline.evaluation.selective import RiskCoverage
from pipeline.evaluation.slices import Slice, SliceAnalysis
from pipeline.records import EvaluationReport, LabelledSentence, Score, Sentence
from pipeline.reporting.evaluation_page import (
    ErrorBrowser,
    EvaluationFacts,
    ShownMistake,
    render_evaluation,
)

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&amp;"
VOID = {"meta", "link", "input", "br"}
NAN = math.nan


class Page(HTMLParser):
    """Elements with their attributes and text; fails where tags are not balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.text += data

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.elements if name in (a.get("class") or "").split()]


def score(name: str, value: float, low: float | None = None) -> Score:
    return Score(name, value, low, None if low is None else value + 0.1, 20)


def facts(text: str = "The soup was cold.", **changes: object) -> EvaluationFacts:
    scores = {}
    for task, label in TINY.columns:
        for metric in ("f1", "precision", "recall", "average_precision", "brier", "ece"):
            name = f"{task}.{label}.{metric}"
            scores[name] = score(name, NAN) if label == "blame" else score(name, 0.5, 0.4)
    scores |= {f"{task}.macro_f1": score(f"{task}.macro_f1", 0.625) for task in TINY.tasks}
    one = Slice(
        "topic", "genre", "menu", "F1", 12, 40, 20, True, 0.31, 0.2, 0.4, -0.3, 0.0002, 0.01
    )
    small = Slice("topic", "genre", text, "F1", 3, 4, 2, False)
    mistake = Mistake(0, "topic", ("service",), ("food",), 0.93, 0)
    labelled = LabelledSentence(
        Sentence("a#0", "a", text, context=f"Before {text}"), {"topic": ("service",)}
    )
    weights = np.linspace(1.0, -1.0, len(text.split()))
    values: dict[str, object] = {
        "model_id": "kitchen-1",
        "report": EvaluationReport("gold", 12, 40, scores),
        "slices": SliceAnalysis((one, small), 1),
        "reliability": {
            j: ReliabilityBands(
                Reliability(np.array([0.1, 0.9]), np.array([0.2, 0.7]), np.array([5, 5])),
                np.array([0.1, NAN]),
                np.array([0.3, NAN]),
            )
            for j in range(TINY.width)
        },
        "curves": [
            RiskCoverage(
                "tone",
                np.array([0.5, 1.0]),
                np.array([0.0, 0.2]),
                np.array([0.8, 0.1]),
                score("tone.aurc", 0.1, 0.05),
                0.02,
                0.2,
            )
        ],
        "checks": [
            RiskCheck(
                "tone",
                0.1,
                0.123,
                score("r", 0.09, 0.04),
                score("c", 0.8),
                score("e", NAN),
                score("b", 0.2),
            )
        ],
        "chosen_on": text,
        "errors": ErrorBrowser(
            (ShownMistake(mistake, labelled, weights, f"{text}, sentence 1"),),
            {"topic": 7, "tone": 0},
            False,
            123,
            4.2,
        ),
    }
    return EvaluationFacts(**(values | changes))  # type: ignore[arg-type]


def page(given: EvaluationFacts, title: str = "Evaluation on gold") -> Page:
    return Page(render_evaluation(given, TINY, title=title, made_on=date(2026, 3, 4)))


def test_what_was_measured_is_shown() -> None:
    shown = page(facts())
    text = " ".join(shown.text.split())
    assert "kitchen-1 on 40 labelled sentences of 12 documents. Made on 4 March 2026." in text
    assert "1 slice differs from the rest beyond chance" in text
    assert "menu: F1 0.310, −0.30 against the rest (p = 0.01)" in text
    assert "1 slice too small to judge" in text
    assert "margins chosen on The soup was cold." in text
    assert "0.123" in text
    assert "What is guaranteed." in text
    assert "exchangeable" in text
    assert "7 wrong decisions: Topic 7, Tone 0. The 1 most confident are shown." in text
    assert "This took 123 predictions, 4 s." in text
    assert len([tag for tag, _ in shown.elements if tag == "svg"]) == TINY.width + 1
    assert len(shown.of_class("whisker")) == TINY.width  # one bin of two has an interval
    assert "nan" not in shown.text.lower()


def test_an_error_can_be_filtered_and_read() -> None:
    shown = page(facts())
    (error,) = shown.of_class("error")
    assert error["data-names"] == "topic.food topic.service"
    assert error["data-kinds"] == "missed false"
    marks = [
        (a["class"], a["title"]) for tag, a in shown.elements if tag == "mark" and "title" in a
    ]
    assert marks == [
        ("toward3", "+1.00"),
        ("toward1", "+0.33"),
        ("against1", "−0.33"),
        ("against3", "−1.00"),
    ]
    text = " ".join(shown.text.split())
    assert "Before The soup was cold. The soup was cold." in text
    assert "Toward “Food”: The +1.00; cold. −1.00; soup +0.33; was −0.33" in text
    options = {a["value"] for tag, a in shown.elements if tag == "option"}
    assert {"topic.food", "tone", "missed", "false"} <= options


@pytest.mark.parametrize(
    ("mistake", "toward"),
    [
        (Mistake(0, "topic", ("service",), (), 0.9, 1), "no Service"),
        (Mistake(0, "tone", ("blame",), ("praise",), 0.9, 2, 3), "Praise rather than Blame"),
    ],
)
def test_the_direction_of_weights_is_named(mistake: Mistake, toward: str) -> None:
    browser = facts().errors
    (one,) = browser.shown
    changed = ShownMistake(mistake, one.labelled, one.weights, one.place)
    errors = ErrorBrowser((changed,), browser.found, True, 0, 0.0)
    text = page(facts(errors=errors)).text
    assert f"Toward “{toward}”:" in text
    assert "exact shares" in text


def test_nothing_of_the_input_runs() -> None:
    shown = page(facts(EVIL), title=EVIL)
    assert [tag for tag, _ in shown.elements if tag == "img"] == []
    assert len([tag for tag, _ in shown.elements if tag == "script"]) == 1
    assert all(not name.startswith("on") for _, a in shown.elements for name in a)
    assert all("style" not in a for _, a in shown.elements)
    assert EVIL in shown.text
    assert shown.text.count("document.title='owned'") >= 5  # title, slice, margins, error, place
    html = render_evaluation(facts(EVIL), TINY, title=EVIL, made_on=date(2026, 3, 4))
    policy = next(a["content"] for _, a in shown.elements if "http-equiv" in a) or ""
    for kind in ("script", "style"):
        (body,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_half_a_surrogate_pair_can_be_written() -> None:
    html = render_evaluation(facts("a \ud800 b"), TINY, title="t", made_on=date(2026, 3, 4))
    assert "\ufffd" in html
    html.encode("utf-8")


def test_a_page_with_nothing_to_say() -> None:
    nothing = np.zeros(0)
    curve = RiskCoverage("tone", nothing, nothing, nothing, score("tone.aurc", NAN), NAN, NAN)
    empty = Reliability(nothing, nothing, nothing.astype(np.intp))
    shown = page(
        facts(
            slices=SliceAnalysis((), 0),
            curves=[curve],
            checks=[],
            reliability={0: ReliabilityBands(empty, nothing, nothing)},
            errors=ErrorBrowser((), {"topic": 0, "tone": 0}, True, 0, 0.0),
        )
    )
    assert "No decision is wrong." in shown.text
    assert "No slice is large enough" in shown.text
    assert "says nothing that sentences could be sliced by" in shown.text
    assert "What is guaranteed" not in shown.text


def test_one_word_has_no_weight() -> None:
    browser = facts("Awful").errors
    (one,) = browser.shown
    lone = ShownMistake(one.mistake, one.labelled, np.zeros(0), one.place)
    shown = page(facts("Awful", errors=ErrorBrowser((lone,), browser.found, False, 1, 0.1)))
    assert [a for tag, a in shown.elements if tag == "mark" and "title" in a] == []
    assert "Awful" in shown.text
