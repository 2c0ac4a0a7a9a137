"""The command line with training: the whole path, what is skipped, and being interrupted."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STAGES = (
    *("check", "ingest", "segment", "train majority", "train rules", "promote", "classify"),
    "report",
)


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(
        self, *args: str | Path, stdin: bytes = ..., code: int | None = ..., env: object = ...
    ) -> Done: ...

    def start(
        self, *args: str | Path, stdout: int | IO[bytes] = ...
    ) -> subprocess.Popen[bytes]: ...

    def files(self) -> set[str]: ...


def ran(done: Done) -> list[str]:
    """The stages that did something, in order."""
    said = [line.partition(": ") for line in done.err.splitlines()]
    skipped = {name for name, _, text in said if text == "unchanged, skipped"}
    names = list(dict.fromkeys(name for name, _, _ in said if name in STAGES))
    return [name for name in names if name not in skipped]


def runs_in(folder: Path) -> list[tuple[str, str]]:
    """Name and status of every run in the project's MLflow store, but for its table of scores."""
    store = sqlite3.connect(folder / "store" / "mlflow.db")
    try:
        found = store.execute("select name, status from runs order by start_time").fetchall()
        return [(name, status) for name, status in found if name != "scores"]
    finally:
        store.close()


@pytest.fixture(scope="module")
def done(shared: Stance) -> Done:
    """The first run of the whole pipeline."""
    return shared("run", "settings.yaml", code=0)


def test_the_whole_path(shared: Stance, done: Done) -> None:
    assert ran(done) == list(STAGES)
    assert '"replicates": 100' in done.err  # the settings are shown before anything starts
    assert done.err.index('"replicates"') < done.err.index("check: ")
    for name in STAGES:
        assert name in done.out
    assert "Traceback" not in done.err
    assert "Warning" not in done.err
    made = shared.files()
    for path in (
        *("work/statements.jsonl", "work/sentences.jsonl", "work/stages.json"),
        *("models/kitchen/manifest.json", "out/predictions.jsonl", "out/report.html"),
        *("out/predictions.jsonl.rejects.jsonl", "store/mlflow.db"),
    ):
        assert path in made
    assert not [path for path in made if path.startswith("mlruns")]
    runs = [(name, "FINISHED") for name in ("majority", "rules", "promotion")]
    assert runs_in(shared.folder) == runs


def test_the_bundle_and_the_report_say_what_was_measured(shared: Stance, done: Done) -> None:
    card = (shared.folder / "models" / "kitchen" / "MODEL_CARD.md").read_text(encoding="utf-8")
    manifest = json.loads((shared.folder / "models" / "kitchen" / "manifest.json").read_text())
    assert "Knows nothing of desserts." in card
    assert "CC0-1.0" in card
    assert manifest["facts"]["parity"]["flipped"] == 0.0
    assert {figure["dataset"] for figure in manifest["facts"]["figures"]} == {"held-out", "gold"}
    html = (shared.folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "What the guests say" in html
    assert manifest["model_id"] in html


def test_a_second_run_skips_everything(shared: Stance, done: Done) -> None:
    again = shared("run", "settings.yaml", code=0)
    assert ran(again) == []
    assert again.out == done.out
    assert len(runs_in(shared.folder)) == 3


@pytest.fixture
def restored(shared: Stance, done: Done) -> Iterator[None]:
    """Undo what a test does to the shared project, and bring its outputs back."""
    kept = {
        path: path.read_bytes() for path in (shared.folder / "docs").iterdir() if path.is_file()
    }
    kept[shared.folder / "settings.yaml"] = (shared.folder / "settings.yaml").read_bytes()
    yield
    for path, content in kept.items():
        path.write_bytes(content)
    shared("run", "settings.yaml", code=0)


@pytest.mark.usefixtures("restored")
def test_a_new_document_reruns_what_depends_on_it(shared: Stance) -> None:
    (shared.folder / "docs" / "a.txt").write_text("A rude waiter. Lovely soup.\n")
    again = shared("run", "settings.yaml", code=0)
    assert ran(again) == ["ingest", "segment", "classify", "report"]
    assert "Lovely soup." in (shared.folder / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("restored")
def test_a_new_reject_reaches_the_report(shared: Stance) -> None:
    """The statements stay the same; only the list of what was set aside changes."""
    (shared.folder / "docs" / "void.txt").write_text("")
    try:
        again = shared("run", "settings.yaml", code=0)
        assert ran(again) == ["ingest", "classify", "report"]
        html = (shared.folder / "out" / "report.html").read_text(encoding="utf-8")
        assert "void.txt" in html
    finally:
        (shared.folder / "docs" / "void.txt").unlink()


@pytest.mark.usefixtures("restored")
def test_a_new_title_reruns_the_report_only(shared: Stance) -> None:
    path = shared.folder / "settings.yaml"
    path.write_text(path.read_text().replace("What the guests say", "Guests"))
    assert ran(shared("run", "settings.yaml", code=0)) == ["report"]


def test_promote_by_name_to_another_folder(shared: Stance, done: Done) -> None:
    shared("promote", "majority", "-c", "settings.yaml", "--to", "m2").failed(6, "comparison")
    assert "m2/manifest.json" not in shared.files()
    shipped = shared("promote", "rules", "-c", "settings.yaml", "--to", "m2", code=0)
    assert "kitchen-reviews-rules-" in shipped.err
    assert "0.00%" in shipped.err
    labelled = shared("classify", "docs/a.txt", "-m", "m2", code=0)
    assert '"model": "kitchen-reviews-rules-' in labelled.out


def test_promote_of_no_run_and_to_no_place(shared: Stance, done: Done) -> None:
    shared("promote", "nothing", "-c", "settings.yaml", "--to", "m3").failed(3, "nothing")
    shared("promote", "rules", "-c", "settings.yaml", "--to", "docs").failed(4, "is no bundle")
    assert "m3/manifest.json" not in shared.files()


def test_a_run_with_data_that_do_not_pass_stops_at_once(stance: Stance) -> None:
    path = stance.folder / "corpus.jsonl"
    path.write_text(path.read_text().replace('"praise"', '"prais"', 1))
    done = stance("run", "settings.yaml")
    done.failed(6, "finding(s) in the labelled data", "Did you mean 'praise'?")
    assert not (stance.folder / "models").exists()


def test_train_with_an_external_file(stance: Stance) -> None:
    (stance.folder / "extra.jsonl").write_bytes((stance.folder / "gold.jsonl").read_bytes())
    done = stance("train", "rules", "-c", "settings.yaml", "--eval", "extra.jsonl", code=0)
    rows = [line.split() for line in done.out.splitlines()]
    assert [row[2] for row in rows if row[:1] == ["rules"]] == ["held-out", "gold", "extra"]
    missing = stance("train", "rules", "-c", "settings.yaml", "--eval", "nowhere.jsonl")
    missing.failed(2, "nowhere.jsonl")


def test_train_logs_behaviour(stance: Stance) -> None:
    stance("train", "rules", "-c", "behaviour.yaml", code=0)
    store = sqlite3.connect(stance.folder / "store" / "mlflow.db")
    try:
        kept = {key for (key,) in store.execute("select key from metrics").fetchall()}
    finally:
        store.close()
    for name in ("functionality", "functionality.tone.blame.plain", "invariance.final_stop"):
        assert f"behaviour/{name}" in kept
    results = (stance.folder / "store").parent.rglob("behaviour/results.json")
    (tests,) = [json.loads(path.read_text()) for path in results]
    assert {"name", "rate", "low", "high", "n", "threshold", "passed"} <= set(tests[0])


def test_train_with_folds(stance: Stance) -> None:
    path = stance.folder / "settings.yaml"
    path.write_text(path.read_text().replace("threshold_folds: 2", "threshold_folds: 2, folds: 2"))
    stance("train", "majority", "-c", "settings.yaml", code=0)
    names = {name for name, status in runs_in(stance.folder) if status == "FINISHED"}
    assert names == {"majority", "fold 1", "fold 2"}


@pytest.fixture
def slow_model(stance: Stance, tiny_encoder: Path) -> Stance:
    """A transformer that would train for minutes."""
    model = (
        f'  net: {{kind: transformer, encoder: {{name: "{tiny_encoder}", max_tokens: 32}}, '
        "epochs: 50, tokens_per_batch: 64}\n"
    )
    path = stance.folder / "settings.yaml"
    path.write_text(path.read_text().replace("tracking:", model + "tracking:"))
    return stance


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_leaves_nothing_half_written(
    slow_model: Stance, number: signal.Signals
) -> None:
    process = slow_model.start("train", "net", "-c", "settings.yaml")
    assert process.stderr
    deadline = time.monotonic() + 300
    said = b""
    while b"fitting on" not in said:
        assert time.monotonic() < deadline
        said = process.stderr.readline()
        assert said
    time.sleep(1.5)
    process.send_signal(number)
    _, complained = process.communicate(timeout=300)
    assert process.returncode == 128 + number, complained.decode()
    assert complained.decode().endswith("error: Interrupted; nothing half-written was left.\n")
    assert "Traceback" not in complained.decode()
    made = slow_model.files()
    assert not [path for path in made if path.startswith("work/models/")]
    assert not [path for path in made if path.endswith((".part", ".partial", ".tmp"))]
    ((name, status),) = runs_in(slow_model.folder)
    assert name == "net"
    assert status in ("KILLED", "FAILED")


def test_a_transformer_is_trained_promoted_and_labels(stance: Stance, tiny_encoder: Path) -> None:
    path = stance.folder / "settings.yaml"
    model = (
        f'  net: {{kind: transformer, encoder: {{name: "{tiny_encoder}", max_tokens: 32}}, '
        "epochs: 1, tokens_per_batch: 512}\n"
        "  both:\n    kind: ensemble\n    members:\n"
        f'      - {{kind: transformer, encoder: {{name: "{tiny_encoder}", max_tokens: 32}}, '
        "epochs: 1, tokens_per_batch: 512}\n"
        "      - {kind: linear}\n    weights: [0.5, 0.5]\n"
    )
    text = path.read_text().replace("tracking:", model + "tracking:")
    path.write_text(text.replace("flipped: 0.0", "flipped: 0.2"))
    done = stance("train", "net", "both", "-c", "settings.yaml", code=0)
    assert "Warning" not in done.err
    shipped = stance("promote", "both", "-c", "settings.yaml", "--to", "m", code=0)
    assert "Warning" not in shipped.err
    assert "Traceback" not in shipped.err
    assert any(path.endswith("model.onnx") for path in stance.files() if path.startswith("m/"))
    labelled = stance("classify", "docs", "-m", "m", code=0)
    assert len(labelled.out.splitlines()) >= 6
    checkpoints = [path for path in stance.files() if path.startswith("work/checkpoints/")]
    assert len(checkpoints) == 1  # the ensemble's member is the same training


def test_an_encoder_that_reads_fewer_tokens(stance: Stance, tiny_encoder: Path) -> None:
    model = f'  net: {{kind: transformer, encoder: {{name: "{tiny_encoder}"}}}}\n'
    path = stance.folder / "settings.yaml"
    path.write_text(path.read_text().replace("tracking:", model + "tracking:"))
    stance("train", "net", "-c", "settings.yaml").failed(2, "max_tokens is 128", "at most 64")
