"""Uncommon collections in the dossier, in a real browser: coarse dates, one name for two, hostile
text in every field, parts, nothing at all; what a count opens is what it counted.

Needs Debian's `chromium` and `chromium-driver`; nothing is downloaded or installed here.
"""

from __future__ import annotations

import base64
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.codebook import Codebook, load_codebook
from pipeline.records import Prediction, Sentence, Statement
from pipeline.reporting import Finding, ModelFacts, Party, render_dossier

pytestmark = [pytest.mark.slow, pytest.mark.browser]

Browser = webdriver.Chrome
ROOT = Path(__file__).parents[2]
SPEAKER = Party("SPEAKER", None, (), 0.9)
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
TURN, BACK = "\u202e", "\u2069"
"""Marks that turn the direction of what follows, and that end the isolation of a text."""
HOSTILE = f'=1+"1" </script><script>window.owned=1</script>\'\u2028{BACK}{TURN}%0A,;\t|\n<!--'
CUT_OFF = """
    return [...document.querySelectorAll('body *')].filter(n => n.checkVisibility())
        .filter(n => !n.closest('.selection, .sr') && !n.matches('.sr'))
        .filter(n => n.getBoundingClientRect().right > innerWidth + 0.5).map(n => n.outerHTML);
"""


@dataclass(frozen=True)
class Said:
    """A sentence with one label."""

    text: str = "Good soup."
    label: str = "food"
    holder: Party = SPEAKER
    target: Party | None = None
    p: float = 0.9


Document = tuple[Statement, Sequence[Said]]
Make = Callable[..., str]


def by(name: str, day: str | None = None, speaker: str = "Ann", **more: str) -> Statement:
    return Statement(name, "", name, speaker=speaker, date=day, **more)


@pytest.fixture(scope="module")
def tiny() -> Codebook:
    return load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")


def pages(documents: Sequence[Document], codebook: Codebook, **more: object) -> dict[str, str]:
    rows, findings = [], []
    for statement, sentences in documents:
        for n, said in enumerate(sentences):
            doc, number = statement.doc_id, f"{statement.doc_id}#{n}"
            sentence = Sentence(number, doc, said.text, 0, len(said.text))
            labels = {"topic": (said.label,) if said.label else (), "tone": None}
            rows.append(Prediction(sentence, labels, {"topic": {"food": said.p}}, "m"))
            if said.label:
                one = Finding(doc, number, "topic", said.label, said.p, said.holder, said.target)
                findings.append(one)
    facts = {
        "name": "d.html",
        "title": "T",
        "model": ModelFacts("m", "A model.", "None."),
        "attribution_model": "rules",
        "made_on": date(2026, 3, 4),
    }
    known = {statement.doc_id: statement for statement, _ in documents}
    return render_dossier(rows, known, codebook, findings, **{**facts, **more})  # type: ignore[arg-type]


@pytest.fixture
def make(tiny: Codebook, tmp_path: Path) -> Make:
    """Write a dossier of documents; return the address of its first file."""

    def made(*documents: Document, **more: object) -> str:
        for name, html in pages(documents, tiny, **more).items():
            (tmp_path / name).write_text(html, encoding="utf-8")
        return (tmp_path / "d.html").as_uri()

    return made


@pytest.fixture
def page(browser: Browser) -> Iterator[Browser]:
    """A browser whose console holds no error afterwards, and in which nothing ran."""
    browser.get("about:blank")
    browser.get_log("browser")
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.owned") is None


def open_at(page: Browser, address: str) -> None:
    page.get("about:blank")
    page.get(address)


def until(page: Browser, holds: Callable[[], bool]) -> None:
    WebDriverWait(page, 10, poll_frequency=0.05).until(lambda _: holds())


def one(page: Browser, css: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, css)


def texts(page: Browser, css: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map(n => n.textContent)"
    found: list[str] = page.execute_script(script, css)
    return found


def click(page: Browser, node: WebElement) -> None:
    """Click what may be folded, drawn or behind the bar of the selection."""
    event = "new MouseEvent('click', { bubbles: true })"
    page.execute_script(f"arguments[0].dispatchEvent({event})", node)


def press(page: Browser, css: str) -> None:
    """Click as a reader does: without that a second download is refused."""
    page.execute_script("arguments[0].scrollIntoView({ block: 'center' })", one(page, css))
    one(page, css).click()


def chosen(page: Browser) -> int:
    """How many findings the selection holds, as the page says it."""
    return int(one(page, "#result").text.split(" ")[0].replace(",", ""))


def dated(*days: str | None) -> list[Document]:
    return [(by(f"d{n}", day), [Said(), Said(label="service")]) for n, day in enumerate(days)]


@pytest.mark.parametrize(
    ("days", "unit", "periods", "left_out"),
    [
        (["2019", "2020", "2021", "2020"], "year", ["2019", "2020", "2021"], 0),
        (["2024-02", "2024-03", "2024-02"], "month", ["Feb 2024", "Mar 2024"], 0),
        (["2024-02-01", "2024-02-03"], "day", ["1 Feb 2024", "3 Feb 2024"], 0),
        (["2024-02-01T10:00", "2024-02-30", "2024-02-29"], "month", ["Feb 2024"], 0),
        # One in six has no month: by year all would be shown, in one column.
        (["2020", "2020-01-05", "2020-06-09", "2020-01-20", "2020-03-31", "2020-02"], "month",
         ["Jan 2020", "Feb 2020", "Mar 2020", "Jun 2020"], 2),
        (["2019", "2019", "2020-01-20", "2020-03-31"], "year", ["2019", "2020"], 0),
        (["1999", "2024-02-03", None, "3 May 2020"], "year", ["1999", "2024"], 4),
    ],
)  # fmt: skip
def test_time_is_counted_in_a_unit_that_the_dates_have(
    page: Browser, make: Make, days: list[str | None], unit: str, periods: list[str], left_out: int
) -> None:
    open_at(page, make(*dated(*days)))
    assert texts(page, "#time-table tbody th") == periods
    note = one(page, "#time-note").text
    assert note.startswith(f"Findings by {unit} of the statement.")
    assert (f"{left_out} findings not shown: the statement has no {unit}." in note) == (
        left_out > 0
    )
    assert len(page.find_elements(By.CSS_SELECTOR, "#timeline .mark")) == 2 * len(periods)


def test_a_count_over_time_opens_what_it_counted(page: Browser, make: Make) -> None:
    days = ["2020", "2020-01-05", "2020-01-20", "2020-02-29", "2020-02", "2020-06-09", "2020-01-31"]
    open_at(page, make(*dated(*days, None)))
    for css in ("#time-table button.count", "#timeline .mark"):
        for n in range(len(page.find_elements(By.CSS_SELECTOR, css))):
            node = page.find_elements(By.CSS_SELECTOR, css)[n]
            told = node.get_attribute("aria-label") or texts(page, f"{css} title")[n]
            count = re.search(r"(\d+) finding", told)
            assert count is not None
            click(page, node)
            assert chosen(page) == int(count[1]), told
            click(page, one(page, "#clear"))
    click(page, page.find_elements(By.CSS_SELECTOR, "#time-table tr:nth-child(2) .count")[-1])
    assert page.current_url.endswith("#from=2020-02-01&to=2020-02-29")
    assert "2 findings left out for that." in one(page, "#dates-note").text


def test_all_counts_open_what_they_counted_whatever_is_selected(page: Browser, make: Make) -> None:
    """Joint holders and targets, and a selection that the count leaves out of account."""
    joint = Party("Ann and Bo", None, ("Ann", "Bo"), 0.9)
    both = [Said(target=joint), Said(label="service", holder=joint), Said(holder=joint)]
    address = make((by("a"), both), (by("b", speaker="Cy"), [Said(), Said(target=joint)]))
    for css in (".labels button.count", "#heat button.count", "#flows .node", "#flow-table button"):
        open_at(page, address)
        for n in range(len(page.find_elements(By.CSS_SELECTOR, css))):
            open_at(page, f"{address}#label=topic.food")
            nodes = page.find_elements(By.CSS_SELECTOR, css)
            if n >= len(nodes):
                break
            told = nodes[n].get_attribute("aria-label") or texts(page, f"{css} title")[n]
            count = re.search(r"(\d+) finding", told)
            assert count is not None
            click(page, nodes[n])
            assert chosen(page) == int(count[1]), (css, told)


def test_words_that_share_the_name_of_an_actor_are_told_apart(page: Browser, make: Make) -> None:
    linked = Party("SPEAKER", None, ("Georgia",), 0.9)
    words = Party("Georgia", None, (), 0.9)
    open_at(page, make((by("a", speaker="Mr. C (Georgia)"), [Said(holder=linked, target=words)])))
    assert texts(page, "#flow-table tbody th") == ["Georgia → Georgia (not linked)"]
    assert texts(page, "#target option")[2:] == ["Georgia (not linked) (1)"]
    click(page, one(page, "#flows .node:last-child"))
    assert chosen(page) == 1
    assert "Target named as: “Georgia”" in texts(page, ".apart")


def test_back_and_forward_through_selections_and_an_open_statement(
    page: Browser, make: Make
) -> None:
    address = make(*dated("2020", "2021"), (by("c", "2021", speaker="Bo"), [Said()]))
    open_at(page, address)
    page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    # Pressed as by a reader: browsers step over what a page adds to the history by itself.
    for _ in range(2):  # choosing the same again is no further step
        press(page, "button[data-label='topic.food']")
    press(page, "#heat button[aria-label*='findings: Ann']")
    press(page, "#time-table tbody tr:first-child td:last-child .count")
    states = [page.current_url]
    press(page, ".finding .open")
    reading = page.current_url
    assert "finding=" in reading
    counts = [chosen(page)]
    for _ in range(3):
        page.back()
        until(page, lambda: chosen(page) != counts[-1])
        assert not page.execute_script("return document.getElementById('reader').open")
        states.append(page.current_url)
        counts.append(chosen(page))
    assert states[-1] == address
    assert counts == [2, 4, 3, 5]
    page.forward()
    page.forward()
    page.forward()
    until(page, lambda: page.current_url == reading)
    assert one(page, "#reader").is_displayed()
    one(page, "#close").click()
    until(page, lambda: page.current_url == states[0])
    assert chosen(page) == 2


def test_what_was_just_typed_is_part_of_the_next_choice(page: Browser, make: Make) -> None:
    open_at(page, make((by("a"), [Said("Good soup."), Said("Good bread.")])))
    page.execute_script(
        "const q = document.getElementById('q'); q.value = 'bread';"
        "q.dispatchEvent(new InputEvent('input', { bubbles: true }));"
        "document.querySelector('#heat .count').click();"
    )
    assert chosen(page) == 1
    assert "q=bread" in page.current_url


def hostile() -> list[Document]:
    actors = (f"Actor {HOSTILE}",)
    words = Party(f"-words {HOSTILE}", None, (), 0.75)
    said = Said(f"{HOSTILE} said.", holder=Party(HOSTILE, None, actors, 0.5), target=words, p=0.123)
    first = Statement(
        HOSTILE, "", HOSTILE, HOSTILE, HOSTILE, f"2020 {HOSTILE}", HOSTILE, f"@title {HOSTILE}"
    )
    return [(first, [said]), (by("plain"), [Said("’tis -1, “fine”.")])]


def guarded(value: object) -> str:
    """A cell as the page writes it: quoted, and text to every spreadsheet."""
    text = "" if value is None else str(value)
    runs = text.lstrip(" \t\n\r\u2028")[:1] in tuple("=+-@") or text[:1] in tuple("\t\r\n")
    return '"' + ("'" if runs else "") + text.replace('"', '""') + '"'


def test_hostile_text_in_every_field_stays_text_and_is_exported_as_it_is(
    page: Browser, make: Make, downloads: Path
) -> None:
    more = {"title": f"Title {HOSTILE}", "attribution_model": HOSTILE}
    open_at(page, make(*hostile(), **more, model=ModelFacts(HOSTILE, HOSTILE, HOSTILE)))
    assert len(page.find_elements(By.CSS_SELECTOR, "script")) == 4
    one(page, ".finding .open").click()
    one(page, "#close").click()
    for name in ("findings.csv", "citations.txt"):
        (downloads / name).unlink(missing_ok=True)
    press(page, "#csv")
    until(page, (downloads / "findings.csv").exists)
    spaced = " ".join
    head = (
        "speaker,date,genre,title,source,location,doc_id,sentence_id,start,end,text,task,label,"
        "probability,holder,holder_words,p_holder,target,target_words,p_target,model,"
        "attribution_model"
    )
    text, name = f"{HOSTILE} said.", HOSTILE.strip()
    turned = spaced(HOSTILE.replace(TURN, "").replace(BACK, "").split())
    rows = [
        head.split(","),
        [
            name, f"2020 {name}", name, f"@title {name}", HOSTILE, HOSTILE, HOSTILE,
            f"{HOSTILE}#0", 0, len(text), spaced(text.split()), "topic", "food", 0.123,
            f"Actor {HOSTILE}", spaced(HOSTILE.split()), 0.5, f"-words {turned}",
            spaced(f"-words {HOSTILE}".split()), 0.75, HOSTILE, HOSTILE,
        ],
        [
            "Ann", "", "", "plain", "plain", "", "plain", "plain#0", 0, 17, "’tis -1, “fine”.",
            "topic", "food", 0.9, "Ann", "Ann", 0.9, "", "", "", HOSTILE, HOSTILE,
        ],
    ]  # fmt: skip
    rows[2][9] = len("’tis -1, “fine”.")
    lines = [",".join(map(guarded, row)) + "\r\n" for row in rows]
    lines[0] = ",".join(f'"{name}"' for name in rows[0]) + "\r\n"
    assert (downloads / "findings.csv").read_bytes() == ("\ufeff" + "".join(lines)).encode()
    press(page, "#cite")
    until(page, (downloads / "citations.txt").exists)
    cited = (downloads / "citations.txt").read_bytes().decode()
    assert cited.count("\r\n") == len(cited.splitlines()) == 6
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028]", cited)
    assert cited.splitlines()[4].endswith("probability 12 %; sentence " + turned + "#0]")


def test_no_name_turns_its_neighbours(page: Browser, make: Make) -> None:
    """The holder stands left of the arrow, whatever is in its name or its script."""
    for name in (f"Evil{TURN}", "السودان"):
        holder = Party(name, None, (), 0.9)
        open_at(page, make((by("a"), [Said(holder=holder, target=Party("Soup", None, (), 0.9))])))
        page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
        left, right = (
            page.execute_script(f"return arguments[0].getBoundingClientRect().{side}", node)
            for side, node in zip(
                ("right", "left"),
                page.find_elements(By.CSS_SELECTOR, "#flow-table tbody th bdi"),
                strict=True,
            )
        )
        assert left < right, name
        assert texts(page, "#flow-table tbody th bdi")[0] == name.replace(TURN, "")


def test_parts_lead_to_each_other_and_say_that_they_are_parts(page: Browser, make: Make) -> None:
    address = make(*dated("2019", "2020", "2021"), most=1)
    open_at(page, address.replace("d.html", "d-2.html"))
    assert "filters and exports are of this part alone" in one(page, "header .note").text
    assert one(page, "#form .hint").text == "Of this part alone."
    click(page, one(page, "button[data-label='topic.food']"))
    assert texts(page, "a[data-part]") == ["Previous part", "Next part"]
    one(page, "a[data-part]").click()
    assert page.current_url == address.replace("d.html", "d-1.html") + "#label=topic.food"
    assert chosen(page) == 1
    assert texts(page, "a[data-part]") == ["Next part"]
    one(page, "a[data-part]").click()
    assert page.current_url == address.replace("d.html", "d-2.html") + "#label=topic.food"
    click(page, one(page, "#clear"))
    assert str(one(page, "a[data-part]").get_attribute("href")).endswith("d-1.html")


def test_one_statement_without_a_date_and_none_without_findings(page: Browser, make: Make) -> None:
    same = Party("Ann", None, ("Ann",), 0.9)
    open_at(page, make((by("a"), [Said(holder=same, target=same)])))
    assert chosen(page) == 1
    assert texts(page, "#flow-table tbody th") == ["Ann → Ann"]
    assert len(page.find_elements(By.CSS_SELECTOR, "#flows .node")) == 2
    assert "carries a date of the form YYYY-MM-DD" in one(page, "#time-note").text
    assert page.find_elements(By.CSS_SELECTOR, "#timeline svg, #from") == []
    open_at(page, make((by("a", "2020-01-02"), [Said(label="")])))
    assert one(page, "#result").text == "0 findings, in 0 statements"
    assert not one(page, "#csv").is_enabled()
    assert one(page, "#time-note").text == ""
    assert one(page, "#heat").text == "The selection holds nothing to show here."
    open_at(page, make())
    assert one(page, "#result").text == "0 findings, in 0 statements"


LONG = "The Permanent Observer of the United Entities of Everywhere for the Time Being " * 4
UNBROKEN = "Dampfschifffahrtsgesellschaft" * 9


@pytest.mark.parametrize("name", [LONG.strip(), UNBROKEN], ids=["words", "unbroken"])
def test_very_long_names_fit_a_phone(page: Browser, make: Make, name: str) -> None:
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    party = Party(name, None, (name,), 0.9)
    address = make((by("a", "2020", name, title=name), [Said(name, holder=party, target=party)]))
    open_at(page, f"{address}#holder={name}")
    page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert chosen(page) == 1
    assert page.execute_script("return document.documentElement.scrollWidth") <= 360
    assert page.execute_script(CUT_OFF) == []
    click(page, one(page, ".finding .open"))
    assert page.execute_script(CUT_OFF) == []


def test_the_keyboard_alone_selects_reads_and_takes_away(page: Browser, make: Make) -> None:
    """At the width of a phone, where the filters are folded and take no focus."""
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    open_at(page, make(*dated("2020", "2021")))

    def focused() -> str:
        node = page.switch_to.active_element
        return node.get_attribute("id") or node.get_attribute("class") or node.tag_name

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.switch_to.active_element.send_keys(Keys.TAB)
            if focused().startswith(name):
                return
        raise AssertionError(f"{name} is not reached")

    tab_to("count")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert (focused(), chosen(page)) == ("evidence", 2)
    tab_to("quiet open")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert focused() == "reader-h"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(page, lambda: focused() == "quiet open")
    one(page, ".chip").send_keys(Keys.ENTER)
    assert (focused(), chosen(page)) == ("evidence", 4)
    click(page, one(page, "#heat .count"))
    one(page, "#clear").send_keys(Keys.ENTER)
    assert (focused(), chosen(page)) == ("evidence", 4)


def printed(page: Browser) -> str:
    """The text on paper."""
    pdf = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    reader = PdfReader(io.BytesIO(base64.b64decode(pdf)))
    text = "\n".join(sheet.extract_text() for sheet in reader.pages)
    return " ".join(unicodedata.normalize("NFKC", text).split())  # without ligatures


def test_paper_holds_the_selection_and_says_what_it_leaves_out(page: Browser, make: Make) -> None:
    speakers = [f"Delegation {n:03}" for n in range(40)]
    name = "A holder whose name is longer than any button that takes it away would be on a screen"
    held = Said(holder=Party(name, None, (), 0.9))
    documents = [(by(s, "2020-01-02", s), [Said()] * 15) for s in speakers]
    address = make(*documents, (by("last", "2020-01-03"), [held]))
    open_at(page, address)
    text = printed(page)
    assert "26 more rows not printed." in text
    assert "101 more findings not printed." in text
    assert text.count("Probability: label") == 500
    open_at(page, f"{address}#holder={name}&label=topic.food&from=2020-01-01&to=2020-01-05")
    text = printed(page)
    assert f"Holder: {name}" in text
    assert "To 2020-01-05" in text
    assert text.count("Probability: label") == 1
    assert "more findings" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_and_its_ink_dark_in_either_scheme(
    page: Browser, make: Make, scheme: str
) -> None:
    look = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": look})
    open_at(page, make(*dated("2020")))
    ask = "return getComputedStyle(arguments[0])[arguments[1]]"
    assert page.execute_script(ask, one(page, "body"), "backgroundColor") == "rgb(255, 255, 255)"
    assert page.execute_script(ask, one(page, "body"), "color") == "rgb(0, 0, 0)"
    accent = page.execute_script(ask, one(page, ".second > summary"), "color")
    assert accent == "rgb(28, 84, 112)"
