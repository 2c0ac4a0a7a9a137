"""The page of `stance evaluate`: slices, calibration, abstention, and errors with their words."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from pipeline.bundle import Bundle
from pipeline.evaluation.metrics import Outcomes, outcomes
from pipeline.evaluation.mistakes import Mistake, find_mistakes, toward_mistakes
from pipeline.evaluation.reliability_bands import reliability_bands
from pipeline.evaluation.risk_control import RiskCheck, decided
from pipeline.evaluation.selective import risk_coverage
from pipeline.evaluation.slices import SliceAnalysis, analyse_slices
from pipeline.evaluation.word_weights import weigh_words
from pipeline.output import write_text
from pipeline.records import LabelledDocument
from pipeline.reporting.evaluation_page import (
    ErrorBrowser,
    EvaluationFacts,
    ShownMistake,
    render_evaluation,
)
from pipeline.workflows.scoring import Scored
from pipeline.workflows.watcher import Watcher

MOST_ERRORS = 100
"""Errors of a task that are shown, the most confident ones; leaving out each of their words in turn
takes about 25 predictions an error."""


def write_page(
    out: Path,
    bundle: Bundle,
    scored: Scored,
    checks: Sequence[RiskCheck],
    chosen_on: str,
    *,
    replicates: int,
    seed: int,
    watcher: Watcher,
) -> SliceAnalysis:
    """Write the page and return the slices in it.

    Raises:
        OutputError: the page cannot be written.
    """
    codebook, data = bundle.codebook, scored.data
    slices = analyse_slices(
        data.documents, scored.decisions, codebook, replicates=replicates, seed=seed
    )
    seen = outcomes(data.groups, scored.probabilities, scored.decisions, scored.targets, codebook)
    tasks = {
        task: decided(
            data.groups, scored.probabilities, scored.targets, bundle.rule, codebook, task
        )
        for task in codebook.tasks
    }
    facts = EvaluationFacts(
        model_id=bundle.model_id,
        report=scored.report,
        slices=slices,
        reliability={
            j: reliability_bands(
                data.groups,
                scored.probabilities[:, j],
                scored.targets[:, j],
                replicates=replicates,
                seed=seed,
            )
            for j in range(codebook.width)
        },
        curves=[
            risk_coverage(one, task, replicates=replicates, seed=seed)
            for task, one in tasks.items()
        ],
        checks=checks,
        chosen_on=chosen_on,
        errors=_errors(bundle, scored, seen, watcher),
    )
    title = f"Evaluation on {data.name}"
    day = datetime.now(UTC).date()
    write_text(out, render_evaluation(facts, codebook, title=title, made_on=day))
    return slices


def _errors(bundle: Bundle, scored: Scored, seen: Outcomes, watcher: Watcher) -> ErrorBrowser:
    found = find_mistakes(seen, bundle.codebook)
    shown: list[Mistake] = []
    counts: Counter[str] = Counter()
    for mistake in found:
        counts[mistake.task] += 1
        if counts[mistake.task] <= MOST_ERRORS:
            shown.append(mistake)
    labelled = scored.data.sentences
    begun = time.perf_counter()
    weighed = weigh_words(
        bundle.classifier,
        [labelled[one.row].sentence for one in shown],
        toward_mistakes(shown, bundle.rule, seen, bundle.codebook),
        on_scored=lambda done, total: watcher.progress("words left out", done, total),
    )
    places = [
        _place(document, position)
        for document in scored.data.documents
        for position in range(len(document.sentences))
    ]
    return ErrorBrowser(
        shown=tuple(
            ShownMistake(one, labelled[one.row], np.asarray(weights), places[one.row])
            for one, weights in zip(shown, weighed.weights, strict=True)
        ),
        found={task: counts[task] for task in bundle.codebook.tasks},
        exact=weighed.exact,
        scored=weighed.scored,
        seconds=time.perf_counter() - begun,
    )


def _place(document: LabelledDocument, position: int) -> str:
    said = (document.speaker, document.date, document.genre)
    place = f"{document.doc_id}, sentence {position + 1}"
    return ", ".join([*(one for one in said if one), place])
