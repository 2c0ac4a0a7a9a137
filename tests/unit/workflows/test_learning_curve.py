"""Stage curve: nested sizes, points in all outputs, and a run in a store."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import load_codebook
from pipeline.errors import InputError
from pipeline.settings.classifiers import LinearSettings
from pipeline.workflows.learning_curve import LearningCurve, learning_curve, write_curves
from pipeline.workflows.watcher import Silent

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
WORDS = [f"{a}{b}" for a in "bcdfgklmnp" for b in ("ani", "eru", "olo", "usa", "ita", "ona")]


def write(path: Path, documents: int) -> Path:
    """Reviews in which every word tells the topic for itself, so that all must be learned."""
    topics = (["food"], ["service"])
    draw = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        for n in range(documents):
            first, second = draw.choice(len(WORDS), 2, replace=False)
            sentences = [
                {"text": f"It was {WORDS[k]}.", "topic": topics[k % 2], "tone": "neither"}
                for k in (first, second)
            ]
            sentences += [
                {"text": f"Number {n} is lovely.", "topic": [], "tone": "praise"},
                {"text": f"Number {n} is cold.", "topic": [], "tone": "blame"},
            ]
            file.write(json.dumps({"doc_id": f"r{n}", "sentences": sentences}) + "\n")
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> LearningCurve:
    path = write(tmp_path_factory.mktemp("curve") / "labelled.jsonl", 110)
    settings = LinearSettings(max_features=2000)
    return learning_curve([path], TINY, settings, repeats=2, seed=1, watcher=Silent())


def test_scores_rise_with_documents_and_are_followed_beyond_them(done: LearningCurve) -> None:
    curve = next(c for c in done.curves if c.score == "topic.macro_average_precision")
    sizes = [point.documents for point in curve.points]
    assert sizes == [5, 11, 22, 44, 88, 176, 352]
    assert [point.extrapolated for point in curve.points] == [False] * 5 + [True] * 2
    values = [point.value for point in curve.points]
    assert values[4] > values[0] + 0.05
    assert curve.points[4].sentences == 4 * 88
    for point in curve.points:
        assert point.low is not None
        assert point.high is not None
        assert point.low <= point.high
    assert (done.facts.documents, done.facts.test_documents) == (88, 22)


def test_all_points_stand_in_the_table_and_on_the_page(done: LearningCurve, tmp_path: Path) -> None:
    write_curves(done, tmp_path / "c.csv")
    write_curves(done, tmp_path / "c.html")
    with (tmp_path / "c.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(curve.points) for curve in done.curves)
    assert {row["extrapolated"] for row in rows} == {"yes", "no"}
    assert all(int(row["undefined_draws"]) >= 0 for row in rows)
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert page.count("<svg") == len(TINY.tasks)
    assert 'class="band"' in page
    assert "http" not in page.replace("http-equiv", "")
    for point in done.curves[0].points:
        assert f"{point.value:.3f}" in page


def test_few_documents_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "few.jsonl", 12)
    with pytest.raises(InputError, match="12 documents, expected 20 or more"):
        learning_curve([path], TINY, LinearSettings(), repeats=2, seed=0, watcher=Silent())


@pytest.mark.slow
def test_a_run_holds_the_points_by_documents(done: LearningCurve, tmp_path: Path) -> None:
    from pipeline.tracking import open_store
    from pipeline.workflows.learning_curve import track_curves

    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    run_id = track_curves(done, store, "curves")
    history = store.client.get_metric_history(run_id, "topic.macro_average_precision")
    assert [metric.step for metric in history] == [5, 11, 22, 44, 88]
    later = store.client.get_metric_history(run_id, "extrapolated.topic.macro_average_precision")
    assert [metric.step for metric in later] == [176, 352]
