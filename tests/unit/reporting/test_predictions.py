"""The rendered page: nothing of the input runs, nothing is requested, everything is shown."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.records import Prediction, Rejection, RejectReason, Sentence, Statement
from pipeline.reporting import ModelFacts, render_report

Predict = Callable[..., Prediction]
DAY = date(2026, 3, 4)
MODEL = ModelFacts(
    "test-model",
    "A model for tests.",
    "Trained on made-up reviews.\n\nDo not quote.",
    {"Macro-F1": (0.712, 0.65, 0.774), "Recall": (float("nan"), None, None)},
)
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'\u2028&amp;"
VOID = {"meta", "link", "input", "br", "rect"}


class Page(HTMLParser):
    """Elements with their attributes, text outside scripts, and whether tags are balanced."""

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

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        asked = {key.strip("_").replace("_", "-"): value for key, value in wanted.items()}
        return [a for t, a in self.elements if t == tag and asked.items() <= a.items()]


def render(
    rows: list[Prediction],
    statements: dict[str, Statement],
    codebook: Codebook,
    title: str = "Reviews",
    rejected: tuple[Rejection, ...] = (),
) -> str:
    return render_report(
        rows, statements, codebook, title=title, model=MODEL, made_on=DAY, rejected=rejected
    )


def test_input_is_escaped_everywhere(predict: Predict, tiny: Codebook) -> None:
    statement = Statement(
        "a", EVIL, EVIL, location=EVIL, speaker=EVIL, genre=EVIL, title=EVIL, date="2020-01-01"
    )
    rejection = Rejection(EVIL, EVIL, RejectReason.EMPTY, EVIL)
    html = render([predict("a", EVIL, topic=("food",))], {"a": statement}, tiny, EVIL, (rejection,))
    page = Page(html)
    assert page.all("img") == []
    assert len(page.all("script")) == 2
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert page.text.count("document.title='owned'") >= 8
    assert "\u2028" not in page.raw["script"][0]
    data = json.loads(page.raw["script"][0])
    assert data["title"] == EVIL
    assert data["statements"][0]["speaker"] == EVIL.strip()


def test_nothing_is_requested(predict: Predict, tiny: Codebook) -> None:
    page = Page(render([predict("a", "See https://example.org")], {}, tiny))
    loading = {"src", "srcset", "href", "action", "data", "poster", "formaction", "background"}
    targets = [
        value or ""
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in loading
    ]
    assert targets
    assert all(target.startswith("#") or target == "data:," for target in targets)
    style, script = page.raw["style"][0], page.raw["script"][1]
    assert not re.search(r"url\(|@import|@font-face|https?:", style)
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\(|innerHTML|eval\(", script)


def test_policy_allows_only_this_style_and_script(predict: Predict, tiny: Codebook) -> None:
    page = Page(render([predict("a", "x")], {}, tiny))
    (policy,) = page.all("meta", http_equiv="Content-Security-Policy")
    content = policy["content"] or ""
    assert content.startswith("default-src 'none'; ")
    for text in (page.raw["style"][0], page.raw["script"][1]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in content
    assert "unsafe" not in content
    assert not any("style" in attributes for _, attributes in page.elements)


def test_codebook_drives_the_page(predict: Predict, tiny: Codebook) -> None:
    rows = [predict("a", "x", topic=("food", "service"), tone=("blame",))]
    page = Page(render(rows, {}, tiny))
    for task, label in tiny.columns:
        facts = tiny.tasks[task].labels[label]
        assert facts.title in page.text
        assert facts.definition in page.text
        assert f"--c:{facts.colour}" in page.raw["style"][0]
        assert page.all("input", name="label", value=f"{task}.{label}")
    assert [a["class"] for a in page.all("mark")] == ["l0 d1", "l1 d0"]
    assert "kitchen_reviews 0.3" in page.text


def test_counts_open_their_evidence(predict: Predict, tiny: Codebook) -> None:
    statements = {"a": Statement("a", "", "a.txt", speaker='Ann "A" <b>', date="2018-02")}
    rows = [predict("a", str(n), n, topic=("food",)) for n in range(3)]
    page = Page(render(rows, statements, tiny))
    (by_speaker,) = page.all("button", data_label="topic.food", data_speaker='Ann "A" <b>')
    assert (by_speaker["aria-label"] or "").startswith("3 sentences: Food, Ann")
    assert page.all("button", data_label="topic.food", data_from="2018-02-01", data_to="2018-02-28")


def test_abstention_is_shown_as_such(predict: Predict, tiny: Codebook) -> None:
    page = Page(render([predict("a", "x", topic=None)], {}, tiny))
    assert "Topic undecided" in page.text
    data = json.loads(page.raw["script"][0])
    assert data["sentences"][0][8] == [0]
    assert page.all("input", value="topic.-undecided")


def test_a_row_that_was_not_read_is_shown_as_such(tiny: Codebook) -> None:
    unread = Prediction(Sentence("u", "a", ""), {"topic": None, "tone": None}, {}, "m")
    page = Page(render([unread], {}, tiny))
    assert page.text.count("not readable") == 1
    assert "undecided" not in page.text
    data = json.loads(page.raw["script"][0])
    assert data["sentences"][0][8:] == [[], [None] * 5, True]


def test_model_limits_and_rejects_are_told(predict: Predict, tiny: Codebook) -> None:
    rejection = Rejection("in/x.pdf", "page 2", RejectReason.ENCRYPTED, "It asks for a password.")
    page = Page(render([predict("a", "x")], {}, tiny, rejected=(rejection,)))
    for told in (
        "test-model", "A model for tests.", "Trained on made-up reviews.", "Do not quote.",
        "0.71", "0.65 to 0.77", "not defined", "4 March 2026", "Encrypted", "in/x.pdf", "page 2",
        "It asks for a password.", "1 record was set aside", "not yet identified",
        "Counted by the speaker of the statement.",
    ):  # fmt: skip
        assert told in page.text, told


def test_holders_are_not_spoken_of_where_the_codebook_has_none(
    predict: Predict, tiny: Codebook
) -> None:
    tasks = {n: t.model_copy(update={"attribution": False}) for n, t in tiny.tasks.items()}
    page = Page(render([predict("a", "x")], {}, tiny.model_copy(update={"tasks": tasks})))
    assert "not yet identified" not in page.text
    assert "Counted by the speaker of the statement." in page.text


def test_multiclass_only_codebook_is_highlighted_too(tiny: Codebook) -> None:
    alone = tiny.model_validate(
        {**tiny.model_dump(), "tasks": {"tone": tiny.tasks["tone"].model_dump()}}
    )
    row = Prediction(Sentence("1", "a", "x"), {"tone": ("blame",)}, {}, "m")
    page = Page(render([row], {}, alone))
    assert [a["class"] for a in page.all("mark")] == ["l1 d0"]
    assert page.all("button", data_label="tone.blame", data_speaker="Unknown speaker (a)")


def test_empty_input_makes_a_page(tiny: Codebook) -> None:
    page = Page(render([], {}, tiny))
    assert "No statement was given" in page.text
    assert page.all("form") == []


def test_dateless_input_says_so(predict: Predict, tiny: Codebook) -> None:
    page = Page(render([predict("a", "x")], {}, tiny))
    assert "None of the statements carries a date" in page.text
    assert page.all("input", type="date") == []


def test_lone_surrogates_do_not_break_the_file(predict: Predict, tiny: Codebook) -> None:
    html = render([predict("a", "bad \ud800 text")], {}, tiny, title="\udfff")
    assert "bad \ufffd text" in html
    html.encode("utf-8")


def test_same_input_makes_the_same_page(predict: Predict, tiny: Codebook) -> None:
    rows = [predict("a", "x", topic=("food",)), predict("b", "y")]
    assert render(rows, {}, tiny) == render(rows, {}, tiny)


@given(st.text(max_size=40))
def test_any_text_comes_through_unchanged(tiny: Codebook, text: str) -> None:
    row = Prediction(Sentence("1", "a", text), {"topic": (), "tone": ("praise",)}, {}, "m")
    page = Page(render([row], {}, tiny))
    assert text in page.text
