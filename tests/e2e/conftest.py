"""The command line as a user meets it: a process of its own in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from pipeline.bundle import BundleFacts, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.settings.classifiers import RulesSettings

if TYPE_CHECKING:
    from selenium import webdriver

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "pipeline.cli.app")
BROWSER_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,900",
)  # fmt: skip


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **(more or {})}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None:
        """It ended with this code and one clear message, which holds all these parts."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        assert self.err.count("error: ") == 1, self.err
        for part in parts:
            assert part in self.err, self.err


@dataclass(frozen=True)
class Stance:
    """Runs `stance` in a folder."""

    folder: Path

    def __call__(
        self,
        *args: str | Path,
        stdin: bytes = b"",
        code: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        ended = subprocess.run(
            [*COMMAND, *map(str, args)],
            cwd=self.folder,
            env=environment(env),
            input=stdin,
            capture_output=True,
            timeout=500,
        )
        done = Done(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
        if code is not None:
            assert done.code == code, done.err
        return done

    def start(
        self, *args: str | Path, stdout: int | IO[bytes] = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a command whose standard input stays open."""
        return subprocess.Popen(
            [*COMMAND, *map(str, args)],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )

    def files(self) -> set[str]:
        """All files in the folder, hidden ones included."""
        return {
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


def write_rules(folder: Path) -> None:
    """Write a bundle that needs no training."""
    tiny = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
    facts = BundleFacts(name="kitchen", description="Rules.", limits=("None known.",))
    write_bundle(folder, RulesClassifier(tiny, RulesSettings()), DecisionRule.plain(tiny), facts)


def write_behaviour(folder: Path) -> None:
    """Write cases of behaviour tests, and settings that have them: `behaviour.yaml`."""
    case = '{"text": "The bread was stale.", "label": "blame", "present": true, "kind": "plain"}'
    pair = (
        '{"test": "negation", "label": "praise", "before": "The soup was excellent.", '
        '"before_present": true, "after": "Not excellent.", "after_present": false}'
    )
    (folder / "functionality.jsonl").write_text(case + "\n", encoding="utf-8")
    (folder / "direction.jsonl").write_text(pair + "\n", encoding="utf-8")
    section = (
        f"behaviour: {{names: {ROOT / 'configs' / 'names.yaml'}, direction: direction.jsonl, "
        "functionality: functionality.jsonl}\n"
    )
    text = (folder / "settings.yaml").read_text(encoding="utf-8")
    (folder / "behaviour.yaml").write_text(text + section, encoding="utf-8")


@pytest.fixture
def stance(make_project: Callable[[Path], Path], tmp_path: Path) -> Stance:
    """`stance` in a new project about restaurants, with a bundle of rules in `bundle`."""
    folder = make_project(tmp_path / "project")
    write_rules(folder / "bundle")
    write_behaviour(folder)
    return Stance(folder)


@pytest.fixture(scope="module")
def shared(
    make_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Stance:
    """The same, shared by the tests of a file, which must not depend on their order."""
    folder = make_project(tmp_path_factory.mktemp("shared") / "project")
    write_rules(folder / "bundle")
    return Stance(folder)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(
    tmp_path_factory: pytest.TempPathFactory, downloads: Path
) -> Iterator[webdriver.Chrome]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        pytest.fail(
            f"{' and '.join(missing)} not found on PATH. These tests drive a real browser: "
            "install it with 'apt-get install chromium chromium-driver'."
        )
    options = webdriver.ChromeOptions()
    options.binary_location = str(found["chromium"])
    for flag in (*BROWSER_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SE_OFFLINE", "true")
        environment.setenv("SE_AVOID_STATS", "true")
        driver = webdriver.Chrome(options, Service(executable_path=str(found["chromedriver"])))
        yield driver
        driver.quit()
