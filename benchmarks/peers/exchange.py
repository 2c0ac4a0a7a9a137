"""What passes between the comparison and a peer, as files: a peer may run in another environment.

    WORK/tasks.json       tasks, encoder, seed and caps
    WORK/train.jsonl      {"text": ..., "labels": {task: [label, ...] or null where unknown}}
    WORK/predict.jsonl    {"text": ...}
    OUT/probabilities.npz one array a task, float64 (n, labels)
    OUT/facts.json        what it cost

Nothing here imports the project: the environment of the peers does not have it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = Mapping[str, Sequence[str] | None]
Predictor = Callable[[list[str]], dict[str, Array]]
"""Returns the probability of every label of every task, arrays of shape (n, labels)."""

PROBABILITIES, FACTS = "probabilities.npz", "facts.json"
_TASKS, _TRAIN, _PREDICT = "tasks.json", "train.jsonl", "predict.jsonl"


@dataclass(frozen=True)
class PeerTask:
    """A task as peers see it; with `several`, a sentence has none, one or several labels."""

    labels: tuple[str, ...]
    several: bool


@dataclass(frozen=True)
class Work:
    """What every peer is given: the same sentences, the same encoder, the same seed.

    `setfit_pairs` is the most pairs of sentences that SetFit compares, a task.
    """

    tasks: Mapping[str, PeerTask]
    texts: tuple[str, ...]
    labels: tuple[Labels, ...]
    encoder: str
    seed: int
    setfit_pairs: int

    def known(self, task: str) -> tuple[list[str], Array]:
        """Return the m sentences whose labels of `task` are known, and 0/1 of (m, labels)."""
        names = self.tasks[task].labels
        rows = [(t, y[task]) for t, y in zip(self.texts, self.labels, strict=True)]
        texts = [text for text, given in rows if given is not None]
        matrix = [[float(n in given) for n in names] for _, given in rows if given is not None]
        return texts, np.asarray(matrix, dtype=np.float64).reshape(len(texts), len(names))


@dataclass(frozen=True)
class Facts:
    """What a peer cost, in seconds, and the hash of the code that ran."""

    train_seconds: float
    predict_seconds: float
    code: str


def write_work(folder: Path, work: Work, to_predict: Sequence[str]) -> Path:
    """Write what peers read into a folder of `folder` named by its content, and return that."""
    tasks = {
        "tasks": {name: asdict(task) for name, task in work.tasks.items()},
        "encoder": work.encoder,
        "seed": work.seed,
        "setfit_pairs": work.setfit_pairs,
    }
    train = [{"text": t, "labels": y} for t, y in zip(work.texts, work.labels, strict=True)]
    contents = {
        _TASKS: json.dumps(tasks, ensure_ascii=False),
        _TRAIN: _lines(train),
        _PREDICT: _lines([{"text": text} for text in to_predict]),
    }
    digest = hashlib.sha256("\0".join(contents.values()).encode()).hexdigest()
    target = folder / f"work-{digest[:12]}"
    target.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (target / name).write_text(content, encoding="utf-8")
    return target


def read_work(folder: Path) -> tuple[Work, list[str]]:
    """Return what `write_work` wrote: the work, and the sentences to score."""
    head = json.loads((folder / _TASKS).read_text(encoding="utf-8"))
    train = _rows(folder / _TRAIN)
    work = Work(
        tasks={
            name: PeerTask(tuple(task["labels"]), task["several"])
            for name, task in head["tasks"].items()
        },
        texts=tuple(row["text"] for row in train),
        labels=tuple(row["labels"] for row in train),
        encoder=head["encoder"],
        seed=head["seed"],
        setfit_pairs=head["setfit_pairs"],
    )
    return work, [row["text"] for row in _rows(folder / _PREDICT)]


def write_result(folder: Path, probabilities: Mapping[str, Array], facts: Facts) -> None:
    """Write the probabilities, then the facts, whose presence says that the peer is finished."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / PROBABILITIES, **probabilities)
    partial = folder / f"{FACTS}.partial"
    partial.write_text(json.dumps(asdict(facts)), encoding="utf-8")
    partial.replace(folder / FACTS)


def read_result(folder: Path) -> tuple[dict[str, Array], Facts] | None:
    """Return what `write_result` wrote; `None` where the peer has not finished."""
    if not (folder / FACTS).is_file():
        return None
    facts = Facts(**json.loads((folder / FACTS).read_text(encoding="utf-8")))
    with np.load(folder / PROBABILITIES, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}, facts


def _lines(rows: Sequence[object]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _rows(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8") as file:  # not splitlines: texts may hold other line ends
        return [json.loads(line) for line in file]
