from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.codebook import Codebook, Label, Task, TaskType
from pipeline.decision import Decisions
from pipeline.errors import ShapeError
from pipeline.evaluation.metrics import BINS, Outcomes, equal_mass_bins, measure, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Sample

    Draw = Callable[..., Sample]


def seen_by(sample: Sample, codebook: Codebook) -> Outcomes:
    return outcomes(
        sample.documents, sample.probabilities, sample.decisions, sample.targets, codebook
    )


def plain_scores(sample: Sample, codebook: Codebook) -> dict[str, float]:
    seen = seen_by(sample, codebook)
    measured = measure(seen, codebook, np.ones((1, seen.document_count)))
    return {name: float(score.values[0]) for name, score in measured.items()}


def one_task(kind: TaskType, *labels: str) -> Codebook:
    label = Label(title="t", colour="#000000", definition="d")
    task = Task(type=kind, question="q", labels=dict.fromkeys(labels, label))
    return Codebook(name="b", version="1", about="a", unit="u", tasks={"t": task})


def plain_outcomes(
    codebook: Codebook, p: npt.ArrayLike, given: npt.ArrayLike, y: npt.ArrayLike
) -> Outcomes:
    decided = np.asarray(given, dtype=bool)
    return outcomes(
        [f"d{i}" for i in range(len(decided))],
        np.asarray(p, dtype=np.float32),
        Decisions(decided, np.zeros_like(decided)),
        np.asarray(y, dtype=np.float32),
        codebook,
    )


def test_a_multilabel_example_by_hand() -> None:
    codebook = one_task(TaskType.MULTILABEL, "a", "b", "c")
    nan = np.nan
    p = [[0.9, 0.2, 0.1], [0.8, 0.6, 0.1], [0.6, 0.4, 0.1], [0.1, 0.8, 0.1]]
    y = [[1, 0, 0], [0, 1, 0], [1, nan, 0], [1, 0, 0]]
    seen = plain_outcomes(codebook, p, np.array(p) >= 0.5, y)
    measured = measure(seen, codebook, np.ones((1, 4)))
    got = {name: float(score.values[0]) for name, score in measured.items()}
    # a: decided 1 1 1 0 on gold 1 0 1 1; ranks by probability: gold, not, gold, gold.
    assert got["t.a.precision"] == pytest.approx(2 / 3)
    assert got["t.a.recall"] == pytest.approx(2 / 3)
    assert got["t.a.f1"] == pytest.approx(2 / 3)
    assert got["t.a.average_precision"] == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert got["t.a.brier"] == pytest.approx((0.01 + 0.64 + 0.16 + 0.81) / 4)
    # Every sentence has its own bin, so the calibration error is the mean absolute error.
    assert got["t.a.ece"] == pytest.approx((0.1 + 0.8 + 0.4 + 0.9) / 4)
    # b: the third sentence is unknown; decided 0 1 . 1 on gold 0 1 . 0.
    assert got["t.b.precision"] == pytest.approx(1 / 2)
    assert got["t.b.recall"] == 1.0
    assert got["t.b.f1"] == pytest.approx(2 / 3)
    assert got["t.b.average_precision"] == pytest.approx(1 / 2)
    assert got["t.b.brier"] == pytest.approx((0.04 + 0.16 + 0.64) / 3)
    # c: no positives and no predictions; nothing but calibration is defined.
    assert np.isnan([got[f"t.c.{m}"] for m in ("precision", "recall", "f1")]).all()
    assert np.isnan(got["t.c.average_precision"])
    assert got["t.c.ece"] == pytest.approx(0.1)
    assert got["t.macro_f1"] == pytest.approx(2 / 3)
    assert got["t.micro_f1"] == pytest.approx(2 * 3 / (5 + 4))
    assert {name: measured[name].support for name in ("t.a.f1", "t.b.f1", "t.b.brier")} == {
        "t.a.f1": 3,
        "t.b.f1": 1,
        "t.b.brier": 3,
    }
    assert "t.accuracy" not in got
    assert "t.coverage" not in got


def test_a_false_alarm_without_positives_is_zero_not_undefined() -> None:
    codebook = one_task(TaskType.MULTILABEL, "a")
    seen = plain_outcomes(codebook, [[0.9], [0.1]], [[True], [False]], [[0], [0]])
    got = measure(seen, codebook, np.ones((1, 2)))
    assert got["t.a.f1"].values[0] == 0.0
    assert got["t.a.precision"].values[0] == 0.0
    assert np.isnan(got["t.a.recall"].values[0])


def test_a_multiclass_example_by_hand() -> None:
    codebook = one_task(TaskType.MULTICLASS, "a", "b")
    p = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]]
    y = [[1, 0], [0, 1], [0, 1], [np.nan, np.nan]]
    given = [[1, 0], [1, 0], [0, 1], [1, 0]]
    got = measure(plain_outcomes(codebook, p, given, y), codebook, np.ones((1, 4)))
    assert got["t.accuracy"].values[0] == pytest.approx(2 / 3)
    assert got["t.accuracy"].support == 3
    assert got["t.macro_f1"].values[0] == pytest.approx(2 / 3)
    assert got["t.brier"].values[0] == pytest.approx((0.01 + 0.36 + 0.04) / 3)
    assert "t.micro_f1" not in got


def test_withheld_decisions_count_as_not_given_and_are_reported() -> None:
    codebook = one_task(TaskType.MULTILABEL, "a", "b")
    given = np.array([[True, False], [True, False], [False, False], [False, True]])
    withheld = np.array([[False, False], [False, True], [True, False], [False, False]])
    y = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=np.float32)
    seen = outcomes(
        ["x"] * 4, np.full((4, 2), 0.5, np.float32), Decisions(given, withheld), y, codebook
    )
    got = measure(seen, codebook, np.ones((1, 1)))
    # The second sentence is withheld as a whole because one of its labels is.
    assert got["t.a.recall"].values[0] == pytest.approx(1 / 3)
    assert got["t.macro_f1"].values[0] == pytest.approx((0.5 + 1.0) / 2)
    assert got["t.coverage"].values[0] == 0.5
    assert got["t.decided_macro_f1"].values[0] == 1.0


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(n=st.integers(2, 60), seed=st.integers(0, 10_000), unknown=st.sampled_from([0.0, 0.3]))
def test_scikit_learn_agrees(
    codebook: Codebook, draw_sample: Draw, n: int, seed: int, unknown: float
) -> None:
    from sklearn.metrics import (
        accuracy_score,
        average_precision_score,
        brier_score_loss,
        f1_score,
        precision_score,
        recall_score,
    )

    sample = draw_sample(n, seed, unknown=unknown)
    got = plain_scores(sample, codebook)
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        rows = ~np.isnan(sample.targets[:, part.start])
        if not rows.any():
            assert np.isnan([v for key, v in got.items() if key.startswith(f"{name}.")]).all()
            continue
        y = sample.targets[rows, part].astype(int)
        given = sample.decisions.given[rows, part].astype(int)
        p = sample.probabilities[rows, part].astype(np.float64)
        for j, label in enumerate(task.labels):
            expected = {
                "precision": precision_score(y[:, j], given[:, j], zero_division=np.nan),
                "recall": recall_score(y[:, j], given[:, j], zero_division=np.nan),
                "f1": f1_score(y[:, j], given[:, j], zero_division=np.nan),
                "brier": brier_score_loss(y[:, j], p[:, j]),
                "average_precision": average_precision_score(y[:, j], p[:, j])
                if y[:, j].any()
                else np.nan,
            }
            for metric, value in expected.items():
                assert got[f"{name}.{label}.{metric}"] == pytest.approx(value, nan_ok=True), metric
        with warnings.catch_warnings():
            # Undefined for all labels: the mean over none of them.
            warnings.simplefilter("ignore", RuntimeWarning)
            macro = f1_score(y, given, average="macro", zero_division=np.nan)
        assert got[f"{name}.macro_f1"] == pytest.approx(macro, nan_ok=True)
        if task.type is TaskType.MULTILABEL:
            micro = f1_score(y, given, average="micro", zero_division=np.nan)
            assert got[f"{name}.micro_f1"] == pytest.approx(micro, nan_ok=True)
        else:
            accuracy = accuracy_score(y.argmax(axis=1), given.argmax(axis=1))
            assert got[f"{name}.accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize("abstain_within", [0.0, 0.1])
def test_weighting_a_document_is_repeating_it(
    codebook: Codebook, draw_sample: Draw, abstain_within: float
) -> None:
    sample = draw_sample(150, 3, unknown=0.2, abstain_within=abstain_within)
    seen = seen_by(sample, codebook)
    weights = np.random.default_rng(0).integers(0, 4, size=(5, seen.document_count))
    measured = measure(seen, codebook, weights.astype(np.float64))
    for r, weight in enumerate(weights):
        repeated = sample.rows(np.repeat(np.arange(150), weight[seen.documents]))
        expected = plain_scores(repeated, codebook)
        assert set(expected) == set(measured)
        for name, value in expected.items():
            if not name.endswith("ece"):  # keeps the bins of the whole sample
                assert measured[name].values[r] == pytest.approx(value, nan_ok=True), name


def test_ece_of_replicates_keeps_the_bins_of_the_sample(
    codebook: Codebook, draw_sample: Draw
) -> None:
    sample = draw_sample(200, 4, documents=8)
    seen = seen_by(sample, codebook)
    weights = np.random.default_rng(1).integers(0, 4, size=(3, 8)).astype(np.float64)
    measured = measure(seen, codebook, weights)
    name, p, y = codebook.column_names[0], seen.probabilities[:, 0], seen.targets[:, 0]
    bins = equal_mass_bins(p)
    for r in range(3):
        w = weights[r, seen.documents]
        gaps = [
            w[bins == b].sum()
            * abs(
                np.average(p[bins == b], weights=w[bins == b])
                - np.average(y[bins == b], weights=w[bins == b])
            )
            for b in range(BINS)
            if w[bins == b].sum()
        ]
        assert measured[f"{name}.ece"].values[r] == pytest.approx(sum(gaps) / w.sum())


def test_ece_of_calibrated_probabilities_is_small_and_of_shifted_ones_is_the_shift() -> None:
    codebook = one_task(TaskType.MULTILABEL, "a")
    draw = np.random.default_rng(0)
    chance = draw.uniform(0.2, 0.6, size=(60_000, 1))
    y = draw.random(chance.shape) < chance
    for shift in (0.0, 0.2):
        p = chance + shift
        got = measure(plain_outcomes(codebook, p, p > 0.5, y), codebook, np.ones((1, 60_000)))
        assert got["t.a.ece"].values[0] == pytest.approx(shift, abs=0.01)


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), min_size=1, max_size=80))
def test_bins_keep_equal_values_together_and_rise_with_them(values: list[float]) -> None:
    p = np.array(values)
    bins = equal_mass_bins(p)
    assert bins.min() == 0
    assert bins.max() < BINS
    order = np.argsort(p, kind="stable")
    assert (np.diff(bins[order]) >= 0).all()
    assert len(set(zip(values, bins.tolist(), strict=True))) == len(set(values))


def test_distinct_values_fill_bins_equally() -> None:
    bins = equal_mass_bins(np.random.default_rng(0).random(15 * 7))
    assert np.bincount(bins).tolist() == [7] * 15


def test_document_names_and_row_order_do_not_matter(codebook: Codebook, draw_sample: Draw) -> None:
    sample = draw_sample(80, 6, unknown=0.1)
    shuffled = sample.rows(np.random.default_rng(0).permutation(80))
    expected = plain_scores(sample, codebook)
    for name, value in plain_scores(shuffled, codebook).items():
        assert value == pytest.approx(expected[name], nan_ok=True)


def test_shapes_are_checked(codebook: Codebook, draw_sample: Draw) -> None:
    sample = draw_sample(20, 7)
    with pytest.raises(ShapeError, match=r"targets of shape \(19, "):
        outcomes(
            sample.documents,
            sample.probabilities,
            sample.decisions,
            sample.targets[1:],
            codebook,
        )
    seen = seen_by(sample, codebook)
    with pytest.raises(ShapeError, match="one column a document"):
        measure(seen, codebook, np.ones((1, seen.document_count + 1)))
