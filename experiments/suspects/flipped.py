"""Print how many flipped labels `stance suspects` finds.

    python experiments/suspects/flipped.py

Each repeat draws 800 documents of the training corpus and changes the answers to each task in 5 %
of their sentences: one label at random is added or taken away (multilabel), or another label takes
the place of the right one (multiclass). The linear classifier is then trained out of fold on the
spoilt labels. Compared are self-confidence, by which the command ranks (the probability of the
given answer, of the least probable one in a multilabel task), and the distance from the thresholds
of confident learning (how much further the expected answer lies above its threshold than the given
one).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.labelling import read_labelled
from pipeline.records import LabelledDocument, LabelledSentence
from pipeline.settings.classifiers import LinearSettings
from pipeline.training.out_of_fold import out_of_fold
from pipeline.workflows.suspects import rank_suspects

ROOT = Path(__file__).parents[2]
FILES = ("register.jsonl", "error-led.jsonl")
REPEATS, DOCUMENTS, FLIPPED, READ = 3, 800, 0.05, 0.10


def main() -> None:
    """Flip, rank and print."""
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    corpus = [
        document
        for name in FILES
        for document in read_labelled(ROOT / "seeds" / "corpus" / name, codebook)[0]
    ]
    rows: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for repeat in range(REPEATS):
        draw = np.random.default_rng(repeat)
        chosen = draw.choice(len(corpus), DOCUMENTS, replace=False)
        documents, flipped = _flip([corpus[i] for i in chosen], codebook, draw)
        labelled = [one for document in documents for one in document.sentences]
        p = np.empty((len(labelled), codebook.width), dtype=np.float32)
        for fold in out_of_fold(documents, LinearSettings(), codebook, folds=5, seed=repeat):
            p[fold.rows] = fold.probabilities
        ranked = rank_suspects(documents, p, codebook)
        targets = encode_targets(labelled, codebook)
        names = [(one.sentence.doc_id, one.sentence.sentence_id) for one in labelled]
        for task in codebook.tasks:
            wrong = flipped[task]
            mine = [one for one in ranked if one.task == task]
            order = [(one.doc_id, f"{one.doc_id}#{one.sentence}") for one in mine]
            flagged = {key for one, key in zip(mine, order, strict=True) if one.likely_error}
            part = codebook.slice_of(task)
            distance = _distance(p[:, part], targets[:, part], codebook.tasks[task].type)
            by_distance = [names[i] for i in np.argsort(-distance, kind="stable")]
            read = round(READ * len(labelled))
            likely = len(wrong & flagged)
            marks = (likely / len(wrong), likely / max(len(flagged), 1))
            for name, listed in (("self-confidence", order), ("distance", by_distance)):
                hit = len(wrong & set(listed[:read])) / len(wrong)
                rows.setdefault((task, name), []).append((hit, *marks))
    print("| task | ranking | recall in the first 10 % | marked as likely: recall | precision |")
    print("|---|---|---:|---:|---:|")
    for (task, name), values in rows.items():
        means, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=1)
        cells = [f"{m:.1%} ± {s:.1%}" for m, s in zip(means, spread, strict=True)]
        if name != "self-confidence":
            cells[1:] = ["", ""]
        print(f"| {task} | {name} | {' | '.join(cells)} |")


def _distance(p: np.ndarray, y: np.ndarray, kind: TaskType) -> np.ndarray:
    """Return how much further the best other answer lies above its threshold, (n,)."""
    if kind is TaskType.MULTICLASS:
        threshold = np.array([p[y[:, j] == 1.0, j].mean() for j in range(p.shape[1])])
        above = p - threshold
        return np.where(y == 1.0, -np.inf, above).max(axis=1) - above[y == 1.0]
    found = np.empty(p.shape)
    for j in range(p.shape[1]):
        yes = y[:, j] == 1.0
        above = np.stack([1 - p[:, j] - (1 - p[~yes, j]).mean(), p[:, j] - p[yes, j].mean()])
        found[:, j] = np.where(yes, above[0] - above[1], above[1] - above[0])
    return found.max(axis=1)


def _flip(
    documents: list[LabelledDocument], codebook: Codebook, draw: np.random.Generator
) -> tuple[list[LabelledDocument], dict[str, set[tuple[str, str]]]]:
    """Return documents with changed answers, and which sentences were changed in each task."""
    flipped: dict[str, set[tuple[str, str]]] = {task: set() for task in codebook.tasks}

    def changed(one: LabelledSentence) -> LabelledSentence:
        labels = dict(one.labels)
        for task, facts in codebook.tasks.items():
            given = labels[task]
            if given is None or draw.random() >= FLIPPED:
                continue
            flipped[task].add((one.sentence.doc_id, one.sentence.sentence_id))
            names = list(facts.labels)
            if facts.type is TaskType.MULTILABEL:
                label = names[draw.integers(len(names))]
                labels[task] = tuple(n for n in names if (n in given) is not (n == label))
            else:
                others = [name for name in names if name not in given]
                labels[task] = (others[draw.integers(len(others))],)
        return replace(one, labels=labels)

    spoilt = [replace(d, sentences=tuple(map(changed, d.sentences))) for d in documents]
    return spoilt, flipped


if __name__ == "__main__":
    main()
