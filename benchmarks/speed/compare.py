"""Compare speeds in one run: `stance classify` against transformers.pipeline and SetFit.

    python -m benchmarks.speed.compare TRAINED STATEMENTS [--model models/default]

TRAINED is the folder of the trained model behind the shipped one (models/NAME below the `work` of
a training); STATEMENTS any file or folder that `stance classify` reads. Speeds are given as ratios,
taken in turns in one run, because absolute times depend on the machine: by the clock, and by the
time of all processors, which what else runs changes little. SetFit runs where its environment is
(`make peers`), one model a task as it must, with the encoder of the shipped model; it learns from a
few of the sentences only, because how fast it predicts hangs on its encoder. Also prints the shares
of the steps and the time of a cold start. Keeps nothing.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
import transformers
from transformers import PreTrainedTokenizerFast, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

from benchmarks.peers.exchange import PeerTask, Work, write_work
from benchmarks.speed.turns import Took, beside, patient_threads, took
from pipeline.bundle import Bundle, load_bundle
from pipeline.classifiers.encoder import resolve_encoder
from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.network import MultitaskNetwork
from pipeline.classifiers.onnx import OnnxClassifier
from pipeline.classifiers.protocol import Classifier
from pipeline.classifiers.transformer import TransformerClassifier
from pipeline.codebook import TaskType
from pipeline.decision import to_predictions
from pipeline.inference import RowFormat, StatementFacts, label_sentences
from pipeline.inference.sinks import JsonlSink
from pipeline.ingest import Reading, find_inputs
from pipeline.records import Sentence, Statement
from pipeline.segmentation import segment
from pipeline.settings.classifiers import EncoderSettings
from pipeline.settings.ingest import IngestSettings

LEARNED, PAIRS = 64, 16
"""Sentences that SetFit learns from, and pairs of them: one step."""


class AsPipelineExpects(MultitaskNetwork):
    """The same network with the output type that transformers.pipeline asks for."""

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        segments = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        return SequenceClassifierOutput(logits=super().forward(input_ids, attention_mask, segments))


def transformer_in(classifier: Classifier) -> TransformerClassifier:
    """Return the transformer itself or the one that is a member of an ensemble."""
    if isinstance(classifier, EnsembleClassifier):
        return next(m for m in classifier.members if isinstance(m, TransformerClassifier))
    if not isinstance(classifier, TransformerClassifier):
        raise SystemExit(f"TRAINED is of kind '{classifier.kind}'; give one with a transformer.")
    return classifier


def read_sentences(patterns: list[str], limit: int) -> list[Sentence]:
    """Return the first `limit` different sentences, so that no cache of equal ones helps."""
    found: dict[str, Sentence] = {}
    for item in Reading(find_inputs(patterns), IngestSettings()):
        if isinstance(item, Statement):
            for sentence in segment(item):
                found.setdefault(sentence.text, sentence)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def hugging_face(trained: Bundle) -> Callable[[list[Sentence]], None]:
    """Return transformers.pipeline(batch_size=32) on the trained weights, all labels scored."""
    inner = transformer_in(trained.classifier)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        inner.save(folder)
        network = AsPipelineExpects.from_pretrained(folder).eval()
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"),
            pad_token="[PAD]",  # noqa: S106 - a token of text, not a secret
            model_max_length=inner.settings.encoder.max_tokens,
        )
    network.config.id2label = dict(enumerate(trained.codebook.column_names))
    run = pipeline(
        "text-classification",
        model=network,
        tokenizer=tokenizer,
        batch_size=32,
        top_k=None,
        function_to_apply="sigmoid",
    )

    def classify(sentences: list[Sentence]) -> None:
        run([sentence.text for sentence in sentences], truncation=True)

    return classify


@contextmanager
def set_fit(model: Bundle, sentences: list[Sentence], python: Path) -> Iterator[Callable[[], Took]]:
    """Yield what lets SetFit predict all sentences once; it learns labels of `model`."""
    known = list(label_sentences(sentences[:LEARNED], model))
    several = {
        name: task.type is TaskType.MULTILABEL for name, task in model.codebook.tasks.items()
    }
    work = Work(
        tasks={
            name: PeerTask(tuple(task.labels), several[name])
            for name, task in model.codebook.tasks.items()
        },
        texts=tuple(one.sentence.text for one in known),
        labels=tuple({name: one.labels.get(name) for name in several} for one in known),
        encoder=str(resolve_encoder(EncoderSettings())),
        seed=0,
        setfit_pairs=PAIRS,
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = write_work(Path(scratch), work, [sentence.text for sentence in sentences])
        with beside("setfit", folder, python) as turn:
            yield turn


def throughput(
    model: Bundle, trained: Bundle, sentences: list[Sentence], rounds: int, python: Path
) -> None:
    """Print sentences a second of all, taken in turns, and the medians of the ratios."""
    theirs = hugging_face(trained)

    def ours(batch: list[Sentence]) -> None:
        for _ in label_sentences(batch, model):
            pass

    ours(sentences[:64])
    theirs(sentences[:64])
    first = f"stance ({model.manifest.kind}, int8)"
    turns = {
        first: lambda: took(lambda: ours(sentences)),
        "transformers.pipeline, batch 32": lambda: took(lambda: theirs(sentences)),
    }
    with ExitStack() as stack:
        if python.exists():
            turns["SetFit, one model a task"] = stack.enter_context(
                set_fit(model, sentences, python)
            )
        else:
            print(f"\nNo {python}: SetFit is left out (make peers).")
        found: dict[str, list[Took]] = {name: [] for name in turns}
        for number in range(rounds):
            for name in list(turns) if number % 2 == 0 else list(turns)[::-1]:
                found[name].append(turns[name]())
    n = len(sentences)
    print(f"\n{n} sentences, {rounds} rounds in turns, {torch.get_num_threads()} threads")
    print(f"{'':34}{'sentences/s':>12}{'of a processor':>16}{'times as long':>15}{'processor':>11}")
    for name, times in found.items():
        clock, spent = (statistics.median(one[i] for one in times) for i in (0, 1))
        ratios = [
            statistics.median(b[i] / a[i] for a, b in zip(found[first], times, strict=True))
            for i in (0, 1)
        ]
        print(f"{name:34}{n / clock:12.0f}{n / spent:16.0f}{ratios[0]:15.1f}{ratios[1]:11.1f}")
    print("rates are medians; so are the ratios, formed within a round")


def processor(work: Callable[[], object]) -> float:
    """Return how much time of all processors `work` takes."""
    return took(work)[1]


def shares(model: Path, patterns: list[str], sentences: list[Sentence]) -> None:
    """Print what part of the processor's time each step takes, one after the other on one thread.

    Reading and cutting are timed on as many statements as hold the sentences.
    """
    bundle = load_bundle(model)
    members = [bundle.classifier]
    if isinstance(bundle.classifier, EnsembleClassifier):
        members = list(bundle.classifier.members)
    network = next(member for member in members if isinstance(member, OnnxClassifier))
    rest = [member for member in members if member is not network]
    rows = RowFormat(bundle.codebook)

    def written() -> None:
        scores = bundle.rule.probabilities(logits, bundle.codebook)
        made = to_predictions(
            sentences,
            scores,
            bundle.rule.decide(scores, bundle.codebook),
            bundle.codebook,
            model_id=bundle.model_id,
        )
        JsonlSink(io.BytesIO(), rows).write([rows.row(one, StatementFacts()) for one in made])

    logits = bundle.classifier.predict_logits(sentences)
    tokens = processor(lambda: network.tokenizer.encode(sentences))
    spent = {
        "reading and cutting": processor(lambda: read_sentences(patterns, len(sentences))),
        "tokenising": tokens,
        "network": processor(lambda: network.predict_logits(sentences)) - tokens,
        "other members": processor(lambda: [one.predict_logits(sentences) for one in rest]),
        "deciding and writing rows": processor(written),
    }
    print("\nshare of the processor's time")
    for name, share in spent.items():
        print(f"{name:34}{share / sum(spent.values()):12.1%}")


def of_children() -> float:
    """Return the processor time, user and system, of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cold_start(model: Path, statement: str, rounds: int) -> None:
    """Print the time of one whole `stance classify` of a short file against bare imports."""
    command = [sys.executable, "-m", "pipeline.cli.app", "classify", statement, "-m", str(model)]
    bare = [sys.executable, "-c", "import onnxruntime, tokenizers"]
    # Modules of an installed program are compiled once. Where this variable is set, nothing that
    # was compiled is kept, so that every start would compile all of them anew.
    keeping = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run(words: list[str]) -> Took:
        clock, spent = time.perf_counter(), of_children()
        subprocess.run(words, check=True, capture_output=True, env=keeping)
        return time.perf_counter() - clock, of_children() - spent

    run(command)
    run(bare)
    pairs = [(run(command), run(bare)) for _ in range(rounds)]
    found = {
        "stance classify": [a for a, _ in pairs],
        "import onnxruntime, tokenizers": [b for _, b in pairs],
    }
    print("\ncold start of one short file, seconds (medians)")
    print(f"{'':34}{'clock':>12}{'processor':>12}")
    for name, times in found.items():
        clock, spent = (statistics.median(one[i] for one in times) for i in (0, 1))
        print(f"{name:34}{clock:12.2f}{spent:12.2f}")
    ratios = [statistics.median(a[i] / b[i] for a, b in pairs) for i in (0, 1)]
    print(f"{'ratio, median of rounds':34}{ratios[0]:12.1f}{ratios[1]:12.1f}")


def main() -> None:
    """Run all comparisons."""
    patient_threads()
    transformers.logging.set_verbosity(logging.CRITICAL)  # it lists every architecture it knows
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("trained", type=Path)
    parser.add_argument("statements", nargs="+")
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", default="seeds/statements/000_2b896f655c07ef2f.txt")
    parser.add_argument("--python", type=Path, default=Path("experiments/peers-venv/bin/python"))
    options = parser.parse_args()
    sentences = read_sentences(options.statements, options.sentences)
    cold_start(options.model, options.short, rounds=5)
    shares(options.model, options.statements, sentences)
    model, trained = load_bundle(options.model), load_bundle(options.trained)
    throughput(model, trained, sentences, options.rounds, options.python)


if __name__ == "__main__":
    main()
