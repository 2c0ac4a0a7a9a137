"""Stage estimate: from files to shares, and one clear reason where there are none."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError
from pipeline.evaluation.estimate_table import (
    BORROWED,
    FEW,
    NO_SAMPLE,
    OVERALL,
    RARE,
    EstimateRow,
    Sizes,
)
from pipeline.inference.rows import Row, RowFormat
from pipeline.inference.sinks import SINKS
from pipeline.settings.estimation import Design
from pipeline.workflows.draw_sample import draw_sample
from pipeline.workflows.estimate import Estimation, estimate, to_csv, write_estimates
from pipeline.workflows.population import read_population

Change = Callable[[list[dict[str, str]]], object]
DOCUMENTS, SENTENCES = 60, 8


def predicted(codebook: Codebook) -> tuple[list[Row], list[dict[str, object]]]:
    """Rows of `stance classify`, and what is true of them; guest C has few reviews."""
    random = np.random.default_rng(2)
    rows, truths = [], []
    for n in range(DOCUMENTS):
        guest = "C" if n >= DOCUMENTS - 3 else "AB"[n % 2]
        for i in range(SENTENCES):
            food, praise = random.random() < 0.4, random.random() < 0.5
            truths.append(
                {"topic": ["food"] if food else [], "tone": "praise" if praise else "neither"}
            )
            sees = food if random.random() < (0.9 if guest == "A" else 0.6) else not food
            row: Row = dict.fromkeys(RowFormat(codebook).columns)
            row |= {
                "doc_id": f"review-{n}",
                "sentence_id": f"review-{n}#{i}",
                "start": i * 20,
                "end": i * 20 + 15,
                "block": "paragraph",
                "text": f"Sentence {i}.",
                "speaker": guest,
                "date": f"2024-0{1 + n % 3}-11",
                "genre": "review" if n else None,
                "model": "test-model",
                "topic": ["food"] if sees else [],
                "tone": "praise" if praise else "neither",
                "p_topic_food": 0.8 if sees else 0.1,
                "p_topic_service": 0.0,
                "p_tone_praise": 0.9 if praise else 0.05,
                "p_tone_blame": 0.05,
                "p_tone_neither": 0.05 if praise else 0.9,
            }
            rows.append(row)
    return rows, truths


def write_labels(path: Path, rows: Sequence[Row], codebook: Codebook) -> Path:
    with path.open("wb") as file:
        sink = SINKS[path.suffix].make(file, RowFormat(codebook), True)
        sink.write(rows)
        sink.finish()
    return path


@pytest.fixture
def labels(tiny: Codebook, tmp_path: Path) -> Path:
    return write_labels(tmp_path / "labels.jsonl", predicted(tiny)[0], tiny)


def draw(labels: Path, codebook: Codebook, out: Path, **options: object) -> Path:
    given = {"size": 160, "design": Design.SENTENCES, "task": "topic", "cluster": "doc_id"}
    draw_sample(labels, codebook, **{**given, "seed": 5, "out": out, **options})
    return out


def fill(sample: Path, codebook: Codebook, change: Change = lambda _: None) -> Path:
    """Label what was drawn, and then change the rows."""
    rows, truths = predicted(codebook)
    truth = {str(row["sentence_id"]): said for row, said in zip(rows, truths, strict=True)}
    if sample.suffix == ".jsonl":
        drawn = [json.loads(line) for line in sample.read_text().splitlines()]
        for row in drawn:
            row |= truth[row["sentence_id"]]
        sample.write_text("".join(json.dumps(row) + "\n" for row in drawn))
        return sample
    with sample.open(newline="", encoding="utf-8-sig") as file:
        cells = list(csv.DictReader(file))
    for row in cells:
        said = truth[row["sentence_id"]]
        row |= {"topic": ";".join(said["topic"]) or "(none)", "tone": str(said["tone"])}
    change(cells)
    with sample.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(cells[0]))
        writer.writeheader()
        writer.writerows(cells)
    return sample


def run(labels: Path, sample: Path, codebook: Codebook, **options: object) -> Estimation:
    given: dict[str, object] = {
        "by": None,
        "tasks": list(codebook.tasks),
        "methods": ("dsl", "ppi", "acc"),
        "contrast": None,
        "cluster": "doc_id",
    }
    return estimate(labels, sample, codebook, **{**given, **options})


def find(done: Estimation, label: str, group: str, method: str) -> EstimateRow:
    rows = [r for r in done.rows if (r.label, r.group, r.method) == (label, group, method)]
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("drawn", ["sample.csv", "sample.jsonl"])
def test_every_format_gives_the_same(
    ending: str, drawn: str, tiny: Codebook, tmp_path: Path
) -> None:
    rows, truths = predicted(tiny)
    labels = write_labels(tmp_path / f"labels{ending}", rows, tiny)
    done = run(labels, fill(draw(labels, tiny, tmp_path / drawn), tiny), tiny, by="speaker")
    food = np.mean(["food" in str(said["topic"]) for said in truths])
    said = find(done, "food", OVERALL, "cc")
    right = find(done, "food", OVERALL, "dsl")
    assert said.value == pytest.approx(np.mean([row["topic"] == ["food"] for row in rows]))
    assert abs(right.value - food) < abs(said.value - food)
    assert right.low is not None
    assert right.high is not None
    assert right.low < food < right.high
    assert right.value == pytest.approx(0.40692, abs=1e-5)  # the same sample in all formats
    assert right.sizes.sentences == DOCUMENTS * SENTENCES
    assert right.sizes.sampled_sentences == 160
    # The model is never wrong about the tone.
    praise = find(done, "praise", OVERALL, "dsl")
    assert praise.value == pytest.approx(np.mean([s["tone"] == "praise" for s in truths]))


@pytest.mark.parametrize("design", list(Design))
def test_a_drawn_sample_stands_for_all(
    design: Design, labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    size = 20 if design is Design.DOCUMENTS else 160
    sample = draw(labels, tiny, tmp_path / "sample.csv", design=design, size=size)
    with sample.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 160
    weights = [1 / float(row["inclusion_probability"]) for row in rows]
    assert sum(weights) == pytest.approx(DOCUMENTS * SENTENCES)
    assert {row["topic"] for row in rows} == {""}
    assert not [name for name in rows[0] if name.startswith("p_")]  # annotators see no model
    for row in rows:
        before = int(row["sentence_id"].partition("#")[2]) - 1
        assert row["context"] == (f"Sentence {before}." if before >= 0 else "")
    done = run(labels, fill(sample, tiny), tiny)
    assert not [remark for remark in done.facts.remarks if "weights" in remark]


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("speaker", {"A", "B", "C"}),
        ("month", {"2024-01", "2024-02", "2024-03"}),
        ("year", {"2024"}),
        ("genre", {"review", "(none)"}),
        ("block", {"paragraph"}),
        (None, set()),
    ],
)
def test_groups(by: str | None, groups: set[str], labels: Path, tiny: Codebook) -> None:
    known = read_population(labels, tiny, by=by)
    assert set(known.population.groups) == groups


def test_a_difference(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny)
    done = run(labels, sample, tiny, by="speaker", contrast=("A", "B"))
    gap = find(done, "food", "A - B", "ppi")
    a, b = (find(done, "food", name, "ppi") for name in "AB")
    assert gap.contrast
    assert gap.value == pytest.approx(a.value - b.value)
    assert gap.low is not None
    assert gap.high is not None
    assert gap.low < gap.value < gap.high
    assert gap.sizes.documents == a.sizes.documents + b.sizes.documents
    assert "Difference in percentage points, A - B: food" in done.method


def test_a_group_without_sample_says_what_is_assumed(
    labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    def without_c(rows: list[dict[str, str]]) -> None:
        rows[:] = [row for row in rows if row["speaker"] != "C"]

    sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny, without_c)
    done = run(labels, sample, tiny, by="speaker")
    for method in ("dsl", "ppi", "sample"):
        row = find(done, "food", "C", method)
        assert math.isnan(row.value)
        assert row.low is None
        assert NO_SAMPLE in row.cautions
    assert BORROWED in find(done, "food", "C", "acc").cautions
    assert not math.isnan(find(done, "food", "C", "acc").value)
    remark = next(text for text in done.facts.remarks if "No sentence was sampled in 'C'" in text)
    assert "assumes that the model errs there as often as in the other groups" in remark


def test_small_groups_and_unseen_labels_are_marked(
    labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    done = run(labels, fill(draw(labels, tiny, tmp_path / "s.csv"), tiny), tiny, by="speaker")
    row = find(done, "food", "C", "dsl")
    assert row.sizes.sampled_documents == 3
    assert FEW in row.cautions
    assert row.low is None
    unseen = find(done, "service", OVERALL, "dsl")
    assert RARE in unseen.cautions
    assert unseen.low is None  # not [0, 0]
    assert any("Fewer than 20 documents were sampled in 'C'" in r for r in done.facts.remarks)


def test_sentences_are_found_by_place_as_well(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    def by_place(rows: list[dict[str, str]]) -> None:
        for row in rows:
            del row["sentence_id"]

    by_id = run(labels, fill(draw(labels, tiny, tmp_path / "a.csv"), tiny), tiny)
    placed = run(labels, fill(draw(labels, tiny, tmp_path / "b.csv"), tiny, by_place), tiny)
    assert by_id.rows == placed.rows


def test_a_spreadsheet_with_semicolons(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    sample = fill(draw(labels, tiny, tmp_path / "a.csv"), tiny)
    before = run(labels, sample, tiny)
    with sample.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    for row in rows:
        chance = row["inclusion_probability"].replace(".", ",")
        writer.writerow({**row, "inclusion_probability": chance})
    sample.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
    assert run(labels, sample, tiny).rows == before.rows


def test_a_gap_is_filled_as_its_task_takes_it(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    """Of a multiclass task exactly one label applies, so that "(none)" is no answer."""
    for task, said in (
        ("topic", r"label them \('\(none\)' in CSV"),
        ("tone", "label them, or draw"),
    ):
        sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny, set_cell(task, ""))
        with pytest.raises(InputError, match=said):
            run(labels, sample, tiny)
    empty = draw(labels, tiny, tmp_path / "s.csv")
    with pytest.raises(InputError, match=r"fill in 'tone'\.$"):
        run(labels, empty, tiny, tasks=["tone"])


def test_one_task_may_be_left_out(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    def without_tone(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["tone"] = ""

    done = run(labels, fill(draw(labels, tiny, tmp_path / "s.csv"), tiny, without_tone), tiny)
    assert {row.task for row in done.rows} == {"topic"}
    assert "'tone' is not labelled in the sample." in done.facts.remarks


def set_cell(name: str, value: str, row: int = 0) -> Change:
    return lambda rows: rows[row].__setitem__(name, value)


def drop_column(name: str) -> Change:
    return lambda rows: [row.pop(name) for row in rows]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_cell("sentence_id", "gone#1"), "line 2: sentence_id 'gone#1' is not among the label"),
        (lambda rows: rows.append(dict(rows[0])), "line 162: the same sentence as line 2"),
        (set_cell("inclusion_probability", ""), "line 2: 'inclusion_probability' is missing"),
        (set_cell("inclusion_probability", "0"), r"is '0', expected a number in \(0, 1\]"),
        (set_cell("inclusion_probability", "1.2"), r"is '1.2', expected a number in \(0, 1\]"),
        (set_cell("inclusion_probability", "nan"), r"is 'nan', expected a number in \(0, 1\]"),
        (set_cell("inclusion_probability", "one"), r"is 'one', expected a number in \(0, 1\]"),
        (drop_column("inclusion_probability"), "has no column 'inclusion_probability'"),
        (set_cell("topic", "fod"), "line 2: unknown label 'fod' of task 'topic'. Did you mean 'fo"),
        (set_cell("tone", "praise;blame"), "line 2: 'tone' takes exactly one label, got 2"),
        (set_cell("topic", ""), r"'topic' is empty in 1 row\(s\) \(line 2\) and filled in others"),
        (lambda rows: rows.clear() or rows.append({"sentence_id": "", "inclusion_probability": ""}),
         "line 2: doc_id 'None', start None: expected a sentence_id"),
    ],
)  # fmt: skip
def test_bad_samples(
    change: Change, message: str, labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny, change)
    with pytest.raises(InputError, match=message):
        run(labels, sample, tiny)


def test_all_mistakes_are_named_at_once(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    def spoil(rows: list[dict[str, str]]) -> None:
        for row in rows[:15]:
            row["inclusion_probability"] = "7"

    sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny, spoil)
    with pytest.raises(InputError, match=r"15 mistake\(s\)") as refused:
        run(labels, sample, tiny)
    assert "and 5 more" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.xlsx", b"", "a sample is CSV or JSON lines"),
        ("s.csv", b"\xff\xfe\x00", "is not UTF-8"),
        ("s.csv", b"", "has no column 'inclusion_probability'"),
        ("s.csv", b"inclusion_probability,topic\n", "needs a column 'sentence_id', or 'doc_id'"),
        ("s.csv", b"sentence_id,inclusion_probability,topic,tone\n", "holds no rows"),
        (
            "s.csv",
            b"sentence_id,inclusion_probability,topic,tone\nreview-0#1,0.5,,\n",
            r"no row has labels; fill in 'topic' or 'tone' \(in CSV '\(none\)'",
        ),
        ("s.jsonl", b"{", "s.jsonl:1: not JSON"),
        ("s.jsonl", b"3", "s.jsonl:1: expected an object, got int"),
    ],
)
def test_files_that_are_no_sample(
    name: str, content: bytes, message: str, labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        run(labels, tmp_path / name, tiny)
    with pytest.raises(InputError, match="cannot be read"):
        run(labels, tmp_path / "missing.csv", tiny)


def test_too_few_documents(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    few = draw(labels, tiny, tmp_path / "s.csv", design=Design.DOCUMENTS, size=9)
    with pytest.raises(InputError, match=r"are of 9 document\(s\), expected 10 or more"):
        run(labels, fill(few, tiny), tiny)


def test_weights_that_do_not_add_up(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    def twice(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["inclusion_probability"] = str(float(row["inclusion_probability"]) / 2)

    done = run(labels, fill(draw(labels, tiny, tmp_path / "s.csv"), tiny, twice), tiny)
    assert any("add up to 960 sentences, expected 480" in text for text in done.facts.remarks)


@pytest.mark.parametrize(
    ("contrast", "message"),
    [(("A", "Z"), "no sentence has speaker 'Z'"), (("A", "A"), "'A' is compared with itself")],
)
def test_contrasts_that_are_none(
    contrast: tuple[str, str], message: str, labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny)
    with pytest.raises(SettingsError, match=message):
        run(labels, sample, tiny, by="speaker", contrast=contrast)


def spoilt(rows: list[Row], **cells: object) -> list[Row]:
    return [{**rows[0], **cells}, *rows[1:]]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"sentence_id": "review-0#1"}, "labels.jsonl:2: sentence_id 'review-0#1' stands there"),
        ({"topic": ["stance"]}, "labels.jsonl:1: 'topic' is .* expected food, service"),
        ({"p_topic_food": 1.5}, "labels.jsonl:1: a probability is 1.5"),
        ({"start": 1.5}, "labels.jsonl:1: 'start' is 1.5, expected a whole number"),
    ],
)
def test_bad_labels(cells: dict[str, object], message: str, tiny: Codebook, tmp_path: Path) -> None:
    path = write_labels(tmp_path / "labels.jsonl", spoilt(predicted(tiny)[0], **cells), tiny)
    with pytest.raises(InputError, match=message):
        read_population(path, tiny)


def test_labels_of_another_column_or_none(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks the column\(s\) speakr. Did you mean 'speaker'"):
        read_population(labels, tiny, by="speakr")
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    with pytest.raises(InputError, match="holds no labelled sentence"):
        read_population(empty, tiny)


def test_unread_and_undecided_sentences_are_counted(tiny: Codebook, tmp_path: Path) -> None:
    rows = predicted(tiny)[0]
    unread = {name: None for name in RowFormat(tiny).columns if name.startswith(("p_", "to"))}
    rows = [{**rows[0], **unread}, {**rows[1], "tone": None}, *rows[2:]]
    known = read_population(write_labels(tmp_path / "l.jsonl", rows, tiny), tiny)
    assert known.unread == 1
    assert known.withheld == {"topic": 0, "tone": 1}
    assert len(known.sentence_ids) == DOCUMENTS * SENTENCES - 1


def test_a_table_of_sentences_needs_ids_and_a_cluster(tiny: Codebook, tmp_path: Path) -> None:
    rows = [
        {**row, "doc_id": "table.csv", "start": 0, "title": row["doc_id"]}
        for row in predicted(tiny)[0]
    ]
    labels = write_labels(tmp_path / "labels.jsonl", rows, tiny)
    sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny)
    with pytest.raises(InputError, match=r"of 1 document\(s\).*--cluster"):
        run(labels, sample, tiny)
    done = run(labels, sample, tiny, cluster="title")
    assert done.facts.sizes.documents == DOCUMENTS

    def by_place(rows: list[dict[str, str]]) -> None:
        for row in rows:
            del row["sentence_id"]

    with pytest.raises(InputError, match=r"several sentences have doc_id 'table\.csv', start 0"):
        run(labels, fill(draw(labels, tiny, sample), tiny, by_place), tiny, cluster="title")


def test_outputs(labels: Path, tiny: Codebook, tmp_path: Path) -> None:
    done = run(
        labels,
        fill(draw(labels, tiny, tmp_path / "s.csv"), tiny),
        tiny,
        by="speaker",
        contrast=("A", "B"),
    )
    write_estimates(done, tmp_path / "e.csv", title="T")
    with (tmp_path / "e.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(done.rows)
    first = find(done, "food", OVERALL, "dsl")
    assert float(rows[0]["estimate"]) == pytest.approx(first.value, abs=1e-6)
    assert float(rows[0]["low"]) == pytest.approx(first.low, abs=1e-6)
    assert rows[0]["sampled_sentences"] == "160"
    assert {row["contrast"] for row in rows} == {"0", "1"}
    write_estimates(done, tmp_path / "e.html", title="Shares <of> labels")
    page = (tmp_path / "e.html").read_text(encoding="utf-8")
    assert "Shares &lt;of&gt; labels" in page
    assert not re.search(r"<script|https?://", page)


def test_the_text_for_a_paper_holds_the_numbers(
    labels: Path, tiny: Codebook, tmp_path: Path
) -> None:
    sample = fill(draw(labels, tiny, tmp_path / "s.csv"), tiny)
    text = run(labels, sample, tiny, methods=("ppi",)).method
    for part in (
        "among 480 sentences of 60 documents",
        "labelled by model test-model",
        "160 sentences of",
        "known by design (0.333)",
        "(codebook kitchen_reviews 0.3)",
        "Angelopoulos, A. N., Duchi, J. C., and Zrnic, T. (2023)",
    ):
        assert part in text
    assert "Egami" not in text
    assert re.search(r"food \d+\.\d % \[\d+\.\d, \d+\.\d\] \(counted: \d+\.\d %\)", text)


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1"])
def test_no_group_is_a_formula(evil: str) -> None:
    row = EstimateRow("topic", "food", evil, "dsl", -0.5, None, None, Sizes(1, 1, 1, 1, 1))
    (cells,) = csv.DictReader(io.StringIO(to_csv([row]), newline=""))
    assert cells["group"] == f"'{evil}"
    assert cells["estimate"] == "-0.500000"
