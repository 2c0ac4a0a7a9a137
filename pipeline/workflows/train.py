"""Stage `train`: fit a classifier, calibrate it, report on held-out data, log everything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.bundle import write_bundle
from pipeline.classifiers.protocol import FitMonitor, FitStep, Trainable
from pipeline.classifiers.registry import build
from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.slices import analyse_slices
from pipeline.labelling.typography import letters_and_digits
from pipeline.records import LabelledDocument, LabelledSentence, Score
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.settings.experiment import PipelineSettings
from pipeline.settings.weak import Labels, WeakTargets
from pipeline.tracking import RunLogger, Store, start_run
from pipeline.tracking.find import EVALUATION
from pipeline.tracking.registered import MODEL_ID
from pipeline.tracking.store import hide_passwords
from pipeline.training.decision_rule import DecisionReport, fit_decision_rule
from pipeline.training.splits import Fold, Split, grouped_folds, split_three
from pipeline.workflows.behaviour import read_suite, run_suite
from pipeline.workflows.files_read import FILES_ARTIFACT, file_digests
from pipeline.workflows.model_facts import facts_for
from pipeline.workflows.scoring import (
    EvaluationSet,
    Scored,
    evaluation_sets,
    groups_of,
    read_documents,
    score,
    sentences_of,
)
from pipeline.workflows.watcher import Silent, Watcher

SPLIT_ARTIFACT = "split.json"
CONFIG_ARTIFACT = "config.resolved.json"
CHECKPOINTS = "checkpoints"
REPRODUCES = "stance.reproduces"
"""Tag of a run that trains another one once more: the other's id."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Where a trained model lies, the run that holds it, and its scores by data set and name."""

    name: str
    run_id: str
    folder: Path
    scores: dict[str, dict[str, Score]]


def models_folder(settings: PipelineSettings) -> Path:
    """Return the folder that trained models are written to, one folder each."""
    return settings.work / "models"


def split_corpus(
    settings: PipelineSettings, codebook: Codebook, watcher: Watcher
) -> tuple[tuple[LabelledDocument, ...], Split]:
    """Read the corpus and hold out whole documents for calibration and test."""
    documents = read_documents(settings.data.corpus, codebook, watcher)
    split = split_three(
        documents,
        codebook,
        test=settings.split.test,
        calibration=settings.split.calibration,
        seed=settings.seed,
    )
    return documents, split


def learned_from(
    split: Split, settings: PipelineSettings, codebook: Codebook, watcher: Watcher
) -> list[LabelledSentence]:
    """Return the sentences to fit on, as `data.labels` and `data.weak_targets` say.

    Weakly labelled sentences whose words stand in documents for calibration or evaluation are left
    out.

    Raises:
        InputError: a weakly labelled file is missing or holds nothing usable.
    """
    gold = sentences_of(split.train)
    if settings.data.labels is Labels.CORPUS:
        return gold
    sets = evaluation_sets(split.test, settings.data, settings.evaluation, codebook, Silent())
    held_out = (*split.calibration, *(document for data in sets for document in data.documents))
    soft = settings.data.weak_targets is WeakTargets.PROBABILITIES
    read = read_documents(settings.data.weak_read, codebook, watcher, probabilities=soft)
    weak = sentences_of(read)
    kept = without_held_out(weak, held_out)
    if len(kept) < len(weak):
        watcher.note(f"{len(weak) - len(kept):,} weakly labelled sentences left out: held out")
    return kept if settings.data.labels is Labels.WEAK else [*gold, *kept]


def without_held_out(
    weak: Sequence[LabelledSentence], held_out: Sequence[LabelledDocument]
) -> list[LabelledSentence]:
    """Return the weakly labelled sentences whose words stand in no document that is held out."""
    held = {letters_and_digits(one.sentence.text) for one in sentences_of(held_out)}
    return [one for one in weak if letters_and_digits(one.sentence.text) not in held]


def train_model(
    name: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    *,
    config: str,
    watcher: Watcher,
    reproduces: str | None = None,
) -> TrainedModel:
    """Train the model `name` of the settings, log the run, and write its bundle.

    Args:
        config: the settings as they were read, kept with the run.
        reproduces: the run that is trained once more, if this is no training of its own.

    Raises:
        StanceError: whatever the classifier, the data or the store cannot do.
    """
    wanted = settings.models[name]
    suite = None if settings.behaviour is None else read_suite(settings.behaviour, codebook)
    documents, split = split_corpus(settings, codebook, watcher)
    sets = evaluation_sets(split.test, settings.data, settings.evaluation, codebook, watcher)
    tags = {"stance.model": name, "stance.kind": wanted.kind}
    called = name
    if reproduces is not None:
        tags[REPRODUCES], called = reproduces, f"{name} reproduced"
    with start_run(store, settings.tracking.experiment, called, tags=tags) as run:
        _log_inputs(run, settings, wanted, codebook, split, config)
        for data in sets:
            run.dataset(data.name, data.documents, codebook, use=EVALUATION)
        run.json(file_digests(settings, name), FILES_ARTIFACT)
        if settings.split.folds:
            _cross_validate(run, name, wanted, documents, settings, codebook, watcher)
        learned = learned_from(split, settings, codebook, watcher)
        run.params({"fit.sentences": len(learned), "fit.labels": settings.data.labels})
        if settings.data.labels is not Labels.CORPUS:
            weak = [path.as_posix() for path in settings.data.weak_read]
            run.params({"fit.weak_targets": settings.data.weak_targets, "data.weak": weak})
        watcher.note(f"{name}: fitting on {len(learned):,} sentences")
        classifier = build(wanted, codebook, seed=settings.seed)
        classifier.fit(learned, _monitor(name, settings, watcher, run))
        rule, gains = _calibrate(classifier, split.calibration, settings)
        run.json(asdict(gains), "calibration.json")
        scored: list[Scored] = []
        for data in sets:
            watcher.note(f"{name}: scoring {data.name}")
            one = score(
                classifier,
                rule,
                data,
                replicates=settings.evaluation.replicates,
                seed=settings.seed,
            )
            _log_scores(run, one, rule, codebook)
            slices = analyse_slices(
                data.documents,
                one.decisions,
                codebook,
                replicates=settings.evaluation.replicates,
                seed=settings.seed,
            )
            run.slices(data.name, slices.slices)
            scored.append(one)
        if suite is not None:
            watcher.note(f"{name}: testing behaviour")
            held_out = [labelled.sentence for labelled in sentences_of(split.test)]
            texts = [labelled.sentence.text for labelled in sentences_of(documents)]
            run.behaviour(run_suite(suite, classifier, rule, held_out, texts, seed=settings.seed))
        facts = facts_for(
            name,
            wanted,
            codebook,
            card=settings.card,
            corpus=(*settings.data.corpus, *settings.data.weak_read),
            documents={use: len(part) for use, part in _parts(split).items()},
            seed=settings.seed,
            run_id=run.run_id,
            figures=[figure for one in scored for figure in one.figures()],
            notes=gains.notes,
        )
        folder = models_folder(settings) / name
        manifest = write_bundle(folder, classifier, rule, facts)
        run.bundle(folder)
        run.tags({MODEL_ID: manifest.model_id})
        run.describe(
            f"{facts.description}\n\nModel `{manifest.model_id}`. To ship it: "
            f"`stance promote {run.run_id}`."
        )
        return TrainedModel(
            name, run.run_id, folder, {one.data.name: dict(one.report.scores) for one in scored}
        )


@contextmanager
def several_processes() -> Iterator[bool]:
    """Join the other processes of a training that was started in several; yield whether this leads.

    The others call `follow_training` for each model that this one trains.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield True
        return
    from pipeline.classifiers.ranks import joined

    with joined() as ranks:
        yield ranks.first


def follow_training(name: str, settings: PipelineSettings, codebook: Codebook) -> None:
    """Take part in the fits of `train_model` in another process, and do nothing else.

    That process calibrates, scores, logs and writes; see `classifiers.ranks`.
    """
    documents, split = split_corpus(settings, codebook, Silent())
    folds = _folds(documents, settings, codebook) if settings.split.folds else ()
    calibrating = (_for_calibration(fold.train, settings, codebook) for fold in folds)
    learned = learned_from(split, settings, codebook, Silent())
    for part in (*(sentences_of(inner.train) for inner in calibrating), learned):
        classifier = build(settings.models[name], codebook, seed=settings.seed)
        classifier.fit(part, FitMonitor(checkpoints=settings.work / CHECKPOINTS))


def _parts(split: Split) -> dict[str, tuple[LabelledDocument, ...]]:
    return {"train": split.train, "calibration": split.calibration, "test": split.test}


def _log_inputs(
    run: RunLogger,
    settings: PipelineSettings,
    wanted: ClassifierSettings,
    codebook: Codebook,
    split: Split,
    config: str,
) -> None:
    parameters = {
        **wanted.model_dump(mode="json"),
        "seed": settings.seed,
        "split": settings.split.model_dump(mode="json"),
        "prevalence": settings.prevalence,
        "temperature": settings.temperature,
        "evaluation.replicates": settings.evaluation.replicates,
        "data.corpus": [path.as_posix() for path in settings.data.corpus],
        "codebook": f"{codebook.name} {codebook.version}",
        "train.documents": len(split.train),
        "train.sentences": len(sentences_of(split.train)),
    }
    run.params(parameters)
    run.text(hide_passwords(config), "config.yaml")
    run.json(settings.recorded(), CONFIG_ARTIFACT)
    run.json({use: [d.doc_id for d in part] for use, part in _parts(split).items()}, SPLIT_ARTIFACT)
    run.environment()
    for use, part in _parts(split).items():
        run.dataset(use, part, codebook)


def _log_scores(run: RunLogger, one: Scored, rule: DecisionRule, codebook: Codebook) -> None:
    run.evaluation(one.data.sentences, one.probabilities, one.targets, rule, one.report, codebook)


def _monitor(name: str, settings: PipelineSettings, watcher: Watcher, run: RunLogger) -> FitMonitor:
    def on_step(step: FitStep) -> None:
        watcher.progress(f"{name}: training steps", step.done, step.planned)
        run.step(step)

    return FitMonitor(on_step, settings.work / CHECKPOINTS)


def _calibrate(
    classifier: Trainable, documents: Sequence[LabelledDocument], settings: PipelineSettings
) -> tuple[DecisionRule, DecisionReport]:
    labelled = sentences_of(documents)
    return fit_decision_rule(
        classifier.predict_logits([one.sentence for one in labelled]),
        encode_targets(labelled, classifier.codebook),
        groups_of(documents),
        classifier.codebook,
        folds=settings.split.threshold_folds,
        seed=settings.seed,
        prevalence=settings.prevalence,
        temperature=settings.temperature,
    )


def _cross_validate(
    run: RunLogger,
    name: str,
    wanted: ClassifierSettings,
    documents: Sequence[LabelledDocument],
    settings: PipelineSettings,
    codebook: Codebook,
    watcher: Watcher,
) -> None:
    """Train once a fold on the other folds; each fold is a child run with its own scores."""
    folds = _folds(documents, settings, codebook)
    for number, fold in enumerate(folds, start=1):
        watcher.note(f"{name}: fold {number} of {len(folds)}")
        with run.child(f"fold {number}") as child:
            monitor = _monitor(f"{name} fold {number}", settings, watcher, child)
            classifier, rule = fit_and_calibrate(fold.train, wanted, settings, codebook, monitor)
            one = score(
                classifier,
                rule,
                EvaluationSet("fold", fold.test),
                replicates=settings.evaluation.replicates,
                seed=settings.seed,
            )
            _log_scores(child, one, rule, codebook)


def _folds(
    documents: Sequence[LabelledDocument], settings: PipelineSettings, codebook: Codebook
) -> Sequence[Fold]:
    return grouped_folds(documents, codebook, folds=settings.split.folds, seed=settings.seed)


def fit_and_calibrate(
    documents: Sequence[LabelledDocument],
    wanted: ClassifierSettings,
    settings: PipelineSettings,
    codebook: Codebook,
    monitor: FitMonitor,
) -> tuple[Trainable, DecisionRule]:
    """Return a classifier and its decision rule, for which some of the documents are held out.

    Raises:
        SettingsError: there are too few documents to hold some out.
        StanceError: whatever the classifier cannot do.
    """
    inner = _for_calibration(documents, settings, codebook)
    classifier = build(wanted, codebook, seed=settings.seed)
    classifier.fit(sentences_of(inner.train), monitor)
    rule, _ = _calibrate(classifier, inner.test, settings)
    return classifier, rule


def _for_calibration(
    documents: Sequence[LabelledDocument], settings: PipelineSettings, codebook: Codebook
) -> Fold:
    """Return what of the documents is trained on, and what is held out for calibration."""
    folds = max(2, round(1 / settings.split.calibration))
    return grouped_folds(documents, codebook, folds=folds, seed=settings.seed)[0]
