"""Plots are drawn for every task of a codebook, whatever the data leave out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule, Probabilities
from pipeline.errors import ShapeError
from pipeline.records import EvaluationReport
from pipeline.tracking.plots import evaluation_plots

Report = Callable[..., EvaluationReport]
PNG = b"\x89PNG\r\n\x1a\n"
NAMES = [
    "topic.precision-recall",
    "topic.reliability",
    "topic.thresholds",
    "tone.precision-recall",
    "tone.reliability",
    "tone.confusion",
]


def draw(
    probabilities: Probabilities,
    targets: np.ndarray,
    rule: DecisionRule,
    codebook: Codebook,
    report: EvaluationReport,
) -> dict[str, bytes]:
    return dict(evaluation_plots(report, probabilities, targets, rule, codebook))


def test_every_task_has_its_plots(
    probabilities: Probabilities,
    targets: np.ndarray,
    rule: DecisionRule,
    codebook: Codebook,
    report_of: Report,
) -> None:
    images = draw(probabilities, targets, rule, codebook, report_of("gold"))
    assert list(images) == NAMES
    for image in images.values():
        assert image.startswith(PNG)
        assert 5_000 < len(image) < 300_000


def test_the_chosen_threshold_and_the_labels_show(
    probabilities: Probabilities,
    targets: np.ndarray,
    rule: DecisionRule,
    codebook: Codebook,
    report_of: Report,
) -> None:
    other = DecisionRule(rule.scale, rule.bias, (0.9,) * codebook.width)
    report = report_of("gold")
    first = draw(probabilities, targets, rule, codebook, report)
    second = draw(probabilities, targets, other, codebook, report)
    differ = {name for name in first if first[name] != second[name]}
    assert differ == {"topic.thresholds", "tone.confusion"}  # the second never abstains


@pytest.mark.parametrize("known", [0, 1])
def test_labels_that_are_unknown_or_absent_do_not_stop_the_drawing(
    known: int,
    probabilities: Probabilities,
    targets: np.ndarray,
    rule: DecisionRule,
    codebook: Codebook,
    report_of: Report,
) -> None:
    few = np.full_like(targets, np.nan)
    few[:known] = 0.0
    assert list(draw(probabilities, few, rule, codebook, report_of("gold"))) == NAMES


def test_no_sentence_at_all(rule: DecisionRule, codebook: Codebook, report_of: Report) -> None:
    nothing = np.empty((0, codebook.width), dtype=np.float32)
    assert list(draw(nothing, nothing, rule, codebook, report_of("gold"))) == NAMES


def test_arrays_of_another_codebook_are_refused(
    probabilities: Probabilities,
    targets: np.ndarray,
    rule: DecisionRule,
    codebook: Codebook,
    report_of: Report,
) -> None:
    with pytest.raises(ShapeError, match=r"expected both \(n, 5\)"):
        draw(probabilities[:, :4], targets[:, :4], rule, codebook, report_of("gold"))
