"""Pictures of the MLflow UI on a store, as `stance ui` opens it, for docs/experiments.md.

    python -m benchmarks.ui.screenshots experiments/mlflow.db stance --to docs/ui

Four pictures: the runs of the experiment with their columns, the run of one model, the charts
that compare all models, and the registered model. Where one does not show what it is taken for, the
script fails.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

from benchmarks.ui.browser import browser, open_page, running_ui, shows
from pipeline.output import whole_file
from pipeline.tracking import Store, find_run, open_store, ui_address
from pipeline.tracking.registered import CHAMPION, find_version

PORT = 5918
COLOURS = 128
"""Enough for a page of text, and small."""
_DISTRACTIONS = (
    "[data-component-id='mlflow.assistant.chat_panel.close'], "
    "[data-component-id='mlflow.shared_view_banner.close']"
)
SETTLED = 6.0
"""Seconds that plots and icons take after the text is there."""


def pages(
    store: Store, experiment: str, run: str, registered: str
) -> Iterator[tuple[str, str, str]]:
    """Yield name, address, and a text that must be on the page."""
    runs = ui_address(store, experiment, host="127.0.0.1", port=PORT)
    yield "runs", runs, run
    found = find_run(store, run, experiment=experiment)
    identity = store.client.get_run(found.run_id).info.experiment_id
    root = runs.partition("#")[0]
    yield (
        "run",
        f"{root}#/experiments/{identity}/runs/{found.run_id}",
        "Metrics",
    )
    yield "compare", f"{runs}&compareRunsMode=CHART", run
    version = find_version(store, registered, CHAMPION)
    yield (
        "model",
        f"{root}#/models/{registered}/versions/{version.version}",
        "licence and data card",
    )


def picture(driver: webdriver.Chrome) -> bytes:
    """Return what the browser shows as a PNG with few colours."""
    image = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    out = io.BytesIO()
    image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("experiment")
    parser.add_argument("--run", default="ensemble")
    parser.add_argument("--registered", default="stance")
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    store = open_store(f"sqlite:///{options.store.resolve()}")
    options.to.mkdir(parents=True, exist_ok=True)
    wanted = list(pages(store, options.experiment, options.run, options.registered))
    with browser() as driver, running_ui(store.uri, PORT) as server:
        for name, address, text in wanted:
            show(driver, address, text, server)
            content = picture(driver)
            with whole_file(options.to / f"{name}.png") as file:
                file.write(content)
            print(f"{name}.png: {len(content) / 1000:.0f} kB, {address}")


def show(
    driver: webdriver.Chrome, address: str, text: str, server: subprocess.Popen[bytes]
) -> None:
    """Open a page and wait until it is drawn, without what the UI opens on a first visit."""
    open_page(driver, address, server)
    shows(driver, text)
    for element in driver.find_elements(By.CSS_SELECTOR, _DISTRACTIONS):
        element.click()
    time.sleep(SETTLED)


if __name__ == "__main__":
    main()
