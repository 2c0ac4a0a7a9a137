"""From predictions and attributions to a dossier, or one clear reason why not."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from pipeline.actors import load_registry
from pipeline.bundle import Bundle
from pipeline.errors import InputError, SettingsError
from pipeline.inference.attributed import AttributionFormat
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify import Target, classify_documents
from pipeline.workflows.findings import read_findings
from pipeline.workflows.report import report
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


@pytest.fixture
def rows(predictions: Path) -> list[Row]:
    """One row for each food label: the first is held by actors, others by the speaker."""
    found: list[Row] = []
    lines = [json.loads(line) for line in predictions.read_text("utf-8").splitlines()]
    for line in lines:
        if "food" not in (line["topic"] or ()):
            continue
        row: Row = dict.fromkeys(AttributionFormat().columns)
        row |= {name: line.get(name) for name in row if name in line}
        row |= {"task": "topic", "label": "food", "probability": line["p_topic_food"]}
        row |= {"holder": "SPEAKER", "holder_actors": [], "target_actors": [], "p_holder": 0.9}
        row |= {"attribution_model": "hand-made"}
        found.append(row)
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
    with pytest.raises(SettingsError, match="no prediction is of sentence 'x#1'"):
        dossier(made({**rows[0], "sentence_id": "x#1"}))
    with pytest.raises(InputError, match="none of its 1 rows"):
        dossier(made({"doc_id": "d"}))
    with pytest.raises(InputError, match="cannot be read"):
        dossier(tmp_path / "missing.jsonl")
    assert not out.exists()


def test_without_any_label_there_is_still_a_page(
    predictions: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "d.html"
    nothing = write(tmp_path / "a.jsonl", [])
    summary = report(predictions, model=bundle_folder, out=out, title="T", attributions=nothing)
    assert summary.findings == 0
    assert "Findings" in out.read_text(encoding="utf-8")
