"""Train one peer and score sentences with it; started by the comparison, one process a peer.

python -m benchmarks.peers.run_peer NAME WORK OUT
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.peers.exchange import Facts, read_work, write_result
from benchmarks.peers.registry import PEERS


def main(name: str, work_folder: str, out: str) -> None:
    """Run the peer `name` and write its result."""
    peer = PEERS[name]
    work, texts = read_work(Path(work_folder))
    method = importlib.import_module(f"benchmarks.peers.methods.{peer.module}")
    begun = time.perf_counter()
    predict = method.fit(work)
    trained = time.perf_counter()
    probabilities = predict(texts)
    done = time.perf_counter()
    for task, spec in work.tasks.items():
        found = probabilities[task]
        if found.shape != (len(texts), len(spec.labels)) or not np.isfinite(found).all():
            raise SystemExit(f"{name}: got probabilities of shape {found.shape} for '{task}'")
    write_result(Path(out), probabilities, Facts(trained - begun, done - trained, peer.code()))


if __name__ == "__main__":
    main(*sys.argv[1:])
