"""Stage `evaluate`: score a bundle on any labelled file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.bundle import Bundle
from pipeline.evaluation.behaviour import BehaviourResult
from pipeline.evaluation.risk_control import RiskCheck
from pipeline.evaluation.slices import SliceAnalysis
from pipeline.output import require_file_name
from pipeline.records import EvaluationReport
from pipeline.settings.experiment import BehaviourSettings
from pipeline.workflows.abstention import check_abstention
from pipeline.workflows.behaviour import read_suite, run_suite
from pipeline.workflows.evaluation_page import write_page
from pipeline.workflows.scoring import EvaluationSet, read_labelled_file, score
from pipeline.workflows.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores on a labelled file, rows of it set aside, and what else was asked for."""

    report: EvaluationReport
    set_aside: int
    behaviour: tuple[BehaviourResult, ...] = ()
    slices: SliceAnalysis | None = None
    abstention: tuple[RiskCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class Further:
    """What to look at besides scores, each `None` where it is not asked for.

    `behaviour` runs the behaviour tests; `page` is a file to write slices, calibration, abstention
    and errors to; `max_risk` an expected risk to abstain at, with margins chosen on the documents
    of `calibrate_on`, or for each document on all the others.
    """

    behaviour: BehaviourSettings | None = None
    page: Path | None = None
    max_risk: float | None = None
    calibrate_on: Path | None = None


NOTHING_FURTHER = Further()


def evaluate_file(
    bundle: Bundle,
    path: Path,
    *,
    replicates: int,
    seed: int,
    watcher: Watcher,
    further: Further = NOTHING_FURTHER,
) -> Evaluation:
    """Score a bundle on a labelled file, and look at what else is asked for.

    Raises:
        InputError: a file is missing or holds nothing usable, or too few documents for a risk.
        SettingsError: the names or the cases are wrong, or do not fit the codebook of the bundle.
        OutputError: the page cannot be written.
    """
    if further.page is not None:
        require_file_name(further.page)
    wanted = further.behaviour
    suite = None if wanted is None else read_suite(wanted, bundle.codebook)
    documents, rejected = read_labelled_file(path, bundle.codebook)
    for one in rejected:
        watcher.note(f"set aside: {one.told}")
    data = EvaluationSet(path.stem, tuple(documents))
    drawn = {"replicates": replicates, "seed": seed}
    scored = score(bundle.classifier, bundle.rule, data, **drawn)
    checks: tuple[RiskCheck, ...] = ()
    if further.max_risk is not None:
        checks = check_abstention(
            bundle, scored, further.max_risk, further.calibrate_on, watcher=watcher, **drawn
        )
    tested: list[BehaviourResult] = []
    if suite is not None:
        sentences = [labelled.sentence for labelled in data.sentences]
        texts = [sentence.text for sentence in sentences]
        tested = run_suite(suite, bundle.classifier, bundle.rule, sentences, texts, seed=seed)
    slices = None
    if further.page is not None:
        where = further.calibrate_on
        chosen_on = str(where) if where else "all other documents, for each document"
        slices = write_page(
            further.page, bundle, scored, checks, chosen_on, watcher=watcher, **drawn
        )
    return Evaluation(scored.report, len(rejected), tuple(tested), slices, checks)
