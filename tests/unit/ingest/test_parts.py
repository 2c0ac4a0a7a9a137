"""Parts of an input give, read apart, what the input gives when it is read as one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.ingest import Reading
from pipeline.ingest.identities import Judge, survey
from pipeline.ingest.parts import MOST_FILES, Part, PartsReading, cut, packed, whole
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings

SETTINGS = IngestSettings(max_bytes=400)
Items = list[Statement | Rejection]


def read_apart(paths: Sequence[Path], size: int, wanted: IngestSettings = SETTINGS) -> Items:
    """Read as a cluster does: cut, pack, survey, judge, read."""
    units = list(packed((p for path in paths for p in cut(whole(path), wanted, size)), size))
    judge = Judge(wanted)
    known = [judge.judge(survey(unit, wanted)) for unit in units]
    return [
        item
        for unit, verdicts in zip(units, known, strict=True)
        for item in PartsReading(unit, wanted, verdicts)
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
