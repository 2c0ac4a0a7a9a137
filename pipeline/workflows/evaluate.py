"""Stage `evaluate`: score a bundle on any labelled file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.bundle import Bundle
from pipeline.evaluation.behaviour import BehaviourResult
from pipeline.labelling import read_labelled
from pipeline.records import EvaluationReport
from pipeline.settings.experiment import BehaviourSettings
from pipeline.workflows.behaviour import read_suite, run_suite
from pipeline.workflows.scoring import EvaluationSet, score
from pipeline.workflows.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores on a labelled file, rows of it set aside, and behaviour where asked for."""

    report: EvaluationReport
    set_aside: int
    behaviour: tuple[BehaviourResult, ...] = ()


def evaluate_file(
    bundle: Bundle,
    path: Path,
    *,
    replicates: int,
    seed: int,
    watcher: Watcher,
    behaviour: BehaviourSettings | None = None,
) -> Evaluation:
    """Score a bundle on a labelled file; with `behaviour`, perturb its sentences as well.

    Raises:
        InputError: a file is missing or holds nothing usable.
        SettingsError: the names or the cases are wrong, or do not fit the codebook of the bundle.
    """
    suite = None if behaviour is None else read_suite(behaviour, bundle.codebook)
    documents, rejected = read_labelled(path, bundle.codebook)
    for one in rejected:
        watcher.note(f"set aside: {path} {one.location}: {one.reason}: {one.detail}")
    data = EvaluationSet(path.stem, tuple(documents))
    scored = score(bundle.classifier, bundle.rule, data, replicates=replicates, seed=seed)
    if suite is None:
        return Evaluation(scored.report, len(rejected))
    sentences = [labelled.sentence for labelled in data.sentences]
    texts = [sentence.text for sentence in sentences]
    tested = run_suite(suite, bundle.classifier, bundle.rule, sentences, texts, seed=seed)
    return Evaluation(scored.report, len(rejected), tuple(tested))
