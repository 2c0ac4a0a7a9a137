"""The page of learning curves in a real browser: readable, whole, and accessible.

Needs Debian's `chromium` and `chromium-driver`; nothing is downloaded or installed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from pipeline.codebook import load_codebook
from pipeline.evaluation.learning_curve import curve_scores, fit_curve
from pipeline.reporting.learning_curve import CurveFacts, render_curves

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HERE = Path(__file__).parent
SIZES = np.array([50, 100, 200, 400, 800])
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Curves of the project's own codebook, whose labels have long names; one is rarely defined."""
    codebook = load_codebook(HERE.parents[1] / "configs" / "codebook.yaml")
    draw = np.random.default_rng(0)
    curves = []
    for number, score in enumerate(curve_scores(codebook)):
        values = 0.9 - (1.0 + 0.2 * number) * SIZES**-0.4
        replicates = values + draw.normal(0.0, 0.02, (100, len(SIZES)))
        replicates[: 5 * number, 0] = np.nan
        curves.append(fit_curve(score, SIZES.tolist(), 10.0 * SIZES, values, replicates))
    facts = CurveFacts("linear", f"{codebook.name} {codebook.version}", 800, 200, 5, 100)
    page = render_curves(curves, facts, codebook, made_on=date(2026, 3, 4))
    file = tmp_path_factory.mktemp("curve") / "curve.html"
    file.write_text(page, encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> Iterator[webdriver.Chrome]:
    """The page freshly opened; afterwards the console holds no error."""
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(address)
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert browser.get_log("browser") == []


def test_sizes_that_were_not_measured_are_legible_and_set_apart(page: webdriver.Chrome) -> None:
    marks = page.find_elements(By.CSS_SELECTOR, "svg text.later")
    assert [mark.text for mark in marks] == ["1,600", "3,200"] * 2
    for mark in marks:
        assert mark.value_of_css_property("stroke") == "none"
        assert mark.value_of_css_property("font-style") == "italic"
    for line in page.find_elements(By.CSS_SELECTOR, "svg line.later"):
        assert line.value_of_css_property("stroke-dasharray") != "none"


def test_a_desktop_shows_all_sizes_and_intervals_stay_in_one_piece(page: webdriver.Chrome) -> None:
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESKTOP)
    for region in page.find_elements(By.CSS_SELECTOR, ".scroll"):
        assert region.get_property("scrollWidth") <= region.get_property("clientWidth")
    lines = page.execute_script("""
        const cells = [...document.querySelectorAll('td.num')];
        return cells.filter(cell => cell.innerText.includes('[')).map(cell => {
            const range = document.createRange(), text = cell.firstChild;
            range.setStart(text, text.data.indexOf('['));
            range.setEnd(text, text.data.indexOf(']') + 1);
            return range.getClientRects().length;
        });
    """)
    assert 12 * 6 <= len(lines) <= 12 * 7  # a size at which much is undefined has no interval
    assert set(lines) == {1}
    for name in page.find_elements(By.CSS_SELECTOR, "tbody th"):
        lines = page.execute_script(
            "const r = document.createRange(); r.selectNodeContents(arguments[0].lastChild);"
            "const key = arguments[0].firstChild.getBoundingClientRect();"
            "return [r.getClientRects().length, r.getBoundingClientRect().top < key.bottom];",
            name,
        )
        assert lines == [1, True], name.text  # the key stands beside the name, not above it


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_the_page_fits(
    page: webdriver.Chrome, size: dict[str, object], scheme: str
) -> None:
    look = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", look)
    assert page.execute_script("return document.documentElement.scrollWidth") <= size["width"]
    page.execute_script((HERE / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    broken, kept = page.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done([r.violations.map(v => "
        "[v.id, ...v.nodes.map(n => n.html)]), r.passes.map(v => v.id)]))"
    )
    assert "color-contrast" in kept
    assert broken == []
