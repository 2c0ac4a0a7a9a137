"""Written cases: read in order, and refused with file and line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import InputError, SettingsError
from pipeline.labelling.cases import CaseKind, read_direction, read_functionality

ROOT = Path(__file__).parents[3]
GOOD = {"text": "The soup was excellent.", "label": "food", "present": True, "kind": "plain"}
PAIR = {
    "test": "negation",
    "label": "food",
    "before": "The soup was good.",
    "before_present": True,
    "after": "The soup was not mentioned.",
    "after_present": False,
}


def test_functionality(tiny: Codebook, write_jsonl: Callable[..., Path]) -> None:
    other = {**GOOD, "label": "tone.blame", "present": False, "kind": "near_miss"}
    first, second = read_functionality(write_jsonl(GOOD, "", other), tiny)
    assert (first.text, first.present, first.kind) == (GOOD["text"], True, CaseKind.PLAIN)
    assert tiny.column_names[first.column] == "topic.food"
    assert tiny.column_names[second.column] == "tone.blame"


def test_direction(tiny: Codebook, write_jsonl: Callable[..., Path]) -> None:
    (case,) = read_direction(write_jsonl(PAIR), tiny)
    assert (case.test, case.before_present, case.after_present) == ("negation", True, False)
    assert tiny.column_names[case.column] == "topic.food"


def test_all_mistakes_at_once_with_file_and_line(
    tiny: Codebook, write_jsonl: Callable[..., Path]
) -> None:
    path = write_jsonl(
        GOOD,
        {**GOOD, "label": "foot"},
        "not json",
        {**GOOD, "kind": "easy"},
        {**GOOD, "present": 1},
        {"text": "", "label": "food", "present": True, "kind": "plain", "note": "x"},
        GOOD,
    )
    with pytest.raises(SettingsError) as caught:
        read_functionality(path, tiny)
    found = [mistake.removeprefix(f"{path}:") for mistake in caught.value.mistakes]
    assert [mistake.partition(":")[0] for mistake in found] == ["2", "3", "4", "5", "6", "6", "7"]
    for mistake, part in zip(
        found,
        (
            "no label 'foot'. Did you mean 'food'?",
            "Invalid JSON",
            "'kind'",
            "'present'",
            "'text'",
            "'note'",
            "the same case as in line 1",
        ),
        strict=True,
    ):
        assert part in mistake


def test_a_label_of_two_tasks_needs_its_task(
    tmp_path: Path, write_jsonl: Callable[..., Path]
) -> None:
    text = (ROOT / "tests" / "codebooks" / "tiny.yaml").read_text(encoding="utf-8")
    (tmp_path / "both.yaml").write_text(text.replace("      neither:", "      food:"))
    both = load_codebook(tmp_path / "both.yaml")
    with pytest.raises(SettingsError, match=r"write 'topic\.food' or 'tone\.food'"):
        read_functionality(write_jsonl(GOOD), both)
    (case,) = read_functionality(write_jsonl({**GOOD, "label": "tone.food"}), both)
    assert both.column_names[case.column] == "tone.food"


def test_no_file_and_no_case(tmp_path: Path, tiny: Codebook) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_direction(tmp_path / "d.jsonl", tiny)
    with pytest.raises(InputError, match="cannot be read"):
        read_direction(tmp_path, tiny)
    (tmp_path / "d.jsonl").write_text("\n")
    with pytest.raises(InputError, match="holds no case"):
        read_direction(tmp_path / "d.jsonl", tiny)


def test_the_cases_of_the_project() -> None:
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    folder = ROOT / "seeds" / "behaviour"
    direction = read_direction(folder / "direction.jsonl", codebook)
    tests = [case.test for case in direction]
    assert all(tests.count(test) >= 40 for test in set(tests))
    assert set(tests) == {"negation", "distancing", "reported", "condition"}
    functionality = read_functionality(folder / "functionality.jsonl", codebook)
    seen = Counter((case.column, case.kind) for case in functionality)
    stances = range(codebook.width)[codebook.slice_of("stance")]
    # A sentence makes exactly one claim, so that a near miss of one is a case of another.
    assert set(seen) == {
        (j, kind)
        for j in range(codebook.width)
        for kind in CaseKind
        if j in stances or kind is not CaseKind.NEAR_MISS
    }
    assert min(seen.values()) >= 40
