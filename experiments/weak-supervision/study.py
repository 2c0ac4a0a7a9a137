"""Compare rules, label models, and classifiers trained on weak labels, on gold, and on both.

    python experiments/weak-supervision/study.py --unlabelled speeches.jsonl --eval dev.jsonl

Statements are drawn from the unlabelled file at random and cut into sentences. Label models see
these sentences and those of the evaluation file, without labels, and decide at one half.
Classifiers learn from the labels that reach a confidence, or from the probabilities of the same
sentences. They decide at thresholds chosen, as in training, on calibration documents: weakly
labelled ones where nothing else is learned from, else those of the corpus. With
`--steps N` the classifier is not the linear one but a transformer that is trained for N steps,
however much it learns from; its rows leave out the whole corpus.
Printed: macro-F1 with 95 % intervals over documents, and the mean over labels of average precision,
which hangs on no threshold.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.classifiers.registry import build
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import DEFAULT_WEIGHT, Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.report import evaluate
from pipeline.ingest import Reading, find_inputs
from pipeline.labelling import RuleSet
from pipeline.labelling.label_model import hard_labels, label_votes
from pipeline.records import EvaluationReport, LabelledSentence, Sentence, Statement
from pipeline.reporting.agreement import shown
from pipeline.segmentation import segment
from pipeline.settings.classifiers import ClassifierSettings, LinearSettings, TransformerSettings
from pipeline.settings.experiment import load_settings
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.weak import LabelModel
from pipeline.training.decision_rule import fit_decision_rule
from pipeline.workflows.scoring import EvaluationSet, read_documents, sentences_of
from pipeline.workflows.train import split_corpus
from pipeline.workflows.watcher import Silent

REPLICATES = 1000
CALIBRATION = 0.15
"""Share of the weakly labelled documents that thresholds are chosen on."""

LEARNED = (
    *(("majority", "0.5"), ("weights, all of 3", "0.5")),
    *(("weights of the codebook", "0.5"), ("weights of the codebook", "0.9")),
    ("weights of the codebook", "probabilities"),
    *(("Dawid-Skene", "0.5"), ("Dawid-Skene", "0.9"), ("Dawid-Skene", "probabilities")),
)
"""Label models, and the confidences from which their labels are learned from; probabilities are
those of the sentences that have a label from 0.5."""

COMBINED = (
    *(("weights of the codebook", "0.5"), ("weights of the codebook", "probabilities")),
    *(("Dawid-Skene", "0.5"), ("Dawid-Skene", "probabilities")),
)
"""Those that are added to a part of the corpus; labels, no probabilities, to all of it as well."""

SHORT_TRANSFORMER = TransformerSettings(
    layers=3, epochs=50, tokens_per_batch=600, learning_rate=5e-4, head_learning_rate=5e-3
)
"""Half of the default encoder in small and large steps, to learn something from few of them."""

BY_TRANSFORMER = (("Dawid-Skene", "0.5"), ("Dawid-Skene", "probabilities"))
"""Those that the transformer learns from."""


def unlabelled(path: Path, documents: int, seed: int) -> list[Sentence]:
    """Draw statements and cut them."""
    read = [s for s in Reading(find_inputs([str(path)]), IngestSettings()) if _is_statement(s)]
    drawn = np.random.default_rng(seed).permutation(len(read))[:documents]
    return [sentence for i in sorted(drawn.tolist()) for sentence in segment(read[i])]


def _is_statement(item: object) -> bool:
    return isinstance(item, Statement)


def without_weights(codebook: Codebook) -> Codebook:
    """Return the codebook with its rules' weights set to the default, signs kept."""
    data = codebook.model_dump(mode="json")
    for task in data["tasks"].values():
        for label in task["labels"].values():
            for rule in label["rules"]:
                rule["weight"] = -DEFAULT_WEIGHT if rule["weight"] < 0 else DEFAULT_WEIGHT
    return Codebook.model_validate(data)


def by_label(chances: np.ndarray, codebook: Codebook) -> dict[str, dict[str, float]]:
    """Return the probabilities of a sentence by task and label."""
    named: dict[str, dict[str, float]] = {task: {} for task in codebook.tasks}
    for (task, label), chance in zip(codebook.columns, chances.tolist(), strict=True):
        named[task][label] = chance
    return named


def weakly_labelled(
    pool: Sequence[Sentence], chances: np.ndarray, how: str, codebook: Codebook
) -> list[LabelledSentence]:
    """Return the sentences with labels from a confidence, or with probabilities beside those."""
    soft = how == "probabilities"
    confidence = 0.5 if soft else float(how)
    return [
        LabelledSentence(sentence, labels, probabilities=by_label(one, codebook) if soft else {})
        for sentence, labels, one in zip(
            pool, hard_labels(chances, codebook, confidence=confidence), chances, strict=True
        )
    ]


def row(name: str, sentences: str, report: EvaluationReport, codebook: Codebook) -> str:
    """Return a line of the table."""
    cells = []
    for task in codebook.tasks:
        score = report.scores[f"{task}.macro_f1"]
        cells.append(shown(score))
        cells.append(f"{report.scores[f'{task}.macro_average_precision'].value:.3f}")
    return f"| {name} | {sentences} | {' | '.join(cells)} |"


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--unlabelled", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--gold", type=int, nargs="*", default=[50])
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--steps", type=int, help="train a transformer, for so many steps")
    arguments = parser.parse_args()
    wanted: ClassifierSettings = LinearSettings()
    learned: Sequence[tuple[str, str]] = LEARNED
    combined: Sequence[tuple[str, str]] = COMBINED
    if arguments.steps:
        wanted = SHORT_TRANSFORMER.model_copy(update={"max_steps": arguments.steps})
        learned, combined = BY_TRANSFORMER, BY_TRANSFORMER
    settings = load_settings(arguments.config)
    codebook = load_codebook(settings.codebook)
    rules = RuleSet(codebook)
    data = EvaluationSet("eval", read_documents([arguments.eval], codebook, Silent()))
    asked = [one.sentence for one in data.sentences]
    targets = encode_targets(data.sentences, codebook)
    pool = unlabelled(arguments.unlabelled, arguments.documents, arguments.seed)
    votes = rules.votes([sentence.text for sentence in (*asked, *pool)])
    plain = DecisionRule.plain(codebook)

    def report(probabilities: np.ndarray, rule: DecisionRule) -> EvaluationReport:
        chances = probabilities.astype(np.float32)
        return evaluate(
            data.groups,
            chances,
            rule.decide(chances, codebook),
            targets,
            codebook,
            dataset="eval",
            replicates=REPLICATES,
            seed=arguments.seed,
        )

    def show(name: str, size: str, found: EvaluationReport) -> None:
        print(row(name, size, found, codebook), flush=True)

    shares = [f"{task} macro-F1 | {task} mAP" for task in codebook.tasks]
    print(f"{len(pool):,} sentences of {arguments.documents} unlabelled statements\n")
    print(f"| what | learned from | {' | '.join(shares)} |")
    print("|---" * (2 + 2 * len(codebook.tasks)) + "|")
    equal = RuleSet(without_weights(codebook))
    weak: dict[tuple[str, str], list[LabelledSentence]] = {}
    models = {
        "majority": (rules, LabelModel.MAJORITY),
        "weights, all of 3": (equal, LabelModel.WEIGHTS),
        "weights of the codebook": (rules, LabelModel.WEIGHTS),
        "Dawid-Skene": (rules, LabelModel.DAWID_SKENE),
    }
    for name, (ruleset, model) in models.items():
        chances = label_votes(votes, ruleset, model).probabilities
        if not arguments.steps:
            show(f"rules: {name}", "-", report(chances[: len(asked)], plain))
        for how in (how for one, how in learned if one == name):
            weak[name, how] = weakly_labelled(pool, chances[len(asked) :], how, codebook)

    def show_trained(
        name: str,
        train: Sequence[LabelledSentence],
        held: Sequence[LabelledSentence],
        prevalence: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        classifier = build(wanted, codebook, seed=arguments.seed)
        classifier.fit(train)
        rule, _ = fit_decision_rule(
            classifier.predict_logits([one.sentence for one in held]),
            encode_targets(held, codebook),
            [one.sentence.doc_id for one in held],
            codebook,
            folds=settings.split.threshold_folds,
            seed=settings.seed,
            prevalence=prevalence,
        )
        known = " / ".join(
            f"{sum(one.labels.get(task) is not None for one in train):,}" for task in codebook.tasks
        )
        chances = rule.probabilities(classifier.predict_logits(asked), codebook)
        show(f"{wanted.kind} on {name}", known, report(chances, rule))

    names = sorted({sentence.doc_id for sentence in pool})
    calibrating = set(names[: round(CALIBRATION * len(names))])
    for (name, how), sentences in weak.items():
        train = [one for one in sentences if one.sentence.doc_id not in calibrating]
        held = [one for one in sentences if one.sentence.doc_id in calibrating]
        show_trained(f"weak labels: {name}, {how}", train, held)
    _, split = split_corpus(settings, codebook, Silent())
    gold, held = sentences_of(split.train), sentences_of(split.calibration)
    corpora: dict[str, Sequence[LabelledSentence]] = {}
    for size in arguments.gold:
        few = np.random.default_rng(arguments.seed).permutation(len(split.train))[:size]
        drawn = [one for i in few.tolist() for one in split.train[i].sentences]
        corpora[f"{size} documents"] = drawn
    if not arguments.steps:
        corpora["the corpus"] = gold
    for called, part in corpora.items():
        alone = called if part is gold else f"{called} of the corpus"
        show_trained(alone, part, held, settings.prevalence)
        for name, how in combined:
            if part is gold and how == "probabilities":
                continue
            both = [*part, *weak[name, how]]
            title = f"{called} and weak labels: {name}, {how}"
            show_trained(title, both, held, settings.prevalence)


if __name__ == "__main__":
    main()
