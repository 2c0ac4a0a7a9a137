"""Stage `train-attribution`: fit the span model, export it, measure it, log everything."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.attribution.combined import CombinedAttributor
from pipeline.attribution.questions import Asked, asked_of
from pipeline.bundle import BundleFacts, Figure
from pipeline.bundle.folder import CARD
from pipeline.classifiers.encoder import resolve_encoder
from pipeline.classifiers.protocol import FitMonitor, FitStep
from pipeline.codebook import Codebook
from pipeline.errors import CheckFailed, InputError
from pipeline.settings.experiment import PipelineSettings
from pipeline.tracking import RunLogger, Store, start_run
from pipeline.tracking.store import hide_passwords
from pipeline.training.splits import Split
from pipeline.workflows.evaluate_attribution import AttributionEvaluation, evaluate_attribution
from pipeline.workflows.scoring import EvaluationSet, evaluation_sets
from pipeline.workflows.train import SPLIT_ARTIFACT, split_corpus
from pipeline.workflows.watcher import Watcher

if TYPE_CHECKING:
    from pipeline.attribution.export import SpanParity, TrainedSpans

NAME = "attribution"
LIMITS = (
    "Holders and targets are found for labels that a classifier gave; where the label is wrong, so "
    "is what is said of it.",
    "The model reads the sentence and a few before it. An actor named earlier is found only "
    "through a pronoun, and where a reporting verb or the beginning of a sentence names him.",
    "Targets are often a matter of judgement: how much of a phrase is quoted differs between "
    "annotators as well.",
)


@dataclass(frozen=True, slots=True)
class TrainedAttribution:
    """The model that was written, its run, and what was measured."""

    model_id: str
    run_id: str
    folder: Path
    parity: SpanParity
    evaluations: tuple[AttributionEvaluation, ...]


def train_attribution(
    settings: PipelineSettings, codebook: Codebook, store: Store, *, config: str, watcher: Watcher
) -> TrainedAttribution:
    """Train the model of the settings' section `attribution`, log the run, and write its folder.

    All documents but those for test are learned from: nothing is calibrated.

    Raises:
        InputError: no label of the corpus says who holds it, the encoder cannot be had, or an
            evaluation set is missing or named like another one.
        CheckFailed: the exported model answers otherwise than the trained one too often.
        OutputError: the folder or the store cannot be written.
    """
    from pipeline.attribution.export import (
        measure_span_parity,
        write_model_files,
        write_span_folder,
    )

    wanted = settings.attribution
    if wanted.corpus:
        data = settings.data.model_copy(update={"corpus": wanted.corpus})
        settings = settings.model_copy(update={"data": data})
    _, split = split_corpus(settings, codebook, watcher)
    learned = (*split.train, *split.calibration)
    asked, held_out = asked_of(learned, codebook), asked_of(split.test, codebook)
    if not asked or not held_out:
        raise InputError(
            f"{', '.join(map(str, settings.data.corpus))}: of the labels, {len(asked)} to learn "
            f"from and {len(held_out)} held out say who holds them; both need some. Give labels "
            "as objects with 'label', 'holder' and 'target'."
        )
    sets = evaluation_sets(split.test, settings.data, settings.evaluation, codebook, watcher)
    tags = {"stance.model": NAME, "stance.kind": NAME}
    with start_run(store, settings.tracking.experiment, NAME, tags=tags) as run:
        _log_inputs(run, settings, split, asked, codebook, config)
        watcher.note(f"{NAME}: fitting on {len(asked):,} labels of {len(learned):,} documents")
        trained = fit(settings, asked, _monitor(run, watcher))
        with tempfile.TemporaryDirectory(prefix="stance-attribution-") as scratch:
            exported = write_model_files(Path(scratch), trained)
            parity = measure_span_parity(trained, exported, [one.question for one in held_out])
            _require_parity(parity, wanted.largest_share_changed)
            evaluations = _evaluate(CombinedAttributor(exported), sets, settings, codebook)
            facts = facts_of(
                settings, codebook, len(learned), len(asked), run.run_id, parity, evaluations
            )
            manifest = write_span_folder(wanted.to, Path(scratch), codebook, facts)
        run.metrics({f"{f.dataset}/{f.name}": f.value for f in facts.figures})
        run.json(parity.figures(), "parity.json")
        run.text((wanted.to / CARD).read_text(encoding="utf-8"), CARD)
        run.describe(f"{facts.description}\n\nModel `{manifest.model_id}` in {wanted.to}.")
        return TrainedAttribution(
            manifest.model_id, run.run_id, wanted.to, parity, tuple(evaluations)
        )


def fit(settings: PipelineSettings, asked: Sequence[Asked], monitor: FitMonitor) -> TrainedSpans:
    """Return a span network that learned from `asked`."""
    import torch

    from pipeline.attribution.encoding import QuestionTokenizer
    from pipeline.attribution.export import TrainedSpans
    from pipeline.attribution.network import start_network
    from pipeline.attribution.training import fit_network

    wanted = settings.attribution
    folder = resolve_encoder(wanted.encoder)
    tokenizer = QuestionTokenizer.from_folder(
        folder, max_tokens=wanted.encoder.max_tokens, context_tokens=wanted.context_tokens
    )
    torch.manual_seed(settings.seed)
    network = start_network(
        folder, layers=wanted.layers, max_tokens=wanted.encoder.max_tokens, dropout=wanted.dropout
    )
    fit_network(network, asked, tokenizer, wanted, seed=settings.seed, monitor=monitor)
    return TrainedSpans(network, tokenizer)


def facts_of(
    settings: PipelineSettings,
    codebook: Codebook,
    documents: int,
    labels: int,
    run_id: str | None,
    parity: SpanParity,
    evaluations: Sequence[AttributionEvaluation],
) -> BundleFacts:
    """Return what is said of a trained model."""
    figures: list[Figure] = [figure for one in evaluations for figure in one.figures()]
    tasks = ", ".join(name for name, task in codebook.tasks.items() if task.attribution)
    return BundleFacts(
        name=f"{codebook.name.replace('_', '-')}-{NAME}",
        description=f"Marks the words that name holder and target of labels of {tasks}, after "
        f"codebook '{codebook.name}' {codebook.version}. Labels are told by their titles.",
        licence=settings.card.licence,
        run_id=run_id,
        training={
            "model": settings.attribution.model_dump_json(exclude={"to", "corpus"}),
            "corpus": ", ".join(map(str, settings.data.corpus)),
            "documents": str(documents),
            "labels": str(labels),
            "seed": str(settings.seed),
        },
        figures=tuple(figures),
        parity=parity.figures(),
        limits=(*settings.card.limits[:2], *LIMITS),
    )


def _log_inputs(
    run: RunLogger,
    settings: PipelineSettings,
    split: Split,
    asked: Sequence[Asked],
    codebook: Codebook,
    config: str,
) -> None:
    parts = {"train": (*split.train, *split.calibration), "test": split.test}
    run.params(
        {
            **settings.attribution.model_dump(mode="json"),
            "seed": settings.seed,
            "codebook": f"{codebook.name} {codebook.version}",
            "train.documents": len(parts["train"]),
            "train.labels": len(asked),
        }
    )
    run.text(hide_passwords(config), "config.yaml")
    run.json({use: [d.doc_id for d in part] for use, part in parts.items()}, SPLIT_ARTIFACT)
    run.environment()
    for use, part in parts.items():
        run.dataset(use, part, codebook)


def _monitor(run: RunLogger, watcher: Watcher) -> FitMonitor:
    def on_step(step: FitStep) -> None:
        watcher.progress(f"{NAME}: training steps", step.done, step.planned)
        run.step(step)

    return FitMonitor(on_step)


def _require_parity(parity: SpanParity, allowed: float) -> None:
    if max(parity.holders_changed, parity.targets_changed) > allowed:
        raise CheckFailed(
            f"The exported model does not equal the trained one: {parity.holders_changed:.2%} of "
            f"the holders and {parity.targets_changed:.2%} of the targets of {parity.questions} "
            f"held-out labels differ (allowed {allowed:.2%})."
        )


def _evaluate(
    attributor: CombinedAttributor,
    sets: Sequence[EvaluationSet],
    settings: PipelineSettings,
    codebook: Codebook,
) -> list[AttributionEvaluation]:
    return [
        evaluate_attribution(
            data.documents,
            codebook,
            attributor,
            dataset=data.name,
            method="both",
            replicates=settings.evaluation.replicates,
            seed=settings.seed,
        )
        for data in sets
        if any(one.gold.holder is not None for one in asked_of(data.documents, codebook))
    ]
