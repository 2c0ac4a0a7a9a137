"""Stage suggest: what is left out, what is written, and that shares can be estimated from it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import load_codebook
from pipeline.errors import SettingsError
from pipeline.inference.rows import NUMBERS, Row, RowFormat
from pipeline.inference.sinks import SINKS
from pipeline.labelling.annotations import (
    Annotation,
    CodebookStamp,
    Item,
    to_line,
)
from pipeline.settings.annotation import AnnotationFormat
from pipeline.settings.estimation import Design, Strategy, Vectors
from pipeline.workflows.annotate import adjudicate_files, export, import_annotations
from pipeline.workflows.draw_sample import draw_sample
from pipeline.workflows.estimate import estimate
from pipeline.workflows.suggest import SuggestSummary, suggest

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
WORDS = ("soup", "bread", "wine", "waiter", "window", "table", "garden", "music", "salt", "spoon")
DOCUMENTS, SENTENCES = 40, 6


def prediction(doc: int, i: int, text: str, food: float) -> Row:
    row: Row = dict.fromkeys(RowFormat(TINY).columns)
    return row | {
        "doc_id": f"d{doc}",
        "sentence_id": f"d{doc}#{i}",
        "start": i * 40,
        "end": i * 40 + len(text),
        "block": "paragraph",
        "text": text,
        "model": "m",
        "topic": ["food"] if food >= 0.5 else [],
        "tone": "neither",
        "p_topic_food": food,
        "p_topic_service": 0.01,
        "p_tone_praise": 0.02,
        "p_tone_blame": 0.02,
        "p_tone_neither": 0.96,
    }


def rows() -> list[Row]:
    """240 sentences; the last of every document says the same in other capitals."""
    draw = np.random.default_rng(4)
    found = []
    for doc in range(DOCUMENTS):
        for i in range(SENTENCES - 1):
            text = " ".join(draw.choice(WORDS, 6, replace=False)) + f" {'abcdefghij'[doc % 10]}{i}."
            found.append(prediction(doc, i, text, round(float(draw.random()), 3)))
        bill = f"We paid the bill of {doc}." if doc % 2 else f"WE PAID THE BILL, of {doc}!"
        found.append(prediction(doc, SENTENCES - 1, bill, 0.1))
    return found


def write(path: Path, given: list[Row]) -> Path:
    with path.open("wb") as file:
        sink = SINKS[path.suffix].make(file, RowFormat(TINY), True)
        sink.write(given)
        sink.finish()
    return path


def annotation(row: Row, labels: dict[str, tuple[str, ...]]) -> Annotation:
    item = Item(str(row["doc_id"]), str(row["sentence_id"]), str(row["text"]))
    return Annotation(item, "ann", CodebookStamp.of(TINY), labels=labels)


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    return path


def run(predictions: Path, out: Path, strategy: Strategy, **more: object) -> SuggestSummary:
    options: dict[str, object] = {
        "number": 60,
        "random_share": 0.2,
        "labelled": [],
        "vectors": Vectors.WORDS,
        "blind": False,
        "seed": 1,
    }
    return suggest(predictions, TINY, strategy=strategy, out=out, **{**options, **more})


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_weights_add_up_to_all_sentences_and_near_duplicates_come_once(
    strategy: Strategy, predictions: Path, tmp_path: Path
) -> None:
    summary = run(predictions, tmp_path / "t.jsonl", strategy)
    tasks = read(tmp_path / "t.jsonl")
    assert len({task["sentence_id"] for task in tasks}) == summary.sentences == 60
    assert summary.near == DOCUMENTS - 1
    (bill,) = [task for task in tasks if "paid the bill" in str(task["text"]).lower()]
    assert bill["sampling"]["probability"] == 1 / DOCUMENTS  # a group of this size always comes
    weight = sum(1 / task["sampling"]["probability"] for task in tasks)
    assert weight == pytest.approx(DOCUMENTS * SENTENCES)


def test_every_near_duplicate_has_the_same_chance(predictions: Path, tmp_path: Path) -> None:
    came: Counter[object] = Counter()
    for seed in range(30):
        run(predictions, tmp_path / "t.jsonl", Strategy.RANDOM, seed=seed, number=10)
        came.update(
            t["doc_id"] for t in read(tmp_path / "t.jsonl") if "paid" in str(t["text"]).lower()
        )
    assert sum(came.values()) == 30
    assert len(came) > 15


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_other_formats_give_the_same_tasks(ending: str, predictions: Path, tmp_path: Path) -> None:
    other = write(tmp_path / f"predictions{ending}", rows())
    run(predictions, tmp_path / "a.jsonl", Strategy.MIX)
    run(other, tmp_path / "b.jsonl", Strategy.MIX)
    one, two = read(tmp_path / "a.jsonl"), read(tmp_path / "b.jsonl")
    assert [(t["sentence_id"], t["sampling"], t["topic"], t["start"]) for t in one] == [
        (t["sentence_id"], t["sampling"], t["topic"], t["start"]) for t in two
    ]
    assert all(
        task[name] is None or isinstance(task[name], int) for task in two for name in NUMBERS
    )


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
def test_tasks_tell_whose_statement_it_is(ending: str, tmp_path: Path) -> None:
    facts: Row = {"speaker": "A guest", "date": "2024-03-01", "genre": None}
    given = write(tmp_path / f"p{ending}", [row | facts for row in rows()])
    run(given, tmp_path / "t.jsonl", Strategy.RANDOM, blind=True)
    assert all(task.items() >= facts.items() for task in read(tmp_path / "t.jsonl"))


def test_labelled_sentences_and_their_near_duplicates_are_left_out(
    predictions: Path, tmp_path: Path
) -> None:
    given = rows()
    said = [given[0], given[1], given[5]]  # the last is one of the bills
    elsewhere = annotation({**given[8], "sentence_id": "other#1", "doc_id": "other"}, {"topic": ()})
    lines = [to_line(annotation(row, {"topic": ()})) for row in said] + [to_line(elsewhere)]
    labelled = tmp_path / "annotations.jsonl"
    labelled.write_bytes(b"".join(lines) + b'{"item": broken\n')
    out = tmp_path / "t.jsonl"
    summary = run(predictions, out, Strategy.MIX, labelled=[labelled], number=100)
    names = {task["sentence_id"] for task in read(out)}
    assert summary.labelled == 3
    assert summary.near_labelled == DOCUMENTS - 1 + 1
    assert summary.outside == 1
    assert not names & {row["sentence_id"] for row in (*said, given[8])}
    assert not [task for task in read(out) if "paid" in str(task["text"]).lower()]
    assert sum(summary.rejected.values()) == 1
    assert "line 5" in summary.rejects_file.read_text(encoding="utf-8")
    assert summary.before is not None
    chances = {t["item"]["sentence_id"]: t["sampling"] for t in read(summary.before)}
    assert chances["d0#0"] == {"design": "labelled before", "probability": 1.0}
    assert chances["d0#5"]["probability"] == 1 / DOCUMENTS
    # Old and new together stand for all but the one that has no chance.
    weight = sum(1 / one["probability"] for one in chances.values())
    weight += sum(1 / task["sampling"]["probability"] for task in read(out))
    assert weight == pytest.approx(len(given) - 1)


def unread_first() -> list[Row]:
    """The predictions after a row without text that has the id of one of them."""
    none = dict.fromkeys((*TINY.tasks, *RowFormat(TINY).probability_columns))
    return [{**prediction(1, 0, "", 0.0), **none}, *rows()]


def test_an_unread_row_of_the_same_id_shifts_no_text(predictions: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "unread.jsonl", unread_first())
    labelled = tmp_path / "annotations.jsonl"
    labelled.write_bytes(b"".join(to_line(annotation(row, {"topic": ()})) for row in rows()[:3]))
    for strategy in Strategy:
        number = {"number": 196, "labelled": [labelled]}  # all but three, and one of the bills
        run(predictions, tmp_path / "a.jsonl", strategy, **number)
        run(other, tmp_path / "b.jsonl", strategy, **number)
        assert read(tmp_path / "a.jsonl") == read(tmp_path / "b.jsonl")


def test_an_unread_row_of_the_same_id_is_not_drawn(tmp_path: Path) -> None:
    other = write(tmp_path / "unread.jsonl", unread_first())
    drawn = draw_sample(
        other, TINY, size=DOCUMENTS * SENTENCES, design=Design.SENTENCES, task="topic",
        cluster="doc_id", seed=1, out=tmp_path / "s.jsonl",
    )  # fmt: skip
    names = [row["sentence_id"] for row in read(tmp_path / "s.jsonl")]
    assert len(names) == len(set(names)) == drawn.sentences == DOCUMENTS * SENTENCES


def test_adjudicated_sentences_are_left_out(predictions: Path, tmp_path: Path) -> None:
    """By the ids that the annotations had, not by their place in the adjudicated file."""
    said = [annotation(rows()[i], {"tone": ("neither",)}) for i in (2, 3)]
    (tmp_path / "a.jsonl").write_bytes(b"".join(map(to_line, said)))
    labelled = tmp_path / "adjudicated.jsonl"
    adjudicate_files([tmp_path / "a.jsonl"], [], TINY, out=labelled)
    summary = run(predictions, tmp_path / "t.jsonl", Strategy.RANDOM, labelled=[labelled])
    assert (summary.labelled, summary.outside) == (2, 0)


def test_the_loop_ends_in_an_estimate(predictions: Path, tmp_path: Path) -> None:
    """The model sees food in the wrong half of the cases; labels by hand put the share right."""
    given = {str(row["sentence_id"]): row for row in rows()}
    truth = {name: "soup" in str(row["text"]) for name, row in given.items()}
    share = np.mean(list(truth.values()))
    tasks, sheet = tmp_path / "t.jsonl", tmp_path / "sheet.jsonl"
    run(predictions, tasks, Strategy.UNCERTAINTY, number=120, random_share=0.5)
    summary = export([tasks], TINY, to=AnnotationFormat.JSONL, out=sheet)
    assert summary.suggestions == 120
    filled = []
    for form in read(sheet):
        form.pop("suggested")
        food = truth[form["item"]["sentence_id"]]
        form |= {"coder": "ann", "labels": {"topic": ["food"] if food else [], "tone": ["neither"]}}
        filled.append(json.dumps(form))
    sheet.write_text("\n".join(filled), encoding="utf-8")
    annotations = tmp_path / "annotations.jsonl"
    assert import_annotations([sheet], TINY, out=annotations).annotations == Counter(ann=120)
    done = estimate(
        *(predictions, annotations, TINY),
        by=None, tasks=list(TINY.tasks), methods=("dsl",), contrast=None, cluster="doc_id",
    )  # fmt: skip
    by_method = {r.method: r for r in done.rows if r.label == "food" and not r.contrast}
    dsl = by_method["dsl"]
    assert dsl.low is not None
    assert dsl.high is not None
    assert dsl.low < share < dsl.high
    assert abs(by_method["cc"].value - share) > 0.05
    assert not [r for r in done.facts.remarks if "weights of the sample" in r]


def test_a_second_round_of_the_same_seed_draws_anew(tmp_path: Path) -> None:
    """Not the neighbours of what the first took, which the same numbers would choose."""
    draw = np.random.default_rng(7)
    texts = [" ".join(draw.permutation(WORDS)) + f" {doc} {i}" for doc in range(60) for i in "abc"]
    given = [prediction(n // 3, n % 3, text, 0.5) for n, text in enumerate(texts)]
    predictions = write(tmp_path / "p.jsonl", given)
    places = {str(row["sentence_id"]): n for n, row in enumerate(given)}

    def drawn(out: str, seed: int, **more: object) -> set[int]:
        run(predictions, tmp_path / out, Strategy.RANDOM, number=30, seed=seed, **more)
        return {places[str(task["sentence_id"])] for task in read(tmp_path / out)}

    near = 0
    for seed in range(12):
        first = drawn("one.jsonl", seed)
        assert drawn("again.jsonl", seed) == first
        said = [to_line(annotation(given[n], {"topic": ()})) for n in sorted(first)]
        (tmp_path / "said.jsonl").write_bytes(b"".join(said))
        options = {"labelled": [tmp_path / "said.jsonl"]}
        second = drawn("two.jsonl", seed, **options)
        assert drawn("again.jsonl", seed, **options) == second
        assert not first & second
        near += sum(n + 1 in first or n - 1 in first for n in second)
    # Of the 150 left, about a third have a neighbour among 30 of 180: 1 - (1 - 30 / 179) ** 2.
    assert near / (12 * 30) == pytest.approx(0.31, abs=0.08)


def test_blind_tasks_do_not_say_what_the_model_says(predictions: Path, tmp_path: Path) -> None:
    run(predictions, tmp_path / "t.jsonl", Strategy.MIX, blind=True)
    summary = export([tmp_path / "t.jsonl"], TINY, to=AnnotationFormat.CSV, out=tmp_path / "t.csv")
    assert summary.sheets == 60
    assert summary.suggestions == 0


def test_context_is_the_sentence_before(predictions: Path, tmp_path: Path) -> None:
    run(predictions, tmp_path / "t.jsonl", Strategy.RANDOM)
    before = dict(zip([r["sentence_id"] for r in rows()][1:], rows(), strict=False))
    for task in read(tmp_path / "t.jsonl"):
        first = str(task["sentence_id"]).endswith("#0")
        assert task["context"] == ("" if first else before[task["sentence_id"]]["text"])


def test_the_context_of_a_list_item_is_its_lead_in(tmp_path: Path) -> None:
    given = [row | {"lead_in": "We ask for:"} if i % 3 else row for i, row in enumerate(rows())]
    run(write(tmp_path / "p.jsonl", given), tmp_path / "t.jsonl", Strategy.RANDOM)
    export([tmp_path / "t.jsonl"], TINY, to=AnnotationFormat.JSONL, out=tmp_path / "sheet.jsonl")
    places = {str(row["sentence_id"]): i for i, row in enumerate(given)}
    for form in read(tmp_path / "sheet.jsonl"):
        item = form["item"]
        at = places[item["sentence_id"]]
        first = str(item["sentence_id"]).endswith("#0")
        before = "" if first else given[at - 1]["text"]
        assert item["context"] == (given[at]["lead_in"] or before)


def test_too_many_are_refused(predictions: Path, tmp_path: Path) -> None:
    left = DOCUMENTS * (SENTENCES - 1) + 1
    with pytest.raises(SettingsError, match=f"cannot suggest 900 of {left} sentences"):
        run(predictions, tmp_path / "t.jsonl", Strategy.MIX, number=900)
    assert not (tmp_path / "t.jsonl").exists()


def test_too_few_for_every_stratum_are_refused_by_the_option_that_is_there(
    predictions: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"--number: (.|\n)*give (\d+) or more") as error:
        run(predictions, tmp_path / "t.jsonl", Strategy.STRATIFIED, number=1)
    assert "--draw" not in str(error.value)
    enough = int(str(error.value).split("give ")[1].split()[0])
    done = run(predictions, tmp_path / "t.jsonl", Strategy.STRATIFIED, number=enough)
    assert done.sentences == enough


SPELT = (
    ("café fermé", "cafe ferme"),
    ("thé brûlé", "the brule"),
    ("pâté salé", "pate sale"),
    ("crème glacée", "creme glacee"),
    ("soirée gâchée", "soiree gachee"),
    ("entrée brisée", "entree brisee"),
)
"""Two spellings that the encoder, which takes accents off, reads alike; as words they differ."""


@pytest.mark.slow  # loads the encoder
def test_the_encoder_knows_what_is_labelled_by_more_than_its_words(tmp_path: Path) -> None:
    others = ("A violin.", "Parking fees.", "Broken lamp.", "Green hills.", "Nine dogs.", "Rain.")
    given = []
    for doc, (known, other) in enumerate(zip(SPELT, others, strict=True)):
        given += [prediction(doc, 0, known[0], 0.5), prediction(doc, 1, other, 0.5)]
    said = [
        annotation({**row, "doc_id": "other", "text": text}, {"topic": ()})
        for row, (_, text) in zip(given[::2], SPELT, strict=True)
    ]
    labelled = tmp_path / "annotations.jsonl"
    labelled.write_bytes(b"".join(map(to_line, said)))
    predictions = write(tmp_path / "predictions.jsonl", given)

    def taken(vectors: Vectors) -> set[str]:
        out = tmp_path / f"{vectors}.jsonl"
        options = {"vectors": vectors, "labelled": [labelled], "number": 7, "random_share": 0.1}
        summary = run(predictions, out, Strategy.DIVERSITY, **options)
        assert (summary.sentences, summary.drawn, summary.near_labelled) == (7, 1, 0)
        tasks = [t for t in read(out) if t["sampling"]["probability"] == 1.0]
        return {str(task["text"]) for task in tasks}

    assert taken(Vectors.ENCODER) == set(others)
    assert taken(Vectors.WORDS) & {accented for accented, _ in SPELT}
