"""Stage `report`: predictions to self-contained HTML, with attributions to a dossier."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.actors import load_registry
from pipeline.bundle.folder import read_facts
from pipeline.bundle.manifest import Manifest
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError, OutputError
from pipeline.inference.sinks import SINKS
from pipeline.output import write_text
from pipeline.records import Rejection
from pipeline.reporting import ModelFacts, part_mark, render_dossier, render_report, task_title
from pipeline.workflows.attribution_cover import unattributed
from pipeline.workflows.findings import read_findings
from pipeline.workflows.record_files import read_records, rejects_path
from pipeline.workflows.reported_rows import read_predictions

READS = ".jsonl"


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What the report shows; `findings` and more `files` than one are those of a dossier.

    `unattributed` labels have no finding, since rows of the attributions were set aside.
    """

    statements: int
    sentences: int
    rejected: int
    findings: int = 0
    files: int = 1
    unattributed: int = 0


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
        InputError: a file is missing, is not of its format, or is of another model; the
            attributions are not of exactly these predictions.
        SettingsError: a file of actors has mistakes.
        BundleError: the model is not whole.
        OutputError: the report cannot be written, or parts of the one before it not removed.
    """
    if (suffix := predictions.suffix.lower()) in SINKS and suffix != READS:
        raise InputError(
            f"{predictions}: 'stance report' reads JSON lines ({READS}), got {suffix}. Classify "
            f"again with -o {predictions.with_suffix(READS).name}."
        )
    manifest, codebook = read_facts(model)
    read = read_predictions(predictions, codebook, manifest.model_id, model)
    rejects = rejects_path(predictions)
    rejected = list(read_records(rejects, Rejection)) if rejects.exists() else []
    measured = _facts(manifest, codebook)
    today = datetime.now(UTC).date()
    if attributions is None:
        html = render_report(
            read.rows,
            read.statements,
            codebook,
            title=title,
            model=measured,
            made_on=today,
            rejected=rejected,
        )
        write_text(out, html)
        remove_old_parts(out, (out.name,))
        return ReportSummary(len(read.statements), len(read.rows), len(rejected))
    attributed = read_findings(attributions, manifest.model_id, load_registry(actors), read.tables)
    absent = unattributed(
        attributed, read.rows, codebook, predictions=predictions, attributions=attributions
    )
    rejected += attributed.rejected
    pages = render_dossier(
        read.rows,
        read.statements,
        codebook,
        attributed.findings,
        name=out.name,
        title=title,
        model=measured,
        attribution_model=", ".join(attributed.models),
        made_on=today,
        rejected=rejected,
        unattributed=absent,
    )
    for name, html in pages.items():
        write_text(out.with_name(name), html)
    remove_old_parts(out, pages)
    found = len(attributed.findings)
    counts = (len(read.statements), len(read.rows), len(rejected))
    return ReportSummary(*counts, found, len(pages), absent)


def remove_old_parts(out: Path, kept: Collection[str]) -> None:
    """Remove the parts of a larger dossier that was written to `out` before.

    Only files that call themselves parts of it are taken for such.

    Raises:
        OutputError: one cannot be removed.
    """
    name = re.compile(rf"{re.escape(out.stem)}-([1-9]\d*){re.escape(out.suffix)}")
    try:
        for path in sorted(out.parent.iterdir()):
            if path.name in kept or not (found := name.fullmatch(path.name)) or path.is_symlink():
                continue
            if path.is_file() and part_mark(out.name, int(found[1])).encode() in path.read_bytes():
                path.unlink()
    except OSError as error:
        raise OutputError(
            f"{error.filename}: a part of the dossier before this one that cannot be removed "
            f"({error.strerror}). Remove it, or write to another name."
        ) from None


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
