"""configs/codebook.yaml keeps what its comments and the data cards promise."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.codebook import Codebook, Label, TaskType, load_codebook
from pipeline.labelling import RuleSet, read_labelled

ROOT = Path(__file__).parents[3]
CORPUS = [
    ROOT / "seeds" / "corpus" / f"{part}.jsonl"
    for part in ("literary", "register", "error-led", "further")
]


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load_codebook(ROOT / "configs" / "codebook.yaml")


@pytest.fixture(scope="module")
def labels(codebook: Codebook) -> dict[str, Label]:
    return {f"{t}.{name}": codebook.tasks[t].labels[name] for t, name in codebook.columns}


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def test_every_label_is_documented_in_full(codebook: Codebook, labels: dict[str, Label]) -> None:
    for name, label in labels.items():
        task = codebook.tasks[name.split(".")[0]]
        enough = 6 if task.type is TaskType.MULTILABEL else 4
        assert len(label.examples) >= enough, name
        assert len(label.counterexamples) >= enough - (task.type is TaskType.MULTICLASS), name
        assert label.count, name
        assert label.rules, name


def test_no_example_is_used_twice_or_stands_in_the_data(
    codebook: Codebook, labels: dict[str, Label]
) -> None:
    examples = [
        words(e) for label in labels.values() for e in (*label.examples, *label.counterexamples)
    ]
    assert len(examples) == len(set(examples))
    for file in (*CORPUS, ROOT / "seeds" / "gold" / "gold.jsonl"):
        documents, _ = read_labelled(file, codebook)
        texts = {words(s.sentence.text) for document in documents for s in document.sentences}
        assert texts.isdisjoint(examples)


def test_every_label_has_rules_for_it(labels: dict[str, Label]) -> None:
    for name, label in labels.items():
        assert sum(rule.weight > 0 for rule in label.rules) >= 3, name
    assert sum(len(label.rules) for label in labels.values()) >= 60


def test_no_rule_is_dead(codebook: Codebook) -> None:
    documents = [d for file in CORPUS for d in read_labelled(file, codebook)[0]]
    texts = [s.sentence.text for document in documents for s in document.sentences]
    rules = RuleSet(codebook)
    dead = {rule.name for rule in rules.rules}
    for start in range(0, len(texts), 1000):
        spoken = rules.votes(texts[start : start + 1000]).any(axis=0)
        dead -= {rule.name for rule, on in zip(rules.rules, spoken, strict=True) if on}
        if not dead:
            break
    assert not dead


# Vision without one type of cone, in linear RGB (Machado, Oliveira and Fernandes, 2009).
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
Colour = npt.NDArray[np.float64]


def linear(colour: str) -> Colour:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Colour) -> Colour:
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(c)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_of_a_task_stay_apart(codebook: Codebook, vision: str) -> None:
    for task in codebook.tasks.values():
        seen = {
            name: lab(VISIONS[vision] @ linear(label.colour)) for name, label in task.labels.items()
        }
        for one, other in itertools.combinations(seen, 2):
            assert np.linalg.norm(seen[one] - seen[other]) > 15, (one, other)


def test_colours_are_seen_on_light_and_dark_pages(labels: dict[str, Label]) -> None:
    for name, label in labels.items():
        assert contrast(label.colour, "#ffffff") >= 2, name
        assert contrast(label.colour, "#121212") >= 2.5, name
