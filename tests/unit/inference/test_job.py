"""A job goes on where it was stopped, and gives the bytes of an unbroken one; or it refuses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import OutputError
from pipeline.inference import RowFormat, Unfinished, job, open_output
from pipeline.inference.job import ROWS, SENTENCES, CountedRow, JobOutput, inputs_identity
from pipeline.ingest.inputs import Stdin

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
IDENTITY = {"model": "m-1", "input a.txt": "00ff"}


class Killed(BaseException):
    """The process ends here."""


def counted(rows: RowFormat, kinds: str) -> list[CountedRow]:
    """One row a character: a letter is a labelled sentence, a dot a row without text."""
    return [
        CountedRow(
            {**dict.fromkeys(rows.columns), "sentence_id": f"s{number}", "text": kind},
            () if kind == "." else (("given", "tone", kind),),
            labelled=kind != ".",
        )
        for number, kind in enumerate(kinds)
    ]


def behind(rows: list[CountedRow], kept: int) -> Iterator[CountedRow]:
    """What a source gives that leaves out all rows up to the sentence number `kept`."""
    labelled = 0
    for row in rows:
        labelled += row.labelled
        if labelled > kept or (labelled == kept and not row.labelled):
            yield row


def run(
    target: Path,
    format_: RowFormat,
    rows: list[CountedRow],
    *,
    stop: int | None = None,
    unfinished: Unfinished = Unfinished.RESUME,
    identity: dict[str, str] = IDENTITY,
    joined: bool = True,
) -> dict[tuple[str, ...], int]:
    """Write rows, but for those from number `stop` of this run on; return the counts.

    Unless `joined`, the process ends when all rows stand in parts.
    """

    def until(waiting: Iterator[CountedRow]) -> Iterator[CountedRow]:
        yield from itertools.islice(waiting, stop)
        if stop is not None:
            raise Killed

    with open_output(str(target), format_, None, identity, unfinished) as output:
        output.write(until(behind(rows, output.counts[SENTENCES])), lambda _: None)
        if not joined:
            raise Killed
        output.finish()
    return dict(output.counts)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(
    kinds=st.text("ab.", min_size=1, max_size=25),
    stops=st.lists(st.integers(0, 12) | st.none(), max_size=4),
    span=st.integers(1, 6),
)
def test_a_job_stopped_anywhere_gives_the_bytes_of_an_unbroken_one(
    suffix: str, kinds: str, stops: list[int | None], span: int, tmp_path: Path
) -> None:
    format_ = RowFormat(TINY)
    rows = counted(format_, kinds)
    broken, unbroken = tmp_path / f"broken{suffix}", tmp_path / f"unbroken{suffix}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "SPAN", span)
        wanted = run(unbroken, format_, rows, unfinished=Unfinished.RESTART)
        for stop in stops:
            with pytest.raises(Killed):
                run(broken, format_, rows, stop=stop, joined=False)
        assert run(broken, format_, rows) == wanted
    assert wanted[ROWS] == len(rows)
    assert wanted.get(SENTENCES, 0) == len(kinds.replace(".", ""))
    assert broken.read_bytes() == unbroken.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [broken.name, unbroken.name]


@pytest.fixture
def left(codebook: Codebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An output whose job was stopped after two finished parts."""
    monkeypatch.setattr(job, "SPAN", 2)
    target = tmp_path / "out.jsonl"
    with pytest.raises(Killed):
        run(target, RowFormat(codebook), counted(RowFormat(codebook), "abababab"), stop=5)
    return target


def test_what_is_left_is_neither_used_nor_lost_unasked(codebook: Codebook, left: Path) -> None:
    format_ = RowFormat(codebook)
    rows = counted(format_, "abababab")
    with pytest.raises(OutputError, match=r"did not finish.*--resume.*--restart"):
        run(left, format_, rows, unfinished=Unfinished.REFUSE)
    with open_output(str(left), format_, None, IDENTITY, Unfinished.RESUME) as output:
        assert isinstance(output, JobOutput)
        assert output.kept == 4
        output.write(behind(rows, 4), lambda _: None)
        output.finish()
    assert len(left.read_bytes().splitlines()) == 8


def test_beginning_anew_throws_away_what_is_left(codebook: Codebook, left: Path) -> None:
    format_ = RowFormat(codebook)
    other = {"model": "m-2", "input a.txt": "00ff"}
    rows = counted(format_, "bbb")
    counts = run(left, format_, rows, unfinished=Unfinished.RESTART, identity=other)
    assert counts[SENTENCES] == 3
    assert len(left.read_bytes().splitlines()) == 3


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        (IDENTITY | {"model": "m-2"}, "model: m-1 before, m-2 now"),
        (IDENTITY | {"input a.txt": "11"}, "input a.txt: 00ff before, 11 now"),
        (IDENTITY | {"input b.txt": "22"}, "input b.txt: not there before, 22 now"),
        ({"model": "m-1"}, "input a.txt: 00ff before, not there now"),
    ],
)
def test_a_job_of_something_else_is_not_resumed(
    codebook: Codebook, left: Path, identity: dict[str, str], message: str
) -> None:
    rows = counted(RowFormat(codebook), "abababab")
    with pytest.raises(OutputError, match=message):
        run(left, RowFormat(codebook), rows, identity=identity)
    run(left, RowFormat(codebook), rows)  # it is still there for the right one


def test_an_input_that_is_no_file_cannot_be_resumed(
    codebook: Codebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "SPAN", 1)
    identity = inputs_identity([Stdin()])
    format_ = RowFormat(codebook)
    rows = counted(format_, "ab")
    with pytest.raises(Killed):
        run(tmp_path / "o.csv", format_, rows, stop=1, identity=identity)
    with pytest.raises(OutputError, match="its input is no file"):
        run(tmp_path / "o.csv", format_, rows, identity=identity)


def test_the_content_of_an_input_counts_not_its_date(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    before = inputs_identity([tmp_path / "a.txt"])
    (tmp_path / "a.txt").write_text("one")
    assert inputs_identity([tmp_path / "a.txt"]) == before
    (tmp_path / "a.txt").write_text("two")
    assert inputs_identity([tmp_path / "a.txt"]) != before
    missing = inputs_identity([tmp_path / "missing.txt"])
    assert list(missing) == [f"input {tmp_path / 'missing.txt'}"]


def test_two_jobs_on_one_output_exclude_each_other(codebook: Codebook, tmp_path: Path) -> None:
    format_ = RowFormat(codebook)
    target = str(tmp_path / "out.csv")
    with open_output(target, format_, None, IDENTITY, Unfinished.REFUSE) as output:
        with pytest.raises(OutputError, match="another process writes it"):
            run(tmp_path / "out.csv", format_, [])
        output.write(iter(counted(format_, "ab")), lambda _: None)
        output.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_folder_is_refused_before_any_work(codebook: Codebook, tmp_path: Path) -> None:
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        run(tmp_path / "out.csv", RowFormat(codebook), [])
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_damaged_counts_are_one_clear_error(codebook: Codebook, left: Path) -> None:
    (left.parent / ".out.jsonl.job" / "part-000001.json").write_text("{")
    with pytest.raises(OutputError, match=r"part-000001\.json.*--restart"):
        run(left, RowFormat(codebook), counted(RowFormat(codebook), "abababab"))


def test_what_a_process_left_that_died_while_cleaning_up_is_nothing(
    codebook: Codebook, left: Path
) -> None:
    folder = left.parent / ".out.jsonl.job"
    (folder / "job.json").unlink()
    (folder / "part-000000.jsonl").unlink()
    counts = run(left, RowFormat(codebook), counted(RowFormat(codebook), "abababab"))
    assert counts[ROWS] == 8
    assert len(left.read_bytes().splitlines()) == 8


def test_nobody_begins_where_a_job_is_ending(tmp_path: Path) -> None:
    folder, target = tmp_path / ".out.jsonl.job", tmp_path / "out.jsonl"
    with job.locked(folder, target):
        (folder / "job.json").write_text("{}")
        (folder / "part-000000.json").write_text("[]")
        (folder / "rows").mkdir()
        job.discard(folder)
        assert [left.name for left in folder.iterdir()] == ["lock"]
        with (
            pytest.raises(OutputError, match="another process writes it"),
            job.locked(folder, target),
        ):
            pass
    assert not folder.exists()
