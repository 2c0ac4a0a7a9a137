"""Print learning curves of the strategies of `stance suggest` on the training corpus.

    python experiments/active-learning/simulate.py

Each repeat draws documents for a pool and for a test anew, labels 100 sentences of the pool at
random, and lets each strategy choose more in rounds, with the labels of the corpus as answers and
the linear classifier retrained after each round. All strategies share pool, test and first
sentences, so that differences from random choice are paired. A fifth of every choice is random, as
the command does it. Intervals are 95 % by Student's t over the repeats: they say how sure the
difference is on documents like these.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.classifiers.linear import LinearClassifier
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.metrics import measure, outcomes
from pipeline.evaluation.sampling_design import strata_by_label
from pipeline.evaluation.suggestion import choose, uncertainty, word_vectors
from pipeline.labelling import read_labelled
from pipeline.records import LabelledSentence
from pipeline.settings.classifiers import LinearSettings
from pipeline.settings.estimation import Strategy

ROOT = Path(__file__).parents[2]
FILES = ("register.jsonl", "error-led.jsonl")
SIZES = (100, 200, 400, 800, 1600)
REPEATS, POOL, TEST = 10, 400, 250
SCORES = ("stance.macro_average_precision", "claim.macro_f1")
T_975 = 2.262  # Student's t with 9 degrees of freedom


def main() -> None:
    """Simulate and print."""
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    documents = [
        document
        for name in FILES
        for document in read_labelled(ROOT / "seeds" / "corpus" / name, codebook)[0]
    ]
    rule = DecisionRule.plain(codebook)
    found = np.zeros((len(SCORES), len(Strategy), REPEATS, len(SIZES)))
    for repeat in range(REPEATS):
        drawn = np.random.default_rng(repeat).permutation(len(documents))[: POOL + TEST]
        pool = [one for i in drawn[:POOL] for one in documents[i].sentences]
        test = [one for i in drawn[POOL:] for one in documents[i].sentences]
        targets = encode_targets(test, codebook)
        points = word_vectors([one.sentence.text for one in pool], seed=repeat)
        first = np.random.default_rng(repeat).choice(len(pool), SIZES[0], replace=False)
        for s, strategy in enumerate(Strategy):
            labelled = first
            classifier = _fitted(codebook, pool, labelled)
            for k, size in enumerate(SIZES):
                if size > len(labelled):
                    rest = np.setdiff1d(np.arange(len(pool)), labelled)
                    sentences = [pool[i].sentence for i in rest]
                    p = rule.probabilities(classifier.predict_logits(sentences), codebook)
                    inclusion, _ = choose(
                        strategy,
                        uncertainty(p.astype(np.float64), codebook),
                        strata_by_label(rule.decide(p, codebook).given),
                        np.vstack([points[rest], points[labelled]]),
                        size - len(labelled),
                        random_share=0.2,
                        seed=1000 * repeat + k,
                    )
                    labelled = np.append(labelled, rest[~np.isnan(inclusion)])
                    classifier = _fitted(codebook, pool, labelled)
                p = rule.probabilities(
                    classifier.predict_logits([one.sentence for one in test]), codebook
                )
                seen = outcomes(["all"] * len(test), p, rule.decide(p, codebook), targets, codebook)
                scores = measure(seen, codebook, np.ones((1, 1)))
                for m, name in enumerate(SCORES):
                    found[m, s, repeat, k] = scores[name].values[0]
    for m, name in enumerate(SCORES):
        _print(name, found[m])


def _fitted(
    codebook: Codebook, pool: list[LabelledSentence], labelled: np.ndarray
) -> LinearClassifier:
    classifier = LinearClassifier(codebook, LinearSettings())
    classifier.fit([pool[i] for i in labelled])
    return classifier


def _print(name: str, found: np.ndarray) -> None:
    print(f"\n{name}\n\n| labelled | " + " | ".join(Strategy) + " |")
    print("|---:|" + "---:|" * len(Strategy))
    for k, size in enumerate(SIZES):
        cells = [f"{found[0, :, k].mean():.3f}"]
        for s in range(1, len(Strategy)):
            gap = found[s, :, k] - found[0, :, k]
            half = T_975 * gap.std(ddof=1) / np.sqrt(REPEATS)
            cells.append(f"{gap.mean():+.3f} ± {half:.3f}")
        print(f"| {size} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
