"""Show what rules say in the scope of a negation, and what it gains that some heed it.

    python experiments/weak-supervision/negation.py --eval dev.jsonl

Printed are, for every rule with `negated: block`, its precision on the corpus where it speaks and
where a negation silences it; then the scores of the rules with and without heeding negations, at
thresholds chosen on calibration documents, as in training.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pipeline.classifiers.rules import RulesClassifier
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, WhenNegated, load_codebook
from pipeline.labelling import RuleSet
from pipeline.reporting.agreement import shown
from pipeline.settings.classifiers import RulesSettings
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.training.decision_rule import fit_decision_rule
from pipeline.workflows.scoring import evaluation_sets, groups_of, score, sentences_of
from pipeline.workflows.train import split_corpus
from pipeline.workflows.watcher import Silent


def heedless(codebook: Codebook) -> Codebook:
    """Return the codebook with rules that ignore negations."""
    data = codebook.model_dump(mode="json")
    for task in data["tasks"].values():
        for label in task["labels"].values():
            for rule in label["rules"]:
                rule["negated"] = WhenNegated.IGNORE.value
    return Codebook.model_validate(data)


def print_rules(settings: PipelineSettings, codebook: Codebook) -> None:
    """Print the precision of every rule that heeds negations, with and within their scope."""
    documents, _ = split_corpus(settings, codebook, Silent())
    labelled = sentences_of(documents)
    texts = [one.sentence.text for one in labelled]
    targets = encode_targets(labelled, codebook)
    rules = RuleSet(codebook)
    heeding, ignoring = rules.votes(texts) != 0, RuleSet(heedless(codebook)).votes(texts) != 0
    print("| rule | speaks | right | negated | would be right |\n|---|---|---|---|---|")
    for j, rule in enumerate(rules.rules):
        negated = ignoring[:, j] & ~heeding[:, j]
        if not negated.any():
            continue
        cells = [rule.name]
        for mask in (heeding[:, j], negated):
            truth = targets[mask, rules.columns[j]]
            right = np.mean((truth[np.isfinite(truth)] > 0.5) == (rule.vote > 0))
            cells += [f"{mask.sum():,}", f"{right:.0%}"]
        print(f"| {' | '.join(cells)} |")


def print_scores(settings: PipelineSettings, codebook: Codebook) -> None:
    """Print the scores of the rules as a classifier, heeding negations and not."""
    print("\n| rules | data | stance and claim macro-F1 |\n|---|---|---|")
    for name, book in (("heed negations", codebook), ("ignore them", heedless(codebook))):
        _, split = split_corpus(settings, book, Silent())
        classifier = RulesClassifier(book, RulesSettings())
        held = sentences_of(split.calibration)
        rule, _ = fit_decision_rule(
            classifier.predict_logits([one.sentence for one in held]),
            encode_targets(held, book),
            groups_of(split.calibration),
            book,
            folds=settings.split.threshold_folds,
            seed=settings.seed,
            prevalence=settings.prevalence,
        )
        sets = evaluation_sets(split.test, settings.data, settings.evaluation, book, Silent())
        for data in sets:
            scored = score(classifier, rule, data, replicates=1000, seed=settings.seed)
            cells = [shown(scored.report.scores[f"{task}.macro_f1"]) for task in book.tasks]
            print(f"| {name} | {data.name} | {', '.join(cells)} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--eval", type=Path, action="append", default=[])
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    arguments = parser.parse_args()
    settings = load_settings(arguments.config)
    more = settings.evaluation.model_copy(update={"external": tuple(arguments.eval)})
    settings = settings.model_copy(update={"evaluation": more})
    codebook = load_codebook(settings.codebook)
    print_rules(settings, codebook)
    print_scores(settings, codebook)


if __name__ == "__main__":
    main()
