"""What spreadsheets do to a file on the way: numbers rewritten, empty cells left off."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling.annotation_csv import read_csv, write_csv
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import (
    Annotation,
    CodebookStamp,
    Item,
    Sampling,
    Sheet,
    Suggestion,
)
from pipeline.records import RejectReason

TEXT = "The bread was stale."


def sheet(codebook: Codebook, item: Item | None = None) -> Sheet:
    """A sentence that ann has annotated."""
    item = item or Item("d", "d#0", TEXT)
    stamp = CodebookStamp.of(codebook)
    labels = {"topic": ("food",), "tone": ("blame",)}
    said = Annotation(item, "ann", stamp, sampling=Sampling("random", 0.25), labels=labels)
    return Sheet(item, stamp, annotations=(said,))


def resaved(text: str, **cells: str) -> str:
    """Return the file with these cells in every row."""
    rows = [row | cells for row in csv.DictReader(io.StringIO(text, newline=""))]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(text: str, codebook: Codebook) -> AnnotationReader:
    reader = AnnotationReader(codebook)
    read_csv(text, "a.csv", reader)
    return reader


@pytest.mark.parametrize(
    ("version", "cell"),
    [
        *(("1.0", cell) for cell in ("v1.0", "1.0", "1", "1,0", "1.00", "v1")),
        *(("1.10", cell) for cell in ("v1.10", "1.1", "1,1")),
        *(("v2", cell) for cell in ("vv2", "v2")),
        ("spring", "spring"),
    ],
)
def test_the_version_of_the_codebook_may_have_become_a_number(
    version: str, cell: str, tiny: Codebook
) -> None:
    codebook = tiny.model_copy(update={"version": version})
    reader = read(resaved(write_csv([sheet(codebook)], codebook), codebook_version=cell), codebook)
    assert reader.rejections == []
    assert [one.codebook for one in reader.annotations] == [CodebookStamp.of(codebook)]


@pytest.mark.parametrize("cell", ["v1.1", "1.01", "nan", "", "01. Feb"])
def test_another_version_is_another_codebook(cell: str, tiny: Codebook) -> None:
    codebook = tiny.model_copy(update={"version": "1.0"})
    reader = read(resaved(write_csv([sheet(codebook)], codebook), codebook_version=cell), codebook)
    assert [one.reason for one in reader.rejections] == [RejectReason.OTHER_CODEBOOK]


def test_no_spreadsheet_takes_the_version_for_a_number_or_a_day(tiny: Codebook) -> None:
    [row] = csv.DictReader(io.StringIO(write_csv([sheet(tiny)], tiny), newline=""))
    assert row["codebook_version"] == "v0.3"


def test_a_decimal_comma(tiny: Codebook) -> None:
    text = resaved(write_csv([sheet(tiny)], tiny), inclusion_probability="0,25")
    [annotation] = read(text, tiny).annotations
    assert annotation.sampling == Sampling("random", 0.25)
    [rejection] = read(resaved(text, inclusion_probability="0,2,5"), tiny).rejections
    assert "'inclusion_probability': expected a number, got '0,2,5'" in rejection.detail


def with_notes(codebook: Codebook) -> list[str]:
    """Return the lines of a form with notes, filled in: ann's of one sentence, bob's of another."""
    one, two = sheet(codebook), sheet(codebook, Item("d", "d#1", TEXT))
    suggested = Suggestion("m-1", {"topic": ("food",)}, 0.5)
    return write_csv([replace(one, suggestion=suggested), two], codebook).splitlines()


def test_empty_cells_at_the_end_may_be_left_off_or_added(tiny: Codebook) -> None:
    header, first, second = with_notes(tiny)
    assert header.endswith(",note: model,note: suggested topic")
    assert second.endswith(",,")
    for lines in (
        (header, first, second[:-2]),
        (header, first.removesuffix(",m-1,food"), second[:-1]),
        (f"{header},,", f"{first},,", second),
        (header, f"{first},,,", f"{second}, "),
        (f"{header}, ", first, f"{second[:-2]}"),
    ):
        reader = read("\n".join(lines), tiny)
        assert reader.rejections == []
        assert [one.item.sentence_id for one in reader.annotations] == ["d#0", "d#1"]


def test_cells_that_are_read_may_not_be_lacking_nor_stand_beside_the_columns(
    tiny: Codebook,
) -> None:
    header, first, second = with_notes(tiny)
    cut = second.removesuffix(f",{tiny.signature},,")
    [one, two] = read("\n".join((header, f"{first},mine", cut)), tiny).rejections
    count = header.count(",") + 1
    assert f"has {count + 1} cells, expected {count} as in the header" in one.detail
    assert f"has {count - 3} cells, expected {count} as in the header" in two.detail
    with pytest.raises(InputError, match="unknown column ''"):
        read(header.replace(",note: model", ",,note: model"), tiny)


STATEMENT = Item("d", "d#0", TEXT, 0, 20, "", "A guest", "2024-03-01", "review")


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        *((cell, "2024-03-01") for cell in ("'2024-03-01", "2024-03-01", " '2024-03-01 ")),
        ("01/03/2024", "01/03/2024"),
        ("", None),
    ],
)
def test_a_date_may_have_been_rewritten(cell: str, date: str | None, tiny: Codebook) -> None:
    text = write_csv([sheet(tiny, STATEMENT)], tiny)
    [annotation] = read(resaved(text, date=cell), tiny).annotations
    assert annotation.item == replace(STATEMENT, date=date)


def test_no_spreadsheet_takes_a_date_for_one(tiny: Codebook) -> None:
    for item, cell in ((STATEMENT, "'2024-03-01"), (replace(STATEMENT, date=None), "")):
        [row] = csv.DictReader(io.StringIO(write_csv([sheet(tiny, item)], tiny), newline=""))
        assert (row["speaker"], row["date"], row["genre"]) == ("A guest", cell, "review")


@pytest.mark.parametrize("lacking", [("speaker", "date", "genre"), ("date",)])
def test_columns_of_the_statement_may_be_lacking(lacking: tuple[str, ...], tiny: Codebook) -> None:
    """As in files that were made before there were any."""
    rows = list(csv.reader(io.StringIO(write_csv([sheet(tiny, STATEMENT)], tiny), newline="")))
    kept = [j for j, name in enumerate(rows[0]) if name not in lacking]
    reader = read("\n".join(",".join(row[j] for j in kept) for row in rows), tiny)
    assert reader.rejections == []
    [annotation] = reader.annotations
    assert annotation.item == replace(STATEMENT, **dict.fromkeys(lacking))


@pytest.mark.parametrize(
    ("doc_id", "cell"),
    [
        *(("0012", cell) for cell in ("0012", "12", "12,0")),
        *(("1e5", cell) for cell in ("1.00E+05", "100000")),
        ("12345678901234567890", "1.23457E+19"),
        ("a#1", "a#1"),
    ],
)
def test_the_id_of_a_document_may_have_become_a_number(
    doc_id: str, cell: str, tiny: Codebook
) -> None:
    text = write_csv([sheet(tiny, Item(doc_id, f"{doc_id}#3", TEXT))], tiny)
    [annotation] = read(resaved(text, doc_id=cell), tiny).annotations
    assert annotation.item.key == (doc_id, f"{doc_id}#3")


@pytest.mark.parametrize(
    ("doc_id", "sentence_id"),
    [("12", "13#3"), ("12", "0012"), ("1.23457", "1.23458#3"), ("x", "y#3"), ("inf", "infinity#1")],
)
def test_other_ids_stay_as_they_are(doc_id: str, sentence_id: str, tiny: Codebook) -> None:
    text = write_csv([sheet(tiny, Item(doc_id, sentence_id, TEXT))], tiny)
    [annotation] = read(text, tiny).annotations
    assert annotation.item.key == (doc_id, sentence_id)
