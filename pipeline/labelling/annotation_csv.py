"""Annotations as CSV for spreadsheets, without loss: one row a sentence and coder.

A cell of a task holds labels joined by semicolons, NONE for "none of them", ABSTAIN, or nothing
where nobody answered. Two columns a label with holder and target take plain words; what plain words
cannot say (several holders, words that stand twice in the sentence) is written as a JSON list.
Cells are guarded against being run as formulas (`csv_cells`). A spreadsheet that takes a cell for a
number or a date writes it back otherwise: "1.0" as 1, "1.2" as a day of February, "2024-03-01" as
01/03/2024.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from pydantic import JsonValue as Json

from pipeline.codebook import Codebook, TaskType
from pipeline.csv_cells import field_limit, guarded, unguarded
from pipeline.errors import InputError, near_matches
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import (
    FACTS,
    Annotation,
    Draft,
    Sheet,
    Span,
    locate,
    same_number,
    to_draft,
)
from pipeline.labelling.annotations import form as blank_form

NONE = "(none)"
ABSTAIN = "(abstain)"
NOTE = "note: "
"""Columns that begin with this tell the annotator something and are not read back."""

ITEM = ("doc_id", "sentence_id", "start", "end", *FACTS, "context", "text")
STAMP = ("codebook", "codebook_version", "codebook_signature")
SAMPLING = ("sampling_design", "inclusion_probability")
_SEPARATOR = ";"
_VERSION = "v"
"""Written before the version of a codebook, so that no spreadsheet takes it for a number."""
_AS_TEXT = "'"
"""Written before a date, so that no spreadsheet writes it in a way of its own."""


def columns(codebook: Codebook) -> tuple[str, ...]:
    """Return the columns that are read, in order."""
    answers: list[str] = []
    for name, task in codebook.tasks.items():
        answers.append(name)
        if task.attribution:
            answers += [_column(name, label, role) for label in task.labels for role in _ROLES]
    return (*ITEM, *answers, "comment", "coder", "time", *SAMPLING, *STAMP)


def write_csv(sheets: Sequence[Sheet], codebook: Codebook) -> str:
    """Return the sheets as CSV: a row an annotation, or one to fill in where there is none."""
    notes = list(dict.fromkeys(name for sheet in sheets for name, _ in _notes(sheet)))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*columns(codebook), *(NOTE + name for name in notes)])
    for sheet in sheets:
        said = dict(_notes(sheet))
        for draft in _drafts(sheet):
            row = [*_row(draft, codebook), *(said.get(name, "") for name in notes)]
            writer.writerow([guarded(cell) for cell in row])
    return out.getvalue()


def read_csv(text: str, source: str, reader: AnnotationReader) -> None:
    """Read rows into `reader`; blank lines are no rows.

    Cells are separated by commas, or by the semicolons or tabs that some spreadsheets write. Empty
    columns at the end are none, and those of FACTS may be lacking. Spreadsheets leave empty cells
    off at the end of a row, or add some: notes may be lacking, but nothing that is read, for then
    the file may have been cut.

    Raises:
        InputError: the header lacks columns of this codebook or has unknown ones.
    """
    text = text.removeprefix("\ufeff")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    wanted = columns(reader.codebook)
    lines = _lines(rows, source, reader)
    _, header = next(lines, (0, []))
    header = [name.strip() for name in _trimmed(header)]
    _check_header(header, wanted, source)
    for line, cells in lines:
        location = f"line {line}"
        given = len(_trimmed(cells))
        if given > len(header) or not all(n.startswith(NOTE) for n in header[len(cells) :]):
            detail = f"has {len(cells)} cells, expected {len(header)} as in the header"
            reader.reject(source, location, detail)
            continue
        row = {name: unguarded(cell) for name, cell in zip(header, cells, strict=False)}
        try:
            draft = _draft(row, reader.codebook)
        except ValueError as error:
            reader.reject(source, location, str(error), row["sentence_id"] or None)
        else:
            reader.read(draft, source, location)


_ROLES = ("holder", "target")


def _column(task: str, label: str, role: str) -> str:
    return f"{task}-{label}-{role}"


class _Rows(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __next__(self) -> list[str]: ...


def _lines(rows: _Rows, source: str, reader: AnnotationReader) -> Iterator[tuple[int, list[str]]]:
    """Yield every row with the line it begins on."""
    while True:
        line = rows.line_num + 1
        try:
            with field_limit():
                cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reader.reject(source, f"line {line}", f"not CSV: {error}")
            continue
        if any(cells):
            yield line, cells


def _trimmed(cells: Sequence[str]) -> Sequence[str]:
    """Return the cells without those at the end that hold nothing."""
    count = len(cells)
    while count and not cells[count - 1].strip():
        count -= 1
    return cells[:count]


def _check_header(header: Sequence[str], wanted: Sequence[str], source: str) -> None:
    missing = [name for name in wanted if name not in header]
    unknown = [name for name in header if name not in wanted and not name.startswith(NOTE)]
    twice = sorted({name for name in header if header.count(name) > 1})
    # Files that were made before annotations told of their statement have no columns for it.
    mistakes = [f"no column '{name}'" for name in missing if name not in FACTS]
    mistakes += [
        f"unknown column '{name}'.{near_matches(name, missing)} Columns of your own begin with "
        f"'{NOTE}'"
        for name in unknown
    ]
    mistakes += [f"column '{name}' twice" for name in twice]
    if "inclusion_probability" in header and not any(name in header for name in STAMP):
        raise InputError(
            f"{source}: a sample of 'stance estimate --draw', which only 'stance estimate LABELS "
            f"--sample {source}' reads. To import annotations, draw with 'stance suggest' and "
            "write the spreadsheet with 'stance annotate export --to csv'."
        )
    if mistakes:
        raise InputError(
            f"{source}: not the columns of this codebook: {'; '.join(mistakes)}. Give a file that "
            "'stance annotate export --to csv' made with this codebook."
        )


def _drafts(sheet: Sheet) -> Iterable[Draft]:
    if sheet.annotations:
        return map(to_draft, sheet.annotations)
    return [blank_form(sheet)]


def _row(draft: Draft, codebook: Codebook) -> list[str]:
    item, sampling = _object(draft["item"]), _object(draft["sampling"])
    stamp, answers = _object(draft["codebook"]), _object(draft["labels"])
    if item["date"]:
        item = {**item, "date": _AS_TEXT + _shown(item["date"])}
    cells = [_shown(item[name]) for name in ITEM]
    for name, task in codebook.tasks.items():
        labels = answers.get(name)
        if isinstance(labels, list):
            cells.append(_SEPARATOR.join(map(str, labels)) or NONE)
        else:
            abstained = draft["abstained"]
            cells.append(ABSTAIN if isinstance(abstained, list) and name in abstained else "")
        if task.attribution:
            for label in task.labels:
                given = [
                    entry
                    for entry in map(_object, _list(draft["attributions"]))
                    if (entry["task"], entry["label"]) == (name, label)
                ]
                text = str(item["text"])
                cells += [_words([one[role] for one in given], text) for role in _ROLES]
    cells += [_shown(draft[name]) for name in ("comment", "coder", "time")]
    cells += [_shown(sampling.get(name)) for name in ("design", "probability")]
    version = _VERSION + _shown(stamp["version"])
    return [*cells, _shown(stamp["name"]), version, _shown(stamp["signature"])]


def _words(spans: list[Json], text: str) -> str:
    """Return plain words where reading them gives the same spans, else JSON."""
    if not spans:
        return ""
    first = spans[0]
    if len(spans) == 1 and isinstance(first, dict):
        words = str(first["text"])
        span = locate(Span(words), text)
        plain = words == words.strip() and not words.startswith("[")
        if plain and (span.start, span.end) == (first["start"], first["end"]):
            return words
    return "" if spans == [None] else json.dumps(spans, ensure_ascii=False)


def _draft(row: Mapping[str, str], codebook: Codebook) -> Draft:
    labels: dict[str, Json] = {}
    abstained: list[Json] = []
    attributions: list[Json] = []
    for name, task in codebook.tasks.items():
        given = [part.strip() for part in row[name].split(_SEPARATOR) if part.strip()]
        if given == [ABSTAIN]:
            abstained.append(name)
        elif given == [NONE] and task.type is TaskType.MULTILABEL:
            labels[name] = []
        elif given:
            labels[name] = [*given]
        if task.attribution:
            for label in task.labels:
                attributions += _attributions(name, label, row)
    design, probability = (row[name] for name in SAMPLING)
    sampling: Json = None
    if design or probability:
        sampling = {"design": design, "probability": _float(probability, SAMPLING[1])}
    return {
        "item": {
            "doc_id": _document(row["doc_id"], row["sentence_id"]),
            **{name: row[name] for name in ("sentence_id", "context", "text")},
            **{name: _integer(row[name], name) for name in ("start", "end")},
            **{name: row.get(name) for name in FACTS},
            "date": row.get("date", "").strip().removeprefix(_AS_TEXT),
        },
        "coder": row["coder"].strip() or None,
        "codebook": _stamp(row, codebook),
        "time": row["time"].strip() or None,
        "sampling": sampling,
        "labels": labels,
        "abstained": abstained,
        "attributions": attributions,
        "comment": row["comment"],
    }


def _document(doc_id: str, sentence_id: str) -> str:
    """Return the id of the document as its sentence names it, where both are one number."""
    named = sentence_id.rpartition("#")[0]
    return named if same_number(doc_id, named) else doc_id


def _stamp(row: Mapping[str, str], codebook: Codebook) -> Json:
    name, version, signature = (row[column].strip() for column in STAMP)
    given = version.removeprefix(_VERSION)
    # A file of another hand has the bare version, which a spreadsheet may have made a number.
    if codebook.version in (version, given) or same_number(given, codebook.version):
        given = codebook.version
    return {"name": name, "version": given, "signature": signature}


def _attributions(task: str, label: str, row: Mapping[str, str]) -> list[Json]:
    spans = {role: _spans(row[_column(task, label, role)], role) for role in _ROLES}
    count = max(map(len, spans.values()))
    padded = {role: [*given, *[None] * (count - len(given))] for role, given in spans.items()}
    return [
        {"task": task, "label": label, **{role: given[i] for role, given in padded.items()}}
        for i in range(count)
    ]


def _spans(cell: str, role: str) -> list[Json]:
    words = cell.strip()
    if not words:
        return []
    if not words.startswith("["):
        return [{"text": words}]
    try:
        found = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{role}: words that begin with '[' must be JSON: {error}") from None
    return list(found)


def _notes(sheet: Sheet) -> Iterator[tuple[str, str]]:
    if sheet.suggestion is not None:
        yield "model", sheet.suggestion.model
        for task, labels in sheet.suggestion.labels.items():
            yield f"suggested {task}", _SEPARATOR.join(labels) or NONE
    for annotation in sheet.said:
        yield f"said by {annotation.coder}", said_text(annotation)


def said_text(annotation: Annotation) -> str:
    """Return the answers of an annotation in one line, for an adjudicator."""
    parts = [f"{task}: {', '.join(labels) or NONE}" for task, labels in annotation.labels.items()]
    parts += [f"{task}: {ABSTAIN}" for task in annotation.abstained]
    for given in annotation.attributions:
        holder = given.holder.text if given.holder else "?"
        target = given.target.text if given.target else "?"
        parts.append(f"{given.label}: {holder} -> {target}")
    return "; ".join([*parts, *([f"comment: {annotation.comment}"] if annotation.comment else [])])


def _integer(cell: str, name: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise ValueError(f"'{name}': expected a whole number, got {cell!r}") from None


def _float(cell: str, name: str) -> float:
    try:
        return float(cell.replace(",", "."))  # as spreadsheets of many countries write it
    except ValueError:
        raise ValueError(f"'{name}': expected a number, got {cell!r}") from None


def _shown(value: Json) -> str:
    return "" if value is None else str(value)


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
