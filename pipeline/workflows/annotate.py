"""Annotation by people: sentences out to the tools they work with, their annotations back in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from pydantic import JsonValue as Json
from pydantic import TypeAdapter, ValidationError

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError, SettingsError
from pipeline.inference.rows import Row, RowFormat
from pipeline.labelling.adjudication import Adjudicated, adjudicate
from pipeline.labelling.annotation_csv import read_csv, said_text, write_csv
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import (
    FACTS,
    Annotation,
    CodebookStamp,
    Item,
    Sampling,
    Sheet,
    Suggestion,
    form,
    to_draft,
    to_line,
)
from pipeline.labelling.codings import is_corpus, read_corpus
from pipeline.labelling.label_studio import write_tasks
from pipeline.labelling.label_studio_export import read_tasks
from pipeline.labelling.label_studio_interface import interface
from pipeline.output import whole_file, write_spreadsheet, write_text
from pipeline.records import Prediction, Rejection, RejectReason
from pipeline.settings.annotation import AnnotationFormat
from pipeline.workflows.record_files import Rejects, rejects_path

_SAMPLING: TypeAdapter[Sampling | None] = TypeAdapter(Sampling | None)


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What went out. `interface` is the file of the labelling interface, for Label Studio."""

    sheets: int
    suggestions: int
    annotations: int
    rejected: Mapping[RejectReason, int]
    rejects_file: Path
    interface: Path | None


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What came back: annotations by coder, forms that nobody filled in, what was set aside."""

    annotations: Mapping[str, int]
    sentences: int
    blank: int
    rejected: Mapping[RejectReason, int]
    rejects_file: Path


def export(
    inputs: Sequence[Path], codebook: Codebook, *, to: AnnotationFormat, out: Path
) -> ExportSummary:
    """Write sentences for annotation, with suggestions and annotations where there are any.

    A line of an input is a row of `stance classify`, a sentence of `stance segment`, or an
    annotation; lines about the same sentence make one sheet.

    Raises:
        InputError: an input cannot be read, or no line is usable.
        OutputError: the output cannot be written.
    """
    rejects = Rejects()
    sheets = list(_sheets(inputs, codebook, rejects).values())
    rejects.write(rejects_path(out))
    if not sheets:
        raise InputError(
            f"{', '.join(map(str, inputs))}: no sentence to annotate. Give JSON lines of 'stance "
            f"classify', 'stance segment' or 'stance annotate import'.{rejects.example}"
        )
    write_sheets(sheets, codebook, to=to, out=out)
    return ExportSummary(
        sheets=len(sheets),
        suggestions=sum(sheet.suggestion is not None for sheet in sheets),
        annotations=sum(len(sheet.annotations) for sheet in sheets),
        rejected=dict(rejects.counts),
        rejects_file=rejects_path(out),
        interface=interface_path(out) if to is AnnotationFormat.LABEL_STUDIO else None,
    )


def write_sheets(
    sheets: Sequence[Sheet], codebook: Codebook, *, to: AnnotationFormat, out: Path
) -> None:
    """Write sheets in a format; for Label Studio, the interface is written beside them.

    Raises:
        SettingsError: the name does not end as files of the format do.
        OutputError: the output cannot be written.
    """
    if out.suffix.lower() != to.ending:
        raise SettingsError([f"'{out}': a file for {to} ends in {to.ending}"], where="options")
    if to is AnnotationFormat.CSV:
        write_spreadsheet(out, write_csv(sheets, codebook))
    elif to is AnnotationFormat.LABEL_STUDIO:
        write_text(interface_path(out), interface(codebook))
        write_text(out, write_tasks(sheets))
    else:
        with whole_file(out) as file:
            for sheet in sheets:
                file.writelines(_lines_of(sheet))


def interface_path(out: Path) -> Path:
    """Return where the labelling interface of tasks in `out` goes."""
    return out.with_name(f"{out.stem}.interface.xml")


def import_annotations(
    files: Sequence[Path],
    codebook: Codebook,
    *,
    out: Path,
    coder: str | None = None,
    names: Mapping[str, str] | None = None,
) -> ImportSummary:
    """Gather what people annotated, from files of all formats, as canonical annotations.

    Args:
        coder: who made the annotations that name nobody.
        names: coders to call otherwise.

    Raises:
        InputError: a file cannot be read, or no annotation is usable; rejects are written first.
        OutputError: the output cannot be written.
    """
    reader = read_annotations(files, codebook, coder=coder, names=names)
    rejects = Rejects(reader.rejections)
    rejects.write(rejects_path(out))
    if not (reader.annotations or reader.rejections or reader.blank):
        raise InputError(
            f"{', '.join(map(str, files))}: holds no sentence. A file of 'stance agreement "
            "--disputed' without any says that nothing is disputed: run 'stance annotate "
            "adjudicate' without --decisions."
        )
    if not reader.annotations:
        raise InputError(
            f"{', '.join(map(str, files))}: no usable annotation; {len(reader.rejections)} set "
            f"aside, {reader.blank} not filled in.{rejects.example}"
        )
    with whole_file(out) as file:
        file.writelines(map(to_line, reader.annotations))
    return ImportSummary(
        annotations=Counter(annotation.coder for annotation in reader.annotations),
        sentences=len({annotation.item.key for annotation in reader.annotations}),
        blank=reader.blank,
        rejected=dict(rejects.counts),
        rejects_file=rejects_path(out),
    )


def read_annotations(
    files: Sequence[Path],
    codebook: Codebook,
    *,
    coder: str | None = None,
    names: Mapping[str, str] | None = None,
) -> AnnotationReader:
    """Read annotations of all formats, told apart by the endings .jsonl, .csv and .json.

    Labelled documents (.jsonl) are annotations as well, of the coder their file is named after.

    Raises:
        InputError: a file cannot be read, has another ending, or is a CSV of another codebook.
    """
    reader = AnnotationReader(codebook, coder=coder, names=names)
    for path in files:
        suffix = path.suffix.lower()
        if suffix not in (endings := [known.ending for known in AnnotationFormat]):
            raise InputError(f"{path}: expected {', '.join(endings)}, got '{suffix}'.")
        data = _bytes(path)
        if suffix == ".jsonl" and is_corpus(path):
            codings, rejected = read_corpus(path, codebook, coder=coder)
            reader.rejections += rejected
            for coding, location in codings:
                reader.read(to_draft(coding.annotation(codebook)), str(path), location)
            continue
        if suffix == ".jsonl":
            for number, line in enumerate(data.split(b"\n"), start=1):
                reader.read_json_line(line, str(path), f"line {number}")
            continue
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line_number = data.count(b"\n", 0, error.start) + 1
            raise InputError(
                f"{path}:{line_number}: not UTF-8. Save the file as 'CSV UTF-8'."
            ) from None
        (read_csv if suffix == ".csv" else read_tasks)(text, str(path), reader)
    return reader


def adjudicate_files(
    files: Sequence[Path], decisions: Sequence[Path], codebook: Codebook, *, out: Path
) -> tuple[Adjudicated, Sequence[Rejection]]:
    """Write one labelled file from annotations and an adjudicator's decisions, if there are any.

    Raises:
        InputError: a file cannot be read, or the annotations are empty.
        OutputError: the output cannot be written.
    """
    given = read_annotations(files, codebook)
    decided = read_annotations(decisions, codebook)
    result = adjudicate(given.annotations, decided.annotations, codebook)
    rejects = Rejects((*given.rejections, *decided.rejections))
    rejects.write(rejects_path(out))
    if not result.rows:
        raise InputError(f"{', '.join(map(str, files))}: no usable annotation.")
    with whole_file(out) as file:
        for row in result.rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return result, (*given.rejections, *decided.rejections)


def _lines_of(sheet: Sheet) -> Iterator[bytes]:
    if sheet.annotations:
        yield from map(to_line, sheet.annotations)
        return
    line = form(sheet)
    if sheet.suggestion is not None:
        labels: dict[str, Json] = {t: [*given] for t, given in sheet.suggestion.labels.items()}
        line["suggested"] = {"model": sheet.suggestion.model, "labels": labels}
    if sheet.said:
        line["said"] = {said.coder: said_text(said) for said in sheet.said}
    yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _sheets(
    inputs: Sequence[Path], codebook: Codebook, rejects: Rejects
) -> dict[tuple[str, str], Sheet]:
    sheets: dict[tuple[str, str], Sheet] = {}
    reader = AnnotationReader(codebook)
    stamp = CodebookStamp.of(codebook)
    for path in inputs:
        before: Item | None = None
        for number, line in enumerate(_bytes(path).split(b"\n"), start=1):
            location = f"line {number}"
            row = _row(line)
            if row is None or "item" in row:
                taken = len(reader.annotations)
                reader.read_json_line(line, str(path), location)
                for annotation in reader.annotations[taken:]:
                    _add_annotation(sheets, annotation, stamp)
                continue
            try:
                sheet = _sheet(row, codebook, stamp)
            except (KeyError, TypeError, ValueError, ValidationError) as error:
                reader.reject(str(path), location, f"not a sentence to annotate: {error}")
                continue
            item = sheet.item
            if before is not None and not item.context and before.doc_id == item.doc_id:
                item = replace(item, context=before.text)
            before = sheet.item
            known = sheets.get(item.key)
            if known is not None and known.item.text != item.text:
                detail = f"'{item.sentence_id}' of '{item.doc_id}' had another text before"
                reader.reject(str(path), location, detail, item.sentence_id)
            else:
                annotations = known.annotations if known else ()
                sheets[item.key] = replace(sheet, item=item, annotations=annotations)
    for rejection in reader.rejections:
        rejects.add(rejection)
    return sheets


def _add_annotation(
    sheets: dict[tuple[str, str], Sheet], annotation: Annotation, stamp: CodebookStamp
) -> None:
    known = sheets.get(annotation.item.key) or Sheet(annotation.item, stamp, annotation.sampling)
    sheets[annotation.item.key] = replace(known, annotations=(*known.annotations, annotation))


def _row(line: bytes) -> Mapping[str, Json] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _sheet(row: Mapping[str, Json], codebook: Codebook, stamp: CodebookStamp) -> Sheet:
    text = row["text"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError("'text' is empty")
    item = Item(
        doc_id=str(row["doc_id"]),
        sentence_id=str(row["sentence_id"]),
        text=text,
        start=int(str(row["start"])),
        end=int(str(row["end"])),
        # What introduces a list tells more of its items than the item before; see `context_of`.
        context=str(row.get("lead_in") or row.get("context") or ""),
        **{name: None if row.get(name) is None else str(row[name]) for name in FACTS},
    )
    sampling = _SAMPLING.validate_json(json.dumps(row.get("sampling")))
    if row.get("model") is None:
        return Sheet(item, stamp, sampling)
    prediction, _, _ = RowFormat(codebook).read(cast(Row, row))
    return Sheet(item, stamp, sampling, _suggestion(prediction, codebook))


def _suggestion(prediction: Prediction, codebook: Codebook) -> Suggestion | None:
    labels = {task: given for task, given in prediction.labels.items() if given is not None}
    if not labels:
        return None
    certain: list[float] = []
    for task in labels:
        chances = list(prediction.probabilities[task].values())
        if codebook.tasks[task].type is TaskType.MULTICLASS:
            certain.append(max(chances, default=0.0))
        else:
            certain += [max(p, 1.0 - p) for p in chances]
    return Suggestion(prediction.model_id, labels, min(certain, default=0.0))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
