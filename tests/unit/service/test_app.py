"""The application behind a client: what it answers, and how it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from pipeline.bundle import Bundle
from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import TaskType
from pipeline.errors import SettingsError
from pipeline.records import Sentence
from pipeline.service import ServiceLimits
from pipeline.service.app import create_app
from pipeline.service.problems import KINDS, SHOWN_MISTAKES
from pipeline.settings.classifiers import RulesSettings

CLASSIFY = "/v1/classify"
LIMITS = ServiceLimits(
    body_bytes=20_000, characters=2_000, sentences=20, seconds=20.0, queue=100
).checked()


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return []


@pytest.fixture(scope="module")
def client(bundle: Bundle, lines: list[str]) -> Iterator[TestClient]:
    with TestClient(create_app(bundle, LIMITS, lines.append)) as found:
        yield found


def refused(client: TestClient, status: int, **body: object) -> dict[str, object]:
    got = client.post(CLASSIFY, **body)  # type: ignore[arg-type]
    assert got.status_code == status, got.text
    assert got.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = got.json()
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert problem["status"] == status
    assert problem["type"] in {f"/docs#{kind.code}" for kind in KINDS}
    assert not str(problem["detail"]).endswith("..")
    return problem


def test_labels_have_the_form_of_their_task(client: TestClient, bundle: Bundle) -> None:
    got = client.post(CLASSIFY, json={"text": "The soup was excellent. We left.", "speaker": "A"})
    assert got.status_code == 200
    answer = got.json()
    assert answer["model_id"] == bundle.model_id
    assert answer["statement"]["speaker"] == "A"
    assert [s["text"] for s in answer["sentences"]] == ["The soup was excellent.", "We left."]
    for sentence in answer["sentences"]:
        for name, task in bundle.codebook.tasks.items():
            given = sentence["labels"][name]
            assert isinstance(given, list if task.type is TaskType.MULTILABEL else str)
            assert list(sentence["probabilities"][name]) == list(task.labels)


def test_an_empty_sentence_does_not_fail_the_rest(client: TestClient, bundle: Bundle) -> None:
    got = client.post(CLASSIFY, json={"sentences": ["", "We agree.", "\x00", {"text": " "}]})
    assert got.status_code == 200
    first, second, third, fourth = got.json()["sentences"]
    assert second["problem"] is None
    for unread in (first, third, fourth):
        assert unread["problem"]
        assert unread["labels"] == dict.fromkeys(bundle.codebook.tasks)
        assert unread["probabilities"] == dict.fromkeys(bundle.codebook.tasks)


def test_no_sentences_are_no_mistake(client: TestClient) -> None:
    assert client.post(CLASSIFY, json={"sentences": []}).json()["sentences"] == []


@pytest.mark.parametrize(
    ("body", "where", "got", "expected"),
    [
        ({"sentences": ["a", 3]}, "sentences[1]", "a number", "a string, or an object"),
        ({"sentences": [None]}, "sentences[0]", "null", "a string, or an object"),
        ({"sentences": [{"text": True}]}, "sentences[0].text", "a boolean", "a string"),
        ({"sentences": [{"context": "x"}]}, "sentences[0].text", "nothing", "a string"),
        ({"sentences": [{"text": "", "txt": ""}]}, "sentences[0].txt", "unknown", "'text'"),
        ({"sentences": {}}, "sentences", "an object", "a list"),
        ({"sentences": [], "speaker": "A"}, "speaker", "an unknown key", "known key"),
        ({"text": ["a"]}, "text", "a list", "a string"),
        ({"text": "a", "sentences": []}, "sentences", "unknown", "not both"),
        ({"text": "a", "speeker": "b"}, "speeker", "unknown", "Did you mean 'speaker'"),
        ({"text": "a", "title": "x" * 1_001}, "title", "longer", "at most 1,000 characters"),
        ({}, "text", "nothing", "'sentences'"),
        ([], "body", "a list", "an object"),
        ("a", "body", "a string", "an object"),
        (None, "body", "null", "an object"),
        ({"\ud800": 1, "text": ""}, "body", "a string", "keys of whole characters"),
        ({"k" * 500: 1, "text": ""}, "k" * 60, "an unknown key", "known key"),
    ],
)
def test_mistakes_say_where_what_and_what_instead(
    client: TestClient, body: object, where: str, got: str, expected: str
) -> None:
    content = json.dumps(body)
    problem = refused(client, 422, content=content, headers={"Content-Type": "application/json"})
    first = problem["errors"][0]  # type: ignore[index]
    assert first["where"].startswith(where)
    assert got in first["got"]
    assert expected in first["expected"]
    assert len(str(problem["detail"])) < 400


def test_many_mistakes_are_counted_but_not_all_listed(client: TestClient) -> None:
    problem = refused(client, 422, json={"sentences": [1] * 500})
    assert len(problem["errors"]) == SHOWN_MISTAKES  # type: ignore[arg-type]
    assert "500 mistakes" in str(problem["detail"])


@pytest.mark.parametrize(
    "content",
    [
        *(b"{", b"{'text': 1}", b'{"text": "a"} x', b"\xff\xfe\xff", b'{"text": "\xe4"}'),
        *(b"[" * 9_000, b'{"a":' * 3_000, b"NaN{", b'{"text": ' + b"1" * 9_000 + b"}"),
    ],
)
def test_what_is_not_json_is_refused(client: TestClient, content: bytes) -> None:
    problem = refused(client, 400, content=content, headers={"Content-Type": "application/json"})
    assert "cannot be read as JSON" in str(problem["detail"])


def test_texts_are_bounded(client: TestClient) -> None:
    for body in (
        {"text": "x" * 2_001},
        {"sentences": ["x" * 900, {"text": "", "context": "y" * 1_101}]},
    ):
        problem = refused(client, 413, json=body)
        assert problem["errors"] == [
            {"where": "texts", "got": "2,001 characters", "expected": "at most 2,000 characters"}
        ]


def test_sentences_are_bounded(client: TestClient) -> None:
    for body in ({"text": "We agree. " * 21}, {"sentences": ["a"] * 21}):
        problem = refused(client, 413, json=body)
        assert problem["errors"][0]["got"] == "21 sentences"  # type: ignore[index]
    assert client.post(CLASSIFY, json={"sentences": ["a"] * 20}).status_code == 200


def test_huge_bodies_and_other_types_are_refused(client: TestClient) -> None:
    refused(client, 413, json={"text": "x" * 20_001})
    refused(client, 415, content=b"{}")
    refused(client, 415, data={"text": "a"})


def test_paths_and_methods(client: TestClient) -> None:
    for path in ("/", "/v1", "/v1/classify/", "/docs/x", "/redoc", "/v1/<script>"):
        got = client.get(path)
        assert got.status_code == 404
        assert got.headers["content-type"] == "application/problem+json"
    got = client.get(CLASSIFY)
    assert (got.status_code, got.headers["allow"]) == (405, "POST")


def test_the_model_describes_itself(client: TestClient, bundle: Bundle) -> None:
    found = client.get("/v1/model").json()
    assert found["model_id"] == bundle.model_id
    assert [task["name"] for task in found["tasks"]] == list(bundle.codebook.tasks)
    assert found["limits"] == ["None known."]
    assert found["request_limits"]["sentences"] == 20


def test_health_and_readiness(client: TestClient, bundle: Bundle) -> None:
    assert client.get("/health").json() == {"status": "live"}
    assert client.get("/ready").json() == {"status": "ready"}
    stopped = TestClient(create_app(bundle, LIMITS, lambda _: None))  # its worker never starts
    assert stopped.get("/health").status_code == 200
    got = stopped.get("/ready")
    assert (got.status_code, got.headers["retry-after"]) == (503, "1")
    refused(stopped, 503, json={"text": "a"})


def test_metrics_count_what_happened(bundle: Bundle) -> None:
    with TestClient(create_app(bundle, LIMITS, lambda _: None)) as client:
        client.post(CLASSIFY, json={"sentences": ["a", "b", ""]})
        client.post(CLASSIFY, json={"sentences": 3})
        client.get("/who?text=secret")
        got = client.get("/metrics")
    assert got.headers["content-type"].startswith("text/plain")
    for line in (
        'stance_requests_total{path="/v1/classify",status="200"} 1.0',
        'stance_requests_total{path="/v1/classify",status="422"} 1.0',
        'stance_requests_total{path="other",status="404"} 1.0',
        "stance_sentences_total 3.0",
        "stance_queue_sentences 0.0",
        "stance_requests_in_flight 0.0",
        "stance_batch_sentences_count 1.0",
        f'stance_model_info{{model_id="{bundle.model_id}"}} 1.0',
    ):
        assert line in got.text.splitlines()
    assert "process_resident_memory_bytes" in got.text
    assert "secret" not in got.text


def test_the_log_has_one_line_a_request_and_no_text(client: TestClient, lines: list[str]) -> None:
    lines.clear()
    client.post(CLASSIFY, json={"text": "A very secret sentence."})
    client.post(CLASSIFY, json={"text": 3})
    client.get("/nowhere%0Aforged?secret=1")
    pattern = r"\d{4}-\d\d-\d\dT[\d:]{8}[+-]\d{4} (.+) \d+ ms"
    found = [re.fullmatch(pattern, line) for line in lines]
    assert [match and match[1] for match in found] == [
        "POST /v1/classify 200, 1 sentences,",
        "POST /v1/classify 422,",
        "GET /nowhere%0Aforged 404,",
    ]


def test_every_answer_keeps_browsers_careful(client: TestClient) -> None:
    for path in ("/health", "/docs", "/nowhere", CLASSIFY, "/openapi.json", "/metrics"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_the_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    addresses = re.findall(r"https?://[^\s<'\"]+", page)
    assert set(addresses) <= {"http://127.0.0.1:8000/v1/classify"}  # an example to copy
    assert not re.search(r"(?i)<(?:link|img|iframe)|src=|@import|url\(", page)
    for kind in KINDS:
        assert f'id="{kind.code}"' in page


def test_the_specification_names_limits_problems_and_paths(client: TestClient) -> None:
    spec = client.get("/openapi.json").json()
    assert spec["openapi"].startswith("3.1")
    assert set(spec["paths"]) == {CLASSIFY, "/health", "/ready", "/v1/model", "/metrics"}
    schemas = spec["components"]["schemas"]
    assert schemas["SentencesRequest"]["properties"]["sentences"]["maxItems"] == 20
    assert schemas["StatementRequest"]["properties"]["text"]["maxLength"] == 2_000
    answers = spec["paths"][CLASSIFY]["post"]["responses"]
    assert set(answers) == {*("200", "400", "408", "413", "415", "422", "429", "500", "503", "504")}
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(spec)))
    assert used == set(schemas)
    examples = spec["paths"][CLASSIFY]["post"]["requestBody"]["content"]["application/json"]
    for example in examples["examples"].values():
        assert client.post(CLASSIFY, json=example["value"]).status_code == 200


def test_a_failure_of_the_model_is_answered_and_raised(bundle: Bundle) -> None:
    class Broken(RulesClassifier):
        def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
            if any("poison" in sentence.text for sentence in sentences):
                raise ZeroDivisionError
            return super().predict_logits(sentences)

    broken = replace(bundle, classifier=Broken(bundle.codebook, RulesSettings()))
    app = create_app(broken, LIMITS, lambda _: None)
    with TestClient(app, raise_server_exceptions=False) as client:
        problem = refused(client, 500, json={"sentences": ["poison"]})
        assert "poison" not in json.dumps(problem)
        assert client.post(CLASSIFY, json={"sentences": ["fine"]}).status_code == 200


def test_a_queue_too_short_for_a_request_is_a_mistake() -> None:
    with pytest.raises(SettingsError, match="raise --max-queue or lower --max-sentences"):
        ServiceLimits(sentences=11, queue=10).checked()


@pytest.mark.parametrize("path", ["/health", "/ready", "/v1/model", "/metrics"])
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    got = client.head(path)
    assert (got.status_code, got.content) == (200, b"")
    assert got.headers["content-type"] == client.get(path).headers["content-type"]
    assert "head" not in client.get("/openapi.json").json()["paths"][path]


def test_only_what_is_read_has_a_head(client: TestClient) -> None:
    assert client.head(CLASSIFY).status_code == 405


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"text": ' + b"1" * 5_000 + b"}", "number has too many digits"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b"[" * 9_000, "nested too deeply"),
    ],
)
def test_what_json_cannot_be_is_said_as_it_is(
    client: TestClient, content: bytes, reason: str
) -> None:
    problem = refused(client, 400, content=content, headers={"Content-Type": "application/json"})
    assert reason in str(problem["detail"])


@pytest.mark.parametrize("encoding", ["gzip", "identity, br", "x" * 500])
def test_an_encoded_body_is_refused_by_its_header(client: TestClient, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    problem = refused(client, 415, content=b"\x1f\x8b", headers=headers)
    assert "Content-Encoding" in str(problem["detail"])
    assert encoding[:60] in str(problem["detail"])
    assert len(str(problem["detail"])) < 200
    for plain in ("", "Identity"):
        got = client.post(CLASSIFY, json={"text": "We agree."}, headers={"Content-Encoding": plain})
        assert got.status_code == 200
