"""Log a run: parameters, data, curves, scores, predictions, plots, and the model itself."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pipeline.classifiers.protocol import FitStep
from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule, Probabilities, to_predictions
from pipeline.errors import OutputError
from pipeline.evaluation.behaviour import (
    BehaviourResult,
    behaviour_json,
    behaviour_table,
    pooled,
)
from pipeline.evaluation.report import to_json
from pipeline.evaluation.slices import Slice
from pipeline.output import json_text
from pipeline.records import EvaluationReport, LabelledDocument, LabelledSentence
from pipeline.tracking.curves import Curve
from pipeline.tracking.environment import environment_facts
from pipeline.tracking.naming import (
    ERROR,
    LEVEL,
    NOTE,
    PARENT,
    TABLES,
    Level,
    allowed,
    cut,
    flattened,
    metrics_of,
    note,
    undefined_scores,
)
from pipeline.tracking.store import Store, first_line
from pipeline.tracking.tables import digest_of, labelled_table, prediction_table, write_parquet
from pipeline.tracking.view import ABOUT_EXPERIMENT, comparison_view

if TYPE_CHECKING:
    from mlflow.entities import Metric

_BATCH = 100
"""Parameters and tags that MLflow takes in one request; metrics may be more."""


class RunLogger:
    """One run of an experiment; use it as a context manager, so that it always ends.

    After an error the run is marked FAILED, after an interruption KILLED, and the tag `error` says
    what happened. Every method raises OutputError when the store cannot be written.
    """

    def __init__(
        self,
        store: Store,
        experiment_id: str,
        name: str,
        *,
        level: str = Level.MODEL,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
        run_id: str | None = None,
    ) -> None:
        """Start a run, or, with `run_id`, go on with one of the same experiment that ended."""
        self._store = store
        self._experiment = experiment_id
        self._level = level
        self._description = ""
        self._reports: list[EvaluationReport] = []
        self._digests: dict[str, str] = {}
        self._figures: list[Metric] = []
        self._curve: Curve | None = None
        self._curve_run: RunLogger | None = None
        self._curves = 0
        self._scores_run: RunLogger | None = None
        self._tables: list[dict[str, str]] = []
        every = {**(tags or {}), LEVEL: str(level)}
        if parent is not None:
            every[PARENT] = parent
        every = _standard_tags() | {name: cut(value) for name, value in every.items()}
        with store.reported("start a run"):
            if run_id is None:
                made = store.client.create_run(experiment_id, tags=every, run_name=name)
                run_id = str(made.info.run_id)
            else:
                store.client.update_run(run_id, status="RUNNING")
        self.run_id = run_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._finish(error)
        except OutputError as second:
            if error is None:
                raise
            # What stopped the run matters more than that its end could not be noted.
            error.add_note(str(second))

    def child(self, name: str, *, level: str = Level.FOLD) -> RunLogger:
        """Return a run below this one, to be used as a context manager."""
        return RunLogger(self._store, self._experiment, name, level=level, parent=self.run_id)

    def params(self, values: Mapping[str, object]) -> None:
        """Log chosen parameters; nested ones get dotted names, long values are cut."""
        from mlflow.entities import Param

        params = [Param(name, text) for name, text in flattened(values).items()]
        with self._store.reported("log parameters"):
            for start in range(0, len(params), _BATCH):
                batch = params[start : start + _BATCH]
                self._store.client.log_batch(self.run_id, params=batch)

    def text(self, text: str, file: str) -> None:
        """Keep a text as a file of the run."""
        with self._store.reported(f"keep {file}"):
            self._store.client.log_text(self.run_id, text, file)

    def json(self, value: object, file: str) -> None:
        """Keep JSON values as a file of the run; numbers that are not finite become null."""
        self.text(json_text(value, ensure_ascii=False), file)

    def describe(self, text: str) -> None:
        """Set the description (Markdown); a table of the main scores is added to it."""
        self._description = text
        self.tags({NOTE: note(text, self._reports)})

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags; long values are cut."""
        from mlflow.entities import RunTag

        tags = [RunTag(name, cut(value)) for name, value in values.items()]
        with self._store.reported("set tags"):
            self._store.client.log_batch(self.run_id, tags=tags)

    def environment(self) -> None:
        """Log interpreter, machine, versions of packages, and the state of the source code."""
        facts = environment_facts()
        self.json(facts, "environment.json")
        self.tags(
            {
                "python": str(facts["python"]),
                "platform": str(facts["platform"]),
                "git.commit": str(facts["git.commit"]),
                "git.changed": str(facts["git.changed"]),
            }
        )

    def dataset(
        self,
        name: str,
        documents: Sequence[LabelledDocument],
        codebook: Codebook,
        *,
        use: str | None = None,
    ) -> None:
        """Log name, digest, schema and origin of labelled documents, and what they are used for.

        Scores of a report that bears the name are linked to it. Without `use`, that is the name.
        """
        import mlflow.data
        from mlflow.data.huggingface_dataset_source import HuggingFaceDatasetSource
        from mlflow.entities import DatasetInput, InputTag
        from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

        digest = digest_of(documents, codebook)
        files = sorted({document.source for document in documents if document.source})
        source = HuggingFaceDatasetSource(path="json", data_files=files) if files else None
        with self._store.reported(f"log the data set '{name}'"):
            data = mlflow.data.from_huggingface(
                labelled_table(documents, codebook), name=name, digest=digest, source=source
            )
            entry = DatasetInput(
                data._to_mlflow_entity(), tags=[InputTag(MLFLOW_DATASET_CONTEXT, use or name)]
            )
            self._store.client.log_inputs(self.run_id, [entry])
        self._digests[name] = digest

    def step(self, step: FitStep) -> None:
        """Log a step of a fit into a child run "training"; a second fit gets a child of its own."""
        if self._curve is None or self._curve_run is None or not self._curve.follows(step):
            self._end_curve(None)
            self._curves += 1
            name = "training" if self._curves == 1 else f"training {self._curves}"
            self._curve_run = self.child(name, level=Level.CURVE)
            self._curve = Curve(self._store, self._curve_run.run_id)
        self._curve.add(step)

    def evaluation(
        self,
        labelled: Sequence[LabelledSentence],
        probabilities: Probabilities,
        targets: Targets,
        rule: DecisionRule,
        report: EvaluationReport,
        codebook: Codebook,
    ) -> None:
        """Log a report with its predictions; for a trained model its plots as well.

        The run of a model shows the main scores only, so that runs can be compared; all scores go
        to its child run "scores". Files: evaluation/, predictions/ (Parquet), plots/.

        Raises:
            ShapeError: arrays and sentences do not belong together.
        """
        data = allowed(report.dataset)
        self._reports.append(report)
        self._metrics(report, headlines_only=self._level == Level.MODEL)
        if self._level == Level.MODEL:
            self._scores()._metrics(report, headlines_only=False)
        self.json(to_json(report), f"evaluation/{data}.json")
        predictions = to_predictions(
            [one.sentence for one in labelled],
            probabilities,
            rule.decide(probabilities, codebook),
            codebook,
            model_id=self.run_id,
        )
        table = prediction_table(labelled, predictions, codebook)
        with self._files() as folder:
            (folder / "predictions").mkdir()
            write_parquet(table, folder / "predictions" / f"{data}.parquet")
            if self._level == Level.MODEL:
                from pipeline.tracking.plots import evaluation_plots

                (folder / "plots").mkdir()
                plots = evaluation_plots(report, probabilities, targets, rule, codebook)
                for name, image in plots:
                    (folder / "plots" / f"{data}.{name}.png").write_bytes(image)

    def behaviour(self, results: Sequence[BehaviourResult]) -> None:
        """Log behaviour tests: pooled rates here, each test in the child run "scores".

        Files: behaviour/results.json and results.md.
        """
        self.metrics({f"behaviour/{name}": rate for name, rate in pooled(results).items()})
        self._scores().metrics({f"behaviour/{one.name}": one.rate for one in results})
        self.json(behaviour_json(results), "behaviour/results.json")
        header, *rows = behaviour_table(results)
        lines = [header, ("---",) * len(header), *rows]
        self.text("".join(f"| {' | '.join(line)} |\n" for line in lines), "behaviour/results.md")

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        """Log figures with four decimals; those that are not finite are left out."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [
            Metric(allowed(name), round(value, 4), now, step)
            for name, value in values.items()
            if math.isfinite(value)
        ]
        self._figures += metrics
        with self._store.reported("log scores"):
            self._store.client.log_batch(self.run_id, metrics=metrics)

    def slices(self, dataset: str, found: Sequence[Slice]) -> None:
        """Log the slices of a data set as a table that the UI shows: slices/<data set>.json."""
        columns = [field.name for field in fields(Slice)]
        rows = [[getattr(one, name) for name in columns] for one in found]
        file = f"slices/{allowed(dataset)}.json"
        # As MLflow's log_table, which warns of its own use of pandas.
        self.json({"columns": columns, "data": rows}, file)
        self._tables.append({"path": file, "type": "table"})
        self.tags({TABLES: json.dumps(self._tables)})

    def bundle(self, folder: Path) -> str:
        """Log a bundle as an MLflow model and return its address ("models:/…").

        The scores of the run logged so far are shown with the model and linked to their data sets;
        so log them first.

        Raises:
            BundleError: the folder is no sound bundle.
        """
        from mlflow.entities import Metric

        from pipeline.tracking.models import log_model

        address = log_model(self._store, self.run_id, folder)
        model_id = address.removeprefix("models:/")
        linked = [
            Metric(
                *(one.key, one.value, one.timestamp, one.step),
                model_id=model_id,
                dataset_name=one.dataset_name,
                dataset_digest=one.dataset_digest,
                run_id=self.run_id,
            )
            for one in self._figures
        ]
        with self._store.reported("log the scores of the model"):
            for start in range(0, len(linked), _BATCH):
                batch = linked[start : start + _BATCH]
                self._store.client.log_batch(self.run_id, metrics=batch)
        return address

    def _metrics(self, report: EvaluationReport, *, headlines_only: bool) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        digest = self._digests.get(report.dataset)
        named = {"dataset_name": report.dataset, "dataset_digest": digest} if digest else {}
        values = metrics_of(report, headlines_only=headlines_only)
        metrics = [Metric(name, value, now, 0, **named) for name, value in values.items()]
        self._figures += metrics
        with self._store.reported("log scores"):
            self._store.client.log_batch(self.run_id, metrics=metrics)
        if undefined := undefined_scores(report):
            self.tags({f"undefined scores: {allowed(report.dataset)}": str(undefined)})

    def _scores(self) -> RunLogger:
        if self._scores_run is None:
            self._scores_run = self.child("scores", level=Level.SCORES)
        return self._scores_run

    @contextmanager
    def _files(self) -> Iterator[Path]:
        """Give a folder whose files are kept with the run when the block ends."""
        with tempfile.TemporaryDirectory(prefix="stance-run-") as scratch:
            yield Path(scratch)
            with self._store.reported("keep files"):
                self._store.client.log_artifacts(self.run_id, scratch)

    def _end_curve(self, error: BaseException | None) -> None:
        if self._curve is not None and self._curve_run is not None:
            self._curve.flush()
            self._curve_run._finish(error)
        self._curve = self._curve_run = None

    def _finish(self, error: BaseException | None) -> None:
        self._end_curve(error)
        if self._scores_run is not None:
            self._scores_run._finish(error)
        status = "FINISHED"
        if error is not None:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            kind, said = type(error).__name__, first_line(error)
            self.tags({ERROR: f"{kind}: {said}" if str(error) else kind})
        if self._reports and self._level == Level.MODEL:
            self.tags({NOTE: note(self._description, self._reports)})
            with self._store.reported("describe the experiment"):
                for name, value in comparison_view(self._reports).items():
                    self._store.client.set_experiment_tag(self._experiment, name, value)
        with self._store.reported("end a run"):
            self._store.client.set_terminated(self.run_id, status)


def start_run(
    store: Store, experiment: str, name: str, *, tags: Mapping[str, str] | None = None
) -> RunLogger:
    """Start the run of one trained model, in an experiment that is made if it is new.

    Raises:
        InputError: the experiment was deleted.
        OutputError: the store cannot be written.
    """
    experiment_id = store.experiment(experiment, about=ABOUT_EXPERIMENT)
    return RunLogger(store, experiment_id, name, tags=tags)


def _standard_tags() -> dict[str, str]:
    """Return what MLflow notes of every run by itself: user, program, commit."""
    from mlflow.tracking.context import registry

    return {str(name): str(value) for name, value in registry.resolve_tags().items()}
