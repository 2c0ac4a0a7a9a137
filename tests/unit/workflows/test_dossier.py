"""From predictions and attributions to a dossier, or one clear reason why not."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from pathlib import Path

import pytest

from pipeline.actors import load_registry
from pipeline.bundle import Bundle
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.inference.attributed import AttributionFormat
from pipeline.records import Prediction, Sentence, Statement
from pipeline.reporting import ModelFacts, render_dossier
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify import Target, classify_documents, classify_sentence_rows
from pipeline.workflows.findings import read_findings
from pipeline.workflows.report import ReportSummary, report
from pipeline.workflows.watcher import Silent

Row = dict[str, object]


@pytest.fixture
def predictions(project: Path, bundle: Bundle) -> Path:
    out = project / "p.jsonl"
    classify_documents(
        [str(project / "docs")],
        IngestSettings(),
        bundle,
        Target(str(out)),
        stdin=io.BytesIO(),
        watcher=Silent(),
    )
    return out


def attributed(predictions: Path) -> list[Row]:
    """One row for each label of the topics, held by the speaker."""
    found: list[Row] = []
    lines = [json.loads(line) for line in predictions.read_text("utf-8").splitlines()]
    for line, label in ((one, label) for one in lines for label in one["topic"] or ()):
        row: Row = dict.fromkeys(AttributionFormat().columns)
        row |= {name: line.get(name) for name in row if name in line}
        row |= {"task": "topic", "label": label, "probability": line[f"p_topic_{label}"]}
        row |= {"holder": "SPEAKER", "holder_actors": [], "target_actors": [], "p_holder": 0.9}
        row |= {"attribution_model": "hand-made"}
        found.append(row)
    return found


@pytest.fixture
def rows(predictions: Path) -> list[Row]:
    """The first is held by actors."""
    found = attributed(predictions)
    found[0] |= {"holder": "Paris", "holder_actors": ["FRA", "the-guests"]}
    found[0] |= {"holder_start": found[0]["start"], "holder_end": found[0]["end"]}
    return found


def write(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_attributions_make_a_dossier(
    predictions: Path, rows: list[Row], bundle_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "d.html"
    attributions = write(tmp_path / "a.jsonl", [*rows, {"doc_id": "broken"}])
    summary = report(
        predictions, model=bundle_folder, out=out, title="Who says what", attributions=attributions
    )
    assert (summary.findings, summary.files) == (len(rows), 1)
    assert summary.rejected == 2  # an empty document, a broken row
    html = out.read_text(encoding="utf-8")
    for part in ('"France"', '"the-guests"', "hand-made", "empty.txt", "a.jsonl", "is missing"):
        assert part in html, part


def test_actors_get_their_names_and_words_their_place(rows: list[Row], tmp_path: Path) -> None:
    model = str(rows[0]["model"])
    read = read_findings(write(tmp_path / "a.jsonl", rows), model, load_registry())
    first = read.findings[0].holder
    assert first.actors == ("France", "the-guests")
    assert first.span == (rows[0]["start"], rows[0]["end"])
    assert read.findings[-1].holder.span is None
    assert read.findings[-1].target is None
    assert (read.models, read.rejected) == (("hand-made",), ())


def test_attributions_of_other_predictions_are_refused(
    predictions: Path, rows: list[Row], bundle_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "d.html"

    def made(*changed: Row) -> Path:
        return write(tmp_path / "a.jsonl", list(changed))

    def dossier(attributions: Path) -> None:
        report(predictions, model=bundle_folder, out=out, title="T", attributions=attributions)

    with pytest.raises(InputError, match="labelled by model other, but the predictions are of"):
        dossier(made({**rows[0], "model": "other"}))
    with pytest.raises(InputError, match="no prediction is of sentence 'x#1'"):
        dossier(made({**rows[0], "sentence_id": "x#1"}))
    with pytest.raises(InputError, match=r"is not labelled topic.service there"):
        dossier(made(*rows, {**rows[0], "label": "service"}))
    with pytest.raises(InputError, match="none of its 1 rows"):
        dossier(made({"doc_id": "d"}))
    with pytest.raises(InputError, match="cannot be read"):
        dossier(tmp_path / "missing.jsonl")
    assert not out.exists()


def test_of_many_other_sentences_five_mistakes_are_named(
    predictions: Path, rows: list[Row], bundle_folder: Path, tmp_path: Path
) -> None:
    others = [{**rows[0], "sentence_id": f"x#{n}"} for n in range(9)]
    with pytest.raises(InputError) as refused:
        report(
            predictions,
            model=bundle_folder,
            out=tmp_path / "d.html",
            title="T",
            attributions=write(tmp_path / "a.jsonl", others),
        )
    said = str(refused.value)
    assert said.count("no prediction is of sentence") == 4
    assert f"{len(rows)} of {len(rows)} labels have no attribution" in said
    assert "and 5 more of the kind" in said
    assert f"Run 'stance attribute {predictions} -o p.attr.jsonl' on exactly this file" in said


def test_labels_without_an_attribution_do_not_vanish(
    predictions: Path, rows: list[Row], bundle_folder: Path, tmp_path: Path
) -> None:
    """Missing rows are refused; broken ones are counted, and the page says so."""
    out = tmp_path / "d.html"

    def dossier(changed: list[Row]) -> ReportSummary:
        found = write(tmp_path / "a.jsonl", changed)
        return report(predictions, model=bundle_folder, out=out, title="T", attributions=found)

    with pytest.raises(InputError, match=f"1 of {len(rows)} labels have no attribution"):
        dossier(rows[1:])
    with pytest.raises(InputError, match=f"{len(rows)} of {len(rows)} labels have no attribution"):
        dossier([])
    assert not out.exists()
    assert dossier(rows).unattributed == 0
    assert "no holder or target and" not in out.read_text("utf-8")
    broken = [{**rows[0], "probability": 7.0}, *rows[1:]]
    assert dossier(broken).unattributed == 1
    assert "1 label has no holder or target and is in no count" in out.read_text("utf-8")


def test_attributions_for_predictions_are_told_how_to_call(
    rows: list[Row], bundle_folder: Path, tmp_path: Path
) -> None:
    given = write(tmp_path / "a.jsonl", rows)
    call = f"Call 'stance report LABELS.jsonl --attributions {given} -o FILE.html'"
    with pytest.raises(InputError, match=re.escape(call)):
        report(given, model=bundle_folder, out=tmp_path / "d.html", title="T")


def test_without_any_label_there_is_still_a_page(
    predictions: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "d.html"
    nothing = write(tmp_path / "a.jsonl", [])
    lines = [json.loads(line) for line in predictions.read_text("utf-8").splitlines()]
    write(predictions, [{**line, "topic": []} for line in lines])
    summary = report(predictions, model=bundle_folder, out=out, title="T", attributions=nothing)
    assert summary.findings == 0
    assert "Findings" in out.read_text(encoding="utf-8")


GIVEN = """\
id,text,speaker,date,genre
7,The soup was excellent.,Ann,2024-01-02,letter
7,The soup was cold.,Bo,2024-02-03,letter
7,The waiter is here.,Bo,2024-02-03,diary
7,We love the soup.,Bo,2024-02-03,diary
7,The soup was cold.,Bo,2024-02-03,letter
8,The soup was warm.,,,
"""


def test_given_sentences_keep_apart_and_keep_what_is_said_of_them(
    bundle: Bundle, bundle_folder: Path, tmp_path: Path
) -> None:
    """Although they share an id; speakers and dates are there to filter by."""
    (tmp_path / "in.csv").write_text(GIVEN, encoding="utf-8")
    predictions, out = tmp_path / "p.jsonl", tmp_path / "d.html"
    classify_sentence_rows(
        str(tmp_path / "in.csv"),
        IngestSettings(),
        bundle,
        Target(str(predictions)),
        stdin=io.BytesIO(),
        watcher=Silent(),
    )
    rows = attributed(predictions)
    assert len(rows) == 6
    summary = report(
        predictions,
        model=bundle_folder,
        out=out,
        title="T",
        attributions=write(tmp_path / "a.jsonl", rows),
    )
    assert (summary.statements, summary.sentences) == (3, 6)
    page = out.read_text(encoding="utf-8")
    embedded = re.findall(r'<script type="application/json" id="\w+">(.*?)</script>', page)
    data, texts = map(json.loads, embedded)
    assert [one[2:4] + one[6:8] for one in data["statements"]] == [
        ["Ann", "2024-01-02", "letter", str(tmp_path / "in.csv")],
        ["Bo", "2024-02-03", "", str(tmp_path / "in.csv")],
        ["Unknown speaker (in.csv)", "", "", str(tmp_path / "in.csv")],
    ]
    sentences = [s[0] for one in texts for block in one for s in block[3]]
    assert [(one[0], sentences[one[0]]) for one in data["findings"]] == [
        (0, "The soup was excellent."),
        (1, "The soup was cold."),
        (2, "The waiter is here."),
        (3, "We love the soup."),
        (4, "The soup was cold."),
        (5, "The soup was warm."),
    ]
    assert [data["actors"][one[3][0][0]] for one in data["findings"]] == [
        "Ann",
        *["Bo"] * 4,
        "Unknown speaker (in.csv)",
    ]
    assert 'id="from" type="date"' in page
    assert all(len(block[3]) == 1 for one in texts for block in one)


def test_parts_of_a_larger_dossier_before_are_removed(
    predictions: Path, rows: list[Row], bundle: Bundle, bundle_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "my dossier.html"
    for name, html in large(bundle.codebook, out.name).items():
        (tmp_path / name).write_text(html, encoding="utf-8")
    others = {
        "my dossier-4.html": "<p>My own notes</p>",
        "my dossier-5.html": large(bundle.codebook, "dossier.html")["dossier-2.html"],
        "my dossier-a.html": "",
    }
    for name, html in others.items():
        (tmp_path / name).write_text(html, encoding="utf-8")
    before = {path.name for path in tmp_path.glob("my*")}
    assert {f"my dossier-{n}.html" for n in (1, 2, 3)} < before
    attributions = write(tmp_path / "a.jsonl", rows)
    report(predictions, model=bundle_folder, out=out, title="T", attributions=attributions)
    assert {path.name for path in tmp_path.glob("my*")} == {out.name, *others}


def large(codebook: Codebook, name: str) -> dict[str, str]:
    """Three statements, each in a file of its own."""
    rows = [
        Prediction(Sentence(doc, doc, "Soup.", 0, 5), dict.fromkeys(codebook.tasks), {}, "m")
        for doc in "abc"
    ]
    return render_dossier(
        rows,
        {doc: Statement(doc, "Soup.", doc) for doc in "abc"},
        codebook,
        [],
        name=name,
        title="T",
        model=ModelFacts("m", "", ""),
        attribution_model="",
        made_on=date(2026, 3, 4),
        most=1,
    )
