"""The suite of behaviour tests on a model of rules, with another codebook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.bundle import Bundle
from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError
from pipeline.evaluation.behaviour import BehaviourResult
from pipeline.settings.experiment import BehaviourSettings
from pipeline.workflows.behaviour import read_suite, run_suite
from pipeline.workflows.evaluate import Further, evaluate_file
from pipeline.workflows.watcher import Silent

NAMES = Path(__file__).parents[3] / "configs" / "names.yaml"


@pytest.fixture
def behaviour(project: Path) -> BehaviourSettings:
    cases = [
        {"text": "The bread was stale.", "label": "blame", "present": True, "kind": "plain"},
        {"text": "The stew was cold.", "label": "food", "present": True, "kind": "tricky"},
    ]
    pair = {
        "test": "negation",
        "label": "praise",
        "before": "The soup was excellent.",
        "before_present": True,
        "after": "The soup was not excellent.",
        "after_present": False,
    }
    for name, rows in (("functionality", cases), ("direction", [pair])):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (project / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return BehaviourSettings(
        names=NAMES,
        functionality=project / "functionality.jsonl",
        direction=project / "direction.jsonl",
        sentences=7,
    )


def results_of(
    bundle: Bundle, path: Path, behaviour: BehaviourSettings, *, seed: int
) -> tuple[BehaviourResult, ...]:
    further = Further(behaviour=behaviour)
    return evaluate_file(
        bundle, path, replicates=100, seed=seed, watcher=Silent(), further=further
    ).behaviour


def test_all_three_families(project: Path, bundle: Bundle, behaviour: BehaviourSettings) -> None:
    results = {
        one.name: one for one in results_of(bundle, project / "gold.jsonl", behaviour, seed=3)
    }
    assert results["functionality.tone.blame.plain"].passed
    assert not results["functionality.topic.food.tricky"].passed
    assert not results["direction.negation"].passed
    stop = results["invariance.final_stop"]
    assert (stop.n, stop.count, stop.passed) == (14, 0, True)
    names = results["invariance.names"]
    assert (names.n, names.left_out, names.judged) == (0, 14, False)


def test_the_seed_decides_which_sentences(
    tiny: Codebook, project: Path, bundle: Bundle, behaviour: BehaviourSettings
) -> None:
    one, same = (results_of(bundle, project / "corpus.jsonl", behaviour, seed=5) for _ in range(2))
    assert one == same


def test_without_sentences_invariance_is_not_passed(
    bundle: Bundle, behaviour: BehaviourSettings
) -> None:
    suite = read_suite(behaviour, bundle.codebook)
    results = run_suite(suite, bundle.classifier, bundle.rule, [], [], seed=1)
    assert [one.n for one in results if one.name.startswith("invariance.")] == [0] * 8


def test_cases_of_another_codebook_are_refused(
    tiny: Codebook, behaviour: BehaviourSettings
) -> None:
    path = behaviour.functionality
    path.write_text(path.read_text().replace('"blame"', '"anger"'))
    with pytest.raises(SettingsError, match=rf"{path}:1: .* has no label 'anger'"):
        read_suite(behaviour, tiny)
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        read_suite(behaviour, tiny)
