"""The stages of `stance run` for given settings, in order."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.bundle import load_bundle
from pipeline.bundle.folder import read_facts
from pipeline.codebook import Codebook
from pipeline.errors import BundleError, CheckFailed, InputError
from pipeline.ingest import find_inputs
from pipeline.output import json_text, write_text
from pipeline.settings.classifiers import files_read
from pipeline.settings.experiment import PipelineSettings
from pipeline.settings.weak import Labels
from pipeline.tracking import Store
from pipeline.tracking.find import is_active
from pipeline.tracking.registered import CHAMPION, version_with
from pipeline.workflows.check_data import check_data
from pipeline.workflows.classify import classify_statement_file
from pipeline.workflows.documents import ingest, segment_file, written_with
from pipeline.workflows.promote import promote
from pipeline.workflows.record_files import rejects_path
from pipeline.workflows.report import report
from pipeline.workflows.stages import Stage
from pipeline.workflows.train import TrainedModel, models_folder, train_model
from pipeline.workflows.watcher import Watcher


def stages(
    settings: PipelineSettings, codebook: Codebook, store: Store, config: str
) -> tuple[Stage, ...]:
    """Return all stages: check, ingest, segment, train (one a model), promote, classify, report."""
    work, data = settings.work, settings.data
    statements, sentences = work / "statements.jsonl", work / "sentences.jsonl"
    labelled = (
        *(*data.corpus, *data.weak_read, data.gold),
        *(*settings.evaluation.external, settings.codebook),
    )
    behaviour = settings.behaviour
    cases = () if behaviour is None else tuple(behaviour.files.values())
    given = [path for path in (settings.card.data_card, settings.promote.gate.data) if path]
    records = [work / "runs" / f"{name}.json" for name in settings.models]
    written = (
        *(sentences, work / "runs", work / "checkpoints", work / "stages.json"),
        *(models_folder(settings), settings.promote.to, settings.report.out),
        *written_with(str(settings.classify.out)),
    )

    def check(_: Watcher) -> str:
        result = check_data(data, codebook)
        if result.findings:
            first = "\n".join(f"  {finding}" for finding in result.findings[:20])
            raise CheckFailed(f"{len(result.findings)} finding(s) in the labelled data:\n{first}")
        total = result.counts[0][1][-1]
        return f"{total.documents:,} documents, {total.sentences:,} sentences without a finding"

    def read(watcher: Watcher) -> str:
        summary = ingest(
            settings.inputs,
            settings.ingest,
            out=statements,
            stdin=None,
            watcher=watcher,
            also_written=written,
        )
        rejected = sum(summary.rejected.values())
        return f"{summary.statements:,} statements, {rejected:,} set aside"

    def cut(watcher: Watcher) -> str:
        return f"{segment_file(statements, out=sentences, watcher=watcher).sentences:,} sentences"

    def classify(watcher: Watcher) -> str:
        summary = classify_statement_file(
            statements,
            load_bundle(settings.promote.to, codebook=codebook),
            out=settings.classify.out,
            watcher=watcher,
        )
        return f"{summary.sentences:,} sentences labelled, {settings.classify.out}"

    def write_report(_: Watcher) -> str:
        summary = report(
            settings.classify.out,
            model=settings.promote.to,
            out=settings.report.out,
            title=settings.report.title,
        )
        return f"{summary.statements:,} statements, {settings.report.out}"

    found = find_inputs(settings.inputs, outputs=(*written_with(str(statements)), *written))
    inputs = tuple(item for item in found if isinstance(item, Path))
    return (
        Stage(
            "check",
            "labelled data against the codebook",
            (*labelled, data.gold_statements),
            (),
            {},
            check,
        ),
        Stage(
            "ingest",
            "documents to statements",
            inputs,
            (statements, rejects_path(statements)),
            settings.ingest.model_dump(mode="json"),
            read,
        ),
        Stage("segment", "statements to sentences", (statements,), (sentences,), {}, cut),
        *(
            _train_stage(name, settings, codebook, store, config, (*labelled, *cases))
            for name in settings.models
        ),
        Stage(
            "promote",
            "the best model becomes the champion",
            (*labelled, *records, *cases, *given),
            (settings.promote.to,),
            {
                **settings.promote.model_dump(mode="json"),
                "behaviour": settings.behaviour and settings.behaviour.model_dump(mode="json"),
                "tracking": [store.shown, settings.tracking.registered_model],
                "card": settings.card.model_dump(mode="json"),
            },
            lambda watcher: _promote(settings, codebook, store, watcher),
            kept=lambda: _champion_kept(settings, store),
        ),
        Stage(
            "classify",
            "label the statements",
            (statements, rejects_path(statements), settings.promote.to),
            (settings.classify.out, rejects_path(settings.classify.out)),
            {},
            classify,
        ),
        Stage(
            "report",
            "predictions as HTML",
            (settings.classify.out, rejects_path(settings.classify.out), settings.promote.to),
            (settings.report.out,),
            settings.report.model_dump(mode="json"),
            write_report,
        ),
    )


def _train_stage(
    name: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    config: str,
    labelled: tuple[Path, ...],
) -> Stage:
    record = settings.work / "runs" / f"{name}.json"

    def train(watcher: Watcher) -> str:
        trained = train_model(name, settings, codebook, store, config=config, watcher=watcher)
        kept = {"run_id": trained.run_id, "mean_macro_f1": mean_macro_f1(trained, codebook)}
        write_text(record, json_text(kept))
        return _headline(trained, codebook)

    return Stage(
        f"train {name}",
        "fit, calibrate, score, log to MLflow",
        (*labelled, *files_read(settings.models[name])),
        (record, models_folder(settings) / name),
        {
            "model": settings.models[name].model_dump(mode="json"),
            "seed": settings.seed,
            "learned": _learned(settings),
            "split": settings.split.model_dump(mode="json"),
            "prevalence": settings.prevalence,
            "temperature": settings.temperature,
            "evaluation": settings.evaluation.model_dump(mode="json"),
            "behaviour": settings.behaviour and settings.behaviour.model_dump(mode="json"),
            "tracking": [store.shown, settings.tracking.experiment],
            "card": settings.card.model_dump(mode="json"),
        },
        train,
        intact=lambda: _is_logged(record, store),
    )


def _is_logged(record: Path, store: Store) -> bool:
    """Whether the store still has the run that a record names."""
    try:
        run_id = str(json.loads(record.read_text(encoding="utf-8"))["run_id"])
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return is_active(store, run_id)


def _learned(settings: PipelineSettings) -> list[str]:
    """Return which labels are learned, and how weak ones are where there are any."""
    data = settings.data
    return [data.labels] if data.labels is Labels.CORPUS else [data.labels, data.weak_targets]


def mean_macro_f1(trained: TrainedModel, codebook: Codebook) -> float:
    """Return macro-F1 on the held-out documents, averaged over the tasks."""
    values = [trained.scores["held-out"][f"{task}.macro_f1"].value for task in codebook.tasks]
    return sum(values) / len(values)


def _headline(trained: TrainedModel, codebook: Codebook) -> str:
    shown = []
    for data, scores in trained.scores.items():
        values = ", ".join(f"{t} {scores[f'{t}.macro_f1'].value:.3f}" for t in codebook.tasks)
        shown.append(f"{data}: {values}")
    return f"macro-F1 {'; '.join(shown)} (run {trained.run_id[:8]})"


def _promote(settings: PipelineSettings, codebook: Codebook, store: Store, watcher: Watcher) -> str:
    wanted = settings.promote.model
    runs = {
        name: json.loads((settings.work / "runs" / f"{name}.json").read_text(encoding="utf-8"))
        for name in settings.models
    }
    if wanted == "best":
        usable = {n: r for n, r in runs.items() if r["mean_macro_f1"] is not None}
        if not usable:
            raise InputError("No model has a defined macro-F1 on the held-out documents.")
        wanted = max(usable, key=lambda name: usable[name]["mean_macro_f1"])
    promotion = promote(
        runs[wanted]["run_id"],
        settings,
        codebook,
        store,
        to=settings.promote.to,
        watcher=watcher,
    )
    return (
        f"{wanted} is now {promotion.folder} ({promotion.model_id}, version "
        f"{promotion.version.version} of '{promotion.version.name}'; "
        f"{promotion.parity.flipped:.2%} of decisions differ from the trained model)"
    )


def _champion_kept(settings: PipelineSettings, store: Store) -> str:
    """Return what to say where the folder holds the champion; empty where it does not.

    Somebody may have shipped it by `stance promote` or `rollback`, which is not undone unasked.
    """
    name = settings.tracking.registered_model
    try:
        manifest, _ = read_facts(settings.promote.to)
    except BundleError:
        return ""
    champion = version_with(store, name, CHAMPION)
    if champion is None or champion.model_id != manifest.model_id:
        return ""
    return (
        f"{manifest.model_id}, version {champion.version} of '{name}', is the champion and is "
        "kept; --force makes it anew"
    )
