"""The files of a dossier: what they embed, how they are split, and that no input runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import TypedDict

from pipeline.codebook import Codebook
from pipeline.records import Prediction, Statement
from pipeline.reporting import Finding, ModelFacts, Party, render_dossier
from pipeline.reporting.dossier import LIBRARY, SCRIPTS
from pipeline.reporting.page import part

Predict = Callable[..., Prediction]
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'\u2028&amp;"
TEMPLATES = Path(__file__).parents[3] / "pipeline" / "reporting" / "templates"
VOID = {"meta", "link", "input", "br", "rect"}


class Page(HTMLParser):
    """Elements with attributes, what scripts and styles hold, and text outside them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]][-1] += data
        else:
            self.text += data

    def hrefs(self) -> list[str]:
        return [attributes["href"] or "" for _, attributes in self.elements if "href" in attributes]


class Facts(TypedDict):
    """The part of the embedded data that the tests look at."""

    actors: list[str]
    findings: list[tuple[int, int, float, list[object], list[object] | None]]
    statements: list[list[object]]


def facts(page: Page) -> Facts:
    found: Facts = json.loads(page.raw["script"][0])
    return found


def render(
    predict: Predict, codebook: Codebook, documents: int = 1, most: int = 100, word: str = "Ann"
) -> dict[str, str]:
    rows, statements, findings = [], {}, []
    for n in range(documents):
        doc = f"d{n}"
        rows += [predict(doc, f"{word} came."), predict(doc, f"{word} ate.", 40, topic=("food",))]
        statements[doc] = Statement(
            doc,
            rows[-2].sentence.text + "\n" * 40,
            word,
            speaker=word,
            date=f"202{9 - n}-01-02",
            genre=word,
            title=word,
        )
        holder = Party(word, (0, len(word)), (word,) if n else (), 0.8)
        target = Party("ate", (45, 48), (), 0.7) if n % 2 == 0 else None
        findings.append(Finding(doc, f"{doc}-40", "topic", "food", 0.912345, holder, target))
    return render_dossier(
        rows,
        statements,
        codebook,
        findings,
        name="my dossier.html",
        title=word,
        model=ModelFacts("test-model", word, word),
        attribution_model=word,
        made_on=date(2026, 3, 4),
        most=most,
    )


def test_one_file_holds_all(predict: Predict, tiny: Codebook) -> None:
    pages = render(predict, tiny, documents=3)
    assert list(pages) == ["my dossier.html"]
    page = Page(pages["my dossier.html"])
    found = facts(page)
    assert [one[3] for one in found["statements"]] == ["2027-01-02", "2028-01-02", "2029-01-02"]
    assert [(one[0], one[1], one[2]) for one in found["findings"]] == [
        (1, 0, 0.9123),
        (3, 0, 0.9123),
        (5, 0, 0.9123),
    ]
    assert [one[4] is None for one in found["findings"]] == [False, True, False]
    texts = json.loads(page.raw["script"][1])
    assert [[s[0] for block in one for s in block[3]] for one in texts] == 3 * [
        ["Ann came.", "Ann ate."]
    ]
    assert "2 January 2027 to 2 January 2029" in page.text


def test_input_is_escaped_everywhere(predict: Predict, tiny: Codebook) -> None:
    page = Page(render(predict, tiny, word=EVIL)["my dossier.html"])
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert len(page.raw["script"]) == 4
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert facts(page)["actors"][0] == EVIL.replace("\u2028", " ")
    assert not any("\u2028" in script for script in page.raw["script"])


def test_nothing_is_requested_and_only_these_scripts_run(predict: Predict, tiny: Codebook) -> None:
    page = Page(render(predict, tiny)["my dossier.html"])
    assert all(target.startswith("#") or target == "data:," for target in page.hrefs())
    assert not [a for _, a in page.elements if {"src", "srcset", "action"} & set(a)]
    (policy,) = [a["content"] or "" for t, a in page.elements if t == "meta" and "http-equiv" in a]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for text in (page.raw["style"][0], *page.raw["script"][2:]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
        assert not re.search(  # the name of the vocabulary of SVG is no address that is asked for
            r"https?://(?!www\.w3\.org/2000/svg)|@import|fetch\(|XMLHttpRequest|import\(|innerHTML|outerHTML|"
            r"insertAdjacentHTML|document\.write|\beval\(|new Function",
            text,
        )


def test_many_statements_are_split_in_the_order_of_their_dates(
    predict: Predict, tiny: Codebook
) -> None:
    pages = render(predict, tiny, documents=5, most=2)
    names = ["my dossier.html", "my dossier-1.html", "my dossier-2.html", "my dossier-3.html"]
    assert list(pages) == names
    parts = [facts(Page(pages[name])) for name in names[1:]]
    assert [len(one["statements"]) for one in parts] == [2, 2, 1]
    assert [[f[0] for f in one["findings"]] for one in parts] == [[1, 3], [1, 3], [1]]
    dates = [str(one[3]) for found in parts for one in found["statements"]]
    assert dates == sorted(dates)
    index = Page(pages[names[0]])
    assert index.raw["script"] == []
    targets = {href.split("#")[0] for href in index.hrefs()} - {"data:,"}
    assert targets == {f"my%20dossier-{n}.html" for n in (1, 2, 3)}
    assert "my%20dossier-1.html#holder=Ann" in index.hrefs()
    assert "my%20dossier-1.html#label=topic.food" in index.hrefs()
    assert "my%20dossier.html" in Page(pages[names[1]]).hrefs()


def test_the_index_escapes(predict: Predict, tiny: Codebook) -> None:
    index = Page(render(predict, tiny, documents=2, most=1, word=EVIL)["my dossier.html"])
    assert not [tag for tag, _ in index.elements if tag in ("img", "script")]
    assert all(href.startswith(("my%20dossier-", "data:,")) for href in index.hrefs())


def test_every_script_of_the_folder_is_used_and_the_library_keeps_its_licence() -> None:
    written = {path.name for path in TEMPLATES.glob("dossier*.js")}
    assert written <= set(SCRIPTS)
    library = part(LIBRARY)
    for told in ("Mike Bostock", "ISC License", "BSD 3-Clause License", "d3-sankey 0.12.3"):
        assert told in library
