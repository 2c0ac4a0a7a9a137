"""Fill a store with runs through the real logging code, and time how `stance ui` opens on it.

    python -m benchmarks.ui.many_runs 200

Every run logs parameters, environment, data and scores with intervals as `stance train` does, those
of single labels in a run below it, of the shipped model on the gold labels with noise of its own.
Predictions and plots are left out: they are files that the table of runs does not read. Then
`stance ui` is started, and the time is taken until Chromium shows the table; three times.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.ui.browser import browser, open_page, running_ui, shows
from pipeline.bundle import load_bundle
from pipeline.classifiers.targets import encode_targets
from pipeline.decision import Probabilities
from pipeline.evaluation.report import evaluate
from pipeline.labelling import read_labelled
from pipeline.tracking import Store, open_store, start_run, ui_address
from pipeline.tracking.naming import metrics_of
from pipeline.tracking.view import comparison_view
from pipeline.workflows.scoring import EvaluationSet

ROOT = Path(__file__).parents[2]
PORT = 5917


def fill(store: Store, runs: int) -> None:
    """Log runs of one model whose probabilities are disturbed a little differently each time."""
    bundle = load_bundle(ROOT / "models" / "default")
    codebook = bundle.codebook
    documents, _ = read_labelled(ROOT / "seeds" / "gold" / "gold.jsonl", codebook)
    data = EvaluationSet("gold", tuple(documents))
    labelled = data.sentences
    logits = bundle.classifier.predict_logits([one.sentence for one in labelled])
    targets = encode_targets(labelled, codebook)
    for number in range(runs):
        noise = np.random.default_rng(number).normal(0.0, 0.5, logits.shape)
        disturbed = (logits + noise).astype(logits.dtype)
        probabilities: Probabilities = bundle.rule.probabilities(disturbed, codebook)
        report = evaluate(
            data.groups,
            probabilities,
            bundle.rule.decide(probabilities, codebook),
            targets,
            codebook,
            dataset=data.name,
            replicates=100,
            seed=number,
        )
        tags = {"stance.model": "noisy", "stance.kind": bundle.manifest.kind}
        with start_run(store, "many", f"noisy {number:03}", tags=tags) as run:
            run.params({"noise": 0.5, "seed": number})
            run.environment()
            run.dataset("gold", documents, codebook)
            run.metrics(metrics_of(report, headlines_only=True))
            with run.child("scores", level="scores") as scores:
                scores.metrics(metrics_of(report, headlines_only=False))
            run.describe("The shipped model with noise on its logits.")
    with store.reported("save the view"):
        for name, value in comparison_view([report]).items():
            store.client.set_experiment_tag(store.experiment("many"), name, value)


def opened(store: Store) -> float:
    """Return the seconds from the start of the command until the browser shows the runs."""
    address = ui_address(store, "many", host="127.0.0.1", port=PORT)
    with browser() as driver:
        started = time.perf_counter()
        with running_ui(store.uri, PORT) as server:
            open_page(driver, address, server)
            shows(driver, "noisy")
            return time.perf_counter() - started


def main() -> None:
    """Fill a store, or take one that is full, and time it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=int)
    parser.add_argument("--store", type=Path, help="keep the store in this file, or reuse it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stance-ui-") as scratch:
        file = options.store or Path(scratch) / "mlflow.db"
        known = file.exists()
        store = open_store(f"sqlite:///{file.resolve()}")
        if not known:
            started = time.perf_counter()
            fill(store, options.runs)
            print(f"{options.runs} runs logged in {time.perf_counter() - started:.0f} s")
        times = [opened(store) for _ in range(3)]
    print("stance ui opens in " + ", ".join(f"{seconds:.1f} s" for seconds in times))


if __name__ == "__main__":
    main()
