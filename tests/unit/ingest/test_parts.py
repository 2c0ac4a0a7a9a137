"""Parts of an input give, read apart, what the input gives when it is read as one."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.ingest import Reading
from pipeline.ingest.identities import count_rows, survey
from pipeline.ingest.parts import (
    MOST_FILES,
    MOST_ROWS,
    Part,
    PartDocuments,
    PartsReading,
    cut,
    packed,
    whole,
)
from pipeline.ingest.readers.parquet import BATCH_ROWS
from pipeline.ingest.remarks import Remarks, Seen
from pipeline.ingest.sentence_rows import SentenceRow, read_parts, read_sentence_rows
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.work_units import WorkUnit, planned

SETTINGS = IngestSettings(max_bytes=400)
Items = list[Statement | Rejection]


def planned_units(
    paths: Sequence[Path], size: int, wanted: IngestSettings, sentences: bool = False
) -> Iterator[WorkUnit]:
    """Plan as a cluster does: cut, pack, survey, judge."""
    packs = list(packed((p for path in paths for p in cut(whole(path), wanted, size)), size))
    survey_one = count_rows if sentences else survey
    return planned(packs, (survey_one(pack, wanted) for pack in packs), wanted, sentences)


def read_apart(
    paths: Sequence[Path],
    size: int,
    wanted: IngestSettings = SETTINGS,
    remarks: Remarks | None = None,
) -> Items:
    """Read as a cluster does."""
    items: Items = []
    for unit in planned_units(paths, size, wanted):
        known = {(place, at): verdict for place, at, verdict in unit.known}
        reading = PartsReading(unit.parts, wanted, known, unit.ending)
        items += reading
        for facts in reading.seen.inputs if remarks else ():
            remarks.join(facts)
    return items


def sentences_apart(path: Path, size: int, wanted: IngestSettings = SETTINGS) -> list[SentenceRow]:
    """Read a table of sentences as a cluster does."""
    return [
        found
        for unit in planned_units([path], size, wanted, sentences=True)
        for found in read_parts(
            PartDocuments(unit.parts, wanted, unit.ending), unit.before, wanted, Seen()
        )
    ]


def row(text: str, **more: object) -> bytes:
    return json.dumps({"text": text, **more}, ensure_ascii=False).encode("utf-8", "surrogatepass")


words = st.text(st.sampled_from("ab é—\u2028\u00a0\x85\ufeff😀"), min_size=1, max_size=30)
lines = st.one_of(
    st.builds(row, words),
    st.builds(lambda text, name: row(text, id=name), words, st.sampled_from("xyz")),
    st.sampled_from(
        [
            *(b"", b"  ", b"\t", b"\xc2\xa0", b"\xef\xbb\xbf", b"\x1c"),
            *(b"[", b"[{", b"]", b"null", b'{"text": ""}', b'{"text": "cut', b"{}"),
            *(row("Naïve".replace("ï", "\xef")), b'{"text": "caf\xe9"}', b'{"text": "\xe2\x80"}'),
            row("long " * 100),
        ]
    ),
)
ends = st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r", b"\n \n"])


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(lines, ends), max_size=12),
    mark=st.booleans(),
    last_end=st.booleans(),
    size=st.integers(1, 120),
    keep=st.booleans(),
)
@example(rows=[(row("a"), b"\n"), (b"[", b"\n")], mark=False, last_end=True, size=1, keep=False)
@example(rows=[(b"[", b"\n"), (row("a"), b"\n")], mark=False, last_end=True, size=1, keep=False)
@example(rows=[(b"", b"\n")] * 9, mark=False, last_end=True, size=1, keep=False)
@example(
    rows=[(row("long " * 100), b"\n"), (b"[", b"\n"), (row("a"), b"\n")],
    mark=True,
    last_end=False,
    size=5,
    keep=False,
)
def test_stretches_of_lines_give_the_rows_of_the_file(
    rows: list[tuple[bytes, bytes]],
    mark: bool,
    last_end: bool,
    size: int,
    keep: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = (b"\xef\xbb\xbf" if mark else b"") + b"".join(line + end for line, end in rows)
    path = tmp_path_factory.mktemp("parts") / "rows.jsonl"
    path.write_bytes(data if last_end else data.removesuffix(b"\n"))
    wanted = SETTINGS.model_copy(update={"keep_duplicates": keep})
    assert read_apart([path], size, wanted) == list(Reading([path], wanted))
    try:
        together = list(read_sentence_rows(path, wanted, None))
    except InputError as error:
        with pytest.raises(InputError, match=re.escape(str(error))):
            sentences_apart(path, size, wanted)
    else:
        assert sentences_apart(path, size, wanted) == together


rows_of_tables = st.builds(
    lambda text, more: {"text": text, **more},
    st.sampled_from(["", "One.", "Two.", "Three."]),
    st.dictionaries(
        st.sampled_from(["speaker", "date", "where", "id"]),
        st.sampled_from(["x", "3 May", "2023-05-03", "\ud800"]),
    ),
)


@settings(deadline=None)
@given(
    tables=st.lists(st.lists(rows_of_tables | st.just("not a row"), max_size=8), max_size=3),
    size=st.integers(1, 200),
)
def test_of_parts_is_said_what_is_said_of_the_whole(
    tables: list[list[object]], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    paths = [folder / f"{n}.jsonl" for n in range(len(tables))]
    for path, table in zip(paths, tables, strict=True):
        path.write_text("".join(f"{json.dumps(one)}\n" for one in table), encoding="utf-8")
    together = Reading(paths, SETTINGS)
    list(together)
    apart = Remarks(SETTINGS)
    read_apart(paths, size, remarks=apart)
    assert apart.left_out() == together.remarks.left_out()
    assert apart.lines() == together.remarks.lines()


def test_a_large_file_is_cut_at_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(row(f"Sentence {n}.") + b"\n" for n in range(200)))
    parts = cut(whole(path), SETTINGS, 500)
    assert len(parts) > 5
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == path.stat().st_size
    assert all(500 <= part.bytes < 600 for part in parts[:-1])
    assert [part.before for part in parts] == [
        path.read_bytes()[: part.start].count(b"\n") for part in parts
    ]


@pytest.mark.parametrize("codec", ["utf-16", "utf-32", "utf-8-sig", "cp1252"])
def test_encodings(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    text = "".join(f'{{"text": "Señor {n} – déjà vu, {"word " * 9}"}}\n' for n in range(60))
    path.write_bytes(text.encode(codec))
    assert len(cut(whole(path), SETTINGS, 300)) == 1 if codec in ("utf-16", "utf-32") else 5
    assert read_apart([path], 300) == list(Reading([path], SETTINGS))


def test_other_files_stay_whole_and_small_ones_are_packed(tmp_path: Path) -> None:
    paths = []
    for n in range(30):
        path = tmp_path / f"{n:02d}.txt"
        path.write_text(f"Text number {n % 25}.", encoding="utf-8")
        paths.append(path)
    table = tmp_path / "table.csv"
    table.write_text('text\n"one\ntwo"\n"three"\n' * 40, encoding="utf-8")
    paths += [table, tmp_path / "missing.txt", tmp_path]
    units = list(packed((whole(path) for path in paths), 100))
    assert [part.path for unit in units for part in unit] == [str(path) for path in paths]
    assert all(sum(max(0, part.size) for part in unit) <= 100 or len(unit) == 1 for unit in units)
    apart = read_apart(paths, 100)
    assert apart == list(Reading(paths, SETTINGS))
    reasons = {item.reason for item in apart if isinstance(item, Rejection)}
    assert {RejectReason.DUPLICATE, RejectReason.UNREADABLE, RejectReason.WRONG_TYPE} <= reasons


def test_a_unit_holds_so_many_files_only() -> None:
    units = list(packed(Part(f"/{n}.txt", f"{n}.txt", 0, 0) for n in range(2 * MOST_FILES + 1)))
    assert [len(unit) for unit in units] == [MOST_FILES, MOST_FILES, 1]


@pytest.mark.parametrize("change", ["longer", "later", "gone"])
def test_a_file_that_changed_is_refused(change: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes((row("One.") + b"\n") * 100)
    parts = cut(whole(path), SETTINGS, 50)
    assert len(parts) > 1
    if change == "longer":
        with path.open("ab") as file:
            file.write(row("Two."))
    elif change == "later":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    with pytest.raises(InputError, match="All machines must see the same files"):
        list(PartsReading(parts[1:], SETTINGS))


def test_names_are_those_that_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("One sentence.", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    part = whole(Path("a.txt"))
    monkeypatch.chdir("/")
    (item,) = PartsReading([part], SETTINGS)
    assert item.source == "a.txt"


# Parquet


def a_table(path: Path, count: int, group: int, damaged: int | None = None) -> Path:
    """Write a table of `count` rows; some are bad, duplicates, or have an id that was given."""
    texts = [None if n % 97 == 5 else f"Sentence {n % (count - 9)}. Next." for n in range(count)]
    ids = [f"id-{n % 600}" if n % 300 == 7 else None for n in range(count)]
    table = pa.table({"other": [[{"a": n}] for n in range(count)], "text": texts, "id": ids})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=group, use_dictionary=False, compression="zstd")
    data = bytearray(out.getvalue())
    if damaged is not None:
        metadata = pq.ParquetFile(io.BytesIO(data)).metadata
        column = metadata.row_group(damaged).column(metadata.num_columns - 2)
        assert column.path_in_schema == "text"
        start = column.data_page_offset
        data[start : start + 300] = b"\xff" * 300
    path.write_bytes(data)
    return path


def stretches(path: Path, size: int) -> list[tuple[int, int] | None]:
    return [part.rows for part in cut(whole(path), SETTINGS, size)]


@pytest.mark.parametrize(("group", "size"), [(100, 300), (700, 300), (700, 4_000), (1300, 1_000)])
def test_stretches_of_rows_give_the_rows_of_the_table(
    group: int, size: int, tmp_path: Path
) -> None:
    tables = [a_table(tmp_path / name, 1300, group) for name in ("a.parquet", "b.parquet")]
    assert len(stretches(tables[0], size)) > 2
    apart = read_apart(tables, size)
    assert apart == list(Reading(tables, SETTINGS))
    assert {item.reason for item in apart if isinstance(item, Rejection)} == {
        RejectReason.BAD_ROW,
        RejectReason.DUPLICATE,
    }
    together = list(read_sentence_rows(tables[0], SETTINGS, None))
    assert len(together) == 1300
    assert sentences_apart(tables[0], size) == together


@pytest.mark.parametrize("group", [100, 500])
@pytest.mark.parametrize("damaged", [0, 2])
def test_behind_damage_nothing_is_read_in_any_stretch(
    group: int, damaged: int, tmp_path: Path
) -> None:
    tables = [
        a_table(tmp_path / "a.parquet", 1300, group, damaged),
        a_table(tmp_path / "b.parquet", 1300, group),
    ]
    together = list(Reading(tables, SETTINGS))
    (cut_short,) = (item for item in together if getattr(item, "reason", "") == "unreadable")
    assert isinstance(cut_short, Rejection)
    begun = group * damaged + 1
    assert cut_short.location == (f"from row {begun} on" if damaged else "")
    assert len(stretches(tables[0], 2_000)) > 2
    assert read_apart(tables, 2_000) == together
    if damaged:
        rows = list(read_sentence_rows(tables[0], SETTINGS, None))
        assert len(rows) == begun
        assert sentences_apart(tables[0], 2_000) == rows
    else:
        with pytest.raises(InputError, match="damaged or cut short"):
            sentences_apart(tables[0], 2_000)


def test_a_group_that_is_not_what_it_says_ends_its_table(tmp_path: Path) -> None:
    path = a_table(tmp_path / "a.parquet", 2100, 700)
    data = path.read_bytes()
    said, false = b"\xf8\x0a", b"\xfa\x0a"  # 700 and 701 in the footer
    at = data.rindex(said)
    path.write_bytes(data[:at] + false + data[at + 2 :])
    assert pq.ParquetFile(path).metadata.row_group(2).num_rows == 701
    together = list(Reading([path], SETTINGS))
    assert getattr(together[-1], "location", "") == "from row 2101 on"
    assert read_apart([path], 3_000) == together


def test_the_reader_need_not_fail_twice_for_no_row_to_be_lost(tmp_path: Path) -> None:
    path = a_table(tmp_path / "a.parquet", 2100, 700, damaged=1)
    units = list(planned_units([path], 3_000, SETTINGS))
    a_table(tmp_path / "b.parquet", 2100, 700).replace(path)
    status = path.stat()
    parts = [
        replace(part, size=status.st_size, changed=status.st_mtime_ns) for part in units[-1].parts
    ]
    items = list(PartsReading(parts, SETTINGS, ending=units[-1].ending))
    assert items[-1] == units[-1].ending[0]
    assert all(isinstance(item, Statement) or item.location[:4] == "row " for item in items[:-1])


def test_stretches_are_whole_batches_of_bounded_size(tmp_path: Path) -> None:
    path = a_table(tmp_path / "a.parquet", 3000, 1000)
    cuts = stretches(path, 5_000)
    bounds = [rows[0] for rows in cuts if rows] + [3000]
    assert [rows for rows in cuts if rows] == list(pairwise(bounds))
    assert all(bound % 1000 % BATCH_ROWS == 0 for bound in bounds)
    packed_well = tmp_path / "b.parquet"
    pq.write_table(pa.table({"text": ["The same."] * 100_000}), packed_well)
    assert stretches(packed_well, 100) == [
        (n, min(n + MOST_ROWS, 100_000)) for n in range(0, 100_000, MOST_ROWS)
    ]


def test_tables_that_cannot_be_cut_stay_whole(tmp_path: Path) -> None:
    for name, data in {
        "a.parquet": b"PAR1" + b"\0" * 500 + b"PAR1",
        "b.parquet": b"%PDF-1.7" + b"\0" * 500,
    }.items():
        (tmp_path / name).write_bytes(data)
    pq.write_table(pa.table({"nothing": ["of use"] * 500}), tmp_path / "c.parquet")
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "d.parquet")
    paths = sorted(tmp_path.iterdir())
    for path in paths:
        assert stretches(path, 10) == [None]
        with pytest.raises(InputError, match=path.name):
            sentences_apart(path, 10)
    assert read_apart(paths, 10) == list(Reading(paths, SETTINGS))
