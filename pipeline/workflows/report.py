"""Stage `report`: predictions to one self-contained HTML file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.bundle.folder import read_facts
from pipeline.bundle.manifest import Manifest
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.inference import RowFormat, StatementFacts
from pipeline.output import write_text
from pipeline.records import Prediction, Rejection, Statement
from pipeline.reporting import ModelFacts, render_report
from pipeline.workflows.record_files import read_records, rejects_path


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What the report shows."""

    statements: int
    sentences: int
    rejected: int


def report(predictions: Path, *, model: Path, out: Path, title: str) -> ReportSummary:
    """Write the report of a JSON lines file of predictions.

    The rejects file beside the predictions, if there is one, is shown as well. `model` is the
    bundle that made the predictions; labels and colours are those of its codebook, and its measured
    figures and limits are repeated in the report.

    Raises:
        InputError: the file is missing, is not JSON lines of predictions, or is of another model.
        BundleError: the model is not whole.
        OutputError: the report cannot be written.
    """
    manifest, codebook = read_facts(model)
    rows: list[Prediction] = []
    statements: dict[str, Statement] = {}
    for number, (prediction, facts) in enumerate(_read(predictions, codebook), start=1):
        if prediction.model_id != manifest.model_id:
            raise InputError(
                f"{predictions}:{number}: made by model {prediction.model_id}, but {model} is "
                f"{manifest.model_id}. Classify again, or name the model with --model."
            )
        rows.append(prediction)
        doc_id = prediction.sentence.doc_id
        if doc_id not in statements:
            statements[doc_id] = _statement(doc_id, facts)
    if not rows:
        raise InputError(f"{predictions}: holds no predictions; classify something first.")
    rejects = rejects_path(predictions)
    rejected = list(read_records(rejects, Rejection)) if rejects.exists() else []
    html = render_report(
        rows,
        statements,
        codebook,
        title=title,
        model=_facts(manifest),
        made_on=datetime.now(UTC).date(),
        rejected=rejected,
    )
    write_text(out, html)
    return ReportSummary(len(statements), len(rows), len(rejected))


def _read(path: Path, codebook: Codebook) -> Iterator[tuple[Prediction, StatementFacts]]:
    rows = RowFormat(codebook)
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise TypeError(f"expected an object, got {type(row).__name__}")
                    yield rows.read(row)
                except (KeyError, ValueError, TypeError, RecursionError) as error:
                    raise InputError(
                        f"{path}:{number}: not a row of 'stance classify' in JSON lines "
                        f"({type(error).__name__}: {error})."
                    ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from None


def _statement(doc_id: str, facts: StatementFacts) -> Statement:
    return Statement(
        doc_id=doc_id,
        text="",
        source=facts.source or "",
        speaker=facts.speaker,
        date=facts.date,
        genre=facts.genre,
        title=facts.title,
    )


def _facts(manifest: Manifest) -> ModelFacts:
    scores = {
        f"{figure.name} ({figure.dataset})": (figure.value, figure.low, figure.high)
        for figure in manifest.facts.figures
    }
    return ModelFacts(
        model_id=manifest.model_id,
        description=manifest.facts.description,
        limits="\n\n".join(manifest.facts.limits),
        scores=scores,
    )
