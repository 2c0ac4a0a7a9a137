"""Score the Dawid-Skene of crowd-kit as a label model, beside the project's own.

    python experiments/weak-supervision/crowd_kit.py --unlabelled speeches.jsonl --eval dev.jsonl

Rules are given to crowd-kit as workers, once a label (multilabel) or once a task (multiclass, where
votes against a class have no place). Silence is left out, as where a worker has not seen a task; or
it is an answer of its own, and what is not estimated as silence is shared by the classes. Sentences
without a vote have the shares of all others. Printed: what study.py prints of label models.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene
from study import REPLICATES, row, unlabelled

from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.report import evaluate
from pipeline.labelling import RuleSet
from pipeline.labelling.label_model import label_votes
from pipeline.settings.weak import LabelModel
from pipeline.workflows.scoring import EvaluationSet, read_documents
from pipeline.workflows.watcher import Silent

STEPS = 300
SILENT = -1


def estimated(answers: np.ndarray, classes: int, *, silence: bool) -> np.ndarray:
    """Return class probabilities (n, classes) of answers (n, rules), `SILENT` where there is none.

    By its own tolerance crowd-kit stops before the estimate has come to rest; so it is run for
    `STEPS` steps.
    """
    spoken = (answers != SILENT).any(axis=1)
    item, rule = np.nonzero((answers != SILENT) if not silence else np.ones_like(answers))
    votes = pd.DataFrame({"task": item, "worker": rule, "label": answers[item, rule]})
    found = DawidSkene(n_iter=STEPS, tol=-np.inf).fit(votes).probas_
    chances = np.zeros((len(answers), classes))
    for column in set(found.columns) - {SILENT}:
        chances[found.index, column] = found[column]
    total = chances.sum(axis=1, keepdims=True)
    shares = chances[spoken].mean(axis=0) / max(chances[spoken].mean(axis=0).sum(), 1e-12)
    return np.where(total > 1e-9, chances / np.maximum(total, 1e-9), shares)


def by_crowd_kit(votes: np.ndarray, rules: RuleSet, *, silence: bool) -> np.ndarray:
    """Return probabilities of all labels, shape (n, codebook.width)."""
    out = np.zeros((len(votes), rules.codebook.width))
    for part in rules.codebook.choices:
        mine = np.flatnonzero((rules.columns >= part.start) & (rules.columns < part.stop))
        width = part.stop - part.start
        if width == 1:
            answers = np.select([votes[:, mine] == 1, votes[:, mine] == -1], [0, 1], SILENT)
            out[:, part] = estimated(answers, 2, silence=silence)[:, :1]
        else:
            owner = rules.columns[mine] - part.start
            answers = np.where(votes[:, mine] == 1, owner, SILENT)
            out[:, part] = estimated(answers, width, silence=silence)
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--unlabelled", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--seed", type=int, default=13)
    arguments = parser.parse_args()
    codebook = load_codebook(Path("configs/codebook.yaml"))
    rules = RuleSet(codebook)
    data = EvaluationSet("eval", read_documents([arguments.eval], codebook, Silent()))
    targets = encode_targets(data.sentences, codebook)
    pool = unlabelled(arguments.unlabelled, arguments.documents, arguments.seed)
    asked = [one.sentence for one in data.sentences]
    votes = rules.votes([sentence.text for sentence in (*asked, *pool)])
    decide = DecisionRule.plain(codebook)
    shares = [f"{task} macro-F1 | {task} mAP" for task in codebook.tasks]
    print(f"| what | learned from | {' | '.join(shares)} |")
    print("|---" * (2 + 2 * len(codebook.tasks)) + "|")
    own = label_votes(votes, rules, LabelModel.DAWID_SKENE).probabilities
    for name, chances in (
        ("Dawid-Skene", own),
        ("crowd-kit, silence left out", by_crowd_kit(votes, rules, silence=False)),
        ("crowd-kit, silence an answer", by_crowd_kit(votes, rules, silence=True)),
    ):
        ours = chances[: len(asked)].astype(np.float32)
        report = evaluate(
            data.groups,
            ours,
            decide.decide(ours, codebook),
            targets,
            codebook,
            dataset="eval",
            replicates=REPLICATES,
            seed=arguments.seed,
        )
        print(row(f"rules: {name}", "-", report, codebook), flush=True)


if __name__ == "__main__":
    main()
