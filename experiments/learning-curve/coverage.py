"""Print how often the scores that more documents bring lie in the band that `stance curve` draws.

    python experiments/learning-curve/coverage.py

Each round plays a user with 300 documents of the training corpus: the curve of the linear
classifier is measured on them as the command does it, and followed to twice and four times the
documents learned from. Then so many documents are learned from indeed, and the classifier is scored
on other documents of the corpus, of which there are more than the user has to test on. The same
test set serves all rounds, as no user sees it; documents drawn in one round are drawn in others.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.classifiers.linear import LinearClassifier
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.learning_curve import AHEAD, curve_scores, fit_curve
from pipeline.evaluation.metrics import measure, outcomes
from pipeline.labelling import read_labelled
from pipeline.records import LabelledDocument
from pipeline.settings.classifiers import LinearSettings
from pipeline.training.splits import split_three
from pipeline.workflows.learning_curve import measure_at
from pipeline.workflows.scoring import sentences_of
from pipeline.workflows.watcher import Silent

ROOT = Path(__file__).parents[2]
FILES = ("register.jsonl", "error-led.jsonl")
ROUNDS, OWNED, REPEATS = 8, 300, 3


def main() -> None:
    """Simulate and print."""
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    documents = [
        document
        for name in FILES
        for document in read_labelled(ROOT / "seeds" / "corpus" / name, codebook)[0]
    ]
    split = split_three(documents, codebook, test=0.35, calibration=0.0, seed=0)
    names = curve_scores(codebook)
    # by round, size and score: low, value, high of the band, last score seen, score reached
    found = np.full((ROUNDS, len(AHEAD), len(names), 5), np.nan)
    for k in range(ROUNDS):
        order = np.random.default_rng(k).permutation(len(split.train))
        owned = [split.train[i] for i in order[:OWNED]]
        seen = measure_at(
            owned, codebook, LinearSettings(), repeats=REPEATS, seed=k, watcher=Silent()
        )
        reached = [
            _scores([split.train[i] for i in order[: n * seen.sizes[-1]]], split.test, codebook)
            for n in AHEAD
        ]
        for m, name in enumerate(names):
            curve = fit_curve(
                name, seen.sizes, seen.sentences, seen.values[name], seen.replicates[name]
            )
            ahead = [point for point in curve.points if point.extrapolated]
            for a, point in enumerate(ahead):
                low, high = (np.nan if x is None else x for x in (point.low, point.high))
                last = seen.values[name][-1]
                found[k, a, m] = low, point.value, high, last, reached[a][name]
    print(
        f"{len(documents):,} documents; {len(split.test):,} to test on; {seen.sizes} learned from"
    )
    for a, n in enumerate(AHEAD):
        print(
            f"\n{n} times the documents\n\n| score | in the band | below | above | half width |",
            end="",
        )
        print(" error | error of no growth | bias |\n|---|---:|---:|---:|---:|---:|---:|---:|")
        for m, name in enumerate(names):
            print(f"| {name} | {_row(found[:, a, m])} |")
        print(f"| all | {_row(found[:, a].reshape(-1, 5))} |")


def _row(found: np.ndarray) -> str:
    low, value, high, last, reached = found[~np.isnan(found).any(axis=1)].T
    below, above = (reached < low).sum(), (reached > high).sum()
    inside = len(reached) - below - above
    means = (
        (high - low).mean() / 2,
        np.abs(value - reached).mean(),
        np.abs(last - reached).mean(),
    )
    shown = " | ".join(f"{mean:.3f}" for mean in means)
    bias = (value - reached).mean()
    return f"{inside} of {len(reached)} | {below} | {above} | {shown} | {bias:+.3f}"


def _scores(
    train: list[LabelledDocument], test: list[LabelledDocument], codebook: Codebook
) -> dict[str, float]:
    classifier = LinearClassifier(codebook, LinearSettings())
    classifier.fit(sentences_of(train))
    labelled = sentences_of(test)
    rule = DecisionRule.plain(codebook)
    logits = classifier.predict_logits([one.sentence for one in labelled])
    p = rule.probabilities(logits, codebook)
    targets = encode_targets(labelled, codebook)
    seen = outcomes(["all"] * len(labelled), p, rule.decide(p, codebook), targets, codebook)
    measured = measure(seen, codebook, np.ones((1, 1)))
    return {name: float(score.values[0]) for name, score in measured.items()}


if __name__ == "__main__":
    main()
