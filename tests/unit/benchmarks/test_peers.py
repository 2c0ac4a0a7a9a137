from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.compare import learned_elsewhere, prepare, result_of
from benchmarks.peers.exchange import (
    Facts,
    PeerTask,
    Work,
    read_result,
    read_work,
    write_result,
    write_work,
)
from benchmarks.peers.methods.tfidf import fit
from benchmarks.peers.registry import PEERS
from benchmarks.peers.scores import markdown, task_scores, to_logits
from pipeline.bundle import BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.registry import build
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.settings.classifiers import RulesSettings
from pipeline.settings.experiment import load_settings

ROOT = Path(__file__).parents[3]
TASKS = {
    "topic": PeerTask(("food", "service"), several=True),
    "tone": PeerTask(("praise", "blame", "neither"), several=False),
}


def work_of(rows: int = 30) -> Work:
    said = [
        ("The soup was excellent.", {"topic": ["food"], "tone": ["praise"]}),
        ("A rude waiter came.", {"topic": ["service"], "tone": ["blame"]}),
        (
            "The bread was stale,\u2028and the waiter rude.",
            {"topic": ["food", "service"], "tone": None},
        ),
        ("We sat by the window.", {"topic": [], "tone": ["praise"]}),
        ("Naïve guests – all of them.", {"topic": None, "tone": ["blame"]}),
    ]
    picked = [said[i % len(said)] for i in range(rows)]
    texts, labels = zip(*picked, strict=True)
    return Work(TASKS, texts, labels, encoder="nowhere", seed=3, setfit_pairs=16)


def test_work_comes_back_from_its_files_and_is_named_by_content(tmp_path: Path) -> None:
    work, texts = work_of(), ["One\u2028line.", "“Two”"]
    folder = write_work(tmp_path, work, texts)
    assert read_work(folder) == (work, texts)
    assert write_work(tmp_path, work, texts) == folder
    assert write_work(tmp_path, work, texts[:1]) != folder
    assert write_work(tmp_path, work_of(29), texts) != folder


def test_unknown_labels_are_left_out_of_what_a_peer_learns() -> None:
    work = work_of(5)
    texts, given = work.known("topic")
    assert texts == [text for text in work.texts if not text.startswith("Naïve")]
    assert given.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]]
    texts, given = work.known("tone")
    assert len(texts) == 4
    assert given.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]]


def test_a_result_counts_only_when_it_is_finished(tmp_path: Path) -> None:
    assert read_result(tmp_path) is None
    (tmp_path / "probabilities.npz").write_bytes(b"half")
    assert read_result(tmp_path) is None
    found = {"topic": np.array([[0.25, 0.5]]), "tone": np.array([[0.1, 0.2, 0.7]])}
    facts = Facts(1.5, 0.5, "abc")
    write_result(tmp_path, found, facts)
    kept = read_result(tmp_path)
    assert kept is not None
    assert kept[1] == facts
    for name, array in found.items():
        np.testing.assert_array_equal(kept[0][name], array)


def test_what_peers_run_imports_nothing_of_the_project() -> None:
    """The environment of the peers has neither the project nor its packages."""
    modules = ["exchange", "registry", "run_peer", *(f"methods.{p.module}" for p in PEERS.values())]
    for module in modules:
        path = ROOT / "benchmarks" / "peers" / f"{module.replace('.', '/')}.py"
        found = re.search(r"(?m)^\s*(?:from|import) pipeline\b", path.read_text(encoding="utf-8"))
        assert found is None, path


def test_probabilities_become_logits_that_calibration_can_use() -> None:
    codebook = load_codebook(ROOT / "tests/codebooks/tiny.yaml")
    draw = np.random.default_rng(0)
    p = {
        name: draw.dirichlet(np.ones(len(task.labels)), size=20)
        for name, task in codebook.tasks.items()
    }
    logits = to_logits(p, codebook)
    again = DecisionRule.plain(codebook).probabilities(logits, codebook)
    np.testing.assert_allclose(again, np.concatenate(list(p.values()), axis=1), atol=1e-6)
    certain = {name: np.round(array) for name, array in p.items()}
    assert np.isfinite(to_logits(certain, codebook)).all()


def test_the_plain_linear_peer_learns_and_gives_unseen_labels_no_probability() -> None:
    found = fit(work_of(60))(["The soup was excellent.", "A rude waiter came."])
    assert found["topic"].shape == (2, 2)
    assert found["topic"][0, 0] > 0.5 > found["topic"][0, 1]
    assert found["topic"][1, 1] > 0.5 > found["topic"][1, 0]
    np.testing.assert_allclose(found["tone"].sum(axis=1), 1.0)
    assert (found["tone"][:, 2] == 0.0).all()
    assert found["tone"].argmax(axis=1).tolist() == [0, 1]


@pytest.mark.slow
def test_a_peer_runs_in_its_own_process_and_its_result_is_used_again(tmp_path: Path) -> None:
    folder = write_work(tmp_path, work_of(60), ["The soup was excellent."])
    first = result_of("tfidf", PEERS["tfidf"], folder, tmp_path / "no-python")
    written = (folder / "tfidf" / "facts.json").stat().st_mtime_ns
    second = result_of("tfidf", PEERS["tfidf"], folder, tmp_path / "no-python")
    assert (folder / "tfidf" / "facts.json").stat().st_mtime_ns == written
    np.testing.assert_array_equal(first[0]["topic"], second[0]["topic"])
    facts = json.loads((folder / "tfidf" / "facts.json").read_text(encoding="utf-8"))
    stale = facts | {"code": "another"}
    (folder / "tfidf" / "facts.json").write_text(json.dumps(stale), encoding="utf-8")
    assert result_of("tfidf", PEERS["tfidf"], folder, tmp_path / "no-python")[1].code != "another"


def test_a_missing_environment_and_a_failed_peer_say_what_to_do(tmp_path: Path) -> None:
    folder = write_work(tmp_path, work_of(), ["The soup was excellent."])
    with pytest.raises(SystemExit, match="make peers"):
        result_of("fasttext", PEERS["fasttext"], folder, tmp_path / "no-python")
    (folder / "train.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"exit code 1; see .*tfidf\.log"):
        result_of("tfidf", PEERS["tfidf"], folder, tmp_path / "no-python")


@pytest.fixture
def project(
    make_project: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def test_a_trial_scores_a_peer_beside_the_shipped_classifier(project: Path) -> None:
    trial, split = prepare(Path("settings.yaml"), [], None)
    assert trial.train == split.train
    assert [one.name for one in trial.sets] == ["held-out", "gold"]
    classifier = build(RulesSettings(), trial.codebook, seed=0)
    facts = BundleFacts(name="rules", description="d", training={"seed": "3"})
    write_bundle(project / "shipped", classifier, DecisionRule.plain(trial.codebook), facts)
    shipped = load_bundle(project / "shipped")
    ours = trial.of_shipped(shipped)
    # A peer that is always right, and one that is always wrong.
    truth = np.concatenate([one.targets for one in trial.of_shipped(shipped)])
    width = trial.codebook.width
    calibration = sum(len(document.sentences) for document in trial.calibration)
    targets = encode_targets(trial.to_predict(), trial.codebook).astype(np.float64)
    np.testing.assert_array_equal(targets[calibration:], truth)
    assert targets.shape == (len(trial.to_predict()), width)
    peer = {
        name: np.clip(targets[:, trial.codebook.slice_of(name)], 0.02, 0.98)
        for name in trial.codebook.tasks
    }
    seen = trial.of_peer(peer)
    rows = trial.rows("right", "1 s", seen, ours)
    for _, _, _, scores in rows:
        for score in scores.values():
            assert score.value == 1.0
            assert score.difference is not None
            assert score.difference.difference >= 0.0
    for _, _, _, scores in trial.rows("shipped", "", ours, ours):
        assert all(score.difference is None for score in scores.values())


def test_fewer_training_documents_leave_everything_else_as_it_is(project: Path) -> None:
    whole, _ = prepare(Path("settings.yaml"), [], None)
    few, _ = prepare(Path("settings.yaml"), [], 7)
    assert len(few.train) == 7
    assert all(document in whole.train for document in few.train)
    assert (few.calibration, few.sets) == (whole.calibration, whole.sets)


def test_another_split_is_noticed(project: Path) -> None:
    trial, split = prepare(Path("settings.yaml"), [], None)
    training = {
        "documents for train": str(len(split.train)),
        "documents for calibration": str(len(split.calibration)),
        "documents for test": str(len(split.test)),
        "seed": "3",
    }
    classifier = build(RulesSettings(), trial.codebook, seed=0)
    rule = DecisionRule.plain(trial.codebook)
    for name, facts in {"same": training, "other": training | {"seed": "4"}}.items():
        described = BundleFacts(name=name, description="d", training=facts)
        write_bundle(project / name, classifier, rule, described)
    seed = load_settings(Path("settings.yaml")).seed
    assert not learned_elsewhere(load_bundle(project / "same"), split, seed)
    assert learned_elsewhere(load_bundle(project / "other"), split, seed)


def test_the_table_shows_differences_with_a_sign_and_never_a_p_of_zero(project: Path) -> None:
    trial, _ = prepare(Path("settings.yaml"), [], None)
    classifier = build(RulesSettings(), trial.codebook, seed=0)
    facts = BundleFacts(name="rules", description="d")
    write_bundle(project / "shipped", classifier, DecisionRule.plain(trial.codebook), facts)
    ours = trial.of_shipped(load_bundle(project / "shipped"))
    draw = np.random.default_rng(1)
    noise = {
        name: draw.dirichlet(np.ones(len(task.labels)), size=len(trial.to_predict()))
        for name, task in trial.codebook.tasks.items()
    }
    rows = trial.rows("shipped", "", ours, ours)
    rows += trial.rows("dice", "0 s", trial.of_peer(noise), ours)
    lines = markdown(rows, trial.codebook).splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines]
    assert {len(line.split("|")) for line in lines} == {2 + 3 + 3 * len(trial.codebook.tasks)}
    assert cells[0][:4] == ["data", "classifier", "training", next(iter(trial.codebook.tasks))]
    dice = next(row for row in cells if row[:2] == ["held-out", "dice"])
    assert dice[4].startswith("-0.")
    assert 0.0 < float(dice[5]) < 0.01
    assert task_scores(ours[0], None, trial.codebook, replicates=50, seed=1)


@pytest.mark.slow
def test_the_command_prints_one_table(project: Path) -> None:
    shutil.copyfile(project / "gold.jsonl", project / "real.jsonl")
    prepared, _ = prepare(Path("settings.yaml"), [], None)
    classifier = build(RulesSettings(), prepared.codebook, seed=0)
    facts = BundleFacts(name="rules", description="d")
    write_bundle(project / "shipped", classifier, DecisionRule.plain(prepared.codebook), facts)
    words = ["--config", "settings.yaml", "--model", "shipped", "--only", "tfidf", "--out", "kept"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.compare", *words, "--eval", "real.jsonl"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "another split" in done.stderr
    for data in ("held-out", "gold", "real"):
        assert f"| {data} | TF-IDF, logistic regression |" in done.stdout
