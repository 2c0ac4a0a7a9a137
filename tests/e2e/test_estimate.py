"""`stance estimate` as a user meets it: classify, draw, label, estimate."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Protocol

import pytest


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(
        self, *args: str | Path, stdin: bytes = ..., code: int | None = ..., env: object = ...
    ) -> Done: ...

    def files(self) -> set[str]: ...


@pytest.fixture(scope="module")
def drawn(shared: Stance) -> Stance:
    """Thirty reviews by two guests, labelled by rules, and a sample of them labelled by hand."""
    docs = shared.folder / "reviews"
    docs.mkdir()
    for n in range(30):
        text = "The soup was excellent. We sat by the window. Dessert came. The waiter was rude."
        (docs / f"{n}.csv").write_text(
            f'text,speaker,date\n"{text} Visit {n}.",{"AB"[n % 2]},2024-01-0{1 + n % 9}\n',
            encoding="utf-8",
        )
    shared("classify", "reviews", "-o", "labels.csv", "-m", "bundle", code=0)
    done = shared("estimate", "labels.csv", "--draw", "80", "-o", "sample.csv", "-m", "bundle")
    assert done.code == 0, done.err
    assert "sample.csv: 80 sentences of" in done.err
    hint = "(topic: labels joined by semicolons, '(none)' where none applies; tone: one label)"
    assert hint in done.err
    assert "No share" not in done.err
    with (shared.folder / "sample.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["topic"] = "food" if re.search("soup|Dessert", row["text"]) else "(none)"
        row["tone"] = "neither"
    with (shared.folder / "sample.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return shared


@pytest.mark.parametrize("out", ["estimates.csv", "estimates.html"])
def test_from_labels_to_shares(drawn: Stance, out: str) -> None:
    done = drawn(
        *("estimate", "labels.csv", "--sample", "sample.csv", "--by", "speaker", "--task", "topic"),
        *("--contrast", "A", "B", "--method", "all", "-o", out, "-m", "bundle"),
        code=0,
    )
    assert "topic: food" in done.out
    assert re.search(r"\(all\) +40\.0 % \[", done.out)  # 2 of 5 sentences
    assert "A - B" in done.out
    assert "Text for the methods section" in done.out
    assert out in drawn.files()


def test_a_sample_of_too_few_documents_is_said_before_it_is_labelled(drawn: Stance) -> None:
    done = drawn("estimate", "labels.csv", "--draw", "5", "-o", "few.csv", "-m", "bundle", code=0)
    assert "No share can be estimated from this sample: it is of 5 document(s), 10" in done.err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "give either --sample FILE to estimate, or --draw N"),
        (("--sample", "sample.csv", "--draw", "5"), 2, "give either --sample FILE"),
        (("--sample", "sample.csv", "--contrast", "A", "B"), 2, "say which with --by"),
        (("--sample", "sample.csv", "--task", "topics"), 2, "no task 'topics'. Did you mean 'top"),
        (("--sample", "sample.csv", "-o", "e.pdf"), 2, "give a name in .csv or .html"),
        (("--sample", "sample.csv", "-o", "sample.csv"), 3, "sample.csv"),
        (("--draw", "5"), 2, "--draw needs --out"),
        (("--draw", "5000", "-o", "s.csv"), 2, "cannot draw 5000 of 150 sentences"),
        (("--draw", "5", "-o", "labels.csv"), 3, "labels.csv"),
        (("--sample", "none.csv"), 3, "none.csv: cannot be read"),
        (("--sample", "sample.csv", "--by", "mood"), 3, "lacks the column(s) mood"),
    ],
)
def test_what_is_refused(drawn: Stance, args: tuple[str, ...], code: int, message: str) -> None:
    before = drawn.files()
    drawn("estimate", "labels.csv", *args, "-m", "bundle").failed(code, message)
    assert drawn.files() == before
