"""Readers in a process of their own: same result, limits that hold, and no document that decides
what becomes of the next.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.robustness import packages, pages
from benchmarks.robustness.cases import good_files
from pipeline.ingest import Reading, confinement
from pipeline.ingest.confinement import end_processes
from pipeline.ingest.readers import ALL_READERS, READERS
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings

CONFINED = [reader for reader in ALL_READERS if reader.library]
GOOD = good_files()
SMALL = 500_000_000


@pytest.fixture(autouse=True)
def new_processes() -> Iterator[None]:
    end_processes()
    yield
    end_processes()


def read(tmp_path: Path, name: str, data: bytes, **options) -> list[Statement | Rejection]:
    path = tmp_path / name
    path.write_bytes(data)
    return list(Reading([path], IngestSettings(**options)))


def idle() -> list[int]:
    return [worker._process.pid for worker in confinement._idle]


def paragraphs(count: int) -> bytes:
    return packages.good_docx([f"We act in year {number}." for number in range(count)])


def a_bomb() -> bytes:
    """256 rows of four million letters in a few kilobytes."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 256, pa.int32()), ["x" * 4_000_000])
    out = io.BytesIO()
    pq.write_table(pa.table({"text": texts}), out, compression="zstd")
    return out.getvalue()


def test_the_readers_with_large_libraries_are_confined() -> None:
    assert [reader.name for reader in CONFINED] == ["HTML", "PDF", "Word (.docx)", "Parquet"]


@pytest.mark.parametrize("reader", CONFINED, ids=lambda reader: reader.name)
def test_confined_and_direct_reading_give_the_same(reader, tmp_path: Path) -> None:
    path = tmp_path / f"a{reader.suffixes[0]}"
    path.write_bytes(GOOD[reader.suffixes[0]])
    settings = IngestSettings()
    with path.open("rb") as file:
        direct = list(reader.read(file, "here", settings))
        confined = list(confinement.read_confined(reader, file, "here", settings))
    assert direct == confined
    assert direct


def test_one_process_reads_many_documents(tmp_path: Path) -> None:
    used = set()
    for suffix in (".pdf", ".docx", ".html", ".parquet", ".pdf"):
        assert isinstance(read(tmp_path, f"a{suffix}", GOOD[suffix])[0], Statement)
        used |= set(idle())
    assert len(used) == 1


def test_surrogates_and_all_else_pass_unchanged(tmp_path: Path) -> None:
    text = "".join(map(chr, [*range(1, 0x3000), 0xFFFF, 0x1F600]))
    out = io.BytesIO()
    pq.write_table(pa.table({"text": [text]}), out)
    path = tmp_path / "a.parquet"
    path.write_bytes(out.getvalue())
    reader = READERS[".parquet"]
    with path.open("rb") as file:
        (item,) = confinement.read_confined(reader, file, "x", IngestSettings())
    assert item.text == text


def test_the_limit_of_time_ends_a_document_and_no_other(tmp_path: Path) -> None:
    begun = time.monotonic()
    (item,) = read(tmp_path, "a.docx", paragraphs(150_000), max_seconds=0.3)
    assert time.monotonic() - begun < 30
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.TIME_LIMIT
    assert "longer than 0.3 seconds (max_seconds)" in item.detail
    assert idle() == []
    assert isinstance(read(tmp_path, "b.docx", GOOD[".docx"])[0], Statement)


def test_the_limit_of_memory_ends_a_document_and_no_other(tmp_path: Path) -> None:
    items = read(tmp_path, "a.parquet", a_bomb(), max_memory=SMALL)
    assert [item.reason for item in items] == [RejectReason.MEMORY_LIMIT]
    assert "500,000,000 bytes of memory (max_memory)" in items[0].detail
    assert isinstance(read(tmp_path, "b.parquet", GOOD[".parquet"])[0], Statement)


@pytest.mark.slow
def test_a_library_that_crashes_takes_only_its_document_along(tmp_path: Path) -> None:
    loop = dict(pages.pdfs(1))["a form that draws itself"]  # pdfium aborts when memory runs out
    (item,) = read(tmp_path, "a.pdf", loop, max_memory=SMALL)
    assert isinstance(item, Rejection)
    assert item.reason in (RejectReason.UNREADABLE, RejectReason.MEMORY_LIMIT)
    assert "max_memory" in item.detail
    assert isinstance(read(tmp_path, "b.pdf", GOOD[".pdf"])[0], Statement)


def test_a_process_that_was_killed_while_it_waited_is_replaced(tmp_path: Path) -> None:
    read(tmp_path, "a.pdf", GOOD[".pdf"])
    (killed,) = idle()
    os.kill(killed, signal.SIGKILL)
    assert isinstance(read(tmp_path, "a.pdf", GOOD[".pdf"])[0], Statement)
    assert killed not in idle()


def test_two_tables_can_be_read_side_by_side_and_left_in_the_middle(tmp_path: Path) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"text": [f"We act in year {n}." for n in range(2000)]}), out)
    path = tmp_path / "a.parquet"
    path.write_bytes(out.getvalue())
    one, two = (Reading([path], IngestSettings()) for _ in range(2))
    assert [next(one).text for _ in range(300)] == [next(two).text for _ in range(300)]
    one._items.close()
    assert sum(1 for _ in two) == 1700
    assert len(idle()) == 1  # the other was ended, since it had more to say


def test_a_process_does_not_outlive_the_one_it_serves(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(GOOD[".pdf"])
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from pipeline.ingest import *; from pipeline.ingest import confinement\n"
        "from pipeline.settings.ingest import IngestSettings\n"
        "list(Reading([Path(sys.argv[1])], IngestSettings()))\n"
        "print(confinement._idle[0]._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    ended = time.monotonic() + 60
    while Path(f"/proc/{done.stdout.strip()}/cmdline").exists():
        state = Path(f"/proc/{done.stdout.strip()}/stat").read_text().split()[2]
        if state == "Z":  # ended, and waits for init to notice
            break
        assert time.monotonic() < ended
        time.sleep(0.05)
