"""Measure how labelling scales from one worker to two, and what each step of it costs.

    python -m benchmarks.scale.measure STATEMENTS [--model models/default] [--rounds 3]

STATEMENTS is a JSONL file of documents, large enough for a few minutes. A worker is a machine of
one processor: a Ray node of its own, all of whose processes are bound to that processor. One worker
and two take turns; with --rounds 0 the steps alone are measured. Prints the measurements, and time
and cost of 10⁹ sentences by the formulas of docs/scale.md; prices and the speed of graphics
processors are options, not measurements.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pipeline.bundle import load_bundle
from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.onnx import OnnxClassifier
from pipeline.classifiers.placement import Device
from pipeline.classifiers.protocol import Classifier
from pipeline.inference import Unfinished, label_sentences
from pipeline.ingest import Reading
from pipeline.ingest.identities import Judge, survey
from pipeline.ingest.parts import whole
from pipeline.records import Sentence, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify_on_ray import Cluster, classify_on_ray

T = TypeVar("T")

UNITS = 40
"""So many units of work; by default there would be too few in a short measurement."""
SAMPLE = 2000
"""Sentences that are labelled to time the steps."""
SENTENCES = 10**9


@dataclass
class Clock:
    """Notes when units were read and labelled."""

    read: float = 0.0
    labelled: list[float] = field(default_factory=list)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Take the time."""
        del done, total
        if what == "units labelled":
            self.labelled.append(time.perf_counter())
        else:
            self.read = time.perf_counter()

    def note(self, text: str) -> None:
        """Ignore."""


@contextmanager
def machines(processors: Sequence[int]) -> Iterator[None]:
    """Start one Ray node a processor, each bound to its own."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster as LocalCluster

    allowed = os.sched_getaffinity(0)
    cluster = LocalCluster()
    try:
        for number, processor in enumerate(processors):
            os.sched_setaffinity(0, {processor})
            cluster.add_node(num_cpus=1, **({} if number else {"include_dashboard": False}))
        os.sched_setaffinity(0, allowed)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield
    finally:
        os.sched_setaffinity(0, allowed)
        ray.shutdown()
        cluster.shutdown()


def label(statements: Path, model: Path, processors: Sequence[int]) -> tuple[float, float]:
    """Return sentences a second, of the whole job and while all workers label.

    The second leaves out what does not grow with the input: the start of the workers, which ends
    with the first unit of each, and the end of the job, when there is no unit left for some.
    """
    clock = Clock()
    with machines(processors), tempfile.TemporaryDirectory() as scratch:
        begun = time.perf_counter()
        summary = classify_on_ray(
            [str(statements)],
            IngestSettings(),
            load_bundle(model, device=Device.CPU),
            model,
            Path(scratch) / "out",
            device=Device.CPU,
            cluster=Cluster(workers=len(processors), unit_bytes=statements.stat().st_size // UNITS),
            unfinished=Unfinished.REFUSE,
            watcher=clock,
        )
        total = time.perf_counter() - begun
    edge = 2 * len(processors)
    inner = clock.labelled[edge:-edge]
    share = (len(inner) - 1) / len(clock.labelled)
    return summary.sentences / total, summary.sentences * share / (inner[-1] - inner[0])


@dataclass(frozen=True)
class Steps:
    """Seconds of one processor a sentence, and bytes a sentence of the input."""

    survey: float
    judging: float
    reading: float
    tokenising: float
    labelling: float
    bytes: float

    @property
    def unit(self) -> float:
        """All that a worker does for a sentence."""
        return self.survey + self.reading + self.labelling

    @property
    def beside_the_network(self) -> float:
        """What is left to processors where a graphics processor computes the network."""
        return self.survey + self.reading + self.tokenising


def steps(statements: Path, model: Path) -> Steps:
    """Time the steps in processor time, which other work on the machine hardly changes."""
    settings = IngestSettings()
    seconds, found = timed(lambda: survey([whole(statements)], settings))
    judging, _ = timed(lambda: Judge(settings).judge(found.found))
    cutting, sentences = timed(lambda: read_sentences(statements))
    bundle = load_bundle(model, device=Device.CPU)
    tokenizer = network_in(bundle.classifier).tokenizer
    sample = sentences[:SAMPLE]
    tokenising, _ = timed(lambda: tokenizer.encode(sample))
    labelling, _ = timed(lambda: list(label_sentences(sample, bundle)))
    n = len(sentences)
    size = statements.stat().st_size / n
    m = len(sample)
    return Steps(seconds / n, judging / n, cutting / n, tokenising / m, labelling / m, size)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds of processor time that `work` takes, in all threads, and its result."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def read_sentences(statements: Path) -> list[Sentence]:
    """Return all sentences of a file."""
    return [
        sentence
        for item in Reading([statements], IngestSettings())
        if isinstance(item, Statement)
        for sentence in segment(item)
    ]


def network_in(classifier: Classifier) -> OnnxClassifier:
    """Return the network itself or the one that is a member of an ensemble."""
    if isinstance(classifier, EnsembleClassifier):
        return next(m for m in classifier.members if isinstance(m, OnnxClassifier))
    if not isinstance(classifier, OnnxClassifier):
        raise SystemExit(f"The model is of kind '{classifier.kind}'; give an exported one.")
    return classifier


def project(cost: Steps, options: argparse.Namespace) -> None:
    """Print time and cost of 10⁹ sentences on clusters of processors and graphics processors."""
    beside = cost.beside_the_network
    serial = SENTENCES * cost.judging
    print(f"\n{SENTENCES:.0e} sentences, {SENTENCES * cost.bytes / 1e9:.0f} GB; prices are options")
    print(f"{'cluster':30}{'sentences/s':>13}{'hours':>9}{'cost':>10}")
    for processors in (64, 256, 1024):
        speed = processors * options.efficiency / cost.unit
        hours = (SENTENCES / speed + serial) / 3600
        price = hours * processors * options.price_processor
        print(f"{f'{processors} processors':30}{speed:13,.0f}{hours:9.1f}{price:10,.0f}")
    for cards in (1, 4, 16):
        fed = options.processors_a_card / beside
        speed = min(options.card, fed) * cards * options.efficiency
        hours = (SENTENCES / speed + serial) / 3600
        name = f"{cards} cards, {options.processors_a_card} processors each"
        price = hours * cards * options.price_card
        print(f"{name:30}{speed:13,.0f}{hours:9.1f}{price:10,.0f}")
    busy = options.card * beside
    print(f"a card at {options.card:,.0f} sentences/s keeps {busy:.1f} processors busy")


def main() -> None:
    """Measure and project."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("statements", type=Path)
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--efficiency", type=float, default=0.9, help="of many workers; assumed")
    parser.add_argument("--card", type=float, default=20_000, help="sentences/s a card; assumed")
    parser.add_argument("--processors-a-card", type=int, default=8)
    parser.add_argument("--price-processor", type=float, default=0.04, help="an hour; assumed")
    parser.add_argument("--price-card", type=float, default=1.00, help="an hour; assumed")
    options = parser.parse_args()
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        raise SystemExit("Two processors are needed.")
    rounds = []
    for number in range(options.rounds):
        one = label(options.statements, options.model, processors[:1])
        two = label(options.statements, options.model, processors)
        rounds.append((one, two))
        print(
            f"round {number + 1}: one worker {one[0]:.0f} sentences/s, {one[1]:.0f} while "
            f"labelling; two {two[0]:.0f}, {two[1]:.0f}; efficiency {two[1] / one[1] / 2:.2f}",
            flush=True,
        )
    if rounds:
        print(f"efficiency, median: {statistics.median(b[1] / a[1] / 2 for a, b in rounds):.2f}")
    cost = steps(options.statements, options.model)
    print("\nprocessor time, µs a sentence")
    for name, seconds in (
        ("survey: reading, cleaning, hashing", cost.survey),
        ("judging of duplicates, in one place", cost.judging),
        ("reading, cleaning, cutting", cost.reading),
        ("tokenising", cost.tokenising),
        ("labelling, tokenising included", cost.labelling),
        ("a worker in all", cost.unit),
    ):
        print(f"{name:40}{seconds * 1e6:10.1f}")
    project(cost, options)


if __name__ == "__main__":
    main()
