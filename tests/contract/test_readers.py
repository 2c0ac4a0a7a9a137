"""What holds for every reader: good files are read, and bad bytes are rejected, never raised."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import docx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen import canvas

from pipeline.ingest import Reading
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers import ALL_READERS, READERS
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings, StdinFormat

SENTENCES = ("Belgium supports the ceasefire in Syria.", "We condemn attacks on civilians.")
ROWS = [{"text": text, "speaker": "Belgium"} for text in SENTENCES]


def a_pdf() -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out)
    for height, line in zip((700, 650), SENTENCES, strict=True):
        page.drawString(72, height, line)
    page.save()
    return out.getvalue()


def a_docx() -> bytes:
    out = io.BytesIO()
    document = docx.Document()
    for line in SENTENCES:
        document.add_paragraph(line)
    document.save(out)
    return out.getvalue()


def a_parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), out)
    return out.getvalue()


def a_page() -> bytes:
    paragraphs = "".join(f"<p>{line}</p>" for line in SENTENCES)
    return f"<!doctype html><html><body>{paragraphs}</body></html>".encode()


@dataclass(frozen=True)
class Case:
    """A good file of one format; `cut` is its beginning that can be told to be cut short."""

    good: Callable[[], bytes]
    rows: bool = False
    cut: Callable[[bytes], bytes] | None = lambda data: data[: len(data) // 2]


CASES = {
    "plain text": Case(lambda: "\n\n".join(SENTENCES).encode("utf-16"), cut=lambda d: d[:-1]),
    "markdown": Case(lambda: "\n\n".join(SENTENCES).encode("utf-16"), cut=lambda d: d[:-1]),
    "HTML": Case(a_page, cut=lambda data: data[:30]),
    "PDF": Case(a_pdf),
    "Word (.docx)": Case(a_docx),
    "CSV": Case(
        lambda: "\n".join(["text,speaker", *(f'"{t}",Belgium' for t in SENTENCES)]).encode(),
        rows=True,
        cut=lambda data: data[:-12],
    ),
    "JSONL": Case(
        lambda: "\n".join(map(json.dumps, ROWS)).encode(), rows=True, cut=lambda data: data[:-5]
    ),
    "Parquet": Case(a_parquet, rows=True),
}
GOOD = {name: case.good() for name, case in CASES.items()}
every_reader = pytest.mark.parametrize("reader", ALL_READERS, ids=lambda reader: reader.name)


def read(reader, data: bytes, **options) -> list[RawDocument | Rejection]:
    return list(reader.read(io.BytesIO(data), "here", IngestSettings(**options)))


def test_every_reader_is_under_contract_and_suffixes_are_unique() -> None:
    assert [reader.name for reader in ALL_READERS] == list(CASES)
    assert len(READERS) == sum(len(reader.suffixes) for reader in ALL_READERS)
    assert all(s == s.lower() and s.startswith(".") for s in READERS)
    assert {f".{name}" for name in get_args(StdinFormat)} - {".auto"} <= set(READERS)


@every_reader
def test_a_good_file_gives_its_text(reader) -> None:
    documents = read(reader, GOOD[reader.name])
    assert all(isinstance(document, RawDocument) for document in documents), documents
    if CASES[reader.name].rows:
        assert [(d.text, d.speaker) for d in documents] == [(t, "Belgium") for t in SENTENCES]
    else:
        assert [document.text for document in documents] == ["\n\n".join(SENTENCES)]
    assert {document.source for document in documents} == {"here"}


@every_reader
def test_the_same_file_gives_the_same_again(reader) -> None:
    assert read(reader, GOOD[reader.name]) == read(reader, GOOD[reader.name])


@every_reader
def test_a_file_cut_short_is_rejected(reader) -> None:
    case = CASES[reader.name]
    items = read(reader, case.cut(GOOD[reader.name]))
    rejections = [item for item in items if isinstance(item, Rejection)]
    assert len(rejections) == 1
    assert rejections[0].detail
    assert rejections[0].reason in (
        RejectReason.UNREADABLE,
        RejectReason.BAD_ROW,
        RejectReason.EMPTY,
    )


@every_reader
def test_a_document_or_row_over_the_limit_is_rejected(reader) -> None:
    items = read(reader, GOOD[reader.name], max_bytes=36)
    reasons = [item.reason for item in items if isinstance(item, Rejection)]
    assert reasons
    assert set(reasons) == {RejectReason.TOO_LARGE}


@every_reader
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_give_documents_or_rejections(reader, data: bytes) -> None:
    for item in read(reader, data):
        assert isinstance(item, RawDocument | Rejection)


@every_reader
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_never_raises(reader, data) -> None:
    good = GOOD[reader.name]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 60)))
    damaged = good[:start] + data.draw(st.binary(max_size=60)) + good[end:]
    for item in read(reader, damaged):
        assert isinstance(item, RawDocument | Rejection)


@every_reader
def test_every_suffix_is_read_from_disk_in_any_case(reader, tmp_path: Path) -> None:
    for suffix in reader.suffixes:
        path = tmp_path / f"file{suffix.upper()}"
        path.write_bytes(GOOD[reader.name])
        items = list(Reading([path], IngestSettings()))
        assert all(isinstance(item, Statement) for item in items), items
        assert {item.source for item in items} == {str(path)}


@every_reader
def test_a_picture_is_never_a_document(reader, tmp_path: Path) -> None:
    path = tmp_path / f"picture{reader.suffixes[0]}"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)))
    (item,) = Reading([path], IngestSettings())
    assert isinstance(item, Rejection)
    assert item.reason in (RejectReason.BINARY, RejectReason.WRONG_TYPE)
