"""`stance ui`, and a Chromium that waits until it has drawn what it was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 60.0
"""Seconds that a page may take."""


@contextmanager
def browser(width: int = 1500, height: int = 900) -> Iterator[webdriver.Chrome]:
    """Give a browser without a window; it ends with the block."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    for argument in ("--headless=new", "--no-sandbox", f"--window-size={width},{height}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def running_ui(store: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run `stance ui` on the store of an address; it ends with the block."""
    command = [sys.executable, "-m", "pipeline.cli.app", "ui", "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, "MLFLOW_TRACKING_URI": store}) as server:
        try:
            yield server
        finally:
            server.terminate()


def open_page(driver: webdriver.Chrome, address: str, server: subprocess.Popen[bytes]) -> None:
    """Open an address as soon as the server answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the MLflow server does not answer")
        try:
            driver.get(address)
            return
        except WebDriverException:
            time.sleep(0.05)


def shows(driver: webdriver.Chrome, text: str) -> None:
    """Wait until a text stands on the page."""
    WebDriverWait(driver, PATIENCE, poll_frequency=0.05).until(
        lambda page: text in page.find_element(By.TAG_NAME, "body").text
    )
