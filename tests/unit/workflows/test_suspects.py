"""Stages suspects and data correct: a wrong label is found, listed, and put right."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.codebook import load_codebook
from pipeline.errors import CheckFailed
from pipeline.settings.classifiers import LinearSettings
from pipeline.workflows.correct import correct_files
from pipeline.workflows.suspects import SuspectsSummary, find_suspects, to_csv
from pipeline.workflows.watcher import Silent

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
SENTENCES = (
    ("The soup was excellent.", ["food"], "praise"),
    ("The waiter was rude.", ["service"], "blame"),
    ("=We ordered nothing else.", [], "neither"),
)


def write(path: Path) -> Path:
    """Thirty reviews; in one of them soup is no food, in another an excellent soup is blamed."""
    documents = []
    for n in range(30):
        sentences = [
            {"text": f"{text[:-1]} on day {n}.", "topic": topic, "tone": tone}
            for text, topic, tone in SENTENCES
        ]
        documents.append({"doc_id": f"r{n}", "sentences": sentences})
    documents[7]["sentences"][0]["topic"] = []
    documents[9]["sentences"][0]["tone"] = "blame"
    documents[11]["sentences"][0]["tone"] = None
    path.write_text("".join(json.dumps(d) + "\n" for d in documents), encoding="utf-8")
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return write(tmp_path / "labelled.jsonl")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[SuspectsSummary, Path]:
    folder = tmp_path_factory.mktemp("suspects")
    files, out, settings = [write(folder / "l.jsonl")], folder / "s.csv", LinearSettings()
    options = {"folds": 3, "seed": 0, "most": 179, "watcher": Silent()}
    return find_suspects(files, TINY, settings, out=out, **options), out


def test_wrong_labels_lead_the_list(listed: tuple[SuspectsSummary, Path]) -> None:
    found, _ = listed
    first = {(s.doc_id, s.sentence, s.task): s for s in found.suspects[:2]}
    assert set(first) == {("r7", 0, "topic"), ("r9", 0, "tone")}
    topic, tone = first["r7", 0, "topic"], first["r9", 0, "tone"]
    assert (topic.given, topic.expected, topic.label) == ((), ("food",), "food")
    assert (tone.given, tone.expected) == (("blame",), ("praise",))
    assert topic.likely_error
    assert tone.likely_error
    assert (topic.line, tone.line) == (8, 10)
    assert found.answers == {"topic": 90, "tone": 89}
    assert sum(found.likely.values()) < 10


def test_the_table_is_safe_for_spreadsheets(listed: tuple[SuspectsSummary, Path]) -> None:
    with listed[1].open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 179
    assert [int(row["rank"]) for row in rows] == list(range(1, 180))
    assert {row["given"] for row in rows} >= {"(none)", "food", "praise"}
    assert not [row for row in rows if row["text"].startswith("=")]
    assert [row for row in rows if row["text"].startswith("'=We")]


def test_numbers_of_the_table_stay_numbers(listed: tuple[SuspectsSummary, Path]) -> None:
    (one, *_) = listed[0].suspects
    odd = replace(one, probability=-0.0, text="-5 degrees, said the waiter.", given=())
    (row,) = csv.DictReader(io.StringIO(to_csv([odd]), newline=""))
    assert float(row["probability"]) == 0.0
    assert (row["text"], row["given"]) == ("'-5 degrees, said the waiter.", "(none)")


def test_corrections_go_into_the_files(labelled: Path, tmp_path: Path) -> None:
    patch = tmp_path / "patch.jsonl"
    one = {"doc_id": "r9", "sentence": 0, "task": "tone", "old": "blame", "new": "praise"}
    two = {"doc_id": "r7", "sentence": 0, "task": "topic", "old": [], "new": ["food"]}
    lines = [json.dumps({**given, "reason": "misread"}) for given in (one, two)]
    patch.write_text("\n".join(lines), encoding="utf-8")
    done = correct_files([labelled], patch, TINY)
    assert (done.applied, done.already) == (2, 0)
    after = [json.loads(line) for line in labelled.read_text(encoding="utf-8").splitlines()]
    assert after[9]["sentences"][0]["tone"] == "praise"
    assert after[7]["sentences"][0]["topic"] == ["food"]
    assert len(after) == 30
    again = correct_files([labelled], patch, TINY)
    assert (again.applied, again.already) == (0, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "tones"}, "no task 'tones'. Did you mean 'tone'"),
        ({"new": "prais"}, "unknown label 'prais' of task 'tone'. Did you mean 'praise'"),
        ({"new": ["praise"]}, "'tone' is a multiclass task"),
        ({"old": "praise", "new": "neither"}, 'expected "praise"'),
    ],
)
def test_wrong_corrections_change_nothing(
    change: dict[str, object], message: str, labelled: Path, tmp_path: Path
) -> None:
    before = labelled.read_bytes()
    given = {"doc_id": "r9", "sentence": 0, "task": "tone", "old": "blame", "new": "praise"}
    patch = tmp_path / "patch.jsonl"
    patch.write_text(json.dumps({**given, "reason": "misread", **change}), encoding="utf-8")
    with pytest.raises(CheckFailed, match=message):
        correct_files([labelled], patch, TINY)
    assert labelled.read_bytes() == before
