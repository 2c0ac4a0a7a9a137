"""Stage `report`: predictions to self-contained HTML, with attributions to a dossier."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.actors import load_registry
from pipeline.bundle.folder import read_facts
from pipeline.bundle.manifest import Manifest
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError
from pipeline.inference import RowFormat, StatementFacts
from pipeline.inference.rows import Origin
from pipeline.inference.sinks import SINKS
from pipeline.output import write_text
from pipeline.records import Prediction, Rejection, Sentence, Statement
from pipeline.reporting import ModelFacts, render_dossier, render_report, task_title
from pipeline.workflows.findings import read_findings
from pipeline.workflows.record_files import read_records, rejects_path

READS = ".jsonl"


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What the report shows; `findings` and more `files` than one are those of a dossier."""

    statements: int
    sentences: int
    rejected: int
    findings: int = 0
    files: int = 1


def report(
    predictions: Path,
    *,
    model: Path,
    out: Path,
    title: str,
    attributions: Path | None = None,
    actors: Sequence[Path] = (),
) -> ReportSummary:
    """Write the report of a JSON lines file of predictions, with `attributions` as a dossier.

    The rejects file beside the predictions, if there is one, is shown as well. `model` is the
    bundle that made the predictions; labels and colours are those of its codebook, and its measured
    figures and limits are repeated in the report. `actors` are the user's own files of actors.

    Raises:
        InputError: a file is missing, is not of its format, or is of another model.
        SettingsError: the attributions are of other predictions, or a file of actors has mistakes.
        BundleError: the model is not whole.
        OutputError: the report cannot be written.
    """
    if (suffix := predictions.suffix.lower()) in SINKS and suffix != READS:
        raise InputError(
            f"{predictions}: 'stance report' reads JSON lines ({READS}), got {suffix}. Classify "
            f"again with -o {predictions.with_suffix(READS).name}."
        )
    manifest, codebook = read_facts(model)
    rows: list[Prediction] = []
    documents: dict[str, _Document] = {}
    for number, (prediction, facts, origin) in enumerate(_read(predictions, codebook), start=1):
        if prediction.model_id != manifest.model_id:
            raise InputError(
                f"{predictions}:{number}: made by model {prediction.model_id}, but {model} is "
                f"{manifest.model_id}. Classify again, or name the model with --model."
            )
        rows.append(prediction)
        doc_id = prediction.sentence.doc_id
        document = documents.setdefault(doc_id, _Document(facts, []))
        document.parts.append((prediction.sentence, origin.gap))
    if not rows:
        raise InputError(f"{predictions}: holds no predictions; classify something first.")
    rejects = rejects_path(predictions)
    rejected = list(read_records(rejects, Rejection)) if rejects.exists() else []
    statements = _statements(documents)
    measured = _facts(manifest, codebook)
    today = datetime.now(UTC).date()
    if attributions is None:
        html = render_report(
            rows,
            statements,
            codebook,
            title=title,
            model=measured,
            made_on=today,
            rejected=rejected,
        )
        write_text(out, html)
        return ReportSummary(len(documents), len(rows), len(rejected))
    attributed = read_findings(attributions, manifest.model_id, load_registry(actors))
    rejected += attributed.rejected
    pages = render_dossier(
        rows,
        statements,
        codebook,
        attributed.findings,
        name=out.name,
        title=title,
        model=measured,
        attribution_model=", ".join(attributed.models),
        made_on=today,
        rejected=rejected,
    )
    for name, html in pages.items():
        write_text(out.with_name(name), html)
    found = len(attributed.findings)
    return ReportSummary(len(documents), len(rows), len(rejected), found, len(pages))


def _read(path: Path, codebook: Codebook) -> Iterator[tuple[Prediction, StatementFacts, Origin]]:
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


@dataclass(frozen=True, slots=True)
class _Document:
    """What the rows of one document say: its facts, and its sentences with the gap before each."""

    facts: StatementFacts
    parts: list[tuple[Sentence, str | None]]


def _statements(documents: Mapping[str, _Document]) -> dict[str, Statement]:
    """Rebuild the statements; rows without any gap were sentences already, and are of none."""
    return {
        doc_id: Statement(
            doc_id=doc_id,
            text=_text(document.parts),
            source=document.facts.source or "",
            speaker=document.facts.speaker,
            date=document.facts.date,
            genre=document.facts.genre,
            title=document.facts.title,
        )
        for doc_id, document in documents.items()
        if any(gap is not None for _, gap in document.parts)
    }


def _text(parts: Sequence[tuple[Sentence, str | None]]) -> str:
    """Return cleaned text up to the last sentence, every sentence at its offsets.

    Line breaks fill the place of sentences that are not among the rows, so that what stood apart
    stays apart.
    """
    texts: list[str] = []
    length = 0
    for sentence, gap in sorted(parts, key=lambda part: part[0].start):
        added = (gap or "") + sentence.text
        missing = sentence.start - len(gap or "") - length
        added = "\n" * missing + added if missing > 0 else added[-missing:]
        texts.append(added)
        length += len(added)
    return "".join(texts)


def _facts(manifest: Manifest, codebook: Codebook) -> ModelFacts:
    headlines = _headlines(codebook)
    figures = {(figure.dataset, figure.name): figure for figure in manifest.facts.figures}
    scores = {
        f"{title} ({dataset})": (figure.value, figure.low, figure.high)
        for dataset in dict.fromkeys(dataset for dataset, _ in figures)
        for name, title in headlines.items()
        if (figure := figures.get((dataset, name)))
    }
    return ModelFacts(
        model_id=manifest.model_id,
        description=manifest.facts.description,
        limits="\n\n".join(manifest.facts.limits),
        scores=scores,
    )


def _headlines(codebook: Codebook) -> dict[str, str]:
    """Return the scores a reader of labels needs, by name, with the title they are shown under."""
    titles = {f"{task}.macro_f1": f"{task_title(task)}, macro-F1" for task in codebook.tasks}
    for name, task in codebook.tasks.items():
        if task.type is TaskType.MULTILABEL:
            titles |= {
                f"{name}.{label}.f1": f"{task_title(name)}: {facts.title}, F1"
                for label, facts in task.labels.items()
            }
    return titles
