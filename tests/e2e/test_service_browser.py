"""The page of the service in a real browser: it asks nobody but the service, and its form works.

Needs Debian's `chromium` and `chromium-driver`; nothing is downloaded or installed here.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [pytest.mark.slow, pytest.mark.browser]

LOADED = "return performance.getEntriesByType('resource').map(entry => entry.name)"


class Stance(Protocol):
    def start(self, *args: str | Path) -> subprocess.Popen[bytes]: ...


@pytest.fixture
def address(shared: Stance) -> Iterator[str]:
    with shared.start("serve", "-m", "bundle", "--port", "0") as process:
        assert process.stderr is not None
        found = re.search(rb" on (http://\S+) \(", process.stderr.readline())
        assert found
        yield found[1].decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_the_page_explains_and_tries_the_service(browser: webdriver.Chrome, address: str) -> None:
    browser.get(f"{address}/docs")
    assert "POST /v1/classify" in browser.find_element(By.TAG_NAME, "body").text
    answer = browser.find_element(By.ID, "answer")
    assert not answer.is_displayed()
    button = browser.find_element(By.ID, "try")
    button.click()
    WebDriverWait(browser, 20).until(lambda _: "200 OK" in answer.text)
    assert '"food"' in answer.text
    body = browser.find_element(By.ID, "body")
    body.clear()
    body.send_keys('{"text": "<img src=x onerror=alert(1)>We agree."}')
    button.click()
    WebDriverWait(browser, 20).until(lambda _: "We agree." in answer.text)
    assert not answer.find_elements(By.TAG_NAME, "img")
    assert set(browser.execute_script(LOADED)) <= {
        f"{address}/v1/classify",
        f"{address}/favicon.ico",
    }
    complaints = [entry["message"] for entry in browser.get_log("browser")]
    assert not [line for line in complaints if "favicon" not in line]
