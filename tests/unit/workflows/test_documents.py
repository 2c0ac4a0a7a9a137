"""Stages ingest and segment: files to statements to sentences, and what is set aside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import InputError
from pipeline.records import Rejection, RejectReason, Sentence, Statement
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.documents import ingest, read_and_segment, segment_file
from pipeline.workflows.record_files import read_records, rejects_path
from pipeline.workflows.watcher import Silent, Watcher

if TYPE_CHECKING:
    from conftest import Recorder


def read(docs: list[str], out: Path, watcher: Watcher) -> None:
    ingest(docs, IngestSettings(), out=out, stdin=None, watcher=watcher)


def test_statements_and_what_is_set_aside(project: Path, watcher: Watcher) -> None:
    out = project / "work" / "statements.jsonl"
    summary = ingest(
        [str(project / "docs")], IngestSettings(), out=out, stdin=None, watcher=watcher
    )
    statements = list(read_records(out, Statement))
    assert summary.statements == len(statements) == 2
    assert "The soup was excellent." in statements[0].text
    assert "Naïve dining" in statements[1].text
    assert summary.rejected == {RejectReason.EMPTY: 1}
    assert summary.rejects_file == rejects_path(out)
    (rejected,) = read_records(rejects_path(out), Rejection)
    assert rejected.source.endswith("empty.txt")
    assert sum(summary.encodings.values()) == 2


def test_sentences_fit_their_statements(project: Path, watcher: Watcher) -> None:
    statements, sentences = project / "statements.jsonl", project / "sentences.jsonl"
    read([str(project / "docs")], statements, watcher)
    summary = segment_file(statements, out=sentences, watcher=watcher)
    texts = {one.doc_id: one.text for one in read_records(statements, Statement)}
    cut = list(read_records(sentences, Sentence))
    assert (summary.statements, summary.sentences) == (2, len(cut))
    assert len(cut) >= 6
    for one in cut:
        assert texts[one.doc_id][one.start : one.end] == one.text


@pytest.mark.parametrize("existing", [True, False])
def test_without_any_statement_the_output_stays_as_it_was(
    project: Path, watcher: Watcher, existing: bool
) -> None:
    out = project / "out.jsonl"
    if existing:
        read([str(project / "docs")], out, watcher)
    before = out.read_bytes() if existing else None
    with pytest.raises(InputError, match=r"Nothing usable: 1 empty\. First: .*empty\.txt") as error:
        read([str(project / "docs" / "empty.txt")], out, watcher)
    assert str(rejects_path(out)) in str(error.value)
    (rejected,) = read_records(rejects_path(out), Rejection)
    assert rejected.reason is RejectReason.EMPTY
    assert (out.read_bytes() if out.exists() else None) == before


def test_a_run_without_rejects_removes_the_list_of_an_earlier_one(
    project: Path, watcher: Watcher
) -> None:
    out = project / "out.jsonl"
    read([str(project / "docs")], out, watcher)
    assert rejects_path(out).exists()
    read([str(project / "docs" / "a.txt")], out, watcher)
    assert not rejects_path(out).exists()


def test_what_does_not_count_and_what_is_left_out_is_noted(
    tmp_path: Path, watcher: Recorder
) -> None:
    (tmp_path / "a.csv").write_text("text,date,speaker\nWe act.,03.01.2023,Chad\n")
    (tmp_path / "b.csv").write_text("Redetext;Land\nWe act.;Chad\nWe ask.;Mali\n")
    read([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], tmp_path / "out.jsonl", watcher)
    left_out, date = watcher.notes
    assert "b.csv line 1: the whole file is left out" in left_out
    assert "--column text=Redetext" in left_out
    assert "a.csv: the date '03.01.2023' (line 2) is kept as written but not counted" in date


def test_a_message_ends_in_one_full_stop(tmp_path: Path, watcher: Watcher) -> None:
    (tmp_path / "b.csv").write_text("Redetext;Land\nWe act.;Chad\n")
    with pytest.raises(InputError, match=r"the setting columns\.text\)\. All") as error:
        read([str(tmp_path / "b.csv")], tmp_path / "out.jsonl", watcher)
    assert ".." not in str(error.value).replace(str(tmp_path), "")


def test_a_file_of_something_else_is_no_statements_file(project: Path, watcher: Watcher) -> None:
    with pytest.raises(InputError, match=r"corpus\.jsonl:1: not a Statement record"):
        segment_file(project / "corpus.jsonl", out=project / "s.jsonl", watcher=watcher)
    assert not (project / "s.jsonl").exists()


def test_an_output_among_the_inputs_is_left_out(project: Path, watcher: Watcher) -> None:
    out = project / "docs" / "out.jsonl"
    read([str(project / "docs")], out, watcher)
    before = (out.read_bytes(), rejects_path(out).read_bytes())
    read([str(project / "docs")], out, watcher)
    assert (out.read_bytes(), rejects_path(out).read_bytes()) == before
    for named in (out, rejects_path(out)):
        with pytest.raises(InputError, match="would replace it"):
            read([str(named)], out, watcher)
    assert (out.read_bytes(), rejects_path(out).read_bytes()) == before


def test_what_else_is_written_is_left_out_too(project: Path, watcher: Watcher) -> None:
    (project / "docs" / "made").mkdir()
    (project / "docs" / "made" / "c.txt").write_text("Made before.")
    summary = ingest(
        [str(project / "docs")],
        IngestSettings(),
        out=project / "out.jsonl",
        stdin=None,
        watcher=watcher,
        also_written=[project / "docs" / "made"],
    )
    assert summary.statements == 2


def test_statements_and_their_sentences_are_read_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The soup was excellent. A waiter came.", encoding="utf-8")
    (tmp_path / "b.txt").write_text(" \n", encoding="utf-8")
    out = tmp_path / "o.jsonl"
    out.write_text("{}\n", encoding="utf-8")
    patterns = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    [(statement, sentences)], rejected, _ = read_and_segment(
        patterns, IngestSettings(), outputs=[out], watcher=Silent()
    )
    assert [one.text for one in sentences] == ["The soup was excellent.", "A waiter came."]
    assert statement.source.endswith("a.txt")
    assert [one.reason for one in rejected] == [RejectReason.EMPTY]
