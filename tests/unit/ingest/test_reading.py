"""The whole of reading: one item out for each in, ids, duplicates, defaults, standard input."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.ingest import Reading, Stdin, find_inputs
from pipeline.records import Rejection, RejectReason, Statement, content_hash
from pipeline.settings.ingest import IngestSettings


def read(
    folder: Path, files: dict[str, bytes | str], **options: object
) -> list[Statement | Rejection]:
    for name, data in files.items():
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    paths = [folder / name for name in files]
    return list(Reading(paths, IngestSettings.model_validate(options)))


def reasons(items: Sequence[Statement | Rejection]) -> list[RejectReason | None]:
    return [item.reason if isinstance(item, Rejection) else None for item in items]


def piped(data: bytes | str, **options: object) -> list[Statement | Rejection]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(Reading([Stdin()], IngestSettings.model_validate(options), stream))


def test_a_text_file_becomes_a_statement_named_by_its_content(tmp_path: Path) -> None:
    (item,) = read(tmp_path, {"a.txt": "We **act**.\r\n"})
    assert isinstance(item, Statement)
    assert (item.text, item.source, item.location) == ("We act.\n", str(tmp_path / "a.txt"), "")
    assert item.doc_id == content_hash("We act.\n", "", "")
    assert [item.offsets.to_source(i) for i in range(3, 7)] == [5, 6, 7, 10]


@pytest.mark.parametrize(
    ("name", "data", "reason", "word"),
    [
        ("a.txt", b"", RejectReason.EMPTY, "0 bytes"),
        ("a.txt", b" \n\t\xc2\xa0\n", RejectReason.EMPTY, "no text"),
        ("a.txt", b"x" * 101, RejectReason.TOO_LARGE, "101 bytes, the limit is 100"),
        ("a.txt", b"x\0y", RejectReason.BINARY, "zero bytes"),
        ("a.txt", b"\x89PNG\r\n\x1a\n", RejectReason.BINARY, "PNG"),
        ("a.txt", b"%PDF-1.7 ...", RejectReason.WRONG_TYPE, "name it .pdf"),
        ("a.csv", b"PK\x03\x04....", RejectReason.WRONG_TYPE, "zip"),
        ("a.md", b"{\\rtf1 hello}", RejectReason.WRONG_TYPE, "rich text"),
        ("a.pdf", b"PAR1....", RejectReason.WRONG_TYPE, "name it .parquet"),
        ("a.doc", b"x", RejectReason.WRONG_TYPE, "save it as .docx"),
        ("a.json", b"{}", RejectReason.WRONG_TYPE, ".jsonl"),
        ("a", b"x", RejectReason.WRONG_TYPE, "without an ending"),
        ("a.csv", b"text,speaker\n", RejectReason.EMPTY, "no rows"),
        ("a.jsonl", b"\n\n", RejectReason.EMPTY, "no rows"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", RejectReason.WRONG_TYPE, "old Word"),
    ],
)
def test_bad_files_are_rejected_with_what_would_help(
    tmp_path: Path, name: str, data: bytes, reason: RejectReason, word: str
) -> None:
    (item,) = read(tmp_path, {name: data}, max_bytes=100)
    assert isinstance(item, Rejection)
    assert (item.reason, item.source) == (reason, str(tmp_path / name))
    assert word in item.detail


def test_what_cannot_be_opened_does_not_stop_the_batch(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    (tmp_path / "good.txt").write_text("We act.")
    paths = [tmp_path / n for n in ("gone.txt", "folder.txt", "loop.txt", "good.txt")]
    items = list(Reading(paths, IngestSettings()))
    unreadable, wrong = RejectReason.UNREADABLE, RejectReason.WRONG_TYPE
    assert reasons(items) == [unreadable, wrong, unreadable, None]


def test_a_large_table_is_limited_by_the_row(tmp_path: Path) -> None:
    rows = "\n".join(json.dumps({"text": f"Sentence {i}."}) for i in range(100))
    items = read(tmp_path, {"a.jsonl": rows}, max_bytes=60)
    assert reasons(items) == [None] * 100


def test_duplicates_name_the_first_and_can_be_kept(tmp_path: Path) -> None:
    rows = [
        {"text": "We act.", "speaker": "Belgium"},
        {"text": "We  act.", "speaker": "Belgium"},
        {"text": "We act.", "speaker": "France"},
        {"text": "*We* act.", "speaker": "Belgium", "title": "other"},
    ]
    files = {"a.jsonl": "\n".join(map(json.dumps, rows)), "b.txt": "x", "c.txt": "x"}
    items = read(tmp_path, files)
    duplicate = RejectReason.DUPLICATE
    assert reasons(items) == [None, None, None, duplicate, None, duplicate]
    assert f"{tmp_path / 'a.jsonl'}, line 1" in items[3].detail
    assert items[5].detail.endswith(str(tmp_path / "b.txt"))
    kept = read(tmp_path, files, keep_duplicates=True)
    assert reasons(kept) == [None] * 6
    ids = [item.doc_id for item in kept]
    assert len(set(ids)) == 6
    assert ids[3] == f"{ids[0]}-2"


OUTPUT = [
    {**dict.fromkeys(("doc_id", "start", "end"), "0"), "sentence_id": f"{n}"}
    | {"text": f"We act: {n}.", "model": "m"}
    for n in range(2)
]


def as_csv() -> bytes:
    lines = [",".join(row) for row in (OUTPUT[0], *(row.values() for row in OUTPUT))]
    return "\n".join(lines).encode()


def as_json_lines() -> bytes:
    return "\n".join(map(json.dumps, OUTPUT)).encode()


def as_parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(OUTPUT), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "written"),
    [("o.csv", as_csv), ("o.jsonl", as_json_lines), ("o.parquet", as_parquet)],
)
def test_labelled_sentences_of_an_earlier_run_are_no_documents(
    tmp_path: Path, name: str, written: Callable[[], bytes]
) -> None:
    items = read(tmp_path, {name: written()})
    assert reasons(items) == [RejectReason.BAD_ROW] * 2
    assert all(isinstance(one, Rejection) and "--unit sentence" in one.detail for one in items)


@pytest.mark.parametrize("column", ["sentence_id", "model"])
def test_one_column_of_an_output_makes_none(tmp_path: Path, column: str) -> None:
    assert reasons(read(tmp_path, {"own.csv": f"{column},text\nx,We act.\n"})) == [None]


def test_an_id_used_twice_for_different_texts_is_a_bad_row(tmp_path: Path) -> None:
    rows = [{"id": "x", "text": "One."}, {"id": "x", "text": "Two."}, {"id": "y", "text": "Two."}]
    items = read(tmp_path, {"a.jsonl": "\n".join(map(json.dumps, rows))})
    assert reasons(items) == [None, RejectReason.BAD_ROW, None]
    assert [item.doc_id for item in items if isinstance(item, Statement)] == ["x", "y"]
    assert "'x'" in items[1].detail


def test_what_a_source_says_wins_over_defaults_and_is_cleaned(tmp_path: Path) -> None:
    files = {"a.csv": "text,speaker,date\nOne.,CÃ´te\u00a0 d’Ivoire,\nTwo.,,2018-02-07\n"}
    options = {"speaker": "Belgium", "date": "2020-01-01", "genre": "speech"}
    first, second = read(tmp_path, files, **options)
    assert (first.speaker, first.date, first.genre) == ("Côte d’Ivoire", "2020-01-01", "speech")
    assert (second.speaker, second.date) == ("Belgium", "2018-02-07")
    assert second.doc_id == content_hash("Two.", "", "2018-02-07")


def test_markup_is_kept_on_request(tmp_path: Path) -> None:
    (item,) = read(tmp_path, {"a.txt": "We **act**."}, clean_markup=False)
    assert item.text == "We **act**."


def test_counts_grow_with_reading(tmp_path: Path) -> None:
    for name, data in {
        "a.txt": "Itâ€™s time.".encode(),
        "b.txt": "déjà vu".encode("cp1252"),
        "c.txt": b"",
        "d.jsonl": b'{"text": "One."}\n{"text": ""}\n{"text": "One."}',
    }.items():
        (tmp_path / name).write_bytes(data)
    reading = Reading(find_inputs([str(tmp_path)]), IngestSettings())
    assert next(reading).text == "It’s time."
    assert (reading.counts.inputs, reading.counts.statements, reading.counts.mended) == (1, 1, 1)
    items = list(reading)
    assert len(items) == 5
    assert reading.counts.inputs == 4
    assert reading.counts.statements == 3
    assert reading.counts.rejected == {"empty": 1, "bad row": 1, "duplicate": 1}
    assert reading.counts.encodings == {"utf-8": 3, "cp1252": 1}


def test_reading_is_lazy(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.")
    reading = Reading([tmp_path / "a.txt", tmp_path / "b.txt"], IngestSettings())
    next(reading)
    (tmp_path / "b.txt").write_text("Two.")
    assert next(reading).text == "Two."


# Standard input

PROSE = (
    "5 May 2020\tStatement\nWe condemn this attack\tloudly.",
    "Statement,\u00a05 May 2020\n\nWe condemn this attack, and we call for calm.",
    "Statement\tS/PV.8706\n\nWe act.",
    "Statement,by the President\n\nWe act, now.",
    "Statement,,\n\nWe act.",
)


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        ("We act.\nNow.", ["We act.\nNow."]),
        ('\n{"text": "One."}\n{"text": "Two."}\n', ["One.", "Two."]),
        ('\ufeff{"text": "One."}\n', ["One."]),
        ("<!DOCTYPE html><body><p>We act on this.</p></body>", ["We act on this."]),
        ("{not json", ["{not json"]),
        ("id,text\n1,We act.\n", ["We act."]),
        ('\ufeff"Speech";"Country"\r\nWe act;x\r\n', ["We act"]),
        ("id\tcontent\n1\tWe act.\n", ["We act."]),
        ("sep=;\ntext;date\nWe act;2031\n", ["We act"]),
        ("id, text, date\n1,We act.,2031\n", ["We act."]),
        ("Statement, 5 May 2031\n\nWe act.", ["Statement, 5 May 2031\n\nWe act."]),
        ("Text\n\nWe act, now.", ["Text\n\nWe act, now."]),
        *((prose, [prose.replace("\u00a0", " ")]) for prose in PROSE),
        ("id,remarks\n1,We act.\n", ["id,remarks\n1,We act.\n"]),
        ('{"text": "' + "x" * 100_000 + '"}', ["x" * 100_000]),
    ],
)
def test_standard_input_is_recognised_by_its_content(data: str, texts: list[str]) -> None:
    items = piped(data)
    assert [item.text for item in items] == texts
    assert {item.source for item in items} == {"-"}


def test_a_table_on_standard_input_is_recognised_by_its_text_column() -> None:
    (item,) = piped("id,Remarks\n1,We act.\n", columns={"text": "Remarks"})
    assert (item.doc_id, item.text) == ("1", "We act.")


def test_a_table_in_utf16_is_recognised_on_standard_input() -> None:
    (item,) = piped("id\ttext\n1\tWe act – now.\n".encode("utf-16"))
    assert item.text == "We act – now."


def test_the_format_of_standard_input_can_be_given() -> None:
    (item,) = piped("text;country\nWe act.;Belgium\n", stdin_format="csv")
    assert (item.text, item.speaker, item.location) == ("We act.", "Belgium", "line 2")


def test_empty_or_damaged_standard_input_is_rejected() -> None:
    assert reasons(piped("")) == [RejectReason.EMPTY]
    assert reasons(piped("%PDF-1.7 cut")) == [RejectReason.UNREADABLE]
    assert reasons(piped("x" * 50, max_bytes=10)) == [RejectReason.TOO_LARGE]
    assert reasons(piped(b"\x89PNG\r\n\x1a\n\0")) == [RejectReason.BINARY]


def test_standard_input_must_be_given_to_be_read() -> None:
    with pytest.raises(InputError, match="standard input"):
        list(Reading([Stdin()], IngestSettings()))


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"text": "One."}\n',))
    writer.start()
    (item,) = Reading(find_inputs([str(pipe)]), IngestSettings())
    writer.join()
    assert item.text == "One."


# Optional packages


@pytest.mark.parametrize(
    ("name", "package", "module"),
    [
        ("a.html", "trafilatura", "trafilatura"),
        ("a.pdf", "pypdfium2", "pypdfium2"),
        ("a.docx", "python-docx", "docx"),
    ],
)
def test_a_missing_package_rejects_its_files_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    data = {"a.html": b"<p>x</p>", "a.pdf": b"%PDF-1.7", "a.docx": b"PK\x03\x04"}[name]
    first, second = read(tmp_path, {name: data, "b.txt": b"We act."})
    assert isinstance(first, Rejection)
    assert first.reason is RejectReason.WRONG_TYPE
    assert package in first.detail
    assert "pip install '.[documents]'" in first.detail
    assert isinstance(second, Statement)


def test_plain_formats_load_no_package_of_the_extras(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pipeline.ingest import *\n"
        "from pipeline.settings.ingest import IngestSettings\n"
        "(item,) = Reading([Path(sys.argv[1])], IngestSettings())\n"
        "heavy = {'trafilatura', 'docx', 'pypdfium2', 'pyarrow', 'lxml', 'pandas', 'torch',"
        " 'ftfy', 'charset_normalizer'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    import subprocess

    path = tmp_path / "a.txt"
    path.write_text("We act.")
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# Nothing lost

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.fixed_dictionaries({"text": TEXTS, "speaker": st.none() | TEXTS})))
@pytest.mark.parametrize("keep", [False, True])
def test_rows_in_are_statements_and_rejections_out(keep: bool, rows: list[dict[str, str]]) -> None:
    data = "\n".join(map(json.dumps, rows))
    reading = Reading(
        [Stdin()],
        IngestSettings(stdin_format="jsonl", keep_duplicates=keep),
        io.BytesIO(data.encode()),
    )
    items = list(reading)
    assert len(items) == max(len(rows), 1)  # no rows at all are one rejection
    statements = [item for item in items if isinstance(item, Statement)]
    assert reading.counts.statements == len(statements)
    assert reading.counts.rejected.total() == len(items) - len(statements)
    assert len({statement.doc_id for statement in statements}) == len(statements)
    for item in items:
        if isinstance(item, Rejection) and rows:
            row = rows[int(item.location.removeprefix("line ")) - 1]
            assert (
                item.reason is RejectReason.DUPLICATE or not row["text"].strip("\u200b").isalnum()
            )
