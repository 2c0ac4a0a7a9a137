"""Stage `evaluate`: score a bundle on any labelled file."""

from __future__ import annotations

from pathlib import Path

from pipeline.bundle import Bundle
from pipeline.evaluation.behaviour import BehaviourResult
from pipeline.labelling import read_labelled
from pipeline.records import EvaluationReport
from pipeline.settings.experiment import BehaviourSettings
from pipeline.workflows.behaviour import read_suite, run_suite
from pipeline.workflows.scoring import EvaluationSet, score, sentences_of
from pipeline.workflows.watcher import Watcher


def evaluate_file(
    bundle: Bundle, path: Path, *, replicates: int, seed: int, watcher: Watcher
) -> tuple[EvaluationReport, int]:
    """Return all scores of a bundle on a labelled file, and how many rows had to be set aside.

    Raises:
        InputError: the file is missing or holds nothing usable.
    """
    documents, rejected = read_labelled(path, bundle.codebook)
    for one in rejected:
        watcher.note(f"set aside: {path} {one.location}: {one.reason}: {one.detail}")
    data = EvaluationSet(path.stem, tuple(documents))
    scored = score(bundle.classifier, bundle.rule, data, replicates=replicates, seed=seed)
    return scored.report, len(rejected)


def evaluate_behaviour(
    bundle: Bundle, path: Path, settings: BehaviourSettings, *, seed: int
) -> list[BehaviourResult]:
    """Return the behaviour tests of a bundle, perturbing the sentences of a labelled file.

    Raises:
        InputError: a file is missing or holds nothing usable.
        SettingsError: the names or the cases are wrong, or do not fit the codebook of the bundle.
    """
    suite = read_suite(settings, bundle.codebook)
    documents, _ = read_labelled(path, bundle.codebook)
    sentences = [labelled.sentence for labelled in sentences_of(documents)]
    texts = [sentence.text for sentence in sentences]
    return run_suite(suite, bundle.classifier, bundle.rule, sentences, texts, seed=seed)
