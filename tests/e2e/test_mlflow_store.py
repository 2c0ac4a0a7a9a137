"""The MLflow UI on a real port: it shows the runs, takes new ones, and ends with Ctrl-C."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.ui.browser import running_ui
from pipeline.bundle import BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.errors import InputError, OutputError
from pipeline.settings.classifiers import RulesSettings
from pipeline.tracking import (
    Store,
    download_bundle,
    find_run,
    open_store,
    read_json,
    serve_ui,
    start_run,
)
from pipeline.tracking.ui import ui_address

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds a server may take to answer on a busy machine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as reply:
                assert reply.read() == b"OK"
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("project")
    store = open_store(f"sqlite:///{root / 'experiments' / 'mlflow.db'}")
    with start_run(store, "kitchen", "linear") as run:
        run.params({"c": 4})
    return store


@pytest.fixture(scope="module")
def port(local: Store) -> Iterator[int]:
    number = free_port()
    with running_ui(local.uri, number) as server:
        answers(number, server)
        yield number


def test_the_page_and_the_runs_are_served(local: Store, port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
        assert b"MLflow" in page.read()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(
        "POST",
        "/api/2.0/mlflow/runs/search",
        body=json.dumps({"experiment_ids": [local.experiment("kitchen")]}),
        headers={"Content-Type": "application/json"},
    )
    runs = json.load(connection.getresponse())["runs"]
    connection.close()
    assert [run["info"]["run_name"] for run in runs] == ["linear"]
    assert {"key": "c", "value": "4"} in runs[0]["data"]["params"]
    assert ui_address(local, "kitchen", host="127.0.0.1", port=port).endswith(
        "/runs?viewStateShareKey=scores"
    )


def test_a_page_of_another_site_reads_nothing(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 403")


def test_runs_and_models_go_through_a_server_and_back(
    port: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = open_store(f"http://127.0.0.1:{port}")
    codebook = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
    made = tmp_path / "made"
    write_bundle(
        made,
        RulesClassifier(codebook, RulesSettings()),
        DecisionRule.plain(codebook),
        BundleFacts(name="reviews", description="Rules."),
    )
    with start_run(store, "remote", "rules") as run:
        run.json({"test": ["doc1"]}, "split.json")
        run.bundle(made)
    assert find_run(store, "rules", experiment="remote").run_id == run.run_id
    assert read_json(store, run.run_id, "split.json") == {"test": ["doc1"]}
    found = download_bundle(store, run.run_id, tmp_path / "into")
    assert load_bundle(found).model_id == load_bundle(made).model_id
    assert capfd.readouterr().out == ""  # what stands there is a command's result
    with pytest.raises(InputError, match="is an MLflow server; open that address"):
        serve_ui(store, port=free_port())


def test_a_port_in_use_is_one_clear_error(local: Store, port: int) -> None:
    with pytest.raises(OutputError, match=f"127.0.0.1:{port}.*another port with --port"):
        serve_ui(local, port=port)


def test_ctrl_c_ends_the_server_cleanly(local: Store, tmp_path: Path) -> None:
    number = free_port()
    code = (
        "import signal\n"
        "from pipeline.tracking import open_store, serve_ui\n"
        # A background job of a shell starts with SIGINT ignored; the `stance` command resets it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"serve_ui(open_store({local.uri!r}), port={number})\n"
        "print('ended')"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        answers(number, command)
        os.killpg(command.pid, signal.SIGINT)
        shown, complained = command.communicate(timeout=60)
    finally:
        command.kill()
    assert command.returncode == 0, complained.decode()
    assert b"ended" in shown
    assert b"Traceback" not in complained
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", number)) != 0
    assert list(tmp_path.iterdir()) == []
