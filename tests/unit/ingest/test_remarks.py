"""What is said of an input: dates that do not count, columns that are not read, files left out."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest import Reading
from pipeline.ingest.remarks import Remarks
from pipeline.ingest.sentence_rows import read_sentence_rows
from pipeline.records import Statement
from pipeline.settings.ingest import IngestSettings


def remarks(*paths: Path, **options: object) -> Remarks:
    reading = Reading(paths, IngestSettings.model_validate(options))
    list(reading)
    return reading.remarks


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


ODD = (
    "text,speaker,date\nWe act.,Chad,2023-02-03\nWe ask.,Chad,03.01.2023\nWe go.,Chad,31.02.2023\n"
)


def test_dates_of_another_form_are_told_once_a_file_and_kept(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", ODD)
    reading = Reading([path], IngestSettings())
    dates = [item.date for item in reading if isinstance(item, Statement)]
    assert dates == ["2023-02-03", "03.01.2023", "31.02.2023"]
    assert reading.remarks.lines() == [
        f"{path}: 2 dates of another form, the first '03.01.2023' (line 3), are kept as written "
        "but not counted over time; expected YYYY-MM-DD, YYYY-MM or YYYY"
    ]


def test_the_same_is_told_of_rows_that_are_sentences(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", ODD)
    seen = Remarks(IngestSettings())
    rows = list(read_sentence_rows(path, IngestSettings(), None, seen))
    assert len(rows) == 3
    assert "2 dates of another form, the first '03.01.2023' (line 3)" in seen.lines()[0]


def test_one_date_in_front_matter(tmp_path: Path) -> None:
    path = file(tmp_path, "a.md", "---\ndate: 14 March 2023\n---\nWe act.")
    (line,) = remarks(path).lines()
    assert line.startswith(f"{path}: the date '14 March 2023' is kept as written but not counted")


@pytest.mark.parametrize("date", ["2023-02-03", "2023-02", "2023", "2023-02-03T10:00:00", ""])
def test_of_dates_that_count_nothing_is_said(tmp_path: Path, date: str) -> None:
    path = file(tmp_path, "a.csv", f"text,speaker,date\nWe act.,Chad,{date}\n")
    assert remarks(path).lines() == []


def test_columns_that_are_not_read_are_told_with_the_option(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "Text;Land;Datum\nWe act.;Chad;2023\nWe ask.;Mali;2024\n")
    assert remarks(path).lines() == [
        f"{path}: no speaker and no date; columns not read: Land, Datum. Name them, as in "
        "--column speaker=Land --column date=Datum"
    ]
    assert remarks(path, columns={"speaker": "Land", "date": "Datum"}).lines() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"speaker": "Chad"},
            "no date; columns not read: Land. Name them, as in --column date=NAME",
        ),
        (
            {"date": "2023"},
            "no speaker; columns not read: Land. Name them, as in --column speaker=La",
        ),
        ({"speaker": "Chad", "date": "2023"}, None),
        ({"columns": {"speaker": "", "date": ""}}, None),
    ],
)
def test_what_is_given_or_not_wanted_is_not_missing(
    tmp_path: Path, options: dict[str, object], said: str | None
) -> None:
    lines = remarks(file(tmp_path, "a.csv", "text,Land\nWe act.,Chad\n"), **options).lines()
    assert [said in line for line in lines] == ([True] if said else [])


def test_a_key_that_only_other_rows_have_is_not_missing(tmp_path: Path) -> None:
    rows = '{"text": "We act.", "n": 1}\n{"text": "We go.", "speaker": "Chad", "date": "2023"}\n'
    assert remarks(file(tmp_path, "a.jsonl", rows)).lines() == []


def test_columns_of_parquet_are_told_as_well(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["We act."], "Land": ["Chad"]}), path)
    (line,) = remarks(path).lines()
    assert "columns not read: Land. Name them, as in --column speaker=Land" in line


def test_a_table_without_its_text_is_told_with_the_option(tmp_path: Path) -> None:
    bad = file(tmp_path, "a.csv", "Land;Redetext\nChad;We act.\nMali;We ask.\n")
    good = file(tmp_path, "b.csv", "text,speaker,date\nWe act.,Chad,2023\n,Chad,2023\n")
    found = remarks(bad, good)
    (line,) = found.left_out()
    assert line.startswith(f"{bad} line 1: the whole file is left out: it has no column for the te")
    assert "--column text=Redetext" in line
    assert found.lines() == []


def test_rows_of_which_none_can_be_used_are_told_together(tmp_path: Path) -> None:
    path = file(tmp_path, "a.jsonl", '{"rede": "We act."}\n{"rede": "We ask."}\n')
    (line,) = remarks(path).left_out()
    assert line.startswith(f"{path}: none of its 2 rows can be used; the first, line 1: has no col")


def test_of_many_inputs_some_are_told_and_the_others_counted(tmp_path: Path) -> None:
    paths = [
        file(tmp_path, f"{n}.md", f"---\ndate: 1.1.{n}\n---\nWe act {n}.")
        for n in range(1000, 1025)
    ]
    lines = remarks(*paths).lines()
    assert len(lines) == 21
    assert lines[-1] == "and 5 more such remarks"
