"""`stance promote`, `rollback` and `reproduce` as a user meets them, and the model behind HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds a server may take to answer on a busy machine."""


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

    def files(self) -> set[str]: ...


def model_in(folder: Path) -> str:
    return str(json.loads((folder / "manifest.json").read_text())["model_id"])


def uri(project: Stance) -> str:
    return f"sqlite:///{project.folder / 'store' / 'mlflow.db'}"


@pytest.fixture(scope="module")
def trained(shared: Stance) -> Stance:
    path = shared.folder / "settings.yaml"
    text = path.read_text().replace("models:\n", "models:\n  linear: {kind: linear, min_df: 1}\n")
    path.write_text(text)
    shared("train", "-c", "settings.yaml", code=0)
    return shared


@pytest.fixture(scope="module")
def shipped(trained: Stance) -> tuple[Done, Done, Done]:
    """A weak model is promoted, a better one beats it, and the weak one is then refused."""
    settings = ("-c", "settings.yaml", "--to", "shipped")
    first = trained("promote", "majority", *settings, code=0)
    second = trained("promote", "rules", *settings, code=0)
    return first, second, trained("promote", "majority", *settings)


def test_the_first_champion_has_none_to_beat(shipped: tuple[Done, Done, Done]) -> None:
    said = shipped[0].err
    assert "comparison: 'stance' has no champion yet" in said
    assert "licence CC0-1.0, data card corpus.md" in said
    assert re.search(r"kitchen-reviews-majority-\w+ is the champion, version 1 of 'stance'", said)


def test_a_better_model_becomes_the_champion(
    trained: Stance, shipped: tuple[Done, Done, Done]
) -> None:
    said = shipped[1].err
    figures = r"topic\.macro_f1 1\.000 to 0\.\d{3}, \+0\.\d{3} \[\+0\.\d{3}, \+0\.\d{3}\], p 0\.\d+"
    assert re.search(rf"against version 1: {figures}: better", said)
    assert "documents that all runs held out" in said
    assert "is the champion, version 2 of 'stance'" in said
    assert model_in(trained.folder / "shipped").startswith("kitchen-reviews-rules-")


def test_a_worse_model_is_refused_with_its_figures(
    trained: Stance, shipped: tuple[Done, Done, Done]
) -> None:
    shipped[2].failed(
        6,
        "kitchen-reviews-majority-",
        "1 of 5 gates failed",
        "comparison: ",
        "against version 2",
        ": worse",
        "interval must lie above -0.02",
        "version 3 of 'stance', alias 'challenger'",
        "shipped stays as it is",
    )
    assert model_in(trained.folder / "shipped").startswith("kitchen-reviews-rules-")


def test_the_registry_says_what_was_judged(
    trained: Stance, shipped: tuple[Done, Done, Done]
) -> None:
    from pipeline.tracking import find_run, open_store

    store = open_store(uri(trained))
    champion = store.client.get_model_version_by_alias("stance", "champion")
    challenger = store.client.get_model_version_by_alias("stance", "challenger")
    assert (str(champion.version), str(challenger.version)) == ("2", "3")
    assert champion.tags["stance.model_id"] == model_in(trained.folder / "shipped")
    assert champion.tags["gate.comparison"].startswith("passed: ")
    assert challenger.tags["gate.comparison"].startswith("failed: ")
    assert champion.tags["licence"] == "CC0-1.0"
    assert "| comparison | passed |" in champion.description
    run = find_run(store, "rules", experiment="kitchen")
    assert champion.run_id == run.run_id
    with store.bound():
        import mlflow.models

        signature = mlflow.models.get_model_info("models:/stance@champion").signature
    assert signature.inputs.required_input_names() == ["text"]


def test_a_registered_model_labels(trained: Stance, shipped: tuple[Done, Done, Done]) -> None:
    env = {"MLFLOW_TRACKING_URI": uri(trained)}
    by_alias = trained("classify", "docs/a.txt", "-m", "models:/stance@champion", code=0, env=env)
    folder = trained("classify", "docs/a.txt", "-m", "shipped", code=0)
    assert by_alias.out == folder.out
    first = trained("classify", "docs/a.txt", "-m", "models:/stance/1", code=0, env=env)
    assert '"model": "kitchen-reviews-majority-' in first.out
    trained("classify", "docs/a.txt", "-m", "models:/stance/9", env=env).failed(
        3, "no version 9 of 'stance'"
    )
    trained("classify", "docs/a.txt", "-m", "models:/stance", env=env).failed(
        3, "models:/NAME@ALIAS"
    )
    compared = trained(
        *("compare", "majority", "--against", "models:/stance/2", "-c", "settings.yaml"), code=0
    )
    assert "against models:/stance/2" in compared.out


def test_the_champion_is_no_second_version(
    trained: Stance, shipped: tuple[Done, Done, Done]
) -> None:
    again = trained("promote", "rules", "-c", "settings.yaml", "--to", "other", code=0)
    assert "is the champion itself, version 2" in again.err
    assert model_in(trained.folder / "other") == model_in(trained.folder / "shipped")


def test_every_gate_can_fail(stance: Stance) -> None:
    path = stance.folder / "settings.yaml"
    text = path.read_text() + (
        f"behaviour: {{names: {ROOT / 'configs' / 'names.yaml'}, direction: direction.jsonl, "
        "functionality: functionality.jsonl}\n"
    )
    path.write_text(
        text.replace("licence: CC0-1.0, data_card: corpus.md, ", "").replace(
            "ece: 0.2", "ece: 0.01"
        )
    )
    stance("train", "majority", "-c", "settings.yaml", code=0)
    refused = stance("promote", "majority", "-c", "settings.yaml")
    refused.failed(
        6,
        "3 of 5 gates failed",
        "functionality 0.0000 (at least 0.9)",
        "(allowed 0.01)",
        "card.licence is not stated; card.data_card names no file",
        "version 1 of 'stance', alias 'challenger'; models/kitchen stays as it is",
    )
    assert not (stance.folder / "models").exists()
    rest = stance("rollback", "-c", "settings.yaml")
    rest.failed(3, "bears the alias 'champion'")


def test_rollback(stance: Stance) -> None:
    stance("train", "-c", "settings.yaml", code=0)
    stance("promote", "majority", "-c", "settings.yaml", code=0)
    weak = model_in(stance.folder / "models" / "kitchen")
    first = stance("rollback", "-c", "settings.yaml")
    first.failed(3, "is the first champion")
    stance("promote", "rules", "-c", "settings.yaml", code=0)
    assert model_in(stance.folder / "models" / "kitchen") != weak
    back = stance("rollback", "-c", "settings.yaml", code=0)
    assert f"{weak}, version 1 of 'stance', is the champion again" in back.err
    assert "version 2 is the challenger" in back.err
    assert model_in(stance.folder / "models" / "kitchen") == weak
    env = {"MLFLOW_TRACKING_URI": uri(stance)}
    labelled = stance("classify", "docs/a.txt", "-m", "models:/stance@champion", code=0, env=env)
    assert weak in labelled.out
    stance("rollback", "-c", "settings.yaml").failed(3, "is the first champion")


def test_a_run_is_reproduced_to_the_last_bit(trained: Stance) -> None:
    done = trained("reproduce", "linear", "-c", "settings.yaml", code=0)
    assert re.match(
        r"bit-equal: the same model, probabilities and \d+ figures", done.out.split("\n")[-2]
    )
    assert "held-out/topic.macro_f1" in done.out
    assert "largest difference of a probability 0\n" in done.err
    from pipeline.tracking import find_run, open_store, read_json

    store = open_store(uri(trained))
    again = find_run(store, "linear reproduced", experiment="kitchen")
    original = find_run(store, "linear", experiment="kitchen")
    assert again.tags["stance.reproduces"] == original.run_id
    assert again.tags["stance.reproduction"].startswith("bit-equal")
    assert read_json(store, again.run_id, "reproduction.json")["reproduces"] == original.run_id


def test_a_run_on_other_data_is_not_reproduced(stance: Stance) -> None:
    stance("train", "rules", "-c", "settings.yaml", code=0)
    gold, corpus = stance.folder / "gold.jsonl", stance.folder / "corpus.jsonl"
    kept = gold.read_text()
    gold.write_text(kept + "\n")
    refused = stance("reproduce", "rules", "-c", "settings.yaml")
    refused.failed(3, "its data are not as it read them", "gold.jsonl was changed")
    gold.write_text(kept)
    corpus.write_text(corpus.read_text().replace("stale", "old", 1))
    refused = stance("reproduce", "rules", "-c", "settings.yaml")
    refused.failed(3, "its data are not as it read them", "documents were changed")


def test_what_came_out_differently_is_said(stance: Stance) -> None:
    """The figures that the run recorded are altered, as another machine might have them."""
    stance("train", "rules", "-c", "settings.yaml", code=0)
    store = sqlite3.connect(stance.folder / "store" / "mlflow.db")
    with store:
        store.execute(
            "update latest_metrics set value = 0.99 where key = 'held-out/topic.macro_f1'"
        )
    store.close()
    done = stance("reproduce", "rules", "-c", "settings.yaml")
    done.failed(6, "NOT within the bound", "differs by at most 0.0100 (allowed 0)")
    assert re.search(r"held-out/topic\.macro_f1 +0\.9900 +1\.0000 +\+0\.0100", done.out)
    near = stance("reproduce", "rules", "-c", "settings.yaml", "--within", "0.02", code=0)
    assert "within the bound" in near.out


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def served(
    trained: Stance, shipped: tuple[Done, Done, Done], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The champion behind `mlflow models serve`, started in a folder without the project."""
    away, port = tmp_path_factory.mktemp("away"), free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"  # it starts uvicorn
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["-m", "models:/stance@champion", "-h", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        command,
        cwd=away,
        env={**kept, "MLFLOW_TRACKING_URI": uri(trained), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert server.poll() is None, "the server ended by itself"
            assert time.monotonic() < deadline
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        yield port
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)


def asked(port: int, body: str | bytes, kind: str = "application/json") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    data = body if isinstance(body, bytes) else body.encode()
    try:
        connection.request("POST", "/invocations", body=data, headers={"Content-Type": kind})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"dataframe_records": [{"text": "Lovely soup."}, {"text": null}]}', "application/json"),
        (
            '{"dataframe_split": {"columns": ["text", "context"], '
            '"data": [["Lovely soup.", "We sat."], ["", null]]}}',
            "application/json",
        ),
        ('{"inputs": {"text": ["Lovely soup.", ""]}}', "application/json"),
        ('text\nLovely soup.\n""\n', "text/csv"),
    ],
    ids=["records", "split", "inputs", "csv"],
)
def test_the_served_champion_labels(served: int, body: str, kind: str) -> None:
    status, answer = asked(served, body, kind)
    assert status == 200, answer
    rows = json.loads(answer)["predictions"]
    assert rows[0]["tone"] == "praise"
    assert rows[0]["topic.food.decision"] is True
    assert 0.5 < rows[0]["topic.food.probability"] < 1
    assert set(rows[1].values()) == {None}


@pytest.mark.parametrize(
    ("body", "kind", "part"),
    [
        ("{", "application/json", "valid JSON"),
        ("", "application/json", "valid JSON"),
        (b'{"dataframe_records": [{"text": "\xff"}]}', "application/json", ""),
        ("[]", "application/json", "must be a JSON dictionary"),
        ("null", "application/json", "must be a JSON dictionary"),
        ('{"rows": []}', "application/json", "exactly one of the input fields"),
        ('{"dataframe_records": "x"}', "application/json", "must be a list of records"),
        ('{"dataframe_records": []}', "application/json", "missing inputs ['text']"),
        ('{"dataframe_records": [{"txt": "x"}]}', "application/json", "extra inputs: ['txt']"),
        ('{"dataframe_records": [{"text": 5}]}', "application/json", "got int '5', expected a str"),
        ('{"dataframe_records": [{"text": {"a": 1}}]}', "application/json", "got dict"),
        ('{"dataframe_records": [{"text": ["a"]}]}', "application/json", "row 0: got list"),
        ('{"dataframe_records": [{"text": "x", "context": 7}]}', "application/json", "'context'"),
        ('{"instances": ["Lovely soup."]}', "application/json", "missing inputs ['text']"),
        (
            '{"inputs": {"text": ["x"]}, "params": {"nulls": "maybe"}}',
            "application/json",
            "nulls",
        ),
        ("a,b\n1,2\n", "text/csv", "missing inputs ['text']"),
        ("Lovely soup.", "text/plain", "content types"),
    ],
)
def test_a_bad_request_is_answered_with_what_is_wrong(
    served: int, body: str | bytes, kind: str, part: str
) -> None:
    status, answer = asked(served, body, kind)
    assert status in (400, 415), answer
    assert part in answer
    # and the next good one is answered
    assert asked(served, '{"inputs": {"text": ["Lovely soup."]}}')[0] == 200


def test_a_table_without_nulls_on_request(served: int) -> None:
    body = '{"inputs": {"text": ["Lovely soup.", ""]}, "params": {"nulls": false}}'
    status, answer = asked(served, body)
    assert status == 200, answer
    first, empty = json.loads(answer)["predictions"]
    assert first["tone"] == "praise"
    assert empty["tone"] == ""
    assert empty["topic.food.decision"] is False
    assert empty["topic.food.abstained"] is True
    assert empty["topic.food.probability"] is None
