"""The report in a real browser: it opens from disk, filters, obeys the keyboard, fits a phone.

Needs Debian's `chromium` and `chromium-driver`; nothing is downloaded or installed here.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.codebook import Codebook, load_codebook
from pipeline.records import BlockKind, Prediction, Sentence, Statement
from pipeline.reporting import ModelFacts, render_report

pytestmark = [pytest.mark.slow, pytest.mark.browser]

Browser = webdriver.Chrome
EVIL = "</script><script>window.owned=1</script><img src=x onerror='window.owned=1'>"
MODEL = ModelFacts("test-model", f"A model {EVIL}", f"Limits {EVIL}", {"Macro-F1": (0.7, 0.6, 0.8)})
NO_LABELS: tuple[str, ...] = ()

ANN = [
    "We came twice.",
    "The soup was excellent.",
    "The waiter was rude and the soup cold.",
    "=1+1",
]
BO = ["We ordered wine.", f"My neighbour called it stale {EVIL}", "The staff left us alone."]

CUT_OFF = """
    return [...document.querySelectorAll('body *')].filter(n => n.getClientRects().length)
        .filter(n => n.getBoundingClientRect().right > innerWidth + 0.5).map(n => n.outerHTML);
"""


def predict(doc: str, text: str, at: int, topic: tuple[str, ...] | None, tone: str) -> Prediction:
    kind = BlockKind.HEADING if at == 0 else BlockKind.PARAGRAPH
    sentence = Sentence(f"{doc}:{at}", doc, text, at, at + len(text), kind)
    topics = {n: 0.93 if n in (topic or ()) else 0.04 for n in ("food", "service")}
    if doc == "bo":
        topics = {n: p * 0.7 for n, p in topics.items()}
    tones = {n: 0.8 if n == tone else 0.1 for n in ("praise", "blame", "neither")}
    return Prediction(
        sentence, {"topic": topic, "tone": (tone,)}, {"topic": topics, "tone": tones}, "test-model"
    )


@pytest.fixture(scope="module")
def tiny() -> Codebook:
    return load_codebook(Path(__file__).parents[1] / "codebooks" / "tiny.yaml")


@pytest.fixture(scope="module")
def address(tiny: Codebook, tmp_path_factory: pytest.TempPathFactory) -> str:
    given: dict[str, list[tuple[tuple[str, ...] | None, str]]] = {
        "ann": [
            (NO_LABELS, "neither"), (("food",), "praise"), (("food", "service"), "blame"),
            (None, "neither"),
        ],
        "bo": [(NO_LABELS, "neither"), (("food",), "blame"), (("service",), "neither")],
    }  # fmt: skip
    rows, statements = [], {}
    for doc, texts, speaker, day in (
        ("ann", ANN, "Ann", "2020-03-01"),
        ("bo", BO, f"Bo {EVIL}", "2021-06"),
    ):
        whole = "\n\n".join(texts)
        statements[doc] = Statement(
            doc, whole, f"{doc}.txt", speaker=speaker, date=day, title=f"Review by {speaker}"
        )
        rows += [
            predict(doc, text, whole.index(text), *labels)
            for text, labels in zip(texts, given[doc], strict=True)
        ]
    html = render_report(
        rows, statements, tiny, title=f"Reviews {EVIL}", model=MODEL, made_on=date(2026, 3, 4)
    )
    file = tmp_path_factory.mktemp("report") / "a report.html"
    file.write_text(html, encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Browser]:
    """The report freshly opened; afterwards the console must hold no error."""
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(address)
    yield browser
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.owned") is None


def shown(page: Browser) -> list[str]:
    """Numbers of the sentences that can be seen."""
    script = (
        "return [...document.querySelectorAll('.s')]"
        ".filter(n => n.getClientRects().length).map(n => n.dataset.n)"
    )
    found: list[str] = page.execute_script(script)
    return found


def until(page: Browser, holds: Callable[[], bool]) -> None:
    WebDriverWait(page, 10, poll_frequency=0.05).until(lambda _: holds())


def one(page: Browser, css: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, css)


def result(page: Browser) -> str:
    return one(page, "#result").text


def active_class(page: Browser) -> str:
    return page.switch_to.active_element.get_attribute("class") or ""


def tab_to(page: Browser, css_class: str, most: int = 80) -> WebElement:
    for _ in range(most):
        page.switch_to.active_element.send_keys(Keys.TAB)
        if css_class in active_class(page).split():
            return page.switch_to.active_element
    pytest.fail(f"no element of class '{css_class}' within {most} presses of Tab")


def test_opens_from_disk_without_errors_or_requests(page: Browser) -> None:
    assert shown(page) == list("0123456")
    assert result(page) == "7 sentences in 2 statements"
    loaded = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []


def test_injected_markup_stays_text(page: Browser) -> None:
    assert page.title == f"Reviews {EVIL}"
    assert EVIL in one(page, "h1").text
    assert EVIL in one(page, "#s5 .t").text
    one(page, "#s5 .tags").click()
    assert EVIL in one(page, ".panel").text
    assert page.find_elements(By.CSS_SELECTOR, "img") == []
    assert len(page.find_elements(By.CSS_SELECTOR, "script")) == 2


def test_filters_change_what_is_shown(page: Browser) -> None:
    one(page, "input[value='topic.food']").click()
    until(page, lambda: shown(page) == ["1", "2", "5"])
    assert result(page) == "3 of 7 sentences, in 2 statements"
    one(page, "input[value='topic.-undecided']").click()
    until(page, lambda: shown(page) == ["1", "2", "3", "5"])
    one(page, "input[value='tone.blame']").click()
    until(page, lambda: shown(page) == ["2", "5"])
    one(page, "#context").click()
    until(page, lambda: shown(page) == list("0123456"))
    assert len(page.find_elements(By.CSS_SELECTOR, ".around")) == 5
    one(page, "#reset").click()
    until(page, lambda: result(page) == "7 sentences in 2 statements")


@pytest.mark.parametrize(
    ("fragment", "numbers"),
    [
        ("#label=topic.-none", ["0", "4"]),
        ("#speaker=Ann&label=topic.food", ["1", "2"]),
        ("#from=2020-06-01", ["4", "5", "6"]),
        ("#to=2020-06-01", ["0", "1", "2", "3"]),
        ("#from=2021-06-01&to=2021-06-30", ["4", "5", "6"]),
        ("#from=2021-06-15&to=2021-06-20", []),  # dated by month: not all of its days
        ("#q=SOUP", ["1", "2"]),
        ("#p=0.9", ["1", "2"]),
        ("#p=0.5&label=topic.service", ["2", "6"]),
        ("#label=topic.unheard&from=soon&p=9", list("0123456")),
        ("#q=nowhere", []),
    ],
)
def test_a_permalink_restores_its_filter(
    page: Browser, address: str, fragment: str, numbers: list[str]
) -> None:
    page.get("about:blank")
    page.get(address + fragment)
    assert shown(page) == numbers
    assert one(page, "#empty").is_displayed() == (numbers == [])


def test_the_address_follows_the_filter(page: Browser, address: str) -> None:
    one(page, "#q").send_keys("soup")
    until(page, lambda: page.current_url == f"{address}#q=soup")
    one(page, "input[value='topic.service']").click()
    until(page, lambda: page.current_url == f"{address}#label=topic.service&q=soup")
    page.refresh()
    assert shown(page) == ["2"]
    assert one(page, "#q").get_attribute("value") == "soup"
    assert one(page, "input[value='topic.service']").is_selected()


def test_a_count_opens_its_evidence_and_back_returns(page: Browser) -> None:
    count = one(page, "#who button.count[data-label='topic.service'][data-speaker='Ann']")
    assert count.text == "1"
    count.send_keys(Keys.ENTER)
    until(page, lambda: shown(page) == ["2"])
    assert page.switch_to.active_element.get_attribute("id") == "statements"
    page.back()
    until(page, lambda: len(shown(page)) == 7)


def test_the_keyboard_opens_and_closes_details(page: Browser) -> None:
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert active_class(page) == "skip"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "statements"
    tags = tab_to(page, "tags")
    assert tags.get_attribute("aria-expanded") == "false"
    tags.send_keys(Keys.ENTER)
    panel = one(page, ".panel")
    assert tags.get_attribute("aria-expanded") == "true"
    assert tags.get_attribute("aria-controls") == panel.get_attribute("id")
    for told in ("Food", "4 %", "Neither ✓", "80 %", "ann:0", "0–14", "heading", "not yet"):
        assert told in panel.text, told
    tags.send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "Copy citation"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert page.find_elements(By.CSS_SELECTOR, ".panel") == []
    assert active_class(page) == "tags"


def test_a_link_to_a_sentence_opens_it(page: Browser, address: str) -> None:
    page.get("about:blank")
    page.get(f"{address}#sentence=bo:{len(BO[0]) + 2}")
    assert one(page, "#s5 .panel").is_displayed()
    assert len(shown(page)) == 7


def test_the_selection_is_saved_without_live_formulas(page: Browser, downloads: Path) -> None:
    one(page, "input[value='topic.-undecided']").click()
    until(page, lambda: shown(page) == ["3"])
    one(page, "#csv").click()
    file = downloads / "sentences.csv"
    until(page, file.exists)
    (row,) = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    assert row["text"] == "'=1+1"
    assert (row["topic"], row["tone"], row["p.tone.neither"]) == ("undecided", "neither", "0.8")
    assert (row["speaker"], row["sentence_id"], row["model"]) == (
        "Ann",
        f"ann:{row['start']}",
        "test-model",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone_with_everything_unfolded(page: Browser, scheme: str) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    look = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", look)
    try:
        page.refresh()
        assert not one(page, "#form").is_displayed()
        page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
        page.execute_script("for (const b of document.querySelectorAll('.tags')) b.click()")
        assert page.execute_script("return document.documentElement.scrollWidth") == 360
        assert page.execute_script("return innerWidth") == 360
        assert (
            page.execute_script(CUT_OFF) == []
        )  # statements clip, so the page's width is no proof
        dark = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert dark == {"light": "rgb(251, 250, 248)", "dark": "rgb(20, 23, 26)"}[scheme]
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_five_thousand_sentences_stay_quick(
    browser: Browser, tiny: Codebook, tmp_path: Path
) -> None:
    rows, statements = [], {}
    for doc in range(250):
        texts = [f"Sentence {n} of review {doc} speaks of soup and service." for n in range(20)]
        whole, at = " ".join(texts), 0
        statements[str(doc)] = Statement(str(doc), whole, f"{doc}.txt", speaker=f"Guest {doc % 40}")
        for n, text in enumerate(texts):
            rows.append(predict(str(doc), text, at, ("food",) if n % 5 == 0 else (), "neither"))
            at += len(text) + 1
    file = tmp_path / "large.html"
    html = render_report(
        rows, statements, tiny, title="Large", model=MODEL, made_on=date(2026, 3, 4)
    )
    file.write_text(html, encoding="utf-8")
    began = time.perf_counter()
    browser.get(file.as_uri())
    assert time.perf_counter() - began < 10  # about 1 s on an idle machine of 2 cores
    script = """
        const done = arguments[0], began = performance.now();
        document.querySelector("#who button.count").click();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    """
    took = browser.execute_async_script(script)
    assert took < 2000  # milliseconds to the next frame; about 50 on an idle machine
    assert result(browser).startswith("28 of 5,000 sentences")
