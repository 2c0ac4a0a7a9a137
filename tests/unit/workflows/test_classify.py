"""Stage classify: every sentence gives one row, and what cannot be read is counted."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from pipeline.bundle import Bundle
from pipeline.errors import InputError, OutputError, SettingsError
from pipeline.inference import Unfinished, engine, job
from pipeline.ingest import Reading
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import ColumnMap, IngestSettings, StdinFormat
from pipeline.workflows.classify import (
    ClassifySummary,
    Target,
    classify_documents,
    classify_sentence_rows,
    classify_statement_file,
)
from pipeline.workflows.documents import ingest
from pipeline.workflows.record_files import read_records, rejects_path, write_records
from pipeline.workflows.watcher import Silent, Watcher

if TYPE_CHECKING:
    from conftest import Recorder

Rows = list[dict[str, object]]
SILENT = Silent()


def rows_in(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def documents(
    patterns: list[str],
    bundle: Bundle,
    out: str,
    *,
    stdin: bytes = b"",
    stdout: BinaryIO | None = None,
    unfinished: Unfinished = Unfinished.REFUSE,
    watcher: Watcher = SILENT,
) -> ClassifySummary:
    return classify_documents(
        patterns,
        IngestSettings(),
        bundle,
        Target(out, stdout, unfinished),
        stdin=io.BytesIO(stdin),
        watcher=watcher,
    )


def sentences(
    path: str, bundle: Bundle, out: Path, settings: IngestSettings | None = None, stdin: bytes = b""
) -> ClassifySummary:
    return classify_sentence_rows(
        path,
        settings or IngestSettings(),
        bundle,
        Target(str(out)),
        stdin=io.BytesIO(stdin),
        watcher=Silent(),
    )


def statements(items: list[Statement], bundle: Bundle, out: Path) -> ClassifySummary:
    """Label statements as if `ingest` had written them."""
    write_records(out.with_name("statements.jsonl"), items)
    return classify_statement_file(
        out.with_name("statements.jsonl"), bundle, out=out, watcher=Silent()
    )


def test_documents_in_sentences_out(project: Path, bundle: Bundle) -> None:
    out = project / "p.jsonl"
    summary = documents([str(project / "docs")], bundle, str(out))
    rows = rows_in(out)
    assert summary.statements == 2
    assert summary.sentences == len(rows) >= 6
    by_text = {str(row["text"]): row for row in rows}
    assert by_text["The soup was excellent."]["topic"] == ["food"]
    assert by_text["The soup was excellent."]["tone"] == "praise"
    assert by_text["We sat by the window."]["topic"] == []
    assert {row["model"] for row in rows} == {bundle.model_id} == {summary.model_id}
    for (task, label), n in summary.labels.items():
        given = [row[task] for row in rows]
        assert n == sum(label in (g if isinstance(g, list) else [g]) for g in given)
    assert summary.rejected == {RejectReason.EMPTY: 1}
    assert summary.rejects_file == rejects_path(out)
    (rejected,) = read_records(rejects_path(out), Rejection)
    assert rejected.source.endswith("empty.txt")


def test_rows_come_in_reading_order_with_their_facts(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHUNK", 3)
    monkeypatch.setattr(job, "WRITE_EVERY", 4)
    made = [
        Statement(f"d{n}", "One soup. Two waiters. " * (n % 3), f"{n}.txt", speaker=f"Guest {n}")
        for n in range(9)
    ]
    out = tmp_path / "p.jsonl"
    summary = statements(made, bundle, out)
    rows = rows_in(out)
    assert [r["gap"] for r in rows] == ["" if r["start"] == 0 else " " for r in rows]
    expected = [(s.doc_id, s.sentence_id, s.start, s.text) for one in made for s in segment(one)]
    got = [(r["doc_id"], r["sentence_id"], r["start"], r["text"]) for r in rows]
    assert got == expected
    assert summary.statements == 6
    assert summary.rejected == {RejectReason.EMPTY: 3}
    for row in rows:
        assert row["speaker"] == f"Guest {str(row['doc_id'])[1:]}"
        assert row["source"] == f"{str(row['doc_id'])[1:]}.txt"


LAYOUT = (
    "Report\r\n\r\nWe ask:\r\n\r\n1. Food\u00ad:\r\n  (a) more salt;\r\n  (b) hot soup.\r\n\r\n"
    "The end. Bye."
)


def test_rows_make_up_the_text_and_lead_back_to_the_source(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(LAYOUT.encode())
    (statement,) = Reading([file], IngestSettings())
    assert isinstance(statement, Statement)
    assert statement.text != LAYOUT  # cleaning moved positions
    documents([str(file)], bundle, str(tmp_path / "p.jsonl"))
    rows = rows_in(tmp_path / "p.jsonl")
    text = "".join(f"{row['gap']}{row['text']}" for row in rows)
    assert text == statement.text[: len(text)]
    assert {"1.", "1. (a)", "1. (b)", None} == {row["list_path"] for row in rows}
    for row in rows:
        assert text[row["start"] : row["end"]] == row["text"]  # type: ignore[misc]
        source = LAYOUT[row["source_start"] : row["source_end"]]  # type: ignore[misc]
        assert source.replace("\u00ad", "") == row["text"]
        assert row["page"] is None


def test_a_row_names_its_page(bundle: Bundle, tmp_path: Path) -> None:
    paged = Statement("d", "One soup. Two waiters.", "a.pdf", pages=(0, 10))
    statements([paged], bundle, tmp_path / "p.jsonl")
    assert [row["page"] for row in rows_in(tmp_path / "p.jsonl")] == [1, 2]


def test_a_statement_without_a_sentence_is_set_aside(bundle: Bundle, tmp_path: Path) -> None:
    items = [
        Statement("a", "* * *", "a.txt", "row 1"),
        Statement("b", "One soup.", "a.txt", "row 2"),
    ]
    out = tmp_path / "p.jsonl"
    summary = statements(items, bundle, out)
    assert (summary.statements, summary.sentences) == (1, 1)
    assert list(read_records(rejects_path(out), Rejection)) == [
        Rejection("a.txt", "row 1", RejectReason.EMPTY, "holds no sentence")
    ]


def test_progress_is_reported(project: Path, bundle: Bundle, watcher: Watcher) -> None:
    documents([str(project / "docs")], bundle, str(project / "p.jsonl"), watcher=watcher)
    what, done, _ = watcher.steps[-1]  # type: ignore[attr-defined]
    assert (what, done) == ("sentences labelled", len(rows_in(project / "p.jsonl")))


def test_standard_input_to_standard_output(bundle: Bundle) -> None:
    stdout = io.BytesIO()
    summary = documents(["-"], bundle, "-", stdin=b"The waiter was rude.\n", stdout=stdout)
    (row,) = [json.loads(line) for line in stdout.getvalue().splitlines()]
    assert row["tone"] == "blame"
    assert row["source"] == "-"
    assert summary.rejects_file is None


@pytest.mark.parametrize("existing", [b"old", None])
def test_nothing_usable_leaves_the_output_as_it_was(
    project: Path, bundle: Bundle, existing: bytes | None
) -> None:
    out = project / "p.jsonl"
    if existing:
        out.write_bytes(existing)
    listed = r"Nothing usable: 1 empty.*listed in .*p\.jsonl\.rejects\.jsonl"
    with pytest.raises(InputError, match=listed):
        documents([str(project / "docs" / "empty.txt")], bundle, str(out))
    assert (out.read_bytes() if out.exists() else None) == existing
    assert rejects_path(out).exists()


def test_a_missing_input_an_unknown_ending_and_a_place_that_cannot_be_written(
    project: Path, bundle: Bundle
) -> None:
    docs = str(project / "docs")
    before = sorted(path.name for path in project.iterdir())
    with pytest.raises(InputError, match="nowhere"):
        documents([str(project / "nowhere.txt")], bundle, str(project / "p.jsonl"))
    with pytest.raises(SettingsError, match="ends in no known format"):
        documents([docs], bundle, str(project / "p.xlsx"))
    with pytest.raises(OutputError, match="cannot be written"):
        documents([docs], bundle, str(project / "corpus.jsonl" / "p.jsonl"))
    assert sorted(path.name for path in project.iterdir()) == before


def test_statements_of_ingest_carry_their_rejects_along(
    project: Path, bundle: Bundle, watcher: Watcher
) -> None:
    statements, out = project / "statements.jsonl", project / "p.jsonl"
    ingest([str(project / "docs")], IngestSettings(), out=statements, stdin=None, watcher=watcher)
    summary = classify_statement_file(statements, bundle, out=out, watcher=watcher)
    assert summary.statements == 2
    assert list(read_records(rejects_path(out), Rejection)) == list(
        read_records(rejects_path(statements), Rejection)
    )


TABLE = 'text,id,before\n"The soup was excellent.",a,\n,b,x\n"The waiter was rude.",c,y\n'


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_rows_in_rows_out(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(engine, "CHUNK", chunk)
    monkeypatch.setattr(job, "WRITE_EVERY", 2)
    lines = ["text"]
    texts = ["The soup was excellent.", "", "We sat.", '"\x01\x02"', "", "", "rude waiter", ""]
    lines += [text or '""' for text in texts]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "out.jsonl"
    summary = sentences(str(tmp_path / "in.csv"), bundle, out)
    rows = rows_in(out)
    assert len(rows) == len(texts) == summary.sentences
    assert [row["text"] for row in rows] == [t if t[:1].isalpha() else "" for t in texts]
    for row in rows:
        unplaced = ("gap", "list_path", "source_start", "source_end", "page")
        assert [row[name] for name in unplaced] == [None] * 5
        labelled = bool(row["text"])
        assert (row["tone"] is not None) is labelled
        assert (row["topic"] is not None) is labelled
        assert (row["p_tone_praise"] is not None) is labelled
    assert sum(summary.rejected.values()) == 5
    assert len(list(read_records(rejects_path(out), Rejection))) == 5
    assert sum(n for (task, _), n in summary.labels.items() if task == "tone") == 3


def test_ids_and_columns_of_the_table_are_used(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(TABLE)
    out = tmp_path / "out.jsonl"
    settings = IngestSettings(columns=ColumnMap(context="before"))
    sentences(str(tmp_path / "in.csv"), bundle, out, settings)
    # A row without text keeps its id, so that the rows can be joined to the table.
    assert [row["sentence_id"] for row in rows_in(out)] == ["a", "b", "c"]


def test_what_a_table_says_of_its_sentences_stands_in_their_rows(
    bundle: Bundle, tmp_path: Path
) -> None:
    table = "text,country,date\nThe soup was cold.,Estonia,2020-05-04\nThe soup was hot.,,\n"
    (tmp_path / "in.csv").write_text(table)
    out = tmp_path / "out.jsonl"
    settings = IngestSettings(speaker="Somebody", genre="review")
    sentences(str(tmp_path / "in.csv"), bundle, out, settings)
    told = [(row["speaker"], row["date"], row["genre"]) for row in rows_in(out)]
    assert told == [("Estonia", "2020-05-04", "review"), ("Somebody", None, "review")]


def test_a_table_on_standard_input(bundle: Bundle, tmp_path: Path) -> None:
    settings = IngestSettings(stdin_format="csv")
    summary = sentences("-", bundle, tmp_path / "out.jsonl", settings, TABLE.encode())
    assert summary.sentences == 3


@pytest.mark.parametrize("form", ["auto", "txt"])
def test_standard_input_must_be_said_to_be_a_table(
    bundle: Bundle, tmp_path: Path, form: StdinFormat
) -> None:
    """Taken for text, all rows would be one."""
    settings = IngestSettings(stdin_format=form)
    with pytest.raises(SettingsError, match=f"'{form}'; rows on standard input need one of csv"):
        sentences("-", bundle, tmp_path / "out.jsonl", settings, TABLE.encode())


@pytest.mark.parametrize(
    ("name", "content"),
    [("in.csv", ""), ("in.csv", "text\n"), ("in.jsonl", ""), ("in.txt", "Some text.")],
)
def test_a_table_without_rows_is_an_input_error(
    bundle: Bundle, tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name):
        sentences(str(tmp_path / name), bundle, tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]


def test_dates_that_do_not_count_are_noted_and_no_row_is_lost(
    bundle: Bundle, tmp_path: Path, watcher: Recorder
) -> None:
    table = tmp_path / "in.csv"
    table.write_text("text,Land,date\nWe act.,Chad,03.01.2023\nWe ask.,Mali,31.02.2023\n")
    out = tmp_path / "out.jsonl"
    classify_sentence_rows(
        str(table),
        IngestSettings(),
        bundle,
        Target(str(out)),
        stdin=io.BytesIO(),
        watcher=watcher,
    )
    by_sentence, watcher.notes = watcher.notes, []
    assert [row["date"] for row in rows_in(out)] == ["03.01.2023", "31.02.2023"]
    documents([str(table)], bundle, str(out), watcher=watcher)
    assert [row["date"] for row in rows_in(out)] == ["03.01.2023", "31.02.2023"]
    assert by_sentence == watcher.notes
    columns, dates = watcher.notes
    assert columns.endswith("columns not read: Land. Name them, as in --column speaker=Land")
    assert "2 dates of another form, the first '03.01.2023' (line 2)" in dates


def test_a_table_without_the_text_column(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match="text"):
        sentences(str(tmp_path / "in.csv"), bundle, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_documents_are_not_replaced_by_their_labels(project: Path, bundle: Bundle) -> None:
    corpus = project / "corpus.jsonl"
    corpus.write_text('{"text": "The soup was excellent."}\n')
    before = corpus.read_bytes()
    with pytest.raises(InputError, match="would replace it"):
        documents([str(corpus)], bundle, str(corpus))
    with pytest.raises(InputError, match="would replace it"):
        sentences(str(corpus), bundle, corpus)
    assert corpus.read_bytes() == before


def test_a_second_run_does_not_read_the_output_of_the_first(
    project: Path, bundle: Bundle, tmp_path: Path
) -> None:
    out = project / "docs" / "l.jsonl"
    first = documents([str(project / "docs")], bundle, str(out))
    again = documents([str(project / "docs")], bundle, str(out))
    assert (again.sentences, again.rejected) == (first.sentences, first.rejected)
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "in.jsonl").write_text('{"text": "The soup was excellent."}\n')
    for _ in range(2):
        assert sentences(str(rows), bundle, rows / "out.jsonl").sentences == 1
