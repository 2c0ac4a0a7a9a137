"""Rows of `classify` become rows of labels: nothing lost, offsets true, every format read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.actors import load_linker
from pipeline.attribution import RuleAttributor
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import InputError, SettingsError
from pipeline.inference import RowFormat, StatementFacts
from pipeline.inference.attributed import AttributionFormat
from pipeline.inference.rows import NO_ORIGIN, Origin, Row
from pipeline.inference.sinks import SINKS
from pipeline.records import Prediction, Sentence, Statement
from pipeline.workflows.attribute import AttributeSummary, attribute
from pipeline.workflows.watcher import Silent

TEXT = "Chef Anna complained.\n\nShe called the soup cold. The waiter was rude. We like soup."
SAID = (
    ("Chef Anna complained.", ()),
    ("She called the soup cold.", ("food", "service")),
    ("The waiter was rude.", ("service",)),
    ("We like soup.", None),
)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def prediction(sentence: Sentence, labels: tuple[str, ...] | None) -> Prediction:
    tone = {"praise": 0.2, "blame": 0.7, "neither": 0.1}
    return Prediction(
        sentence,
        {"topic": labels, "tone": ("blame",)},
        {"topic": {"food": 0.75, "service": 0.5}, "tone": tone},
        "m-1",
    )


def rows_of(codebook: Codebook, doc_id: str = "d") -> list[Row]:
    shape, statement = RowFormat(codebook), Statement(doc_id, TEXT, "a.txt", speaker="Germany")
    rows, after = [], 0
    for i, (text, labels) in enumerate(SAID):
        start = TEXT.index(text)
        sentence = Sentence(f"{doc_id}#{i}", doc_id, text, start, start + len(text))
        origin = Origin.of(sentence, statement, after)
        rows.append(shape.row(prediction(sentence, labels), StatementFacts.of(statement), origin))
        after = sentence.end
    return rows


def write(path: Path, rows: list[Row], codebook: Codebook) -> Path:
    with path.open("wb") as file:
        sink = SINKS[path.suffix].make(file, RowFormat(codebook), True)
        sink.write(rows)
        sink.finish()
    return path


def run(path: Path, codebook: Codebook, out: Path) -> AttributeSummary:
    return attribute(
        path,
        codebook,
        RuleAttributor(),
        load_linker(),
        out=str(out),
        stdout=None,
        watcher=Silent(),
    )


def test_one_row_a_label_with_true_offsets(codebook: Codebook, tmp_path: Path) -> None:
    source = write(tmp_path / "p.jsonl", [*rows_of(codebook), *rows_of(codebook, "e")], codebook)
    out = tmp_path / "a.jsonl"
    summary = run(source, codebook, out)
    assert (summary.sentences, summary.labels) == (8, 6)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(r["doc_id"], r["sentence_id"], r["label"]) for r in rows][:4] == [
        ("d", "d#1", "food"),
        ("d", "d#1", "service"),
        ("d", "d#2", "service"),
        ("e", "e#1", "food"),
    ]
    assert all(tuple(row) == AttributionFormat().columns for row in rows)
    for row in rows:
        assert TEXT[row["start"] : row["end"]] == row["text"]
        for what in ("holder", "target"):
            if row[f"{what}_start"] is not None:
                assert TEXT[row[f"{what}_start"] : row[f"{what}_end"]] == row[what]
    first, _, last = rows[:3]
    assert (first["holder"], first["probability"]) == ("Chef Anna", 0.75)
    assert (last["holder"], last["holder_actors"]) == ("SPEAKER", ["DEU"])
    assert (first["model"], first["attribution_model"]) == ("m-1", "rules")


def test_every_format_gives_the_same_rows(codebook: Codebook, tmp_path: Path) -> None:
    written = []
    for suffix in SINKS:
        source = write(tmp_path / f"p{suffix}", rows_of(codebook), codebook)
        out = tmp_path / f"{suffix[1:]}.jsonl"
        run(source, codebook, out)
        written.append([json.loads(line) for line in out.read_text("utf-8").splitlines()])
    assert written[0] == written[1]
    for row in (*written[0], *written[2]):
        row["probability"] = round(row["probability"], 4)
    assert written[0] == written[2]


def test_tables_can_be_written(codebook: Codebook, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    source = write(tmp_path / "p.jsonl", rows_of(codebook), codebook)
    run(source, codebook, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert tuple(table.column_names) == AttributionFormat().columns
    assert table["holder_actors"].to_pylist()[2] == ["DEU"]
    run(source, codebook, tmp_path / "a.csv")
    head = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert tuple(head.split(",")) == AttributionFormat().columns


def test_sentences_without_a_statement_stand_alone(codebook: Codebook, tmp_path: Path) -> None:
    shape = RowFormat(codebook)
    rows = [
        shape.row(
            prediction(Sentence(f"r#{i}", "r", text, 0, len(text)), labels),
            StatementFacts(),
            NO_ORIGIN,
        )
        for i, (text, labels) in enumerate(SAID)
    ]
    out = tmp_path / "a.jsonl"
    assert run(write(tmp_path / "p.jsonl", rows, codebook), codebook, out).labels == 3
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert first["holder"] == "SPEAKER"  # "She" is nobody here


def test_wrong_inputs_are_named(codebook: Codebook, tmp_path: Path) -> None:
    good = write(tmp_path / "p.jsonl", rows_of(codebook), codebook)
    out = tmp_path / "a.jsonl"
    bad = tmp_path / "bad.jsonl"
    row = rows_of(codebook)[0] | {"topic": ["decor"]}
    bad.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"bad\.jsonl:1: 'topic' holds decor"):
        run(bad, codebook, out)
    bad.write_text('{"doc_id": "d"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="lacks the column"):
        run(bad, codebook, out)
    with pytest.raises(SettingsError, match="no known format"):
        run(good, codebook, tmp_path / "a.xlsx")
    assert not out.exists()
    silent = codebook.model_copy(
        update={"tasks": {"tone": codebook.tasks["tone"]}},
    )
    with pytest.raises(InputError, match="attribution: true"):
        run(good, silent, out)


def test_sentences_with_one_id_are_read_each_for_itself(codebook: Codebook, tmp_path: Path) -> None:
    shape = RowFormat(codebook)
    texts = ("Chef Anna called the soup cold.", "We like what the waiter praised.")
    rows = [
        shape.row(
            prediction(Sentence("D1", "D1", text, 0, len(text)), ("service",)),
            StatementFacts(speaker=speaker, source="s.csv"),
            NO_ORIGIN,
        )
        for text, speaker in zip(texts, ("Germany", "Chad"), strict=True)
    ]
    out = tmp_path / "a.jsonl"
    run(write(tmp_path / "p.jsonl", rows, codebook), codebook, out)
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["text"], row["speaker"]) for row in found] == [
        (texts[0], "Germany"),
        (texts[1], "Chad"),
    ]
    for row in found:
        for words in (row["holder"], row["target"]):
            assert words in (None, "SPEAKER") or words in row["text"]


@pytest.mark.parametrize(
    ("column", "value"), [("block", None), ("block", "verse"), ("start", "abc"), ("page", "x")]
)
def test_a_row_that_is_none_is_an_error_with_its_line(
    column: str, value: str | None, codebook: Codebook, tmp_path: Path
) -> None:
    path = write(tmp_path / "p.jsonl", rows_of(codebook), codebook)
    lines = path.read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), column: value})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"p\.jsonl:2: not a row"):
        run(path, codebook, tmp_path / "a.jsonl")
