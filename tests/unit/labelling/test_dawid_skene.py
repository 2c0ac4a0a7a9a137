"""Error rates of coders, on the data of the paper and on made ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene

from pipeline.errors import ShapeError
from pipeline.labelling.dawid_skene import dawid_skene

# Dawid & Skene (1979), table 1: 45 patients, five anaesthetists, fitness in four classes. The first
# assessed every patient three times.
PATIENTS = """
111-1111 333-4334 112-2122 222-3121 222-3222 222-3322 122-2111 333-3433 222-2223 232-2223 444-4444
222-3343 111-1111 222-3212 121-1111 111-2111 111-1111 111-1111 222-2221 222-1322 222-2222 222-2221
222-3222 221-2222 111-1111 111-1111 232-2222 111-1111 111-1111 112-1121 111-1111 333-3233 111-1111
222-2222 222-3232 433-4343 221-2232 232-3233 333-3432 111-1111 111-1111 121-2111 232-2222 121-1111
222-2222
"""


Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def anaesthetists() -> Array:
    counts = np.zeros((45, 5, 4))
    for patient, row in enumerate(PATIENTS.split()):
        thrice, once = row.split("-")
        for coder, answers in enumerate((thrice, *once)):
            for answer in answers:
                counts[patient, coder, int(answer) - 1] += 1
    return counts


def test_the_anaesthetists() -> None:
    found = dawid_skene(anaesthetists())
    assert found.converged
    assert found.prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    assert found.answers[0] == pytest.approx(
        np.array(
            [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
        ),
        abs=0.006,
    )
    assert found.classes.argmax(axis=1)[[0, 1, 2, 35]].tolist() == [0, 3, 1, 3]
    assert found.answers.sum(axis=2) == pytest.approx(np.ones((5, 4)))


def test_known_error_rates_are_found_again() -> None:
    draw = np.random.default_rng(3)
    truth = (draw.random(4000) < 0.3).astype(int)
    wrong = (0.05, 0.1, 0.3)
    counts = np.zeros((4000, 3, 2))
    for coder, rate in enumerate(wrong):
        said = np.where(draw.random(4000) < rate, 1 - truth, truth)
        counts[np.arange(4000), coder, said] = 1
    counts[:100, 0] = 0  # silent
    found = dawid_skene(counts)
    assert found.error() == pytest.approx(wrong, abs=0.02)
    assert found.prevalence[1] == pytest.approx(0.3, abs=0.03)


def test_a_class_nobody_gave_has_no_rates() -> None:
    counts = np.zeros((4, 3, 2))
    counts[:, :, 0] = 1
    found = dawid_skene(counts)
    assert np.isnan(found.answers[:, 1]).all()
    assert found.error() == pytest.approx([0, 0, 0])


def test_items_without_answers_are_refused() -> None:
    with pytest.raises(ShapeError, match="an answer to every item"):
        dawid_skene(np.zeros((2, 3, 2)))


def vote_table(seed: int, shape: tuple[int, int, int], *, silent: float) -> Array:
    """Draw answers of coders who are mostly right."""
    items, coders, classes = shape
    draw = np.random.default_rng(seed)
    truth = draw.integers(classes, size=items)
    counts = np.zeros(shape)
    for coder in range(coders):
        rates = 0.8 * np.eye(classes) + 0.2 * draw.dirichlet(np.ones(classes), classes)
        said = (draw.random(items)[:, None] > rates[truth].cumsum(axis=1)[:, :-1]).sum(axis=1)
        speaks = draw.random(items) >= silent
        counts[speaks, coder, said[speaks]] = 1
    return counts[counts.any(axis=(1, 2))]


@pytest.mark.filterwarnings("ignore:The (inplace|copy) keyword")  # crowd-kit 1.4.2 under pandas 3
@pytest.mark.parametrize(
    "counts",
    [
        pytest.param(anaesthetists(), id="anaesthetists"),
        pytest.param(vote_table(1, (200, 7, 2), silent=0.0), id="complete, two classes"),
        pytest.param(vote_table(2, (200, 7, 3), silent=0.0), id="complete, three classes"),
        pytest.param(vote_table(3, (200, 8, 2), silent=0.3), id="incomplete, two classes"),
        pytest.param(vote_table(4, (200, 9, 3), silent=0.3), id="incomplete, three classes"),
    ],
)
def test_crowd_kit_finds_the_same(counts: Array) -> None:
    items, coders, classes = counts.shape
    found = dawid_skene(counts)
    assert found.converged
    item, coder, said = np.nonzero(counts)
    votes = pd.DataFrame({"task": item, "worker": coder, "label": said})
    votes = votes.loc[votes.index.repeat(counts[item, coder, said].astype(int))]
    # by its own tolerance it stops after four steps on the anaesthetists, 0.02 from the estimate
    theirs = DawidSkene(n_iter=30, tol=-np.inf).fit(votes)
    order = list(range(classes))
    assert found.classes == pytest.approx(
        theirs.probas_.loc[list(range(items)), order].to_numpy(), abs=1e-6
    )
    assert found.prevalence == pytest.approx(theirs.priors_.loc[order].to_numpy(), abs=1e-6)
    every = pd.MultiIndex.from_product([range(coders), order])
    answers = theirs.errors_.reindex(every, fill_value=0.0)[order].to_numpy()
    answers = answers.reshape(coders, classes, classes).transpose(0, 2, 1)
    assert found.answers == pytest.approx(answers, abs=1e-6)
