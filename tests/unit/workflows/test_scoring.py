"""Evaluation sets and scores: held-out, gold and external data under names of their own."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pipeline.bundle import Bundle
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.settings.experiment import DataSettings, EvaluationSettings
from pipeline.workflows.evaluate import evaluate_file
from pipeline.workflows.scoring import (
    GOLD,
    HELD_OUT,
    EvaluationSet,
    evaluation_sets,
    groups_of,
    read_documents,
    score,
    sentences_of,
)
from pipeline.workflows.watcher import Silent, Watcher


def data_of(project: Path) -> DataSettings:
    return DataSettings(
        corpus=(project / "corpus.jsonl",),
        gold=project / "gold.jsonl",
        gold_statements=project / "statements",
    )


def test_sets_have_their_names(project: Path, tiny: Codebook) -> None:
    documents = read_documents([project / "corpus.jsonl"], tiny, Silent())
    (project / "extra.jsonl").write_bytes((project / "corpus.jsonl").read_bytes())
    external = EvaluationSettings(external=(project / "extra.jsonl",))
    sets = evaluation_sets(documents[:3], data_of(project), external, tiny, Silent())
    assert [one.name for one in sets] == [HELD_OUT, GOLD, "extra"]
    assert [len(one.documents) for one in sets] == [3, 3, 40]
    assert len(sets[0].groups) == len(sets[0].sentences) == 3 + 4 + 5


def test_groups_are_the_documents_of_the_sentences(project: Path, tiny: Codebook) -> None:
    documents = read_documents([project / "corpus.jsonl"], tiny, Silent())
    groups = groups_of(documents)
    assert groups == [one.sentence.doc_id for one in sentences_of(documents)]


@pytest.mark.parametrize("name", ["gold.jsonl", "held-out.jsonl"])
def test_two_sets_of_one_name_are_refused(project: Path, tiny: Codebook, name: str) -> None:
    other = project / "elsewhere" / name
    other.parent.mkdir()
    other.write_bytes((project / "gold.jsonl").read_bytes())
    with pytest.raises(InputError, match=f"called {other.stem}; rename"):
        evaluation_sets((), data_of(project), EvaluationSettings(external=(other,)), tiny, Silent())


def test_rows_set_aside_are_noted(project: Path, tiny: Codebook, watcher: Watcher) -> None:
    with (project / "gold.jsonl").open("a") as file:
        file.write("junk\n")
    assert len(read_documents([project / "gold.jsonl"], tiny, watcher)) == 3
    (note,) = watcher.notes  # type: ignore[attr-defined]
    assert "gold.jsonl line 4" in note
    assert "bad row: not JSON" in note


def test_scores_say_what_predictions_and_labels_say(project: Path, bundle: Bundle) -> None:
    """Accuracy counted by hand; the figures leave out what is undefined."""
    data = EvaluationSet(
        "mine", read_documents([project / "corpus.jsonl"], bundle.codebook, Silent())
    )
    scored = score(bundle.classifier, bundle.rule, data, replicates=100, seed=1)
    n = len(data.sentences)
    assert scored.probabilities.shape == scored.targets.shape == (n, bundle.codebook.width)
    part = bundle.codebook.slice_of("tone")
    right = (scored.decisions.given[:, part] == (scored.targets[:, part] == 1)).all(axis=1)
    assert 0 < right.mean() <= 1
    report = scored.report
    assert (report.dataset, report.sentences, report.documents) == ("mine", n, 40)
    assert report.scores["tone.accuracy"].value == pytest.approx(right.mean())
    figures = {figure.name: figure for figure in scored.figures()}
    assert {"topic.macro_f1", "tone.macro_f1", "tone.accuracy"} <= set(figures)
    for name, figure in figures.items():
        whole = report.scores[name]
        assert figure.dataset == "mine"
        assert figure.value == pytest.approx(whole.value, abs=5e-5)
        assert math.isfinite(figure.value)


def test_a_file_can_be_scored(project: Path, bundle: Bundle) -> None:
    path = project / "gold.jsonl"
    done = evaluate_file(bundle, path, replicates=100, seed=1, watcher=Silent())
    assert (done.report.dataset, done.report.documents, done.set_aside) == ("gold", 3, 0)
    again = evaluate_file(bundle, path, replicates=100, seed=1, watcher=Silent())
    assert repr(again.report.scores) == repr(done.report.scores)


def test_rows_set_aside_are_counted(project: Path, bundle: Bundle) -> None:
    path = project / "partly.jsonl"
    path.write_text((project / "gold.jsonl").read_text() + "junk\n{}\n")
    done = evaluate_file(bundle, path, replicates=100, seed=1, watcher=Silent())
    assert (done.report.documents, done.set_aside) == (3, 2)


@pytest.mark.parametrize("content", ["", "junk\n", json.dumps({"doc_id": "d", "sentences": []})])
def test_a_file_without_labels_cannot(project: Path, bundle: Bundle, content: str) -> None:
    path = project / "bad.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=r"bad\.jsonl: no usable document"):
        evaluate_file(bundle, path, replicates=100, seed=1, watcher=Silent())
