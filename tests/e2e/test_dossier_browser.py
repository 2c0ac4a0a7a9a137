"""The dossier in a real browser: hostile input, filters, charts, reading, export, accessibility.

Needs Debian's `chromium` and `chromium-driver`; nothing is downloaded or installed here. axe-core
lies in `axe-core/`, as npm distributes it, with its licence (MPL 2.0); it is not part of the wheel.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.dossier.measure import dossier, measured
from pipeline.codebook import Codebook, load_codebook
from pipeline.records import BlockKind, Prediction, Sentence, Statement
from pipeline.reporting import Finding, ModelFacts, Party, render_dossier

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HERE = Path(__file__).parent
AXE = HERE / "axe-core" / "axe.min.js"
Browser = webdriver.Chrome
EVIL = "</script><script>window.owned=1</script><img src=x onerror='window.owned=1'>"
LINK = "javascript:window.owned=1"
STYLE = "</style><style>*{display:none}</style>"
MODEL = ModelFacts("test-model", f"A model {EVIL}", f"Limits {EVIL}", {"Macro-F1": (0.7, 0.6, 0.8)})

ANN = ["A visit", "Bo came too.", "He called the soup excellent 😀, the staff rude.", "=1+1"]
CY = ["The waiter was rude.", f"The soup was cold {EVIL}{STYLE}", "Ann liked the soup."]

CUT_OFF = """
    return [...document.querySelectorAll('body *')].filter(n => n.getClientRects().length)
        .filter(n => !n.closest('.selection, .sr') && !n.matches('.sr'))
        .filter(n => n.getBoundingClientRect().right > innerWidth + 0.5).map(n => n.outerHTML);
"""
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Codebook:
    """The tiny codebook with a title that would run if it could."""
    text = (HERE.parent / "codebooks" / "tiny.yaml").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("codebook") / "evil.yaml"
    evil = f"Service {EVIL} {LINK} {STYLE}"
    file.write_text(text.replace("title: Service", f'title: "{evil}"'), encoding="utf-8")
    return load_codebook(file)


def place(doc: str, sentences: list[str], words: str) -> tuple[int, int]:
    start = "\n\n".join(sentences).index(words)
    return start, start + len(words)


@pytest.fixture(scope="module")
def render(tiny: Codebook, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], str]:
    """Write the dossier with at most so many statements a file; return its address."""
    speaker = Party("SPEAKER", None, (), 0.9)
    bo = Party("Bo", place("ann", ANN, "Bo"), (f"Bo {EVIL}",), 0.8)
    soup = Party("the soup", place("ann", ANN, "the soup"), ("Soup",), 0.7)
    staff = Party("the staff", place("ann", ANN, "the staff"), (), 0.7)
    cold = Party("The soup", place("cy", CY, "The soup"), ("Soup",), 0.7)
    joint = Party("Ann", place("cy", CY, "Ann"), ("Ann", f"Bo {EVIL}"), 0.8)
    given = {
        ("ann", 2, "food", 0.95): (bo, soup),
        ("ann", 2, "service", 0.7): (bo, staff),
        ("ann", 3, "food", 0.6): (Party(LINK, None, (), 0.5), Party("=cmd()", None, (), 0.5)),
        ("cy", 0, "service", 0.9): (speaker, None),
        ("cy", 1, "food", 0.8): (speaker, cold),
        ("cy", 2, "food", 0.85): (joint, soup),
    }
    rows, statements = [], {}
    for doc, texts, name, day in (("ann", ANN, "Ann", "2020-03-01"), ("cy", CY, LINK, "2021-06")):
        whole = "\n\n".join(texts)
        statements[doc] = Statement(
            doc, whole, f"{LINK}{STYLE}", EVIL, name, day, f"review {EVIL}", f"By {name} {STYLE}"
        )
        for n, text in enumerate(texts):
            at = whole.index(text)
            topics = tuple(label for d, i, label, _ in given if (d, i) == (doc, n))
            kind = BlockKind.HEADING if text == "A visit" else BlockKind.PARAGRAPH
            sentence = Sentence(f"{doc}:{n}", doc, text, at, at + len(text), kind)
            labels = {"topic": topics, "tone": ("blame",)}
            chances = {"topic": dict.fromkeys(topics, 0.9), "tone": {"blame": 0.8}}
            rows.append(Prediction(sentence, labels, chances, "test-model"))
    findings = [
        Finding(doc, f"{doc}:{n}", "topic", label, p, holder, target)
        for (doc, n, label, p), (holder, target) in given.items()
    ]

    def write(most: int) -> str:
        folder = tmp_path_factory.mktemp("dossier")
        pages = render_dossier(
            rows,
            statements,
            tiny,
            findings,
            name="a dossier.html",
            title=f"Reviews {EVIL}",
            model=MODEL,
            attribution_model=f"rules {EVIL}",
            made_on=date(2026, 3, 4),
            most=most,
        )
        for name, html in pages.items():
            (folder / name).write_text(html, encoding="utf-8")
        return (folder / "a dossier.html").as_uri()

    return write


@pytest.fixture(scope="module")
def address(render: Callable[[int], str]) -> str:
    return render(10)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Browser]:
    """The dossier freshly opened; afterwards the console holds no error and nothing ran."""
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(address)
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.owned") is None


def until(page: Browser, holds: Callable[[], bool]) -> None:
    WebDriverWait(page, 10, poll_frequency=0.05).until(lambda _: holds())


def one(page: Browser, css: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, css)


def press(page: Browser, css: str) -> None:
    """Click what may lie behind the bar of the selection."""
    page.execute_script("arguments[0].scrollIntoView({ block: 'center' })", one(page, css))
    one(page, css).click()


def texts(page: Browser, css: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map(n => n.textContent)"
    found: list[str] = page.execute_script(script, css)
    return found


def shown(page: Browser) -> list[str]:
    """Numbers of the findings in the list, in the order of their statements."""
    script = "return [...document.querySelectorAll('.finding')].map(n => n.id.slice(7))"
    found: list[str] = page.execute_script(script)
    return found


def open_at(page: Browser, address: str) -> None:
    page.get("about:blank")
    page.get(address)


def test_hostile_input_stays_text(page: Browser) -> None:
    assert shown(page) == list("012345")
    assert page.title == f"Reviews {EVIL}"
    assert any(EVIL in text and STYLE in text for text in texts(page, "blockquote"))
    assert any(LINK in text for text in texts(page, "#heat tbody th"))
    assert any(EVIL in text for text in texts(page, "#flows text, #flows title"))
    assert any(EVIL in text and STYLE in text for text in texts(page, "#heat thead th"))
    for button in page.find_elements(By.CSS_SELECTOR, ".finding .open"):
        button.click()
        assert one(page, "#reader-facts").is_displayed()
        one(page, "#close").click()
    assert page.find_elements(By.CSS_SELECTOR, "img, body style, iframe, object") == []
    assert len(page.find_elements(By.CSS_SELECTOR, "script")) == 4
    assert page.execute_script("return document.styleSheets.length") == 1
    links = page.find_elements(By.CSS_SELECTOR, "a")
    assert all("#" in (link.get_attribute("href") or "") for link in links)
    loaded = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []


@pytest.mark.parametrize(
    ("fragment", "numbers"),
    [
        ("#label=topic.service", "13"),
        ("#holder=Ann", "5"),
        ("#target=Soup", "045"),
        ("#target=-none", "3"),
        ("#speaker=Ann", "012"),
        ("#genre=nowhere", ""),
        ("#from=2021-01-01", "345"),
        ("#from=2021-06-01&to=2021-06-30", "345"),
        ("#from=2021-06-15&to=2021-06-20", ""),  # dated by month: not all of its days
        ("#to=2020-03-01&p=0.9", "0"),
        ("#q=SOUP+was", "4"),
        ("#q=bo", "015"),  # the holder is named in an earlier sentence
        ("#label=topic.unheard&from=soon&p=9", "012345"),
    ],
)
def test_a_permalink_restores_its_filter(
    page: Browser, address: str, fragment: str, numbers: str
) -> None:
    open_at(page, address + fragment)
    assert shown(page) == list(numbers)
    assert one(page, "#empty").is_displayed() == (numbers == "")


def test_the_address_follows_the_form_and_back_returns(page: Browser, address: str) -> None:
    one(page, "#q").send_keys("soup")
    until(page, lambda: page.current_url == f"{address}#q=soup")
    assert shown(page) == ["0", "1", "4", "5"]
    press(page, "#heat button[aria-label*='Food, Ann']")
    until(page, lambda: shown(page) == ["5"])
    assert page.current_url == f"{address}#label=topic.food&holder=Ann&q=soup"
    assert page.switch_to.active_element.get_attribute("id") == "evidence"
    assert [text[:-1] for text in texts(page, ".chip")] == ["Food", "Holder: Ann", "“soup”"]
    page.back()
    until(page, lambda: shown(page) == ["0", "1", "4", "5"])
    press(page, ".chip")
    until(page, lambda: len(shown(page)) == 6)
    assert not one(page, "#selection").is_displayed()


def test_every_mark_opens_its_evidence(page: Browser) -> None:
    click = "arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))"
    for css, numbers in (
        ("#flows .flow", None),
        ("#flows .node", None),
        ("#timeline .mark", None),
        (".labels button.count", ["0", "2", "4", "5"]),
    ):
        marks = page.find_elements(By.CSS_SELECTOR, css)
        assert marks, css
        page.execute_script(click, marks[0])
        assert 0 < len(shown(page)) < 6, css
        assert numbers is None or shown(page) == numbers
        assert one(page, "#selection").is_displayed()
        press(page, "#clear")
        until(page, lambda: len(shown(page)) == 6)


def test_tables_hold_what_the_charts_draw(page: Browser) -> None:
    assert texts(page, "#heat thead th")[1] == "Food"
    heat = {row.split("\n")[0] for row in texts(page, "#heat tbody th")}
    assert heat == {"Ann", f"Bo {EVIL}", LINK}
    pairs = texts(page, "#flow-table tbody th")
    assert f"Bo {EVIL} → Soup" in pairs
    assert len(pairs) == 5
    assert texts(page, "#time-table tbody th") == ["Mar 2020", "Jun 2021"]
    assert "1 finding without a target is not shown" in one(page, "#toward-note").text
    assert len(page.find_elements(By.CSS_SELECTOR, "#flows .node")) == len(
        {side for pair in pairs for side in enumerate(pair.split(" → "))}
    )


def test_a_sentence_is_read_in_its_statement(page: Browser, address: str) -> None:
    chances = "Probability: label 95 %, holder 80 %, target 70 %"
    assert chances in one(page, "#finding0").text
    button = one(page, "#finding0 .open")
    button.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "reader-h"
    assert texts(page, "#shown")[0].startswith("He called the soup target excellent 😀, the staff")
    assert texts(page, "#reader-text .party.holder") == ["Bo holder"]
    assert one(page, "#reader-text .party.holder").find_elements(By.XPATH, "ancestor::mark") == []
    told = one(page, "#reader-facts").text
    for part in ("probability 95 %", "test-model", "rules", "ann:2", "in the words “Bo”", "Tone"):
        assert part in told, part
    assert "finding=ann%3A2" in page.current_url
    link = page.current_url
    one(page, "#after").send_keys(Keys.ENTER)
    assert texts(page, "#shown .party")[0] == "the staff target"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(page, lambda: not one(page, "#reader").is_displayed())
    assert page.current_url == address
    assert page.switch_to.active_element.get_attribute("class") == "quiet open"
    open_at(page, link)
    assert one(page, "#reader").is_displayed()
    assert texts(page, "#shown .party")[0] == "the soup target"


def test_a_link_leads_to_the_second_of_two_given_sentences_with_one_id(
    page: Browser, tiny: Codebook, tmp_path: Path
) -> None:
    given = {"topic": ("food",), "tone": ("blame",)}
    said = ["Good soup.", "Cold soup."]
    (html,) = render_dossier(
        [Prediction(Sentence("7", "t.csv", text, 0, len(text)), given, {}, "m") for text in said],
        {"t.csv": Statement("t.csv", "", "t.csv")},
        tiny,
        [
            Finding("t.csv", "7", "topic", "food", 0.9, Party("SPEAKER", None, (), 0.9), None, text)
            for text in said
        ],
        name="d.html",
        title="T",
        model=MODEL,
        attribution_model="rules",
        made_on=date(2026, 3, 4),
    ).values()
    (tmp_path / "d.html").write_text(html, encoding="utf-8")
    for number, text in enumerate(said):
        open_at(page, (tmp_path / "d.html").as_uri())
        press(page, f"#finding{number} .open")
        open_at(page, page.current_url)
        assert texts(page, "#shown") == [text]


@pytest.mark.parametrize("width", [390, 500, 1280])
def test_dates_are_not_printed_over_each_other(
    page: Browser, tiny: Codebook, tmp_path: Path, width: int
) -> None:
    days = {"a": "2023-03-04", "b": "2023-04-05", "c": "2024-12-24"}
    text = "Good soup."
    given = {"topic": ("food",), "tone": ("blame",)}
    speaker = Party("SPEAKER", None, (), 0.9)
    (html,) = render_dossier(
        [Prediction(Sentence(d, d, text, 0, len(text)), given, {}, "m") for d in days],
        {d: Statement(d, text, d, date=day) for d, day in days.items()},
        tiny,
        [Finding(d, d, "topic", "food", 0.9, speaker, None, text) for d in days],
        name="d.html",
        title="T",
        model=MODEL,
        attribution_model="rules",
        made_on=date(2026, 3, 4),
    ).values()
    (tmp_path / "d.html").write_text(html, encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    open_at(page, (tmp_path / "d.html").as_uri())
    ticks = page.execute_script(
        "return [...document.querySelectorAll('#timeline .tick[text-anchor=middle]')]"
        ".map(t => [t.textContent, t.getBoundingClientRect()])"
        ".map(([text, box]) => [text, box.left, box.right])"
    )
    assert ticks[0][0] == "Mar 2023"
    assert len(ticks) > 1
    for (_, _, end), (_, start, _) in pairwise(ticks):
        assert end < start, ticks


def test_the_selection_is_saved_as_csv_and_citations(page: Browser, downloads: Path) -> None:
    one(page, "#speaker").send_keys("Ann")
    until(page, lambda: shown(page) == ["0", "1", "2"])
    press(page, "#csv")
    file = downloads / "findings.csv"
    until(page, file.exists)
    first, _, last = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    assert (first["holder"], first["holder_words"], first["target"]) == (f"Bo {EVIL}", "Bo", "Soup")
    assert (first["task"], first["label"], first["probability"]) == ("topic", "food", "0.95")
    assert (last["text"], last["target"]) == ("'=1+1", "'=cmd()")
    press(page, "#cite")
    file = downloads / "citations.txt"
    until(page, file.exists)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("3 of 6 findings, in 1 statement. Selection: Speaker: Ann")
    assert lines[4].startswith(f"1. Ann, 2020-03-01, “By Ann {STYLE}”, {LINK}{STYLE}")
    assert "“He called the soup excellent 😀, the staff rude.” [Food by Bo" in lines[4]


def violations(page: Browser) -> list[list[str]]:
    """Rules that axe-core finds broken, each with the elements that break it."""
    page.execute_script(AXE.read_text(encoding="utf-8"))
    broken, kept = page.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done([r.violations.map(v => "
        "[v.id, ...v.nodes.map(n => n.html)]), r.passes.map(v => v.id)]))"
    )
    assert {"color-contrast", "aria-allowed-attr"} <= set(kept)
    found: list[list[str]] = broken
    return found


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    page: Browser, address: str, size: dict[str, object], scheme: str
) -> None:
    look = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", look)
    for fragment in ("#q=soup&label=topic.food", "#finding=ann:2+topic.food+Bo"):
        open_at(page, address + fragment)
        page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
        assert violations(page) == []
        wide = page.execute_script("return document.documentElement.scrollWidth")
        assert wide <= int(str(size["width"]))
        assert page.execute_script(CUT_OFF) == []
    ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(251, 250, 248)", "dark": "rgb(20, 23, 26)"}[scheme]


def test_the_keyboard_reaches_all(page: Browser) -> None:
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("class") == "skip"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "evidence"
    names = set()
    for _ in range(60):
        page.switch_to.active_element.send_keys(Keys.TAB)
        active = page.switch_to.active_element
        names.add(active.get_attribute("id") or active.get_attribute("class") or active.tag_name)
    assert {"q", "holder", "target", "p", "csv", "cite", "link", "quiet open"} <= names


def test_the_index_of_many_files_leads_to_their_evidence(
    page: Browser, render: Callable[[int], str]
) -> None:
    index = render(1)
    open_at(page, index)
    assert EVIL in one(page, "h1").text
    assert page.find_elements(By.CSS_SELECTOR, "img, body script, body style") == []
    assert violations(page) == []
    one(page, "a[href*='-1.html#holder=Bo']").click()
    assert [text[:-1] for text in texts(page, ".chip")] == [f"Holder: Bo {EVIL}"]
    assert len(shown(page)) == 2
    one(page, ".eyebrow a").click()
    assert page.current_url == index


def test_printing_shows_the_selection(page: Browser) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        for css in ("#heat", "#timeline", "#flows", "#findings", ".printed"):
            assert one(page, css).is_displayed(), css
        for css in ("#filters", ".top nav", "#csv", ".finding .open"):
            assert not one(page, css).is_displayed(), css
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_many_statements_are_soon_ready(browser: Browser, tiny: Codebook, tmp_path: Path) -> None:
    file = tmp_path / "large.html"
    file.write_text(dossier(1_000, 10, tiny), encoding="utf-8")
    began = time.perf_counter()
    ready, clicked, searched = measured(browser, file.as_uri())
    assert time.perf_counter() - began < 30
    assert ready < 8_000  # about 200 ms on an idle machine of 2 cores
    assert clicked < 4_000
    assert searched < 4_000
    assert "of 1,0" not in one(browser, "#result").text
