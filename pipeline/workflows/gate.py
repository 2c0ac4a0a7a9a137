"""The gate of promotion: what a model must show before it becomes the champion.

Every gate judges by figures that it states. The model judged is the exported one, as it would be
shipped.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.bundle import Bundle, load_bundle
from pipeline.bundle.export import Parity
from pipeline.codebook import Codebook
from pipeline.errors import BundleError, InputError
from pipeline.evaluation.behaviour import (
    DIRECTION,
    FUNCTIONALITY,
    INVARIANCE,
    BehaviourResult,
    pooled,
)
from pipeline.evaluation.comparison import ScoreComparison, compare
from pipeline.records import EvaluationReport
from pipeline.settings.experiment import (
    NOT_STATED,
    BehaviourFloors,
    CardSettings,
    GateSettings,
    PipelineSettings,
)
from pipeline.tracking import Store
from pipeline.tracking.registered import RegisteredVersion
from pipeline.workflows.compare import outcomes_on
from pipeline.workflows.comparison_data import comparison_data
from pipeline.workflows.contenders import find_contender, learned_by
from pipeline.workflows.watcher import Watcher

COMPARISON, BEHAVIOUR, CALIBRATION = "comparison", "behaviour", "calibration"
PARITY, PAPERS = "parity", "licence and data card"


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a model passes in one respect, and the figures that say so, by name and in words."""

    name: str
    passed: bool
    said: str
    figures: tuple[tuple[str, float], ...] = ()


def parity_gate(parity: Parity, largest_share_flipped: float) -> Gate:
    """The exported model decides as the trained one does."""
    said = (
        f"{parity.flipped:.2%} of the decisions on {parity.sentences:,} held-out sentences differ "
        f"from the trained model's (allowed {largest_share_flipped:.2%}); mean difference of "
        f"probabilities {parity.mean_difference:.4f}, largest {parity.largest_difference:.3f}"
    )
    passed = parity.flipped <= largest_share_flipped
    return Gate(PARITY, passed, said, tuple(parity.figures().items()))


def calibration_gate(report: EvaluationReport, codebook: Codebook, largest: float) -> Gate:
    """The calibration error of every task on the held-out documents is within its bound."""
    figures = [(f"{task}.ece", report.scores[f"{task}.ece"].value) for task in codebook.tasks]
    shown = ", ".join(f"{name} {value:.4f}" for name, value in figures)
    said = f"on {report.dataset} documents {shown} (allowed {largest:g})"
    return Gate(CALIBRATION, all(value <= largest for _, value in figures), said, tuple(figures))


def behaviour_gate(results: Sequence[BehaviourResult], floors: BehaviourFloors) -> Gate:
    """All decisions of a family of behaviour tests together are right often enough.

    A family without a decision is not passed, but for invariance, where there was nothing to flip.
    """
    rates = pooled(results)
    passed, shown = True, []
    for family, bound in (
        (INVARIANCE, floors.invariance),
        (DIRECTION, floors.direction),
        (FUNCTIONALITY, floors.functionality),
    ):
        below = family == INVARIANCE
        rate = rates.get(family, math.nan)
        passed &= rate < bound if below and family in rates else below or rate >= bound
        wanted = f"{'below' if below else 'at least'} {bound:g}"
        value = f"{rate:.4f}" if family in rates else "no decision"
        shown.append(f"{family} {value} ({wanted})")
    return Gate(BEHAVIOUR, passed, ", ".join(shown), tuple(rates.items()))


def papers_gate(card: CardSettings) -> Gate:
    """It is said under which licence the model may be used, and what it learned from."""
    missing = []
    if card.licence.strip().lower() in ("", NOT_STATED):
        missing.append("card.licence is not stated")
    if card.data_card is None:
        missing.append("card.data_card names no file that describes the labelled data")
    elif not _has_text(card.data_card):
        missing.append(f"card.data_card '{card.data_card}' is missing or empty")
    said = "; ".join(missing) or f"licence {card.licence}, data card {card.data_card}"
    return Gate(PAPERS, not missing, said)


def comparison_gate(
    candidate: Bundle,
    run_id: str,
    champion: RegisteredVersion | None,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    watcher: Watcher,
) -> Gate:
    """The model is not worse than the champion on the same documents; see `not_worse`.

    Raises:
        OutputError: the store does not answer.
    """
    if champion is None:
        name = settings.tracking.registered_model
        return Gate(COMPARISON, True, f"'{name}' has no champion yet; there is none to beat")
    if champion.model_id == candidate.model_id:
        return Gate(COMPARISON, True, f"is the champion itself, version {champion.version}")
    gate = settings.promote.gate
    contenders = [
        find_contender(store, one, settings.tracking) for one in (run_id, champion.address)
    ]
    try:
        learned = {one.label: learned_by(one, codebook, store, watcher) for one in contenders}
        chosen = comparison_data(learned, gate.data, settings.data, codebook, watcher)
        watcher.note(f"comparing with the champion on {len(chosen.data.sentences):,} sentences")
        with tempfile.TemporaryDirectory(prefix="stance-champion-") as scratch:
            other = load_bundle(contenders[1].fetch(Path(scratch)), codebook=codebook)
            theirs = outcomes_on(chosen.data, other)
    except (BundleError, InputError) as error:
        return Gate(
            COMPARISON,
            False,
            f"cannot be compared with the champion, version {champion.version}: {error} Give "
            "labelled statements for it as promote.gate.data, or another name as "
            "tracking.registered_model",
        )
    scores = compare(
        outcomes_on(chosen.data, candidate),
        theirs,
        codebook,
        replicates=settings.evaluation.replicates,
        seed=settings.seed,
    )
    origin = (
        f"on {chosen.origin} ({len(chosen.data.sentences):,} sentences of "
        f"{theirs.document_count:,} documents) against version {champion.version}: "
    )
    return not_worse(scores, codebook, gate, origin, cautions=chosen.cautions)


def not_worse(
    scores: Iterable[ScoreComparison],
    codebook: Codebook,
    gate: GateSettings,
    origin: str,
    *,
    cautions: Sequence[str] = (),
) -> Gate:
    """Judge a comparison with the champion by non-inferiority (Piaggio et al., 2012).

    In every task the 95 % interval of the difference in macro-F1, from a paired bootstrap over
    documents, must lie above minus the margin. That no difference was found is not enough: with few
    documents none ever is.

    Args:
        scores: first the candidate, second the champion.
        origin: where the documents come from, in words.
    """
    wanted = {f"{task}.macro_f1" for task in codebook.tasks}
    shown, figures, passed = [], [], True
    for one in scores:
        if one.name not in wanted:
            continue
        if one.low is None or one.high is None:
            passed = False
            shown.append(f"{one.name} {one.difference:+.3f}, too few documents for an interval")
            continue
        passed &= one.low > -gate.margin
        verdict = "better" if one.low > 0 else "not worse" if one.low > -gate.margin else "worse"
        if verdict == "worse" and one.high > 0:
            verdict = "not shown to be as good"
        shown.append(
            f"{one.name} {one.first:.3f} to {one.second:.3f}, {one.difference:+.3f} "
            f"[{one.low:+.3f}, {one.high:+.3f}], p {one.p:.4f}: {verdict}"
        )
        ends = (("", one.difference), (".low", one.low), (".high", one.high))
        figures += [(f"{one.name}{end}", value) for end, value in ends]
    said = f"{origin}{'; '.join(shown)} (interval must lie above {-gate.margin:g})"
    said += "".join(f"; caution: {text}" for text in cautions)
    return Gate(COMPARISON, passed, said, tuple(figures))


def _has_text(path: Path) -> bool:
    try:
        return bool(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return False
