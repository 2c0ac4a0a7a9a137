"""From attribution rows to tables; the rows are those of the gold labels of the seeds."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import networkx as nx
import pytest

from pipeline.actors import actors_of, load_linker
from pipeline.errors import InputError, OutputError
from pipeline.inference.attributed import AttributionFormat
from pipeline.inference.sinks import csv_cell
from pipeline.records import SPEAKER, RejectReason
from pipeline.settings.aggregation import Period, TableFormat
from pipeline.workflows.aggregate import OUTPUTS, Aggregation, aggregate, remarks

ROOT = Path(__file__).parents[3]
Data = dict[str, object]
PARQUET = {name for name in OUTPUTS if name.endswith(".parquet")}
FILES = set(OUTPUTS) - {"rejects.jsonl"} - PARQUET


def row(**given: object) -> Data:
    made: Data = dict.fromkeys(AttributionFormat().columns)
    made |= {"doc_id": "a", "sentence_id": "a#0", "text": "We condemn it.", "task": "stance"}
    made |= {"label": "condemnation", "probability": 0.9, "holder": SPEAKER, "p_holder": 0.8}
    made |= {"holder_actors": [], "target_actors": [], "p_target": 0.7, "model": "m-1"}
    return {**made, "attribution_model": "holders-1", **given}


@pytest.fixture(scope="module")
def gold() -> list[Data]:
    linker = load_linker()
    rows = []
    for line in (ROOT / "seeds/gold/gold.jsonl").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        speaker = document["speaker"]
        for number, sentence in enumerate(document["sentences"]):
            for entry in sentence["stance"]:
                holder, target = entry["holder"], entry["target"]
                words = "we" if holder == SPEAKER else holder
                rows.append(
                    row(
                        doc_id=document["file"],
                        sentence_id=f"{document['file']}#{number}",
                        text=sentence["text"],
                        label=entry["label"],
                        holder=holder,
                        holder_actors=list(actors_of(linker.link(words, speaker=speaker))),
                        target=target,
                        target_actors=list(actors_of(linker.link(target))) if target else [],
                        speaker=speaker,
                        date="2018-02-06",
                    )
                )
    return rows


def write(path: Path, rows: Sequence[Data]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            columns = AttributionFormat().columns
            writer.writerow(columns)
            writer.writerows([csv_cell(one[name]) for name in columns] for one in rows)
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(rows), schema=AttributionFormat().schema()), path)
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Aggregation]:
    def done(
        rows: Sequence[Data], suffix: str = ".jsonl", by: Period = Period.MONTH
    ) -> Aggregation:
        path = write(tmp_path / f"attributions{suffix}", rows)
        return aggregate([path], out=tmp_path / "out", by=by)

    return done


def test_the_seeds_become_tables(
    run: Callable[..., Aggregation], gold: list[Data], tmp_path: Path
) -> None:
    done = run(gold)
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == FILES
    assert (done.read, done.used, done.rejects_file) == (27, 27, None)
    statements = table(out / "statements.csv")
    belgium = [one for one in statements if one["holder"] == "BEL"]
    assert {one["holder_name"] for one in belgium} == {"Belgium"}
    assert {one["holder_kind"] for one in belgium} == {"country"}
    joint = [one for one in statements if one["doc_id"].startswith("002")]
    assert {one["holder"] for one in joint} == {"USA", "FRA", "DEU", "GBR"}
    two = next(one for one in joint if one["sentences"] == "2")
    assert len(two["sentence_ids"].split(";")) == len(two["texts"].split("\n")) == 2
    for one in statements:
        assert re.fullmatch(r"0\.9\d*", one["highest_probability"])
    everyone = [one for one in table(out / "actors.csv") if one["period"] == "(all)"]
    assert sum(int(one["sentences"]) for one in everyone if one["holder"] == "BEL") == len(
        [one for one in gold if one["speaker"] == "Belgium"]
    )
    assert {one["low"] for one in everyone} == {""}
    assert {one["verdict"] for one in table(out / "changes.csv")} == {"too little to say"}
    graph = nx.read_graphml(out / "network.graphml")
    drawn = table(out / "edges.csv")
    assert graph.number_of_edges() == len(drawn) == done.edges
    assert {one["target_kind"] for one in drawn} >= {"text", "country"}
    about = (out / "about.md").read_text(encoding="utf-8")
    assert "27 rows: 27 used, 0 set aside" in about
    assert "of predictions" in about
    assert "m-1, holders-1" in about


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_all_formats_give_the_same_tables(
    run: Callable[..., Aggregation], gold: list[Data], tmp_path: Path, suffix: str
) -> None:
    run(gold)
    names = ("statements.csv", "actors.csv", "edges.csv", "network.graphml", "changes.csv")
    out = tmp_path / "out"
    before = [(out / name).read_text(encoding="utf-8") for name in names]
    run(gold, suffix)
    after = [(out / name).read_text(encoding="utf-8") for name in names]
    for one, other in zip(after, before, strict=True):
        assert one.splitlines() == other.splitlines()


def test_tables_as_parquet_hold_what_those_as_csv_hold(
    run: Callable[..., Aggregation], gold: list[Data], tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    run(gold)
    out = tmp_path / "out"
    before = {path.stem: table(path) for path in out.glob("*.csv")}
    path = write(tmp_path / "rows.jsonl", gold)
    aggregate([path], out=out, by=Period.MONTH, tables=TableFormat.PARQUET)
    assert {one.name for one in out.iterdir()} == {
        name for name in OUTPUTS if not name.endswith((".csv", "rejects.jsonl"))
    }, "tables of the run before are gone"
    assert "| statements.parquet |" in (out / "about.md").read_text(encoding="utf-8")
    for name, rows in before.items():
        found = pq.read_table(out / f"{name}.parquet").to_pylist()
        assert [{key: csv_cell(value) for key, value in one.items()} for one in found] == rows, name
    first = pq.read_table(out / "statements.parquet").to_pylist()[0]
    assert isinstance(first["sentences"], int)
    assert isinstance(first["mean_probability"], float)


def test_rows_in_are_rows_used_and_rejects(run: Callable[..., Aggregation], tmp_path: Path) -> None:
    good = row()
    bad: list[Data] = [
        row(sentence_id="a#1", probability=1.5),
        row(sentence_id="a#2", holder=None),
        row(sentence_id="a#3", holder_actors="FRA"),
        {name: value for name, value in row(sentence_id="a#4").items() if name != "label"},
        row(sentence_id="a#5", probability=float("nan")),
        row(),  # a second time
    ]
    path = write(tmp_path / "rows.jsonl", [good, *bad])
    with path.open("a", encoding="utf-8") as file:
        file.write("not JSON\n[1, 2]\n")
    done = aggregate([path], out=tmp_path / "out", by=Period.YEAR)
    assert (done.read, done.used) == (9, 1)
    assert done.rejects.counts == {RejectReason.BAD_ROW: 7, RejectReason.DUPLICATE: 1}
    assert done.rejects_file is not None
    lines = done.rejects_file.read_text(encoding="utf-8").splitlines()
    found = {one["location"]: one for one in map(json.loads, lines)}
    assert list(found) == [f"line {n}" for n in (2, 3, 4, 5, 6)] + ["row 7", "line 8", "line 9"]
    assert "'probability' is 1.5" in found["line 2"]["detail"]
    assert found["line 2"]["record_id"] == "a#1"
    assert "'label' is missing" in found["line 5"]["detail"]
    assert "stands in row 1 of" in found["row 7"]["detail"]
    again = aggregate([write(path, [good])], out=tmp_path / "out", by=Period.YEAR)
    assert again.rejects_file is None
    assert {one.name for one in (tmp_path / "out").iterdir()} == FILES


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [row(), row(sentence_id="a#1", probability=2)])
    path.write_text("\n" + path.read_text("utf-8").replace("}\n", "}\n \r\n") + "\n", "utf-8")
    done = aggregate([path], out=tmp_path / "out", by=Period.YEAR)
    assert (done.read, done.used) == (2, 1)
    assert [one.location for one in done.rejects] == ["line 4"]


def test_bad_lines_of_csv_are_set_aside(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [row(), row(sentence_id="a#1")])
    text = path.read_bytes()
    header, first, second = text.splitlines()
    latin = first.replace(b"We condemn it.", b"We cond\xe9mn it.").replace(b"a#0", b"a#7")
    few = b"only,three,cells"
    path.write_bytes(b"\r\n".join([header, first, latin, few, second, b""]))
    done = aggregate([path], out=tmp_path / "out", by=Period.YEAR)
    assert (done.read, done.used) == (4, 2)
    assert [one.detail for one in done.rejects] == [
        "'text' is not UTF-8",
        f"has 3 cells, expected {len(AttributionFormat().columns)}",
    ]


def test_several_files_are_taken_together_and_overlap_is_set_aside(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", [row(), row(doc_id="b", sentence_id="b#0")])
    two = write(tmp_path / "two.jsonl", [row(), row(label="call_for_restraint")])
    done = aggregate([one, two], out=tmp_path / "out", by=Period.YEAR)
    assert (done.used, done.rejects.counts) == (3, {RejectReason.DUPLICATE: 1})


def test_nothing_usable_is_an_error_that_says_why(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.jsonl", [{"doc_id": "a", "stance": []}])
    with pytest.raises(InputError, match=r"none of 1 rows can be used.*line 1: 'sentence_id' is"):
        aggregate([path], out=tmp_path / "out", by=Period.YEAR)
    assert not (tmp_path / "out").exists()


def test_no_rows_are_no_error(run: Callable[..., Aggregation], tmp_path: Path) -> None:
    done = run([])
    assert (done.read, done.stances) == (0, 0)
    assert table(tmp_path / "out" / "statements.csv") == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.txt", b"", "no known format"),
        ("rows.csv", b"doc_id,text\n", "lacks the column"),
        ("rows.parquet", b"no", "not Parquet"),
        ("missing.jsonl", None, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        aggregate([tmp_path / name], out=tmp_path / "out", by=Period.YEAR)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [row()])
    with pytest.raises(OutputError, match="a file of this name is there"):
        aggregate([path], out=path, by=Period.YEAR)


def test_cells_are_never_formulas(run: Callable[..., Aggregation], tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://example.org")'
    run(
        [
            row(text=evil, holder="+49 rebels", target=evil, title="@title", speaker="-speaker"),
            row(sentence_id="=1+1", doc_id="=1+1", label="=label", task="@task", source="=s"),
        ]
    )
    for name in ("statements.csv", "actors.csv", "edges.csv", "changes.csv"):
        for one in table(tmp_path / "out" / name):
            for cell in one.values():
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (name, cell)
    assert evil in (tmp_path / "out" / "statements.csv").read_text(encoding="utf-8").replace(
        '""', '"'
    )


def test_speakers_without_a_name_are_not_one_actor(
    run: Callable[..., Aggregation], tmp_path: Path
) -> None:
    done = run([row(), row(doc_id="b", sentence_id="b#0")])
    holders = [one["holder_name"] for one in table(tmp_path / "out" / "statements.csv")]
    assert holders == ["unnamed speaker of a", "unnamed speaker of b"]
    assert done.unlinked == 2
    assert any("2 of 2 rows have a holder that was linked to no actor" in x for x in remarks(done))


def test_an_id_of_a_users_own_file_is_named_with_it(
    run: Callable[..., Aggregation], tmp_path: Path
) -> None:
    rows = [row(holder_actors=["talvera"])]
    done = run(rows)
    assert done.unknown_ids == ("talvera",)
    assert any("talvera" in remark and "--actors" in remark for remark in remarks(done))
    own = tmp_path / "own.yaml"
    own.write_text(
        "actors: {talvera: {kind: country, name: Talvera, source: my codebook}}\n", encoding="utf-8"
    )
    done = aggregate(
        [tmp_path / "attributions.jsonl"], out=tmp_path / "out", by=Period.YEAR, actors=[own]
    )
    assert done.unknown_ids == ()
    assert table(tmp_path / "out" / "statements.csv")[0]["holder_name"] == "Talvera"


def test_lone_surrogates_break_nothing(run: Callable[..., Aggregation], tmp_path: Path) -> None:
    run([row(text="broken \ud83d half", target="the \udc00 half")])
    (one,) = table(tmp_path / "out" / "statements.csv")
    assert (one["texts"], one["target_name"]) == ("broken ? half", "the ? half")
