"""Stage `curve`: a classifier trained on more and more labelled documents, tested on the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.registry import build
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import InputError
from pipeline.evaluation.bootstrap import document_weights
from pipeline.evaluation.learning_curve import FittedCurve, curve_scores, fit_curve, halvings
from pipeline.evaluation.metrics import measure, outcomes
from pipeline.output import write_spreadsheet, write_text
from pipeline.records import LabelledDocument
from pipeline.reporting.learning_curve import CurveFacts, render_curves
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.tracking import Store
from pipeline.tracking.learning_curves import log_curves
from pipeline.training.splits import split_three
from pipeline.workflows.scoring import groups_of, read_documents, sentences_of
from pipeline.workflows.watcher import Watcher

TEST_SHARE = 0.2
REPLICATES = 300
"""Draws of repeats and test documents behind every interval."""

FEWEST_DOCUMENTS = 20


Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measurements:
    """Scores at s numbers of training documents, in ascending order.

    `sentences` are the mean numbers of training sentences. `values` maps a score to (s,), and
    `replicates` to (r, s): the same under draws of repeats and test documents.
    """

    sizes: tuple[int, ...]
    sentences: tuple[float, ...]
    test_documents: int
    values: Mapping[str, Array]
    replicates: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """All curves of a classifier, and what they rest on."""

    curves: tuple[FittedCurve, ...]
    facts: CurveFacts
    page: str


def learning_curve(
    files: Sequence[Path],
    codebook: Codebook,
    wanted: ClassifierSettings,
    *,
    repeats: int,
    seed: int,
    watcher: Watcher,
) -> LearningCurve:
    """Measure the curves of a classifier (see `measure_at`) and follow them beyond the documents.

    Raises:
        InputError: a file cannot be used, or there are fewer than `FEWEST_DOCUMENTS` documents.
        MissingExtra: training needs a package that is not installed.
    """
    documents = read_documents(files, codebook, watcher)
    if len(documents) < FEWEST_DOCUMENTS:
        raise InputError(
            f"{', '.join(map(str, files))}: {len(documents)} documents, expected "
            f"{FEWEST_DOCUMENTS} or more: a curve needs several sizes and documents to test on."
        )
    found = measure_at(documents, codebook, wanted, repeats=repeats, seed=seed, watcher=watcher)
    curves = tuple(
        fit_curve(name, found.sizes, found.sentences, values, found.replicates[name])
        for name, values in found.values.items()
    )
    facts = CurveFacts(
        classifier=wanted.kind,
        codebook=f"{codebook.name} {codebook.version}",
        documents=found.sizes[-1],
        test_documents=found.test_documents,
        repeats=repeats,
        replicates=REPLICATES,
    )
    page = render_curves(curves, facts, codebook, made_on=datetime.now(UTC).date())
    return LearningCurve(curves, facts, page)


def measure_at(
    documents: Sequence[LabelledDocument],
    codebook: Codebook,
    wanted: ClassifierSettings,
    *,
    repeats: int,
    seed: int,
    watcher: Watcher,
) -> Measurements:
    """Train on nested random sets of documents and score each on the same held-out documents.

    Args:
        repeats: orders of the documents; each is cut at every size.

    Raises:
        SettingsError, InputError: the documents cannot be split.
        MissingExtra: training needs a package that is not installed.
    """
    split = split_three(documents, codebook, test=TEST_SHARE, calibration=0.0, seed=seed)
    sizes = halvings(len(split.train))
    tested = len({document.doc_id for document in split.test})
    drawn = document_weights(tested, replicates=REPLICATES, seed=seed)
    weights = np.vstack([np.ones((1, tested)), drawn])
    names = curve_scores(codebook)
    found = np.full((repeats, len(sizes), len(names), 1 + REPLICATES), np.nan)
    sentences = np.zeros((repeats, len(sizes)))
    for repeat in range(repeats):
        order = np.random.default_rng((seed, repeat)).permutation(len(split.train))
        for k, size in enumerate(sizes):
            train = [split.train[i] for i in order[:size]]
            sentences[repeat, k] = len(sentences_of(train))
            scores = _scores(train, split.test, codebook, wanted, weights, seed + repeat)
            for m, name in enumerate(names):
                found[repeat, k, m] = scores[name]
            watcher.progress("trainings", repeat * len(sizes) + k + 1, repeats * len(sizes))
    picked = np.random.default_rng(seed).integers(repeats, size=(REPLICATES, repeats))
    return Measurements(
        sizes=tuple(sizes),
        sentences=tuple(sentences.mean(axis=0).tolist()),
        test_documents=len(split.test),
        values={name: found[:, :, m, 0].mean(axis=0) for m, name in enumerate(names)},
        replicates={name: _replicates(found[:, :, m, 1:], picked) for m, name in enumerate(names)},
    )


def write_curves(done: LearningCurve, out: Path) -> None:
    """Write the points as CSV, or the page as HTML, by the ending of `out`.

    Raises:
        OutputError: the file cannot be written.
    """
    if out.suffix.lower() == ".csv":
        write_spreadsheet(out, to_csv(done.curves))
    else:
        write_text(out, done.page)


def to_csv(curves: Sequence[FittedCurve]) -> str:
    """Return all points; scores have 6 decimals, an empty cell is undefined."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    header = ("score", "documents", "sentences", "value", "low", "high", "extrapolated")
    writer.writerow((*header, "undefined_draws"))
    for point in (point for curve in curves for point in curve.points):
        cells = [
            "" if number is None or np.isnan(number) else f"{number:.6f}"
            for number in (point.value, point.low, point.high)
        ]
        sizes = (point.documents, point.sentences)
        ahead = "yes" if point.extrapolated else "no"
        writer.writerow((point.score, *sizes, *cells, ahead, point.undefined))
    return out.getvalue()


def track_curves(done: LearningCurve, store: Store, experiment: str) -> str:
    """Log the curves as a run and return its id.

    Raises:
        InputError: the experiment was deleted.
        OutputError: the store cannot be written.
    """
    facts = done.facts
    params = {
        "kind": facts.classifier,
        "codebook": facts.codebook,
        "documents": facts.documents,
        "test.documents": facts.test_documents,
        "repeats": facts.repeats,
    }
    return log_curves(store, experiment, done.curves, params=params, page=done.page)


def _scores(
    train: Sequence[LabelledDocument],
    test: Sequence[LabelledDocument],
    codebook: Codebook,
    wanted: ClassifierSettings,
    weights: Array,
    seed: int,
) -> dict[str, Array]:
    """Return every score under every weighting of the test documents, each (1 + replicates,)."""
    classifier = build(wanted, codebook, seed=seed)
    classifier.fit(sentences_of(train))
    rule = DecisionRule.plain(codebook)
    labelled = sentences_of(test)
    logits = classifier.predict_logits([one.sentence for one in labelled])
    p = rule.probabilities(logits, codebook)
    targets = encode_targets(labelled, codebook)
    seen = outcomes(groups_of(test), p, rule.decide(p, codebook), targets, codebook)
    return {name: score.values for name, score in measure(seen, codebook, weights).items()}


def _replicates(found: Array, picked: npt.NDArray[np.intp]) -> Array:
    """Average `found` (repeats, sizes, r) over the picked repeats (r, m); return (r, sizes)."""
    return np.asarray([found[repeats, :, r].mean(axis=0) for r, repeats in enumerate(picked)])
