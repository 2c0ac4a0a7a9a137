from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.codebook import Codebook
from pipeline.decision import Decisions
from pipeline.errors import ShapeError
from pipeline.evaluation.curves import (
    confusion,
    precision_recall_curve,
    reliability,
    threshold_curve,
)
from pipeline.evaluation.report import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Sample

    Draw = Callable[..., Sample]


def test_operating_points_by_hand() -> None:
    p = np.array([0.2, 0.8, 0.5, 0.5, 0.9])
    y = np.array([0.0, 1.0, 1.0, 0.0, np.nan])
    curve = precision_recall_curve(p, y)
    assert curve.threshold.tolist() == [0.2, 0.5, 0.8]
    np.testing.assert_allclose(curve.precision, [2 / 4, 2 / 3, 1.0])
    np.testing.assert_allclose(curve.recall, [1.0, 1.0, 0.5])
    np.testing.assert_allclose(curve.f1, [2 / 3, 4 / 5, 2 / 3])


def test_scikit_learn_agrees_on_the_curve(codebook: Codebook, draw_sample: Draw) -> None:
    import sklearn.metrics

    sample = draw_sample(200, 0)
    p, y = sample.probabilities[:, 0].astype(np.float64), sample.targets[:, 0]
    precision, recall, threshold = sklearn.metrics.precision_recall_curve(y, p)
    curve = precision_recall_curve(p, y)
    np.testing.assert_allclose(curve.threshold, threshold)
    np.testing.assert_allclose(curve.precision, precision[:-1])
    np.testing.assert_allclose(curve.recall, recall[:-1])


def test_threshold_curve_agrees_with_the_decision_at_one_half(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(200, 1, unknown=0.2)
    report = evaluate(
        sample.documents,
        sample.probabilities,
        sample.decisions,
        sample.targets,
        codebook,
        dataset="x",
        replicates=0,
    )
    curve = threshold_curve(sample.probabilities[:, 0], sample.targets[:, 0])
    name = codebook.column_names[0]
    assert curve.threshold[50] == 0.5
    assert curve.f1[50] == pytest.approx(report.scores[f"{name}.f1"].value)
    assert curve.precision[50] == pytest.approx(report.scores[f"{name}.precision"].value)
    assert curve.recall[0] == 1.0
    assert np.isnan(curve.precision[-1])


def test_reliability_adds_up_to_the_ece_of_the_report(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(200, 2, unknown=0.2)
    report = evaluate(
        sample.documents,
        sample.probabilities,
        sample.decisions,
        sample.targets,
        codebook,
        dataset="x",
        replicates=0,
    )
    diagram = reliability(sample.probabilities[:, 0], sample.targets[:, 0])
    assert diagram.count.sum() == (~np.isnan(sample.targets[:, 0])).sum()
    gap = np.average(np.abs(diagram.predicted - diagram.observed), weights=diagram.count)
    assert gap == pytest.approx(report.scores[f"{codebook.column_names[0]}.ece"].value)
    assert (np.diff(diagram.predicted) > 0).all()


def test_confusion_counts_every_known_sentence_once(codebook: Codebook, draw_sample: Draw) -> None:
    from sklearn.metrics import confusion_matrix

    task = codebook.multiclass_tasks()[0]
    part = codebook.slice_of(task)
    sample = draw_sample(300, 3, unknown=0.2, abstain_within=0.05)
    table = confusion(sample.decisions, sample.targets, codebook, task)
    known = ~np.isnan(sample.targets[:, part.start])
    decided = known & ~sample.decisions.withheld[:, part].any(axis=1)
    assert table.labels == tuple(codebook.tasks[task].labels)
    assert table.withheld.sum() == (known & ~decided).sum() > 0
    expected = confusion_matrix(
        sample.targets[decided, part].argmax(axis=1),
        sample.decisions.given[decided, part].argmax(axis=1),
        labels=range(len(table.labels)),
    )
    assert table.count.tolist() == expected.tolist()


def test_an_empty_column_gives_empty_or_undefined_points() -> None:
    nothing = np.array([np.nan, np.nan])
    p = np.array([0.1, 0.2])
    assert len(precision_recall_curve(p, nothing).threshold) == 0
    assert np.isnan(threshold_curve(p, nothing).f1).all()
    assert len(reliability(p, nothing).count) == 0


def test_mistakes_are_refused(codebook: Codebook, draw_sample: Draw) -> None:
    sample = draw_sample(10, 4)
    with pytest.raises(ShapeError, match="is multilabel"):
        confusion(sample.decisions, sample.targets, codebook, codebook.multilabel_tasks()[0])
    with pytest.raises(ShapeError, match="expected both"):
        confusion(
            Decisions(sample.decisions.given[1:], sample.decisions.withheld[1:]),
            sample.targets,
            codebook,
            codebook.multiclass_tasks()[0],
        )
    with pytest.raises(ShapeError, match=r"expected both \(n,\)"):
        reliability(sample.probabilities, sample.targets)
