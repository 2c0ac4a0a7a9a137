"""Where the memory of `stance serve` goes: its network alone, and all the rest without a network.

    python -m benchmarks.service.parts STATEMENTS [--model models/default]

STATEMENTS as for load.py. *Network*: batches of random shape, up to as many tokens as the service
puts into one, two at a time, with and without the reserve of ONNX Runtime (its arena); each in a
process of its own. *The rest*: a service whose model gives every sentence the same, asked by three
clients. Prints the resident memory (Linux) before, in between and after.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import numpy as np
import onnxruntime

from benchmarks.service.load import Load, Phase, read_texts, service
from pipeline.bundle import BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.majority import MajorityClassifier
from pipeline.classifiers.onnx import MODEL_FILE, PREDICT_TOKENS, SLOW_FUSIONS
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import MajoritySettings

BATCHES, TOLD = 300, 3
"""Batches of the network, and after how many equal parts of them its memory is told."""

REQUESTS, CLIENTS, QUARTERS = 2000, 3, 4
LONGEST = 128
"""Tokens of a sentence at most."""


def resident() -> float:
    """Return the resident memory of this process in MB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("/proc/self/status does not tell the resident memory.")
    return int(found[1]) * 1024 / 1e6


def of_network(model: str, arena: bool) -> list[float]:
    """Return the memory before any batch, and after every part of them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = arena
    session = onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW_FUSIONS
    )
    names = [node.name for node in session.get_inputs()]
    draw = random.Random(3)  # noqa: S311 - no secret

    def run(shape: tuple[int, int]) -> None:
        given = {name: np.ones(shape, dtype=np.int64) for name in names}
        session.run(None, given)

    memory = [resident()]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(TOLD):
            lengths = [draw.randint(4, LONGEST) for _ in range(BATCHES // TOLD)]
            shapes = [(draw.randint(1, PREDICT_TOKENS // length), length) for length in lengths]
            for _ in pool.map(run, shapes):
                pass
            memory.append(resident())
    return memory


def write_majority(folder: Path, codebook: Codebook) -> None:
    """Write a model that looks at no sentence."""
    several = codebook.multilabel_tasks()
    labels = {
        name: () if name in several else tuple(task.labels)[:1]
        for name, task in codebook.tasks.items()
    }
    model = MajorityClassifier(codebook, MajoritySettings())
    model.fit([LabelledSentence(Sentence("d#0", "d", "We agree."), labels)])
    facts = BundleFacts(name="same", description="Always the same.", limits=("For tests.",))
    write_bundle(folder, model, DecisionRule.plain(codebook), facts)


async def of_the_rest(address: str, texts: Sequence[str]) -> list[float]:
    """Return the memory of the service before any request, and after each quarter of them."""
    phase = Phase("requests")
    async with httpx.AsyncClient(timeout=120) as client:
        load = Load(address, texts, client)

        async def told() -> float:
            text = (await client.get(f"{address}/metrics")).text
            found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
            if found is None:
                raise SystemExit("the service does not tell its memory")
            return float(found[1]) / 1e6

        async def ask(count: int) -> None:
            for _ in range(count):
                await load.ask(phase)

        memory = [await told()]
        for _ in range(QUARTERS):
            shares = [len(range(i, REQUESTS // QUARTERS, CLIENTS)) for i in range(CLIENTS)]
            await asyncio.gather(*(ask(share) for share in shares))
            memory.append(await told())
    if phase.statuses[200] != REQUESTS:
        raise SystemExit(f"requests were not answered: {dict(phase.statuses)}")
    return memory


def line(name: str, memory: Sequence[float]) -> str:
    """Return a row of the table."""
    return f"{name:34}{' '.join(f'{one:8.1f}' for one in memory)}"


def main() -> None:
    """Measure all parts and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("statements", type=Path)
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    options = parser.parse_args()
    networks = sorted(options.model.rglob(MODEL_FILE))
    if len(networks) != 1:
        raise SystemExit(f"{options.model} holds {len(networks)} networks; one is expected.")
    print(f"MB before, and after each third of {BATCHES} batches")
    for name, arena in (("network", True), ("network, without the arena", False)):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(line(name, pool.apply(of_network, (str(networks[0]), arena))), flush=True)
    print(f"MB before, and after each quarter of {REQUESTS:,} requests")
    with tempfile.TemporaryDirectory() as scratch:
        write_majority(Path(scratch) / "same", load_bundle(options.model).codebook)
        with service(Path(scratch) / "same") as address:
            memory = asyncio.run(of_the_rest(address, read_texts(options.statements)))
    print(line("all the rest", memory))


if __name__ == "__main__":
    main()
