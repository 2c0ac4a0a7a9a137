"""Agreement of several coders: measured, shown as a page, and what they dispute written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError
from pipeline.evaluation.agreement_report import AgreementReport, Dispute, report_agreement
from pipeline.labelling.annotations import DISPUTED, CodebookStamp, Sheet, shared_facts
from pipeline.labelling.codings import Coding, Codings, read_codings
from pipeline.output import write_text
from pipeline.records import Rejection, RejectReason
from pipeline.reporting.agreement import render_agreement
from pipeline.settings.annotation import AnnotationFormat
from pipeline.workflows.annotate import write_sheets
from pipeline.workflows.record_files import Rejects, rejects_path


@dataclass(frozen=True, slots=True)
class AgreementSummary:
    """What was measured, and what could not be used."""

    report: AgreementReport
    rejections: Sequence[Rejection]
    rejected: Mapping[RejectReason, int]
    rejects_file: Path | None


def measure_agreement(
    files: Sequence[Path],
    codebook: Codebook,
    *,
    replicates: int,
    seed: int,
    page: Path | None = None,
    disputed: Path | None = None,
) -> AgreementSummary:
    """Measure the agreement of the coders in `files`.

    What cannot be used is listed beside the page, or else beside the disputed sentences.

    Args:
        page: HTML file to write.
        disputed: file of the disputed sentences to write for an adjudicator; its ending tells the
            format, as for `stance annotate export`.

    Raises:
        InputError: a file cannot be read, there are not two coders with a sentence in common (what
            was set aside is listed first), or the disputed sentences have no text.
        SettingsError: `disputed` ends in no known format.
        OutputError: an output cannot be written.
    """
    to = None if disputed is None else _format(disputed)
    if foreign := [str(path) for path in files if path.suffix.lower() in (".csv", ".json")]:
        raise InputError(
            f"{', '.join(foreign)}: expected JSON lines (.jsonl). Import what people annotated "
            f"first: 'stance annotate import {' '.join(foreign)} -o annotations.jsonl' (a file "
            "that names no coder by itself, with --coder NAME), then 'stance agreement "
            "annotations.jsonl'."
        )
    codings = read_codings(files, codebook)
    rejects = Rejects(codings.rejections)
    beside = page or disputed
    listed = None if beside is None else rejects_path(beside)
    if listed is not None:
        rejects.write(listed)
    if mistake := _nothing_shared(codings):
        raise InputError(
            f"{', '.join(map(str, files))}: {mistake}; {len(codings.rejections):,} set aside."
            f"{rejects.example}"
        )
    report = report_agreement(codings.codings, codebook, replicates=replicates, seed=seed)
    if page is not None:
        write_text(page, render_agreement(report, codebook, rejected=codings.rejections))
    if disputed is not None and to is not None:
        sheets = [_sheet(dispute, codebook) for dispute in report.disputes]
        if any(not sheet.item.text for sheet in sheets):
            raise InputError(
                f"{', '.join(map(str, files))}: some rows hold labels without their text, so "
                "nobody can decide on them. Give annotations or labelled documents."
            )
        write_sheets(sheets, codebook, to=to, out=disputed)
    return AgreementSummary(report, codings.rejections, dict(rejects.counts), listed)


def _nothing_shared(codings: Codings) -> str:
    """Return why there is nothing to compare, empty where there is something."""
    if len(codings.coders) < 2:
        return f"agreement needs two coders or more, got {', '.join(codings.coders) or 'none'}"
    firsts: dict[str, Coding] = {}
    seen: set[tuple[str, str]] = set()
    for coding in codings.codings:
        if (key := (coding.doc_id, coding.unit)) in seen:
            return ""
        seen.add(key)
        firsts.setdefault(coding.coder, coding)
    named = ", ".join(f"{c}: '{one.unit}' of '{one.doc_id}'" for c, one in firsts.items())
    return (
        "no sentence is coded by two; sentences are the same where 'doc_id' and 'sentence_id' (or "
        f"the position) are, and the first ones are {named}"
    )


def _format(disputed: Path) -> AnnotationFormat:
    endings = {known.ending: known for known in AnnotationFormat}
    if (found := endings.get(disputed.suffix.lower())) is None:
        mistake = f"'{disputed}': expected a name in {', '.join(endings)}"
        raise SettingsError([mistake], where="options")
    return found


def _sheet(dispute: Dispute, codebook: Codebook) -> Sheet:
    said = tuple(coding.annotation(codebook) for coding in dispute.codings)
    item = next((one.item for one in said if one.item.text), said[0].item)
    facts, _ = shared_facts(one.item for one in said)
    item = replace(
        item,
        speaker=facts.get("speaker", item.speaker),
        date=facts.get("date", item.date),
        genre=facts.get("genre", item.genre),
    )
    sampling = next((one.sampling for one in said if one.sampling), None)
    if sampling is not None:
        design = sampling.design.removesuffix(DISPUTED) + DISPUTED
        sampling = replace(sampling, design=design)
    return Sheet(item, CodebookStamp.of(codebook), sampling, said=said)
