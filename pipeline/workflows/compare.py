"""Stage `compare`: whether models differ on the same documents, as tables, a page and a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.bundle import Bundle, load_bundle
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.evaluation.comparison import SHUFFLES, ScoreComparison, compare_all
from pipeline.evaluation.comparison_table import cautions, comparison_table, family_size, method
from pipeline.evaluation.metrics import Outcomes, outcomes
from pipeline.reporting.comparison import (
    ComparisonView,
    PairView,
    render_comparison,
    task_examples,
)
from pipeline.settings.experiment import PipelineSettings
from pipeline.tracking import Store
from pipeline.tracking.comparisons import log_comparison
from pipeline.workflows.comparison_data import ComparisonData, comparison_data
from pipeline.workflows.contenders import (
    Contender,
    find_contender,
    learned_by,
    require_different,
)
from pipeline.workflows.scoring import EvaluationSet
from pipeline.workflows.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Comparison:
    """A finished comparison: all that is said, the HTML page that says it, and its run."""

    view: ComparisonView
    page: str
    run_id: str


def compare_models(
    references: Sequence[str],
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    *,
    against: str | None,
    on: Path | None,
    watcher: Watcher,
) -> Comparison:
    """Compare models with one of them on sentences that none has learned from, and log it.

    Args:
        references: runs, folders or aliases; see `find_contender`.
        against: what all of them are compared with; without it the first is compared with.
        on: labelled statements; see `comparison_data` for what is taken without it.

    Raises:
        InputError: a model or a file is not there, two references mean one model, fewer than two
            models are given, or fewer than two documents remain.
        BundleError: a model does not fit the codebook.
        OutputError: the store cannot be written.
    """
    named = list(references) if against is None else [against, *references]
    if len(named) < 2:
        raise InputError(
            "One model cannot be compared: name another run, or give --against champion, a run or "
            "the folder of a model."
        )
    experiment = settings.tracking.experiment
    contenders = [find_contender(store, one, settings.tracking) for one in named]
    require_different(contenders)
    learned = {one.label: learned_by(one, codebook, store, watcher) for one in contenders}
    chosen = comparison_data(learned, on, settings.data, codebook, watcher)
    model_ids: dict[str, str] = {}
    seen: list[Outcomes] = []
    for contender in contenders:
        watcher.note(f"{contender.label}: scoring {len(chosen.data.sentences):,} sentences")
        model_id, outcome = _scored(contender, chosen.data, codebook)
        model_ids[contender.label] = model_id
        seen.append(outcome)
    watcher.note("comparing")
    replicates = settings.evaluation.replicates
    compared = compare_all(seen[1:], seen[0], codebook, replicates=replicates, seed=settings.seed)
    view = _view(contenders, model_ids, chosen, compared, seen, codebook, replicates)
    page = render_comparison(view, made_on=datetime.now(UTC).date())
    run_id = log_comparison(
        store,
        experiment,
        view.title,
        tags=_tags(contenders, model_ids, chosen),
        params={
            "data": chosen.data.name,
            "documents": len(chosen.data.documents),
            "sentences": len(chosen.data.sentences),
            "sentences left out": chosen.seen,
            "shuffles": SHUFFLES,
            "replicates": replicates,
            "seed": settings.seed,
            "comparisons": family_size(compared),
        },
        metrics=dict(_metrics(view)),
        page=page,
        description=_markdown(view),
    )
    return Comparison(view, page, run_id)


def _scored(contender: Contender, data: EvaluationSet, codebook: Codebook) -> tuple[str, Outcomes]:
    """Return the id of a model and what it says; its files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stance-compare-") as scratch:
        bundle = load_bundle(contender.fetch(Path(scratch)), codebook=codebook)
        return bundle.model_id, outcomes_on(data, bundle)


def outcomes_on(data: EvaluationSet, bundle: Bundle) -> Outcomes:
    """Return what a model says of labelled sentences, beside what is right."""
    labelled = data.sentences
    probabilities, decisions = bundle.predict([one.sentence for one in labelled])
    targets = encode_targets(labelled, bundle.codebook)
    return outcomes(data.groups, probabilities, decisions, targets, bundle.codebook)


def _view(
    contenders: Sequence[Contender],
    model_ids: dict[str, str],
    chosen: ComparisonData,
    compared: Sequence[tuple[ScoreComparison, ...]],
    seen: Sequence[Outcomes],
    codebook: Codebook,
    replicates: int,
) -> ComparisonView:
    reference, *others = (one.label for one in contenders)
    sentences = [labelled.sentence for labelled in chosen.data.sentences]
    documents, family = seen[0].document_count, family_size(compared)
    pairs = tuple(
        PairView(label, reference, scores, task_examples(one, seen[0], sentences, codebook))
        for label, scores, one in zip(others, compared, seen[1:], strict=True)
    )
    data = f"{chosen.origin}: {len(sentences):,} sentences of {documents:,} documents"
    left_out = f"{chosen.seen:,} of {chosen.read:,} sentences, which a model has learned from"
    return ComparisonView(
        title=f"{', '.join(others)} against {reference}",
        facts=(
            *((label, model_id) for label, model_id in model_ids.items()),
            ("Compared on", data),
            ("Left out", left_out),
            ("Codebook", f"{codebook.name} {codebook.version}"),
        ),
        cautions=(*chosen.cautions, *cautions(documents, family)),
        method=tuple(method(documents, family, models=len(pairs), replicates=replicates)),
        pairs=pairs,
    )


def _tags(
    contenders: Sequence[Contender], model_ids: dict[str, str], chosen: ComparisonData
) -> dict[str, str]:
    reference, *others = contenders
    return {
        "compare.reference": reference.run_id or reference.reference,
        "compare.models": ", ".join(one.run_id or one.reference for one in others),
        "compare.model_ids": ", ".join(model_ids.values()),
        "compare.data": chosen.origin,
        "compare.cautions": "; ".join(chosen.cautions) or "none",
    }


def _metrics(view: ComparisonView) -> Iterator[tuple[str, float]]:
    """Yield the figures of every score under "<score>/<what>", with several models first theirs."""
    for pair in view.pairs:
        prefix = f"{pair.first}/" if len(view.pairs) > 1 else ""
        for score in pair.scores:
            figures = {
                "difference": score.difference,
                "difference.low": score.low,
                "difference.high": score.high,
                "p": score.p,
                "p.holm": score.p_holm,
                "design_effect": score.design_effect,
                "detectable": score.detectable,
            }
            for name, value in figures.items():
                if value is not None:
                    yield f"{prefix}{score.name}/{name}", value


def _markdown(view: ComparisonView) -> str:
    lines = [*(f"- {name}: {text}" for name, text in view.facts), ""]
    lines += [f"**{text}**\n" for text in view.cautions]
    for pair in view.pairs:
        header, *rows = comparison_table(pair.scores, pair.first, pair.second)
        lines += [pair.verdict, ""]
        lines += [f"| {' | '.join(row)} |" for row in (header, ("---",) * len(header), *rows)]
        lines.append("")
    return "\n".join(lines)
