"""How long a dossier of many statements keeps its reader waiting, in a real browser.

    python -m benchmarks.dossier.measure [--statements 5000] [--sentences 20] [--runs 5]

Writes a dossier of made-up statements to a temporary folder, opens it from disk in headless
Chromium, and prints its size, when it could first be used (start of the navigation to the end of
the script, in which the lists, charts and filters have been drawn), and how long a click on a count
and a first search take until the next frame. Needs Debian's `chromium` and `chromium-driver`.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from pipeline.codebook import Codebook, load_codebook
from pipeline.records import Prediction, Sentence, Statement
from pipeline.reporting import Finding, ModelFacts, Party, render_dossier

ROOT = Path(__file__).parents[2]
MODEL = ModelFacts("made-up", "No model: the labels are drawn at random.", "Nothing here is true.")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900")
WORDS = (
    *("the", "Council", "must", "support", "all", "efforts", "to", "protect", "civilians", "and"),
    *("restore", "peace", "while", "parties", "continue", "their", "attacks", "on", "schools"),
    *("hospitals", "humanitarian", "convoys", "we", "call", "upon", "every", "side", "to"),
    *("respect", "ceasefire", "and", "return", "to", "talks", "without", "delay", "in", "region"),
)
NEXT_FRAME = """
    const done = arguments[arguments.length - 1], began = performance.now();
    {action}
    const told = () => done(performance.now() - began);
    setTimeout(() => requestAnimationFrame(() => setTimeout(told)), {wait});
"""
WAIT = 160
"""Milliseconds after which the form answers typing, with some to spare."""


def statements(number: int, sentences: int) -> Iterator[tuple[Statement, list[Sentence]]]:
    """Yield statements of sentences of 12 to 32 words, by 193 speakers, over 5 years."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    for n in range(number):
        doc, at, texts, rows = f"d{n}", 0, [], []
        for _ in range(sentences):
            text = " ".join(chance.choices(WORDS, k=chance.randint(12, 32))).capitalize() + "."
            rows.append(Sentence(f"{doc}#{at}", doc, text, at, at + len(text)))
            texts.append(text)
            at += len(text) + 1
        day = date(2020, 1, 1) + timedelta(days=chance.randrange(1826))
        yield (
            Statement(
                doc,
                " ".join(texts),
                f"{doc}.txt",
                speaker=f"State {chance.randrange(193)}",
                date=day.isoformat(),
                genre=chance.choice(("un-speech", "letter", "news")),
                title=f"Meeting {n // 20}",
            ),
            rows,
        )


def dossier(number: int, sentences: int, codebook: Codebook) -> str:
    """Render a dossier in which one sentence in seven carries a finding."""
    chance = random.Random(2)  # noqa: S311 - not for secrets
    column = [column for column in codebook.columns if codebook.tasks[column[0]].attribution]
    documents: dict[str, Statement] = {}
    rows: list[Prediction] = []
    findings: list[Finding] = []
    for statement, parts in statements(number, sentences):
        documents[statement.doc_id] = statement
        for sentence in parts:
            labels: dict[str, tuple[str, ...] | None] = dict.fromkeys(codebook.tasks, ())
            if chance.random() < 1 / 7:
                task, label = chance.choice(column)
                labels[task] = (label,)
                target = Party("parties", (sentence.start, sentence.start + 9), (), 0.8)
                known = Party(
                    "it", None, (f"State {min(int(chance.expovariate(0.05)), 192)}",), 0.9
                )
                who = Party("SPEAKER", None, (statement.speaker or "",), 0.9)
                toward = chance.choice((None, target, known))
                findings.append(
                    Finding(sentence.doc_id, sentence.sentence_id, task, label, 0.9, who, toward)
                )
            chances = {task: dict.fromkeys(t.labels, 0.5) for task, t in codebook.tasks.items()}
            rows.append(Prediction(sentence, labels, chances, MODEL.model_id))
    (html,) = render_dossier(
        rows,
        documents,
        codebook,
        findings,
        name="dossier.html",
        title="Made-up statements",
        model=MODEL,
        attribution_model="made-up",
        made_on=date(2026, 3, 4),
        most=number,
    ).values()
    return html


def browser(profile: str) -> webdriver.Chrome:
    """Start headless Chromium with an empty profile."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(programs):
        raise SystemExit("Install Debian's chromium and chromium-driver.")
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    return webdriver.Chrome(options, Service(str(programs[1])))


def measured(driver: webdriver.Chrome, address: str) -> tuple[float, float, float]:
    """Return milliseconds until the page can be used, a click has its answer, a search has it."""
    driver.get("about:blank")
    driver.get(address)
    ready = driver.execute_script("return performance.getEntriesByName('ready')[0].startTime")
    click = "document.querySelector('#heat button.count').click();"
    search = (
        "const q = document.getElementById('q'); q.value = 'convoys we call';"
        "q.dispatchEvent(new Event('input', { bubbles: true }));"
    )
    script = NEXT_FRAME.replace("{action}", click).replace("{wait}", "0")
    clicked = driver.execute_async_script(script)
    script = NEXT_FRAME.replace("{action}", search).replace("{wait}", str(WAIT))
    searched = driver.execute_async_script("document.getElementById('clear').click();" + script)
    return float(ready), float(clicked), float(searched) - WAIT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=5_000)
    parser.add_argument("--sentences", type=int, default=20, help="of each statement")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    began = time.perf_counter()
    html = dossier(asked.statements, asked.sentences, codebook)
    print(f"made in {time.perf_counter() - began:.1f} s, {len(html.encode()) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "dossier.html"
        page.write_text(html, encoding="utf-8")
        driver = browser(str(Path(folder) / "profile"))
        try:
            runs = [measured(driver, page.as_uri()) for _ in range(asked.runs)]
        finally:
            driver.quit()
    for name, times in zip(("ready", "click", "search"), zip(*runs, strict=True), strict=True):
        print(f"{name:7} median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms")


if __name__ == "__main__":
    main()
