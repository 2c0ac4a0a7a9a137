"""Print the log loss of a multiclass task at several temperatures, on labelled statements.

    python experiments/quality/temperature.py LABELLED.jsonl [--task claim]

The temperatures come on top of that of the shipped model, whose log-odds are divided by them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pipeline.bundle import load_bundle
from pipeline.classifiers.targets import encode_targets
from pipeline.labelling import read_labelled

ROOT = Path(__file__).parents[2]
TEMPERATURES = (1 / 1.2, 0.9, 1.0, 1.1, 1.2, 1.3)


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description="Log loss at several temperatures.")
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--task", default="claim")
    options = parser.parse_args()
    bundle = load_bundle(ROOT / "models" / "default")
    part = bundle.codebook.slice_of(options.task)
    documents, _ = read_labelled(options.labelled, bundle.codebook)
    labelled = [one for document in documents for one in document.sentences]
    wanted = encode_targets(labelled, bundle.codebook)[:, part]
    logits = bundle.classifier.predict_logits([one.sentence for one in labelled])
    chances = bundle.rule.probabilities(logits, bundle.codebook)[:, part].astype(np.float64)
    known = np.isfinite(wanted).all(axis=1)
    log, right = np.log(np.clip(chances[known], 1e-12, 1.0)), wanted[known].argmax(axis=1)
    for temperature in TEMPERATURES:
        flat = log / temperature
        flat -= np.logaddexp.reduce(flat, axis=1, keepdims=True)
        print(f"{temperature:.3f}  {-flat[np.arange(len(right)), right].mean():.4f}")


if __name__ == "__main__":
    main()
