"""Stage check: what is right passes, and everything that is wrong is found at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling import FindingKind
from pipeline.settings.experiment import DataSettings
from pipeline.workflows.check_data import check_data


def data_of(project: Path) -> DataSettings:
    return DataSettings(
        corpus=(project / "corpus.jsonl",),
        gold=project / "gold.jsonl",
        gold_statements=project / "statements",
    )


def edit(path: Path, line: int, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    rows = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    change(rows[line])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_good_data_have_no_findings_and_are_counted(project: Path, tiny: Codebook) -> None:
    result = check_data(data_of(project), tiny)
    assert result.findings == ()
    assert result.files == (project / "corpus.jsonl", project / "gold.jsonl")
    counts = dict(result.counts)
    total = counts["corpus"][-1]
    assert total.documents == 40
    assert total.sentences == sum(3 + n % 3 for n in range(40))
    assert sum(n for name, n in total.labels.items() if name.startswith("tone.")) == total.sentences
    assert counts["gold"][-1].documents == 3


def test_all_findings_at_once(project: Path, tiny: Codebook) -> None:
    edit(project / "corpus.jsonl", 0, lambda row: row.update(doc_id="review-1"))
    edit(project / "corpus.jsonl", 2, lambda row: row["sentences"][0].update(tone="prais"))
    edit(
        project / "corpus.jsonl",
        3,
        lambda row: row["sentences"][0].update(topic=[{"label": "food", "holder": "Nobody"}]),
    )
    edit(project / "gold.jsonl", 1, lambda row: row["sentences"][1].update(start=3))
    gold_text = json.loads((project / "gold.jsonl").read_text().splitlines()[0])
    shared = gold_text["sentences"][0]["text"]
    edit(project / "corpus.jsonl", 5, lambda row: row["sentences"][0].update(text=shared))
    with (project / "corpus.jsonl").open("a") as file:
        file.write("junk\n")
    found = check_data(data_of(project), tiny).findings
    kinds = {finding.kind for finding in found}
    assert kinds >= {
        FindingKind.DUPLICATE,
        FindingKind.ROW,
        FindingKind.HOLDER,
        FindingKind.OFFSET,
        FindingKind.SHARED,
    }
    shown = "\n".join(map(str, found))
    for part in ("corpus.jsonl:3", "'prais'", "corpus.jsonl:41", "gold.jsonl:2", "corpus.jsonl:6"):
        assert part in shown


def test_labels_of_which_nobody_says_the_holder_pass(project: Path, tiny: Codebook) -> None:
    before = check_data(data_of(project), tiny).without_holder
    edit(project / "corpus.jsonl", 2, lambda row: row["sentences"][0].update(topic=["food"]))
    result = check_data(data_of(project), tiny)
    assert result.findings == ()
    assert result.without_holder == before + 1


@pytest.mark.parametrize("name", ["corpus.jsonl", "gold.jsonl"])
def test_a_missing_file_stops_the_check(project: Path, tiny: Codebook, name: str) -> None:
    (project / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        check_data(data_of(project), tiny)


def test_missing_texts_of_the_gold_labels_are_findings(project: Path, tiny: Codebook) -> None:
    (project / "statements" / "g1.txt").unlink()
    (found,) = check_data(data_of(project), tiny).findings
    assert found.kind is FindingKind.OFFSET
    assert "g1.txt cannot be read" in found.message
