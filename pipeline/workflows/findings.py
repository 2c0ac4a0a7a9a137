"""From the rows of `stance attribute` to the findings of a dossier."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.actors import Registry
from pipeline.errors import InputError
from pipeline.records import Rejection
from pipeline.reporting import Finding, Party
from pipeline.workflows.attribution_file import AttributionRow, read_attributions, statement_of


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings in the order of their rows, rows that were set aside, models that attributed."""

    findings: tuple[Finding, ...]
    rejected: tuple[Rejection, ...]
    models: tuple[str, ...]


def read_findings(
    path: Path, model_id: str, registry: Registry, tables: Collection[str] = ()
) -> Findings:
    """Read a file of attributions of labels that `model_id` gave; actors get their names.

    `tables` are documents that are files of sentences: their findings are of `statement_of`. An id
    that the registry lacks is its own name.

    Raises:
        InputError: the file cannot be read, is of no known format, is of another model, or has no
            usable row although it has rows.
    """
    findings: list[Finding] = []
    rejected: list[Rejection] = []
    models: dict[str, None] = {}
    for row in read_attributions(path):
        if isinstance(row, Rejection):
            rejected.append(row)
            continue
        if row.model != model_id:
            raise InputError(
                f"{path}: sentence {row.sentence_id} is labelled by model {row.model}, but the "
                f"predictions are of {model_id}. Attribute these predictions anew."
            )
        models[row.attribution_model] = None
        findings.append(_finding(row, registry, row.doc_id in tables))
    if rejected and not findings:
        first = rejected[0]
        raise InputError(
            f"{path}: none of its {len(rejected)} rows is one of 'stance attribute'; the first, "
            f"{first.location}: {first.detail}."
        )
    return Findings(tuple(findings), tuple(rejected), tuple(models))


def _finding(row: AttributionRow, registry: Registry, was_sentence: bool) -> Finding:
    target = None
    if row.target is not None:
        places = _span(row.target_start, row.target_end)
        names = _names(row.target_actors, registry)
        target = Party(row.target, places, names, row.p_target)
    places = _span(row.holder_start, row.holder_end)
    holder = Party(row.holder, places, _names(row.holder_actors, registry), row.p_holder)
    return Finding(
        statement_of(row.doc_id, row.speaker, row.date, row.title) if was_sentence else row.doc_id,
        row.sentence_id,
        row.task,
        row.label,
        row.probability,
        holder,
        target,
        row.text,
    )


def _span(start: int | None, end: int | None) -> tuple[int, int] | None:
    return None if start is None or end is None else (start, end)


def _names(actors: Sequence[str], registry: Registry) -> tuple[str, ...]:
    return tuple(registry.actors[one].name if one in registry.actors else one for one in actors)
