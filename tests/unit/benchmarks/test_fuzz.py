"""Every seed of the fuzzer passes its check, and what it writes is read; without atheris."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness.fuzz import Keeper, Status, last_status, words_file
from benchmarks.robustness.fuzz_documents import Violation
from benchmarks.robustness.fuzz_targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_keeps_the_promises(name: str) -> None:
    target = TARGETS[name]()
    for seed in target.seeds:
        target.check(seed[-1], seed[:-1])
        assert len(seed) <= target.longest


def test_what_is_raised_is_kept_once_for_every_promise(tmp_path: Path) -> None:
    def check(number: int, _: bytes) -> None:
        raise Violation(f"promise {number % 2}")

    keeper = Keeper(check, "name", tmp_path)
    for number in range(4):
        keeper.run(number, b"input %d" % number)
    kept = sorted(tmp_path.glob("*.input"))
    assert [path.name for path in kept] == [
        "name-Violation-promise-0.input",
        "name-Violation-promise-1.input",
    ]
    assert [path.read_bytes() for path in kept] == [b"input 0", b"input 1"]
    assert "promise 1" in kept[1].with_suffix(".txt").read_text()


def test_the_last_status_line_counts() -> None:
    said = (
        "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 66Mb\n"
        "#10015\tDONE   cov: 172 ft: 425 corp: 78/649b lim: 21 exec/s: 1669 rss: 66Mb\n"
    )
    assert last_status(said) == Status(10_015, 172, 425)
    assert last_status("Traceback") == Status()


def test_words_of_a_dictionary_may_hold_quotation_marks_and_line_ends() -> None:
    assert words_file('a" \r\n') == '"\\x61\\x22"\n"\\x0d\\x0a"\n'
