"""`stance serve` as a process of its own, asked by a real client."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx2 as httpx
import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "default"
STATEMENT = sorted((ROOT / "seeds" / "statements").glob("*.txt"))[0]
CLASSIFY = "/v1/classify"
JSON = {"Content-Type": "application/json"}


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(self, *args: str | Path, stdin: bytes = ..., code: int | None = ...) -> Done: ...

    def start(self, *args: str | Path) -> subprocess.Popen[bytes]: ...


@dataclass
class Service:
    """A running service and what it has written so far."""

    process: subprocess.Popen[bytes]
    lines: list[str] = field(default_factory=list)
    address: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def wait_for(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "\n".join(self.lines)
            assert self.process.poll() is None, "\n".join(self.lines)
            time.sleep(0.01)

    def post(self, body: object) -> httpx.Response:
        return self.client.post(self.address + CLASSIFY, json=body)

    def metric(self, name: str) -> float:
        text = self.client.get(self.address + "/metrics").text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def raw(self, data: bytes, *, seconds: float = 20.0) -> bytes:
        """Send bytes, read until the other side closes or says nothing for a while."""
        host, port = self.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=seconds) as connection:
            connection.sendall(data)
            answer = b""
            try:
                while part := connection.recv(65_536):
                    answer += part
            except TimeoutError:
                pass
        return answer

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(stance: Stance, *args: str | Path) -> Iterator[Service]:
    process = stance.start("serve", "--port", "0", *args)
    service = Service(process)

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            service.lines.append(line.decode().rstrip("\n"))

    reader = threading.Thread(target=read)
    reader.start()

    def listens() -> bool:
        found = [re.search(r" on (http://\S+) \(", line) for line in service.lines]
        service.address = next((match[1] for match in found if match), "")
        return bool(service.address)

    try:
        service.wait_for(listens)
        yield service
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        service.client.close()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture(scope="module")
def rules(shared: Stance) -> Iterator[Service]:
    """A service whose model labels at once."""
    with serving(shared, "-m", "bundle", "--max-seconds", "3") as service:
        yield service


@pytest.fixture(scope="module")
def shipped(shared: Stance) -> Iterator[Service]:
    """A service with the shipped model."""
    with serving(shared, "-m", SHIPPED) as service:
        yield service


def problem(got: httpx.Response, status: int) -> dict[str, object]:
    assert got.status_code == status, got.text
    assert got.headers["content-type"] == "application/problem+json"
    found: dict[str, object] = got.json()
    assert set(found) == {"type", "title", "status", "detail", "errors"}
    return found


# Answers


def test_labels_are_those_of_the_command(shared: Stance, shipped: Service) -> None:
    done = shared("classify", STATEMENT, "-m", SHIPPED, code=0)
    rows = [json.loads(line) for line in done.out.splitlines()]
    answer = shipped.post({"text": STATEMENT.read_text(encoding="utf-8")}).json()
    assert answer["model_id"] == rows[0]["model"]
    assert answer["statement"]["doc_id"] == rows[0]["doc_id"]
    tasks = [
        task["name"] for task in shipped.client.get(shipped.address + "/v1/model").json()["tasks"]
    ]
    assert len(answer["sentences"]) == len(rows) > 10
    for mine, row in zip(answer["sentences"], rows, strict=True):
        assert mine["labels"] == {task: row[task] for task in tasks}
        for name, key in (("id", "sentence_id"), ("text", "text"), ("start", "start")):
            assert mine[name] == row[key]
        for task in tasks:
            for label, probability in mine["probabilities"][task].items():
                assert probability == pytest.approx(row[f"p_{task}_{label}"], abs=1e-3)


def test_requests_together_get_the_labels_they_get_alone(shipped: Service) -> None:
    texts = [part for part in STATEMENT.read_text(encoding="utf-8").split("\n\n") if part.strip()][
        :12
    ]
    alone = [shipped.post({"text": text}).json() for text in texts]
    before = shipped.metric("stance_batch_sentences_count")
    with ThreadPoolExecutor(len(texts)) as pool:
        together = [got.json() for got in pool.map(shipped.post, [{"text": t} for t in texts])]
    batches = shipped.metric("stance_batch_sentences_count") - before
    assert batches < len(texts)
    for one, other in zip(alone, together, strict=True):
        assert [s["labels"] for s in one["sentences"]] == [s["labels"] for s in other["sentences"]]


@pytest.mark.parametrize(
    "text",
    [
        "We condemn\x00 it.",
        "\ud83d we agree \udc00.",
        "\u202eWe condemn the attack.\u202c العربية",
        "\u200b\ufeff",
        "",
        "a",
        "x" * 150_000,
        "a.\n\n" * 900,
    ],
    ids=["nul", "surrogates", "rtl", "invisible", "empty", "letter", "long", "many"],
)
def test_any_text_is_answered(rules: Service, text: str) -> None:
    for body in (
        {"text": text},
        {"sentences": [text]},
        {"sentences": [{"text": "", "context": text}]},
    ):
        content = json.dumps(body).encode()
        got = rules.client.post(rules.address + CLASSIFY, content=content, headers=JSON)
        assert got.status_code == 200, got.text
        for sentence in got.json()["sentences"]:
            assert (sentence["problem"] is None) == bool(sentence["text"])


def test_many_empty_strings_come_back_in_their_places(rules: Service) -> None:
    answer = rules.post({"sentences": [""] * 999 + ["We agree."]}).json()
    assert [s["problem"] is None for s in answer["sentences"]] == [False] * 999 + [True]


# Refusals


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\x80\x81", b"[" * 500_000, b'{"text":' * 100_000, b"null", b'{"text": 1e999}'],
)
def test_bad_json_is_refused(rules: Service, content: bytes) -> None:
    got = rules.client.post(rules.address + CLASSIFY, content=content, headers=JSON)
    assert problem(got, got.status_code)["status"] in (400, 422)


def test_other_content_types_are_refused(rules: Service) -> None:
    address = rules.address + CLASSIFY
    problem(rules.client.post(address, content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    problem(rules.client.post(address, data={"text": "a"}), 415)
    problem(rules.client.post(address), 415)


def test_a_huge_body_is_refused_whether_its_length_is_said_or_not(rules: Service) -> None:
    before = rules.metric("process_resident_memory_bytes")
    address, megabyte = rules.address + CLASSIFY, b" " * 1_000_000
    said = rules.client.post(address, content=megabyte * 6, headers=JSON)
    assert problem(said, 413)["errors"] == [
        {"where": "body", "got": "6,000,000 bytes", "expected": "at most 2,000,000 bytes"}
    ]
    unsaid = rules.client.post(address, content=(megabyte for _ in range(6)), headers=JSON)
    problem(unsaid, 413)
    head = b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    waits = head + b"Expect: 100-continue\r\nContent-Length: 99000000000\r\n\r\n"
    assert b" 413 " in rules.raw(waits).splitlines()[0]
    endless = head + b"Content-Length: 99000000000\r\n\r\n" + megabyte
    assert b" 413 " in rules.raw(endless).splitlines()[0]
    after = rules.metric("process_resident_memory_bytes")
    assert after - before < 30_000_000


def test_a_body_that_does_not_come_is_not_waited_for(rules: Service) -> None:
    head = b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    begun = time.monotonic()
    answer = rules.raw(head + b"Content-Length: 10\r\n\r\n{")
    assert b" 408 " in answer.splitlines()[0]
    assert 2.5 < time.monotonic() - begun < 7  # and the connection was closed


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n"])
def test_what_is_not_http_does_no_harm(rules: Service, data: bytes) -> None:
    assert rules.raw(data).startswith(b"HTTP/1.1 400")
    assert rules.post({"text": "We agree."}).status_code == 200


def test_a_saturated_service_asks_to_come_back_and_fails_nobody(shared: Stance) -> None:
    """Every client is served in the end if it waits as it is told to."""
    body = {"sentences": [f"We condemn attack number {n} on the hospital." for n in range(20)]}
    limits = ("--max-sentences", "20", "--max-queue", "60")
    with serving(shared, "-m", SHIPPED, *limits) as service:

        def insist(_: int) -> list[int]:
            seen = []
            with httpx.Client(timeout=120) as client:
                for _ in range(60):
                    got = client.post(service.address + CLASSIFY, json=body)
                    seen.append(got.status_code)
                    if got.status_code != 429:
                        break
                    found = problem(got, 429)
                    assert "waiting" in str(found["detail"])
                    assert 1 <= int(got.headers["retry-after"]) <= 60
                    time.sleep(int(got.headers["retry-after"]))
            return seen

        with ThreadPoolExecutor(16) as pool:
            seen = list(pool.map(insist, range(16)))
        assert {statuses[-1] for statuses in seen} == {200}
        assert {status for statuses in seen for status in statuses} == {200, 429}
        assert service.metric("stance_queue_sentences") == 0
        assert service.metric("stance_requests_in_flight") == 0


def test_work_for_a_client_that_left_is_given_up(shared: Stance) -> None:
    with serving(shared, "-m", SHIPPED) as service:
        body = {
            "sentences": [f"We condemn attack number {n}, and urge restraint." for n in range(900)]
        }
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(service.address + CLASSIFY, json=body, timeout=0.5)
        service.wait_for(lambda: service.metric("stance_queue_sentences") == 0, 10)
        service.wait_for(lambda: any(" 499," in line for line in service.lines), 10)


# Beginning and end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_answered_before_the_end(shared: Stance, number: int) -> None:
    with serving(shared, "-m", SHIPPED) as service:

        def ask(client: int) -> httpx.Response:
            """Enough work to be seen under way, little enough for a slow machine."""
            texts = [f"We urge party {client}-{n} to cease fire at once." for n in range(100)]
            return httpx.post(service.address + CLASSIFY, json={"sentences": texts}, timeout=60)

        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(ask, client) for client in range(4)]
            service.wait_for(lambda: service.metric("stance_requests_in_flight") >= 3)
            service.process.send_signal(number)
            answers = [future.result() for future in asked]
        assert [got.status_code for got in answers] == [200] * 4
        assert service.process.wait(60) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(service.address + "/health")
    assert service.lines[-1].startswith("Ended")
    assert not any("Traceback" in line or "error" in line for line in service.lines)


def test_the_end_waits_for_nobody_who_does_not_speak(shared: Stance) -> None:
    with serving(shared, "-m", "bundle", "--max-seconds", "1") as service:
        host, port = service.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as silent:
            head = b"POST /v1/classify HTTP/1.1\r\nContent-Type: application/json\r\nHost: a\r\n"
            silent.sendall(head + b"Content-Length: 9\r\n\r\n{")
            service.wait_for(lambda: service.metric("stance_requests_in_flight") == 1)
            begun = time.monotonic()
            assert service.end() == 0
            assert time.monotonic() - begun < 8


def test_the_log_holds_no_texts(shared: Stance) -> None:
    with serving(shared, "-m", "bundle") as service:
        service.post({"text": "A very secret sentence.", "speaker": "Secretary"})
        service.post({"sentences": ["secret", 3]})
        service.client.get(service.address + "/v1/classify?text=secret")
        assert service.end() == 0
    log = "\n".join(service.lines)
    assert "secret" not in log
    assert "Secretary" not in log
    requests = [line for line in service.lines if " ms" in line]
    assert sorted(re.sub(r"^\S+ |, \d+ ms$", "", line) for line in requests) == [
        "GET /v1/classify 405",
        "POST /v1/classify 200, 1 sentences",
        "POST /v1/classify 422",
    ]


def test_only_an_open_address_is_warned_of(shared: Stance) -> None:
    with serving(shared, "-m", "bundle", "--host", "0.0.0.0") as service:  # noqa: S104
        assert service.lines[0].startswith("warning: 0.0.0.0 can be reached from other machines")
    with serving(shared, "-m", "bundle", "--host", "localhost") as service:
        assert not any("warning" in line for line in service.lines)


def test_mistakes_of_the_command(shared: Stance, rules: Service) -> None:
    port = rules.address.rpartition(":")[2]
    shared("serve", "-m", "bundle", "--port", port).failed(4, f":{port}", "in use", "--port")
    shared("serve", "-m", "bundle", "--host", "no.such.host.invalid").failed(2, "not known")
    shared("serve", "-m", "nowhere").failed(5, "no model here")
    shared("serve", "-m", "bundle", "--max-queue", "10").failed(2, "raise --max-queue")


# Fuzzing

CHECKS = """\
[checks.negative_data_rejection]
expected-statuses = [400, 413, 415, 422] # 413 is how a request beyond the limits is refused
"""


@pytest.mark.slow
def test_the_service_keeps_to_its_specification_whatever_it_is_asked(
    shared: Stance, tmp_path: Path
) -> None:
    """All checks of schemathesis on requests drawn from the specification, right and wrong ones."""
    (tmp_path / "schemathesis.toml").write_text(CHECKS)
    with serving(shared, "-m", "bundle") as service:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run"),
                *(service.address + "/openapi.json", "--checks", "all"),
                *("--max-examples", "300", "--seed", "7", "--no-color", "--request-timeout", "30"),
            ],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.returncode == 0, re.sub(r"\w{500,}", "…", done.stdout + done.stderr)
        assert "Test cases" in done.stdout
        assert service.client.get(service.address + "/ready").status_code == 200
        assert service.end() == 0
    assert not any("Traceback" in line for line in service.lines)
