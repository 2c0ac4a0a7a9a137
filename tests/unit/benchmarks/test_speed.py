"""What the benchmarks of speed time, and how."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.peers.exchange import PeerTask, Work, write_work
from benchmarks.speed.scale import grown, line
from benchmarks.speed.turns import beside, took

ROOT = Path(__file__).parents[3]
PATIENT = """\
import os, sys
from benchmarks.speed.turns import patient_threads
patient_threads()
print(os.environ["OMP_WAIT_POLICY"], *sys.argv[1:])
"""


def test_a_peer_predicts_at_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    texts = ("The soup was good.", "The waiter was rude.") * 10
    labels = tuple({"tone": ["praise"] if "good" in text else ["blame"]} for text in texts)
    tasks = {"tone": PeerTask(("praise", "blame"), several=False)}
    work = Work(tasks, texts, labels, encoder="nowhere", seed=3, setfit_pairs=16)
    folder = write_work(tmp_path, work, list(texts))
    with beside("tfidf", folder, Path(sys.executable)) as turn:
        for clock, spent in (turn(), turn()):
            assert 0 < clock < 60
            assert 0 < spent < 60


def test_a_peer_that_ends_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with (
        pytest.raises(SystemExit, match=r"ended, exit code 1:[\s\S]*tasks\.json"),
        beside("tfidf", tmp_path, Path(sys.executable)),
    ):
        pytest.fail("nothing was learned")


def test_threads_wait_patiently_from_the_beginning() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PATIENT, "a", "b c"],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "passive a b c\n"


def test_times_are_of_the_clock_and_of_all_processors() -> None:
    clock, spent = took(lambda: time.sleep(0.2))
    assert clock >= 0.2 > spent


def test_statements_beyond_those_given_have_other_sentences() -> None:
    given = [({"speaker": "A"}, ["We agree.", "We left."]), ({"speaker": "B"}, ["They came."])]
    made = [json.loads(one)["text"] for one in grown(given, 8)]
    sentences = [text for one in made for text in one.split("\n\n")]
    assert len(sentences) == len(set(sentences)) == 8
    assert sentences[:4] == ["We agree.", "We left.", "They came.", "We agree (1)."]
    assert not list(islice(grown(given, 1), 1, None))


def test_the_line_of_least_squares_and_its_fit() -> None:
    sizes = [1000, 2000, 3000]
    assert line(sizes, [7.0, 12.0, 17.0]) == "2.0 + 5.000 a thousand sentences, R2 = 1.0000"
    assert "R2 = 0.75" in line(sizes, [0.0, 0.0, 1.0])
