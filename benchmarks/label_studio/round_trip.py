"""Annotations through a real Label Studio, there and back: nothing may be lost.

    python -m benchmarks.label_studio.round_trip experiments/label-studio-venv/bin/label-studio

Starts the server on loopback with a data folder of its own, makes a project from the interface that
`stance annotate export` writes, imports tasks with predictions and with annotations of two coders,
lets two users of Label Studio annotate every task over its API, exports, imports with
`stance annotate import`, and compares. Exits with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.codebook import load_codebook
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import (
    Annotation,
    CodebookStamp,
    Item,
    Sampling,
    Sheet,
    Span,
    SpanAttribution,
    normal,
    to_line,
)
from pipeline.labelling.label_studio import PROVENANCE, to_task
from pipeline.records import SPEAKER

ROOT = Path(__file__).parents[2]
CODEBOOK = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
STAMP = CodebookStamp.of(CODEBOOK)
PASSWORD = "kitchen-table-1"  # noqa: S105 - of a server that lives for a minute on loopback
USERS = ("ann@example.org", "bob@example.org")
START_WITHIN = 1800
"""Seconds: the first start makes the database."""

STATEMENT = {"speaker": "A guest", "date": "2024-03-01", "genre": "review"}
TEXTS = (
    "My neighbour called the bread stale, and the bread was stale.",
    "The soup was excellent. 𝔘nd so was the wine.",
    'We sat by the window; "nothing" <else> happened & nobody minded.',
    "The waiter, a friendly man,\nbrought cold soup.",
)


class Session:
    """A user who is logged in."""

    def __init__(self, address: str, user: str, page: str) -> None:
        self._address = address
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._cookies)
        )
        self._send("GET", page)
        fields = {"email": user, "password": PASSWORD, "csrfmiddlewaretoken": self._token()}
        self._send("POST", page, urllib.parse.urlencode(fields).encode())
        got = self.call("GET", "/api/current-user/whoami")
        if got["email"] != user:
            raise SystemExit(f"{user} could not log in: {got}")
        self.number = int(got["id"])

    def call(self, method: str, path: str, data: object = None) -> Any:
        """Call the API with JSON and return its answer."""
        body = None if data is None else json.dumps(data).encode()
        answer = self._send(method, path, body, {"Content-Type": "application/json"})
        return json.loads(answer) if answer else None

    def _token(self) -> str:
        return next((c.value or "" for c in self._cookies if c.name == "csrftoken"), "")

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - loopback
            self._address + path, data=body, method=method, headers=headers or {}
        )
        request.add_header("Referer", self._address + path)
        request.add_header("X-CSRFToken", self._token())
        try:
            with self._opener.open(request, timeout=120) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read()[:600]!r}") from None


@contextmanager
def server(executable: Path, folder: Path) -> Iterator[str]:
    """Run Label Studio until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        # It must not call anybody: neither for news nor to report.
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    command = [executable, "start", "--no-browser", "--internal-host", "127.0.0.1"]
    command += ["--port", str(port), "--username", USERS[0], "--password", PASSWORD]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*map(str, command)], stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            _wait(f"{address}/health", process, folder / "server.log")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(1)
    raise SystemExit(f"Label Studio did not start:\n{log.read_text(errors='replace')[-2000:]}")


def stance(*args: str | Path) -> None:
    """Run a command of the project."""
    command = [sys.executable, "-m", "pipeline.cli.app", *map(str, args)]
    subprocess.run(command, cwd=ROOT, check=True)


def rows() -> list[dict[str, object]]:
    """Return what `stance classify` writes of the sentences."""
    made = []
    for number, text in enumerate(TEXTS):
        row: dict[str, object] = {"doc_id": "review", "sentence_id": f"review#{number}"}
        row |= {"start": 100 * number, "end": 100 * number + len(text), "text": text}
        row |= {"block": "paragraph", "list_path": None, "gap": "\n", "model": "rules-1"}
        row |= {"topic": ["food"] if number % 2 else [], "tone": "neither"}
        row |= {f"p_{task}_{label}": 0.25 for task, label in CODEBOOK.columns}
        row |= {"sampling": {"design": "random", "probability": 0.125}, **STATEMENT}
        made.append(row)
    return made


def annotation(item: Item, coder: str, number: int, *, two_holders: bool) -> Annotation:
    """Return one of several annotations that differ in all that an annotation can hold.

    Of two holders of a label, Label Studio's own annotations do not say which has the target.
    """
    words = item.text.split()
    last = Span(words[-1], item.text.rindex(words[-1]), len(item.text))
    first = Span(words[0], 0, len(words[0]))
    food: tuple[SpanAttribution, ...] = (
        SpanAttribution("topic", "food", Span(SPEAKER), last),
        SpanAttribution("topic", "food", first, None),
        SpanAttribution("topic", "service", Span("another guest"), last),
    )
    if not two_holders:
        food = (food[0], food[2])
    base = Annotation(item, coder, STAMP, comment=f"comment <{number}> of\n{coder}")
    answers = (
        {"labels": {"topic": ("food", "service"), "tone": ("blame",)}, "attributions": food},
        {"labels": {"topic": (), "tone": ("neither",)}, "comment": ""},
        {"labels": {"tone": ("praise",)}, "abstained": ("topic",)},
        {"abstained": ("topic", "tone")},
    )
    return normal(replace(base, **answers[number % len(answers)]), CODEBOOK)  # type: ignore[arg-type]


def user_results(given: Annotation) -> list[object]:
    """Return the results that Label Studio's own editor would send: it knows no provenance."""
    task = json.loads(json.dumps(to_task(Sheet(given.item, STAMP, annotations=(given,)))))
    results = task["annotations"][0]["result"]
    return [result for result in results if result["from_name"] != PROVENANCE]


def check(executable: Path, folder: Path) -> list[str]:
    """Make the round trip; return what differs."""
    predictions, tasks = folder / "predictions.jsonl", folder / "tasks.json"
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    items = [
        Item(
            *("review", f"review#{n}", text, 100 * n, 100 * n + len(text)),
            *(TEXTS[n - 1] if n else "", *STATEMENT.values()),
        )
        for n, text in enumerate(TEXTS)
    ]
    when = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
    brought = [
        replace(
            annotation(item, coder, n + shift, two_holders=True),
            time=when,
            sampling=Sampling("census", 1.0),
        )
        for n, item in enumerate(items)
        for shift, coder in enumerate(("Chloé", "dan"))
    ]
    (folder / "brought.jsonl").write_bytes(b"".join(map(to_line, brought)))
    book = ROOT / "tests" / "codebooks" / "tiny.yaml"
    stance(
        *("annotate", "export", predictions, folder / "brought.jsonl", "--to", "label-studio"),
        *("--out", tasks, "--codebook", book),
    )
    expected = list(brought)
    with server(executable, folder) as address:
        ann = Session(address, USERS[0], "/user/login/")
        bob = Session(address, USERS[1], "/user/signup/")
        config = (folder / "tasks.interface.xml").read_text(encoding="utf-8")
        project = ann.call("POST", "/api/projects", {"title": "Kitchen", "label_config": config})
        path = f"/api/projects/{project['id']}"
        sent = json.loads(tasks.read_text(encoding="utf-8"))
        print("import:", ann.call("POST", f"{path}/import", sent))
        for user, session in zip(USERS, (ann, bob), strict=True):
            listed = session.call("GET", f"/api/tasks?project={project['id']}&fields=all")
            for task in listed["tasks"]:
                number = int(str(task["data"]["sentence_id"]).partition("#")[2])
                made = replace(
                    annotation(items[number], user, number + len(user), two_holders=False),
                    sampling=Sampling("random", 0.125),
                )
                body: dict[str, object] = {"result": user_results(made)}
                session.call("POST", f"/api/tasks/{task['id']}/annotations/", body)
                expected.append(made)
        numbers = {user: one.number for user, one in zip(USERS, (ann, bob), strict=True)}
        exported = ann.call("GET", f"{path}/export?exportType=JSON&download_all_tasks=true")
    (folder / "export.json").write_text(json.dumps(exported), encoding="utf-8")
    suggested = sum(len(task.get("predictions") or []) for task in exported)
    stance(
        *("annotate", "import", folder / "export.json", "--out", folder / "back.jsonl"),
        *("--codebook", book),
        *(part for user, number in numbers.items() for part in _renamed(user, number)),
    )
    reader = AnnotationReader(CODEBOOK)
    for line in (folder / "back.jsonl").read_bytes().splitlines():
        reader.read_json_line(line, "back.jsonl", "")
    print(f"{len(expected)} annotations went in, {len(reader.annotations)} came back;", end=" ")
    print(f"{suggested} of {len(sent)} predictions were kept.")
    return _differences(expected, reader.annotations)


def _renamed(user: str, number: int) -> tuple[str, str]:
    """Label Studio exports users by number only."""
    return "--rename", f"label-studio-user-{number}={user}"


def _differences(expected: Sequence[Annotation], got: Sequence[Annotation]) -> list[str]:
    back = {(one.item.key, one.coder): one for one in got}
    found = [f"{len(got)} annotations instead of {len(expected)}"] * (len(got) != len(expected))
    for one in expected:
        other = back.get((one.item.key, one.coder))
        if other is None:
            found.append(f"lost: {one.item.sentence_id} by {one.coder}")
            continue
        if one.time is None:  # Label Studio's clock
            found += ["no time"] * (other.time is None)
            other = replace(other, time=None)
        if other != one:
            found.append(f"changed:\n  {one}\n  {other}")
    return found


def main() -> None:
    """Run the check and say how it ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("executable", type=Path, help="the command label-studio")
    executable = parser.parse_args().executable.absolute()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        differences = check(executable, Path(folder))
    for difference in differences:
        print(difference)
    print("Everything came back." if not differences else f"{len(differences)} differences.")
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
