"""The codebook on a terminal: everything a coder needs, in lines that fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.codebook.text import WIDTH, as_text

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "codebooks" / "tiny.yaml"


@pytest.mark.parametrize("path", [TINY, ROOT / "configs" / "codebook.yaml"])
def test_everything_is_there_and_fits(path: Path) -> None:
    codebook = load_codebook(path)
    text = as_text(codebook)
    words = " ".join(text.split())
    for task in codebook.tasks.values():
        for part in (task.question, *task.conventions):
            assert " ".join(part.split()) in words
        for label in task.labels.values():
            lists = (label.count, label.do_not_count, label.examples, label.counterexamples)
            for part in (label.definition, *(item for items in lists for item in items)):
                assert " ".join(part.split()) in words
    assert all(len(line) <= WIDTH for line in text.splitlines())


def test_constraints_are_told() -> None:
    constraints = [{"when": "topic.food", "never": "tone.neither"}]
    told = load_codebook(TINY).model_dump() | {"constraints": constraints}
    lines = as_text(Codebook.model_validate(told)).splitlines()
    assert lines[-2:] == ["CONSTRAINTS:", "- topic.food never goes with tone.neither"]


def test_the_shape_of_it() -> None:
    text = as_text(load_codebook(TINY))
    assert text.startswith(
        "kitchen_reviews 0.3\nSentences from reviews of restaurants.\n"
        "Unit: One sentence, read in its review.\n\nTASK topic (multilabel)\n"
    )
    assert (
        "  food — Food\n"
        "    The sentence judges what was eaten or drunk.\n"
        "    counts:\n"
        "    - taste, portion, freshness\n"
        "    does not count:\n"
        "    - the price of the food\n"
    ) in text
    assert "near misses:\n    - A waiter opened the door.\n" in text
