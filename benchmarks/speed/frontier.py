"""Quality against speed of all ways to label, in one run on the same sentences.

    python -m benchmarks.speed.frontier MODELS STATEMENTS --eval LABELLED [--small FOLDER]
        [--openvino] [--plot FILE.svg]

MODELS is the folder of the trained models (models below the `work` of a training with
configs/default.yaml), STATEMENTS any file that `stance classify` reads, LABELLED a labelled file
the models never saw. Prints two tables in markdown, keeps nothing but the plot.

*Speed* is a ratio: how many times the sentences of transformers.pipeline(batch_size=32) with the
same fine-tuned weights, by processor time (all threads) and by the clock. In every round all ways
take turns on the same sentences, and a ratio is formed within the round, so that what else the
machine does hits both sides; the median of the rounds is shown. *Quality* is macro-F1 at thresholds
chosen on the calibration documents of the training.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import transformers

from benchmarks.peers.compare import Trial, prepare
from benchmarks.speed.cascade import Bools, CutOffs, cut_offs, risks
from benchmarks.speed.compare import hugging_face, read_sentences, transformer_in
from benchmarks.speed.static import as_static
from benchmarks.speed.turns import patient_threads
from pipeline.bundle import Bundle, load_bundle
from pipeline.bundle.attention import fused_attention
from pipeline.bundle.export import deployable, export_float32
from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.onnx import MODEL_FILE, OnnxClassifier, SavedOnnx, processors
from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.state import write_saved
from pipeline.classifiers.targets import encode_targets
from pipeline.classifiers.tokenization import Indices, length_batches, pad
from pipeline.codebook import Codebook
from pipeline.decision import Decisions, Probabilities
from pipeline.evaluation.metrics import measure, outcomes
from pipeline.records import LabelledSentence, Sentence
from pipeline.workflows.scoring import EvaluationSet, sentences_of

if TYPE_CHECKING:
    import openvino

LOSS = 0.005
"""What a cascade may lose: of macro-F1 of a task, and of F1 of a label."""
SHOWN = (0.02, 0.1)
"""Risks of the cascades that are measured whatever they lose."""

MEASURED = 300
"""Training sentences that ranges of static quantisation are measured on."""

CHEAP, DEAR = "linear", "ensemble, int8"

Result = tuple[Probabilities, Decisions]
Labels = Callable[[Sequence[Sentence]], Result]
Given = dict[str, Result]
"""What a way gives on every set."""


@dataclass(frozen=True)
class Way:
    """A way to label, and what it gives on the sets: macro-F1 by task and F1 by label."""

    title: str
    label: Callable[[list[Sentence]], object]
    figures: dict[str, dict[str, float]]


class OpenVino:
    """The same network in OpenVINO, several requests at a time, as its makers advise."""

    def __init__(self, model: OnnxClassifier, path: Path, precision: str) -> None:
        import openvino

        hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
        hints["INFERENCE_NUM_THREADS"] = str(processors())
        self._network = openvino.Core().compile_model(str(path), "CPU", hints)
        self._queue = openvino.AsyncInferQueue(self._network)
        self._model = model

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Tokenise and batch as the shipped engine does."""
        encodings = self._model.tokenizer.encode(sentences)
        logits = np.empty((len(sentences), self._model.codebook.width), dtype=np.float32)
        names = [node.get_any_name() for node in self._network.inputs]

        def keep(request: openvino.InferRequest, batch: Indices) -> None:
            logits[batch] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        for batch in length_batches([len(e) for e in encodings], 1024):
            arrays = pad([encodings[i] for i in batch])
            self._queue.start_async({name: arrays[name] for name in names}, batch)
        self._queue.wait_all()
        return logits


class Frontier:
    """Builds the ways and measures what they give."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.codebook = trial.codebook
        self.sets = [one for one in trial.sets if one.name != "gold"]  # five documents: too few
        self.calibration = EvaluationSet("calibration", trial.calibration)
        self.ways: list[Way] = []
        self.given: dict[str, Given] = {}

    def add(self, title: str, labels: Labels) -> None:
        """Add a way by what labels sentences."""
        given = {one.name: labels(plain(one.sentences)) for one in self.sets}
        self.add_scored(title, labels, given)

    def add_scored(
        self, title: str, label: Callable[[list[Sentence]], object], given: Given
    ) -> None:
        """Add a way of which is known already what it gives."""
        figures = {one.name: self.figures(one, *given[one.name]) for one in self.sets}
        self.ways.append(Way(title, label, figures))
        self.given[title] = given
        print(f"{title}: scored", flush=True)

    def figures(
        self, data: EvaluationSet, probabilities: Probabilities, decisions: Decisions
    ) -> dict[str, float]:
        """Return macro-F1 of every task and F1 of every label."""
        targets = encode_targets(data.sentences, self.codebook)
        seen = outcomes(data.groups, probabilities, decisions, targets, self.codebook)
        measured = measure(seen, self.codebook, np.ones((1, seen.document_count)))
        return {
            name: float(one.values[0])
            for name, one in measured.items()
            if name.endswith(("macro_f1", ".f1"))
        }

    def add_cascades(self, cheap: Bundle, dear: Bundle, sentences: Sequence[Sentence]) -> list[str]:
        """Add cascades at some risks and the best that keeps the loss; return what was found.

        Args:
            cheap, dear: models that were added as CHEAP and DEAR.
            sentences: real ones, of which the share decided is told.
        """
        known = plain(self.calibration.sentences)
        first, rest = cheap.predict(known), dear.predict(known)
        before = self.figures(self.calibration, *rest)
        real = cheap.predict(sentences)[0]
        rows, kept = [], None
        for risk in risks():
            found = cut_offs(first[0], first[1].given, rest[1].given, self.codebook, risk)
            sure = found.decides(first[0], self.codebook)
            after = self.figures(self.calibration, *mixed(sure, first, rest))
            lost = {name: before[name] - after[name] for name in before}
            of_task = max(loss for name, loss in lost.items() if name.endswith("macro_f1"))
            of_label = max(lost.values())
            shares = (sure.mean(), found.decides(real, self.codebook).mean())
            rows.append(
                f"| {risk:.2f} | {shares[0]:.1%} | {shares[1]:.1%} | {100 * of_task:.1f} "
                f"| {100 * of_label:.1f} |"
            )
            allowed = kept is None and of_label <= LOSS
            if allowed:
                kept = risk
            if allowed or risk in SHOWN:
                title = f"cascade, risk {risk:.2f}" + (" (allowed)" if allowed else "")
                self.add_scored(title, self.of(found, cheap, dear), self.as_cascade(found))
        if kept is None:
            rows.append("\nNo cascade keeps within the allowed loss.")
        return rows

    def as_cascade(self, found: CutOffs) -> Given:
        """Return what the cascade gives on every set, from what its two models give."""
        first, rest = self.given[CHEAP], self.given[DEAR]
        return {
            name: mixed(found.decides(first[name][0], self.codebook), first[name], rest[name])
            for name in first
        }

    def of(self, found: CutOffs, cheap: Bundle, dear: Bundle) -> Labels:
        """Return the cascade with these cut-offs."""

        def label(sentences: Sequence[Sentence]) -> Result:
            probabilities, decisions = cheap.predict(sentences)
            left = np.flatnonzero(~found.decides(probabilities, self.codebook))
            if len(left):
                better, given = dear.predict([sentences[i] for i in left])
                probabilities[left] = better
                decisions.given[left] = given.given
            return probabilities, decisions

        return label


def mixed(sure: Bools, first: Result, rest: Result) -> Result:
    """Return the labels of `first` where it is sure, else those of `rest`."""
    at = sure[:, None]
    given = np.where(at, first[1].given, rest[1].given)
    return np.where(at, first[0], rest[0]), Decisions(given, np.zeros_like(given))


def plain(labelled: Sequence[LabelledSentence]) -> list[Sentence]:
    """Return the sentences without their labels."""
    return [one.sentence for one in labelled]


def drawn(trial: Trial, number: int) -> list[Sentence]:
    """Return that many of the training sentences, drawn at random; all where there are fewer."""
    known = plain(sentences_of(trial.train))
    order = np.random.default_rng(trial.settings.seed).permutation(len(known))
    return [known[i] for i in order[:number]]


def as_int8(folder: Path, target: Path) -> Bundle:
    """Return a trained ensemble with its transformer exported as `stance promote` does.

    The shipped bundle would not do: it may have learned from what this training holds out.
    """
    made = load_bundle(folder)
    target.mkdir()
    return replace(made, classifier=deployable(made.classifier, target))


def int8_in(ensemble: Bundle) -> OnnxClassifier:
    """Return the exported transformer of an ensemble."""
    if isinstance(inner := ensemble.classifier, EnsembleClassifier):
        for member in inner.members:
            if isinstance(member, OnnxClassifier):
                return member
    raise SystemExit(f"{ensemble.model_id} is no ensemble with a transformer.")


def as_float(trained: Bundle, folder: Path, *, fused: bool) -> OnnxClassifier:
    """Export the trained transformer without making it smaller, into a new folder.

    Args:
        fused: with attention as one operator, as what is shipped; only ONNX Runtime reads that.
    """
    inner = transformer_in(trained.classifier)
    folder.mkdir()
    with fused_attention(inner.network) if fused else nullcontext():
        export_float32(inner.network, folder / MODEL_FILE, "logits")
    inner.tokenizer.save(folder)
    encoder = inner.settings.encoder
    saved = SavedOnnx(
        codebook=trained.codebook.signature,
        columns=trained.codebook.column_names,
        max_tokens=encoder.max_tokens,
        context=inner.settings.context,
    )
    write_saved(folder, saved)
    return OnnxClassifier.load(folder, trained.codebook)


def timed(
    ways: Sequence[Way], sentences: list[Sentence], rounds: int
) -> dict[str, tuple[float, float]]:
    """Return ratios to the last way, by processor time and by the clock, medians of the rounds."""
    taken: dict[str, list[tuple[float, float]]] = {way.title: [] for way in ways}
    for way in ways:
        way.label(sentences[:32])
    for number in range(rounds):
        turn = ways if number % 2 == 0 else ways[::-1]
        for way in turn:
            spent, clock = time.process_time(), time.perf_counter()
            way.label(sentences)
            took = (time.process_time() - spent, time.perf_counter() - clock)
            taken[way.title].append(took)
    base = taken[ways[-1].title]
    return {
        title: (
            statistics.median(b[0] / a[0] for a, b in zip(times, base, strict=True)),
            statistics.median(b[1] / a[1] for a, b in zip(times, base, strict=True)),
        )
        for title, times in taken.items()
    }


def table(
    ways: Sequence[Way],
    speeds: dict[str, tuple[float, float]],
    sets: Sequence[str],
    codebook: Codebook,
) -> str:
    """Return what was measured in markdown."""
    names = [f"{task}.macro_f1" for task in codebook.tasks]
    head = ["", "processor time", "clock"]
    head += [f"{task}, {data}" for data in sets for task in codebook.tasks]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for way in ways:
        cells = [way.title, *(f"{speed:.1f}" for speed in speeds[way.title])]
        cells += [f"{way.figures[data][name]:.3f}" for data in sets for name in names]
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plot(
    ways: Sequence[Way],
    speeds: dict[str, tuple[float, float]],
    data: str,
    codebook: Codebook,
    path: Path,
) -> None:
    """Draw macro-F1 of every task against speed, and the line of those that none dominates."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "frontier"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(codebook.tasks), figsize=(11, 5), sharex=True)
    for axis, task in zip(np.atleast_1d(axes), codebook.tasks, strict=True):
        points = [(speeds[w.title][0], w.figures[data][f"{task}.macro_f1"]) for w in ways]
        best = [p for p in points if not any(q[0] > p[0] and q[1] > p[1] for q in points)]
        axis.plot(*zip(*sorted(best), strict=True), color="tab:blue", linewidth=1)
        axis.scatter(*zip(*points, strict=True), color="tab:blue", s=18)
        for number, point in enumerate(points, start=1):
            axis.annotate(str(number), point, textcoords="offset points", xytext=(4, 4))
        axis.set_xscale("log")
        axis.set_xlabel("sentences a unit of processor time, transformers.pipeline = 1")
        axis.set_ylabel(f"macro-F1, {task}, {data}")
        axis.grid(alpha=0.3)
    listed = [f"{number} {way.title}" for number, way in enumerate(ways, start=1)]
    figure.text(0.01, 0.01, "\n".join(listed), fontsize=8, va="bottom")
    figure.tight_layout(rect=(0, 0.02 + 0.027 * len(listed), 1, 1))
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Build all ways, measure, print."""
    patient_threads()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("models", type=Path)
    parser.add_argument("statements", nargs="+")
    parser.add_argument("--eval", type=Path, action="append", required=True)
    parser.add_argument("--small", type=Path, help="a trained ensemble with fewer layers")
    parser.add_argument("--openvino", action="store_true", help="needs openvino installed")
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    transformers.logging.set_verbosity(logging.CRITICAL)
    trial, _ = prepare(Path("configs/default.yaml"), options.eval, None)
    frontier = Frontier(trial)
    sentences = read_sentences(options.statements, options.sentences)
    trained, linear = (load_bundle(options.models / name) for name in ("transformer", "linear"))
    frontier.add("rules", load_bundle(options.models / "rules").predict)
    frontier.add(CHEAP, linear.predict)
    frontier.add("embedding", load_bundle(options.models / "embedding").predict)
    with tempfile.TemporaryDirectory() as scratch:
        ensemble = as_int8(options.models / "ensemble", Path(scratch) / "ensemble")
        frontier.add("transformer, int8", replace(trained, classifier=int8_in(ensemble)).predict)
        frontier.add(DEAR, ensemble.predict)
        cascades = frontier.add_cascades(linear, ensemble, sentences)
        if options.small:
            fewer = as_int8(options.small, Path(scratch) / "small")
            frontier.add("ensemble of fewer layers, int8", fewer.predict)
        folder = Path(scratch) / "float"
        full = as_float(trained, folder, fused=False)
        name = "transformer, float32, ONNX Runtime"
        frontier.add(name, replace(trained, classifier=full).predict)
        rounded = Path(scratch) / "static"
        rounded.mkdir()
        fused = as_float(trained, Path(scratch) / "fused", fused=True)
        exported = Path(scratch) / "fused" / MODEL_FILE
        static = as_static(fused, exported, rounded, drawn(trial, MEASURED))
        frontier.add("transformer, int8, static", replace(trained, classifier=static).predict)
        if options.openvino:
            for precision in ("bf16", "f32"):  # the same network, so the same labels but for digits
                other = OpenVino(full, folder / MODEL_FILE, precision).predict_logits
                frontier.add_scored(f"{precision}, OpenVINO", other, frontier.given[name])
        theirs = "transformers.pipeline, batch 32"
        frontier.add_scored(theirs, hugging_face(trained), frontier.given[name])
        speeds = timed(frontier.ways, sentences, options.rounds)
    sets = [one.name for one in frontier.sets]
    many = f"{len(sentences)} sentences, {options.rounds} rounds in turns"
    print(f"\n{many}, {processors()} processors\n")
    print(table(frontier.ways, speeds, sets, frontier.codebook))
    print("\n| risk | decided, calibration | decided, real text | points lost, task | label |")
    print("|---:|---:|---:|---:|---:|")
    print("\n".join(cascades))
    if options.plot:
        plot(frontier.ways, speeds, sets[-1], frontier.codebook, options.plot)


if __name__ == "__main__":
    main()
