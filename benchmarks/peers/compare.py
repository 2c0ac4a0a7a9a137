"""Compare the shipped classifier with what others would reach for, on the same documents.

    make peers                                        # once: the environment of the peers
    python -m benchmarks.peers.compare [--eval FILE] [--only NAME ...]

Every peer learns from the training documents of `stance train` (same settings, same split), gets
calibration and thresholds fitted on the same calibration documents by the same rule, and is scored
on held-out documents, gold labels and every --eval FILE. Prints one markdown table: macro-F1 with a
95 % interval (bootstrap over documents), training time, and the paired difference to the shipped
classifier with its interval and the p of a two-sided test that swaps whole documents.

Peers run one after the other, each in a process of its own, offline and without telemetry. What a
finished peer gave is kept in --out and used again while data, settings and its code are unchanged.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.exchange import Array, Facts, PeerTask, Work, read_result, write_work
from benchmarks.peers.registry import PEERS, Peer
from benchmarks.peers.scores import TaskScore, markdown, outcomes_of, task_scores, to_logits
from pipeline.bundle import Bundle, load_bundle
from pipeline.classifiers.encoder import resolve_encoder
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.evaluation.metrics import Outcomes
from pipeline.records import LabelledDocument, LabelledSentence
from pipeline.settings.classifiers import EncoderSettings
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.training.decision_rule import fit_decision_rule
from pipeline.training.splits import Split
from pipeline.workflows.scoring import (
    HELD_OUT,
    EvaluationSet,
    evaluation_sets,
    groups_of,
    sentences_of,
)
from pipeline.workflows.train import split_corpus

ROOT = Path(__file__).parents[2]
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "passive",
}
"""Set in the processes of peers: nothing is fetched, nothing is reported."""

Row = tuple[str, str, str, dict[str, TaskScore]]


class Notes:
    """A watcher that prints notes beside the table."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Print to standard error."""
        print(text, file=sys.stderr)


@dataclass(frozen=True)
class Trial:
    """The data of one comparison, and the settings it is scored by."""

    settings: PipelineSettings
    codebook: Codebook
    train: tuple[LabelledDocument, ...]
    calibration: tuple[LabelledDocument, ...]
    sets: tuple[EvaluationSet, ...]

    def work(self, setfit_pairs: int) -> Work:
        """Return what peers learn from."""
        sentences = sentences_of(self.train)
        return Work(
            tasks={
                name: PeerTask(tuple(task.labels), task.type is TaskType.MULTILABEL)
                for name, task in self.codebook.tasks.items()
            },
            texts=tuple(one.sentence.text for one in sentences),
            labels=tuple({t: one.labels.get(t) for t in self.codebook.tasks} for one in sentences),
            encoder=str(resolve_encoder(EncoderSettings())),
            seed=self.settings.seed,
            setfit_pairs=setfit_pairs,
        )

    def to_predict(self) -> list[LabelledSentence]:
        """Return the calibration sentences, then those of every set."""
        return sentences_of(self.calibration) + [s for one in self.sets for s in one.sentences]

    def of_shipped(self, shipped: Bundle) -> list[Outcomes]:
        """Return what the shipped classifier makes of every set, at its own thresholds."""
        return [
            outcomes_of(
                shipped.classifier.predict_logits([one.sentence for one in data.sentences]),
                shipped.rule,
                data,
                self.codebook,
            )
            for data in self.sets
        ]

    def of_peer(self, probabilities: dict[str, Array]) -> list[Outcomes]:
        """Return what a peer makes of every set; `probabilities` are those of `to_predict`."""
        logits = to_logits(probabilities, self.codebook)
        labelled = sentences_of(self.calibration)
        rule, _ = fit_decision_rule(
            logits[: len(labelled)],
            encode_targets(labelled, self.codebook),
            groups_of(self.calibration),
            self.codebook,
            folds=self.settings.split.threshold_folds,
            seed=self.settings.seed,
            prevalence=self.settings.prevalence,
        )
        ends = np.cumsum([len(labelled), *(len(data.sentences) for data in self.sets)])
        return [
            outcomes_of(logits[begin:end], rule, data, self.codebook)
            for begin, end, data in zip(ends, ends[1:], self.sets, strict=False)
        ]

    def rows(
        self, title: str, training: str, seen: Sequence[Outcomes], shipped: Sequence[Outcomes]
    ) -> list[Row]:
        """Return one row of the table a set; the shipped classifier is not compared with itself."""
        chosen = {"replicates": self.settings.evaluation.replicates, "seed": self.settings.seed}
        return [
            (
                data.name,
                title,
                training,
                task_scores(one, None if one is ours else ours, self.codebook, **chosen),
            )
            for data, one, ours in zip(self.sets, seen, shipped, strict=True)
        ]


def prepare(config: Path, external: Sequence[Path], documents: int | None) -> tuple[Trial, Split]:
    """Read the data and split them as `stance train` does.

    `documents` keeps that many of the training documents, drawn at random, for quick trials.
    """
    settings = load_settings(config)
    codebook = load_codebook(settings.codebook)
    _, split = split_corpus(settings, codebook, Notes())
    evaluation = settings.evaluation.model_copy(
        update={"external": (*settings.evaluation.external, *external)}
    )
    sets = evaluation_sets(split.test, settings.data, evaluation, codebook, Notes())
    train = split.train
    if documents is not None:
        order = np.random.default_rng(settings.seed).permutation(len(train))
        train = tuple(train[i] for i in sorted(order[:documents]))
    return Trial(settings, codebook, train, split.calibration, tuple(sets)), split


def learned_elsewhere(shipped: Bundle, split: Split, seed: int) -> bool:
    """Say whether the shipped classifier was trained with another split than this one."""
    parts = {"train": split.train, "calibration": split.calibration, "test": split.test}
    wanted = {f"documents for {use}": str(len(part)) for use, part in parts.items()}
    wanted["seed"] = str(seed)
    said = shipped.manifest.facts.training
    return any(said.get(key) != value for key, value in wanted.items())


def result_of(name: str, peer: Peer, folder: Path, python: Path) -> tuple[dict[str, Array], Facts]:
    """Return what a peer gave, running it where that is not known yet."""
    out = folder / name
    kept = read_result(out)
    if kept is not None and kept[1].code == peer.code():
        return kept
    interpreter = python if peer.own_environment else Path(sys.executable)
    if not interpreter.is_file():
        raise SystemExit(
            f"{peer.title} needs the environment of the peers, and {interpreter} is missing. "
            "Run `make peers` once, or name other peers with --only."
        )
    print(f"{peer.title}: running", file=sys.stderr)
    command = [str(interpreter.absolute()), "-m", "benchmarks.peers.run_peer", name]
    log = folder / f"{name}.log"
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            [*command, str(folder.absolute()), str(out.absolute())],
            cwd=ROOT,
            env={**os.environ, **QUIET},
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    found = read_result(out)
    if done.returncode or found is None:
        raise SystemExit(f"{peer.title} failed with exit code {done.returncode}; see {log}.")
    return found


def main() -> None:
    """Run the peers that are asked for and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    parser.add_argument("--eval", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("experiments/peers"))
    parser.add_argument("--python", type=Path, default=Path("experiments/peers-venv/bin/python"))
    parser.add_argument("--documents", type=int, help="train peers on so many documents only")
    parser.add_argument("--setfit-pairs", type=int, default=5120)
    options = parser.parse_args()
    trial, split = prepare(options.config, options.eval, options.documents)
    shipped = load_bundle(options.model)
    if shipped.codebook.signature != trial.codebook.signature:
        raise SystemExit(f"{options.model} has other labels than the codebook of the settings.")
    if learned_elsewhere(shipped, split, trial.settings.seed):
        print(
            f"{options.model} was trained with another split: it may have seen documents that are "
            f"'{HELD_OUT}' here. Leave that part of the table aside.",
            file=sys.stderr,
        )
    texts = [one.sentence.text for one in trial.to_predict()]
    folder = write_work(options.out, trial.work(options.setfit_pairs), texts)
    ours = trial.of_shipped(shipped)
    rows = trial.rows(f"shipped ({shipped.manifest.kind}, int8)", "", ours, ours)
    for name in options.only:
        probabilities, facts = result_of(name, PEERS[name], folder, options.python)
        seen = trial.of_peer(probabilities)
        rows += trial.rows(PEERS[name].title, f"{facts.train_seconds:.0f} s", seen, ours)
    order = [data.name for data in trial.sets]
    rows.sort(key=lambda row: order.index(row[0]))
    n = len(trial.train)
    print(f"Trained on {n} documents; SetFit on {options.setfit_pairs} pairs a task at most.\n")
    print(markdown(rows, trial.codebook))


if __name__ == "__main__":
    main()
