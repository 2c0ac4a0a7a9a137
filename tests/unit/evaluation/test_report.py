from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.codebook import Codebook
from pipeline.decision import Decisions
from pipeline.errors import InputError, SettingsError
from pipeline.evaluation.report import evaluate, label_table, task_table, to_json
from pipeline.records import EvaluationReport, Score

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Sample

    Draw = Callable[..., Sample]


def report_of(sample: Sample, codebook: Codebook, *, replicates: int = 200) -> EvaluationReport:
    return evaluate(
        sample.documents,
        sample.probabilities,
        sample.decisions,
        sample.targets,
        codebook,
        dataset="held out",
        replicates=replicates,
        seed=5,
    )


def test_every_label_and_task_is_scored_with_an_interval_around_it(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(400, 0, documents=40)
    report = report_of(sample, codebook)
    assert (report.dataset, report.documents, report.sentences) == ("held out", 40, 400)
    metrics = ("precision", "recall", "f1", "average_precision", "brier", "ece")
    wanted = {f"{column}.{metric}" for column in codebook.column_names for metric in metrics}
    for task in codebook.tasks:
        extra = "micro_f1" if task in codebook.multilabel_tasks() else "accuracy"
        of_task = ("macro_f1", extra, "macro_average_precision", "brier", "ece")
        wanted |= {f"{task}.{metric}" for metric in of_task}
    assert set(report.scores) == wanted
    for name, score in report.scores.items():
        assert score.name == name
        assert score.low is not None
        assert score.high is not None
        assert 0.0 <= score.low < score.high <= 1.0
        if not name.endswith("ece"):
            assert score.low <= score.value <= score.high


def test_it_is_deterministic_and_the_seed_moves_only_the_bounds(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(100, 1)
    first, second = report_of(sample, codebook), report_of(sample, codebook)
    assert first == second
    bare = report_of(sample, codebook, replicates=0)
    for name, score in bare.scores.items():
        assert score.low is None
        assert score.value == pytest.approx(first.scores[name].value)


def test_one_document_has_no_interval(codebook: Codebook, draw_sample: Draw) -> None:
    report = report_of(draw_sample(30, 2, documents=1), codebook)
    assert all(score.low is None and score.high is None for score in report.scores.values())


def test_unknown_tasks_are_undefined_not_zero(codebook: Codebook, draw_sample: Draw) -> None:
    sample = draw_sample(50, 3)
    task = codebook.multiclass_tasks()[0]
    sample.targets[:, codebook.slice_of(task)] = np.nan
    report = report_of(sample, codebook)
    for name, score in report.scores.items():
        assert math.isnan(score.value) == name.startswith(f"{task}.")
    assert report.scores[f"{task}.macro_f1"].support == 0


def test_a_label_in_one_of_few_documents_gets_no_interval(
    codebook: Codebook, draw_sample: Draw
) -> None:
    """A third of the replicates miss the only document, and with it the label."""
    sample = draw_sample(50, 4, documents=5)
    rows = np.array([name == sample.documents[0] for name in sample.documents])
    sample.targets[:, 0] = rows
    decisions = Decisions(sample.decisions.given.copy(), sample.decisions.withheld)
    decisions.given[:, 0] = rows
    report = evaluate(
        sample.documents, sample.probabilities, decisions, sample.targets, codebook, dataset="few"
    )
    score = report.scores[f"{codebook.column_names[0]}.f1"]
    assert (score.value, score.low, score.high) == (1.0, None, None)


def test_json_says_all_and_null_where_nothing_is_defined(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(60, 5)
    sample.targets[:, 0] = 0.0
    sample.decisions.given[:, 0] = False
    report = report_of(sample, codebook)
    told = json.loads(json.dumps(to_json(report), allow_nan=False))
    scores = told.pop("scores")
    assert told == {"dataset": "held out", "documents": report.documents, "sentences": 60}
    for name, row in scores.items():
        row["value"] = math.nan if row["value"] is None else row["value"]
        assert repr(Score(name=name, **row)) == repr(report.scores[name])
    assert scores.keys() == report.scores.keys()
    assert not all(score.defined for score in report.scores.values())


def test_tables_show_every_task_score_and_every_label(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(60, 6)
    sample.targets[:, 0] = 0.0
    sample.decisions.given[:, 0] = False
    report = report_of(sample, codebook)
    labels = label_table(report)
    assert [row[0] for row in labels[1:]] == list(codebook.column_names)
    assert labels[0][:2] == ("label", "F1")
    assert labels[1][1] == "-"
    assert labels[1][-1] == "0"
    score = report.scores[f"{codebook.column_names[1]}.f1"]
    assert labels[2][1] == f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"
    tasks = task_table(report)
    assert len(tasks) == 1 + 5 * len(codebook.tasks)
    assert {len(row) for row in tasks} == {4}
    assert {len(row) for row in labels} == {8}


def test_nothing_to_evaluate_and_negative_replicates_are_refused(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(10, 7)
    with pytest.raises(InputError, match="held out: no sentences"):
        report_of(sample.rows(np.zeros(0, dtype=np.intp)), codebook)
    with pytest.raises(SettingsError, match="replicates"):
        report_of(sample, codebook, replicates=-1)


def test_a_thousand_replicates_take_seconds(codebook: Codebook, draw_sample: Draw) -> None:
    sample = draw_sample(650, 8, documents=125)
    started = time.process_time()
    report_of(sample, codebook, replicates=1000)
    assert time.process_time() - started < 5.0
