"""Pictures of the dossier in a real browser: every part is drawn, in the colours of its scheme."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

from benchmarks.dossier.measure import dossier
from pipeline.codebook import load_codebook

pytestmark = [pytest.mark.slow, pytest.mark.browser]

Browser = webdriver.Chrome
Colour = tuple[int, ...]
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
GROUNDS = {
    "light": {(251, 250, 248), (255, 255, 255)},
    "dark": {(20, 23, 26), (27, 31, 35)},
}
PARTS = ("h1", ".labels", "#heat", "#timeline svg", "#flows svg", ".finding", ".finding blockquote")
MARKS = {"#timeline svg": ".mark"}
CLOSE = 6
"""Steps of a channel by which a drawn colour may differ from the one that the styles give."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    codebook = load_codebook(Path(__file__).parents[1] / "codebooks" / "tiny.yaml")
    file = tmp_path_factory.mktemp("dossier") / "dossier.html"
    file.write_text(dossier(60, 8, codebook), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(
    request: pytest.FixtureRequest, browser: Browser, address: str, scheme: str
) -> Iterator[Browser]:
    look = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", request.param)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", look)
    browser.get("about:blank")
    browser.get(address)
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def picture(page: Browser, css: str) -> Counter[Colour]:
    """Return how many pixels of a part have which colour."""
    png = page.find_element(By.CSS_SELECTOR, css).screenshot_as_png
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return Counter({colour: n for n, colour in image.getcolors(image.width * image.height)})


def fills(page: Browser, css: str) -> set[Colour]:
    """Return the colours that the styles give to marks."""
    script = """
        return [...document.querySelectorAll(arguments[0])].map(n => getComputedStyle(n).fill);
    """
    found = set()
    for fill in page.execute_script(script, css):
        numbers = [float(n) for n in re.findall(r"[\d.]+", fill)][:3]
        whole = fill.startswith("rgb")
        found.add(tuple(round(n if whole else 255 * n) for n in numbers))
    return found


def drawn(colours: Counter[Colour], wanted: Colour) -> int:
    """Return how many pixels have a colour, or nearly."""
    return sum(
        n
        for colour, n in colours.items()
        if all(abs(a - b) <= CLOSE for a, b in zip(colour, wanted, strict=True))
    )


def light(colour: Colour) -> float:
    """Return the relative luminance of WCAG 2.2."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def seen(page: Browser, scheme: str) -> None:
    """Every part stands on the ground of the scheme, with words and marks that stand out."""
    for css in PARTS:
        colours = picture(page, css)
        [(ground, most)] = colours.most_common(1)
        assert ground in GROUNDS[scheme], (css, ground)
        assert most < 0.995 * colours.total(), f"{css} is empty"
        lights = [light(colour) for colour in colours]
        assert (max(lights) + 0.05) / (min(lights) + 0.05) > 4.5, f"{css} is pale"
        if css in MARKS:
            asked = fills(page, MARKS[css])
            assert asked
            for fill in asked:
                assert drawn(colours, fill) > 20, f"{css}: no mark of {fill}"


def test_every_part_is_drawn_in_the_colours_of_the_scheme(page: Browser, scheme: str) -> None:
    seen(page, scheme)


@pytest.mark.parametrize("css", [".mark", "#flows svg *", ".finding blockquote"])
def test_what_is_not_drawn_is_noticed(page: Browser, scheme: str, css: str) -> None:
    hide = "document.querySelectorAll(arguments[0]).forEach(n => { n.style.opacity = 0; })"
    page.execute_script(hide, css)
    with pytest.raises(AssertionError):
        seen(page, scheme)
