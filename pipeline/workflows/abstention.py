"""Abstention at a bounded risk: margins chosen on labelled documents, and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.bundle import Bundle
from pipeline.classifiers.targets import encode_targets
from pipeline.errors import InputError
from pipeline.evaluation.risk_control import (
    Decided,
    RiskCheck,
    check_risk,
    decided,
    least_documents,
    margin_for,
    margins_without_each,
)
from pipeline.evaluation.score_text import score_text
from pipeline.workflows.scoring import EvaluationSet, Scored, read_documents
from pipeline.workflows.watcher import Watcher


def abstaining(bundle: Bundle, labelled: Path, max_risk: float, watcher: Watcher) -> Bundle:
    """Return the bundle with the abstention that keeps the expected risk of every task low enough.

    The guarantee and what it rests on stand in `pipeline.evaluation.risk_control`.

    Raises:
        InputError: the file is missing or holds nothing usable, or too few documents with labels.
        SettingsError: `max_risk` is not between 0 and 1.
    """
    least_documents(max_risk)
    documents = read_documents([labelled], bundle.codebook, watcher)
    margins: dict[str, float] = {}
    for task, seen in _decided(bundle, EvaluationSet(labelled.stem, documents)).items():
        margins[task] = _named(task, labelled, seen, max_risk)
        kept = float((seen.margin >= margins[task]).mean())
        watcher.note(
            f"{task}: decisions need a margin of {margins[task]:.3f}, chosen on {seen.documents:,} "
            f"documents of {labelled}, where {kept:.0%} of them have it. In a further document "
            f"drawn like those, the expected share of sentences with a wrong decision is at most "
            f"{max_risk:g}."
        )
    return replace(bundle, rule=replace(bundle.rule, abstain_within=margins))


def check_abstention(
    bundle: Bundle,
    scored: Scored,
    max_risk: float,
    calibrate_on: Path | None,
    *,
    replicates: int,
    seed: int,
    watcher: Watcher,
) -> tuple[RiskCheck, ...]:
    """Measure, for every task, what abstention at this risk does on the documents scored.

    With `calibrate_on`, margins are chosen on the documents of that file; without, for each
    document on all the others, and for further documents on all of them.

    Raises:
        InputError: the file is missing or holds nothing usable, or there are too few documents.
        SettingsError: `max_risk` is not between 0 and 1.
    """
    least_documents(max_risk)
    here = {
        task: decided(
            scored.data.groups,
            scored.probabilities,
            scored.targets,
            bundle.rule,
            bundle.codebook,
            task,
        )
        for task in bundle.codebook.tasks
    }
    there: dict[str, Decided] = {}
    if calibrate_on is not None:
        chosen = EvaluationSet(
            calibrate_on.stem, read_documents([calibrate_on], bundle.codebook, watcher)
        )
        there = _decided(bundle, chosen)
    checks: list[RiskCheck] = []
    for task, seen in here.items():
        if calibrate_on is not None:
            margin = _named(task, calibrate_on, there[task], max_risk)
            applied: Sequence[float] | float = margin
        else:
            applied = margins_without_each(seen, max_risk).tolist()
            margin = margin_for(seen, max_risk)
        checks.append(
            check_risk(seen, task, max_risk, margin, applied, replicates=replicates, seed=seed)
        )
    return tuple(checks)


def abstention_table(checks: Sequence[RiskCheck]) -> list[tuple[str, ...]]:
    """Return a header and one row a task."""
    rows: list[tuple[str, ...]] = [
        ("task", "margin", "risk", "coverage", "wrong among decisions", "without abstention")
    ]
    for one in checks:
        cells = map(score_text, (one.risk, one.coverage, one.error, one.error_before))
        rows.append((one.task, f"{one.margin:.3f}", *cells))
    return rows


def _decided(bundle: Bundle, data: EvaluationSet) -> dict[str, Decided]:
    probabilities, _ = bundle.predict([one.sentence for one in data.sentences])
    targets = encode_targets(data.sentences, bundle.codebook)
    return {
        task: decided(data.groups, probabilities, targets, bundle.rule, bundle.codebook, task)
        for task in bundle.codebook.tasks
    }


def _named(task: str, path: Path, seen: Decided, max_risk: float) -> float:
    try:
        return margin_for(seen, max_risk)
    except InputError as error:
        raise InputError(f"{path}, task '{task}': {error}") from None
