"""Score a model on labelled documents: shared by training, promotion and evaluation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.bundle import Figure
from pipeline.classifiers.protocol import Classifier
from pipeline.classifiers.targets import Targets, encode_targets
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule, Decisions, Probabilities
from pipeline.errors import InputError
from pipeline.evaluation.report import evaluate
from pipeline.labelling import read_labelled
from pipeline.records import EvaluationReport, LabelledDocument, LabelledSentence, Rejection
from pipeline.settings.experiment import DataSettings, EvaluationSettings
from pipeline.workflows.watcher import Watcher

HELD_OUT, GOLD = "held-out", "gold"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Labelled documents to report on, under a short name."""

    name: str
    documents: tuple[LabelledDocument, ...]

    @property
    def sentences(self) -> list[LabelledSentence]:
        """All sentences in order."""
        return sentences_of(self.documents)

    @property
    def groups(self) -> list[str]:
        """The document of every sentence; the unit of resampling."""
        return groups_of(self.documents)


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says about an evaluation set, and how good that is."""

    data: EvaluationSet
    probabilities: Probabilities
    decisions: Decisions
    targets: Targets
    report: EvaluationReport

    def figures(self) -> list[Figure]:
        """Return macro-F1 of every task and F1 and average precision of every label."""
        wanted = (".macro_f1", ".accuracy", ".f1", ".average_precision", ".ece")
        return [
            Figure.of(self.report.dataset, name, score)
            for name, score in self.report.scores.items()
            if name.endswith(wanted) and score.defined
        ]


def sentences_of(documents: Sequence[LabelledDocument]) -> list[LabelledSentence]:
    """Return all sentences of the documents in order."""
    return [labelled for document in documents for labelled in document.sentences]


def groups_of(documents: Sequence[LabelledDocument]) -> list[str]:
    """Return the doc_id of every sentence, in the order of `sentences_of`."""
    return [document.doc_id for document in documents for _ in document.sentences]


def read_labelled_file(
    path: Path, codebook: Codebook, *, probabilities: bool = False
) -> tuple[list[LabelledDocument], list[Rejection]]:
    """Read a labelled file, see `read_labelled`; annotations are told how to become one.

    Raises:
        InputError: the file is missing or holds nothing usable.
    """
    try:
        return read_labelled(path, codebook, probabilities=probabilities)
    except InputError:
        if _is_drawn_sample(path):
            raise InputError(
                f"{path}: a sample of 'stance estimate --draw', which only 'stance estimate LABELS "
                f"--sample {path}' reads. For a labelled file draw with 'stance suggest --strategy "
                "random --blind', then 'stance annotate export', 'import' and 'adjudicate' "
                "(docs/tutorial.md, step 6)."
            ) from None
        if path.suffix.lower() == ".csv":
            way = f"CSV: run 'stance annotate import {path} -o annotations.jsonl', then"
            source = "annotations.jsonl"
        elif _holds_annotations(path):
            way, source = "annotations, one a sentence and coder: run", str(path)
        else:
            raise
        raise InputError(
            f"{path}: expected a labelled file (JSON lines, one document a line), got {way} "
            f"'stance annotate adjudicate {source} -o labelled.jsonl', and give labelled.jsonl "
            "(docs/annotation.md)."
        ) from None


def _is_drawn_sample(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            head = file.readline(100_000)
    except OSError:
        return False
    # Annotations have these columns as well, and say of which codebook they are.
    return "inclusion_probability" in head and "codebook" not in head and '"item"' not in head


def _holds_annotations(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            row = json.loads(next((line for line in file if line.strip()), b"null"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(row, dict) and {"item", "labels"} <= row.keys()


def read_documents(
    paths: Sequence[Path], codebook: Codebook, watcher: Watcher, *, probabilities: bool = False
) -> tuple[LabelledDocument, ...]:
    """Read labelled files, see `read_labelled_file`; rows set aside are noted one by one.

    Raises:
        InputError: a file is missing or holds nothing usable.
    """
    documents: list[LabelledDocument] = []
    for path in paths:
        read, rejected = read_labelled_file(path, codebook, probabilities=probabilities)
        documents += read
        for rejection in rejected:
            watcher.note(f"set aside: {rejection.told}")
    return tuple(documents)


def evaluation_sets(
    held_out: Sequence[LabelledDocument],
    data: DataSettings,
    evaluation: EvaluationSettings,
    codebook: Codebook,
    watcher: Watcher,
) -> list[EvaluationSet]:
    """Return the held-out documents, the gold labels, and every external file by its stem.

    Raises:
        InputError: a file is missing or unusable, or two data sets would bear one name.
    """
    sets = [
        EvaluationSet(HELD_OUT, tuple(held_out)),
        EvaluationSet(GOLD, read_documents([data.gold], codebook, watcher)),
        *(
            EvaluationSet(path.stem, read_documents([path], codebook, watcher))
            for path in evaluation.external
        ),
    ]
    names = [one.name for one in sets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"Two evaluation sets are called {', '.join(twice)}; rename one of the files."
        )
    return sets


def score(
    classifier: Classifier,
    rule: DecisionRule,
    data: EvaluationSet,
    *,
    replicates: int,
    seed: int,
) -> Scored:
    """Predict every sentence of `data` and compare with its labels."""
    codebook = classifier.codebook
    labelled = data.sentences
    logits = classifier.predict_logits([one.sentence for one in labelled])
    probabilities = rule.probabilities(logits, codebook)
    decisions = rule.decide(probabilities, codebook)
    targets = encode_targets(labelled, codebook)
    report = evaluate(
        data.groups,
        probabilities,
        decisions,
        targets,
        codebook,
        dataset=data.name,
        replicates=replicates,
        seed=seed,
    )
    return Scored(data, probabilities, decisions, targets, report)
