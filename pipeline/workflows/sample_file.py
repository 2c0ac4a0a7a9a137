"""The labelled sample: sentences drawn at random, their inclusion probabilities, and true labels.

CSV with a header, or JSON lines with one object a sentence. Columns:

- `sentence_id` as in the output of `stance classify`, or `doc_id` and `start`;
- `inclusion_probability`: with which chance the sentence was to come into the sample, in (0, 1];
- one column a task. JSON lines: a list of labels ([] for none of them) or, in multiclass tasks,
  one label. CSV: labels joined by semicolons, "(none)" for none of them. Empty, null or absent
  means not labelled: either a task is labelled in every sampled sentence, or in none and is left
  out.

Other columns are not read. Annotations (`stance annotate import`, one coder) and the labelled
documents of `stance annotate adjudicate` are such a sample as they are: their probability stands in
`sampling`.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.codebook import Codebook, TaskType
from pipeline.csv_cells import field_limit, unguarded
from pipeline.errors import InputError, near_matches
from pipeline.evaluation.share_estimates import Array
from pipeline.labelling.annotations import DISPUTED
from pipeline.workflows.population import AMBIGUOUS, LabelledPopulation

DESIGN = "sampling_design"
PROBABILITY = "inclusion_probability"
NONE = "(none)"
"""In CSV: a sentence was looked at and carries no label of the task."""
SUFFIXES = (".csv", ".jsonl")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class LabelledSample:
    """Inclusion probabilities (n,) and true labels (n, width) of the sampled among n sentences.

    NaN where a sentence was not sampled. Tasks in `unlabelled` are NaN in all of them.
    """

    inclusion: Array
    truth: Array
    unlabelled: tuple[str, ...]


def read_sample(
    path: Path, codebook: Codebook, known: LabelledPopulation, tasks: Sequence[str]
) -> LabelledSample:
    """Read a labelled sample of a population; only labels of the given tasks.

    Raises:
        InputError: the file cannot be read; or rows are not of the population, stand there twice,
            lack a probability or labels, or have wrong ones. All such rows are named at once.
    """
    count = len(known.sentence_ids)
    inclusion = np.full(count, np.nan)
    truth = np.full((count, codebook.width), np.nan)
    mistakes: list[str] = []
    missing: dict[str, list[str]] = {task: [] for task in tasks}
    places: dict[int, str] = {}
    rows = list(_rows(path))
    for where, row in rows:
        if str(row.get(DESIGN)).endswith(DISPUTED):
            raise InputError(
                f"{path}: {where}: a sentence that coders disputed, and such sentences alone stand "
                "for nothing. Give the labelled file that 'stance annotate adjudicate' makes with "
                "the decisions."
            )
        i = _place(row, known, where, mistakes)
        probability = _probability(row.get(PROBABILITY), where, mistakes)
        if i is not None and i in places:
            mistakes.append(f"{where}: the same sentence as {places[i]}; keep one of them")
        for task in tasks:
            labels = _labels(row.get(task), task, codebook, where, mistakes)
            if labels is None:
                missing[task].append(where)
            elif i is not None:
                part = codebook.slice_of(task)
                truth[i, part] = [float(name in labels) for name in codebook.tasks[task].labels]
        if i is not None:
            places.setdefault(i, where)
            inclusion[i] = probability
    if not rows:
        raise InputError(f"{path}: holds no rows.")
    unlabelled = tuple(task for task, empty in missing.items() if len(empty) == len(rows))
    if len(unlabelled) == len(missing) and not mistakes:
        several = [repr(task) for task in codebook.multilabel_tasks() if task in tasks]
        none = f" (in CSV '{NONE}' where no label of {' or '.join(several)} applies)"
        raise InputError(
            f"{path}: no row has labels; fill in {' or '.join(map(repr, tasks))}"
            f"{none if several else ''}."
        )
    for task, empty in missing.items():
        if empty and task not in unlabelled:
            none = f" ('{NONE}' in CSV, [] in JSON lines where none applies)"
            mistakes.append(
                f"'{task}' is empty in {len(empty)} row(s) ({_first(empty)}) and filled in others: "
                f"label them{none if task in codebook.multilabel_tasks() else ''}, or draw fewer; "
                "leaving out what is hard to label makes the probabilities wrong"
            )
    if mistakes:
        more = len(mistakes) - _SHOWN
        shown = [f"  - {mistake}" for mistake in mistakes[:_SHOWN]]
        shown += [f"  - and {more} more"] if more > 0 else []
        raise InputError(f"{path}: {len(mistakes)} mistake(s)\n" + "\n".join(shown))
    return LabelledSample(inclusion, truth, unlabelled)


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the rows of a sample and where each stands in the file."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: a sample is CSV or JSON lines; give a name in .csv or .jsonl.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 ({error.reason}). Save it as CSV UTF-8.") from None
    yield from _csv(path, text) if suffix == ".csv" else _json_lines(path, text)


def _csv(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    header = text.partition("\n")[0]
    # Spreadsheets of many countries separate by semicolons, whatever the file had before.
    delimiter = ";" if header.count(";") > header.count(",") else ","
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        with field_limit():
            header_cells = lines.fieldnames or ()
        _require_columns(path, header_cells)
        while True:
            with field_limit():
                row = next(lines, None)
            if row is None:
                return
            cells = {k: (v or "").strip() for k, v in row.items() if k is not None}
            yield f"line {lines.line_num}", {k: unguarded(v) for k, v in cells.items()}
    except csv.Error as error:
        raise InputError(f"{path}:{lines.line_num or 1}: not CSV ({error}).") from None


def _require_columns(path: Path, header: object) -> None:
    names = set(header) if isinstance(header, list | tuple) else set()
    if PROBABILITY not in names:
        raise InputError(
            f"{path}: has no column '{PROBABILITY}'.{near_matches(PROBABILITY, names)} Without it "
            "one cannot tell what the sample stands for. 'stance estimate LABELS --draw N --out "
            "sample.csv' draws one with it."
        )
    if "sentence_id" not in names and not {"doc_id", "start"} <= names:
        raise InputError(f"{path}: needs a column 'sentence_id', or 'doc_id' and 'start'.")


def _json_lines(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}: not JSON ({error}).") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}:{number}: expected an object, got {type(row).__name__}.")
        if isinstance(sentences := row.get("sentences"), list):
            for i, sentence in enumerate(sentences):
                where = f"line {number} sentence {i}"
                if not isinstance(sentence, dict):
                    got = type(sentence).__name__
                    raise InputError(f"{path}: {where}: expected an object, got {got}.")
                yield where, _settled(sentence, row.get("doc_id"), i)
            continue
        row = _flat(row)
        _require_columns(path, tuple(row))
        yield f"line {number}", row


def _flat(row: dict[str, object]) -> dict[str, object]:
    """Return an annotation with the columns of a sample; a task that it leaves open is absent."""
    item, labels = row.get("item"), row.get("labels")
    if not (isinstance(item, dict) and isinstance(labels, dict)):
        return row
    place = {key: item.get(key) for key in ("sentence_id", "doc_id", "start")}
    return {**place, **labels, **_drawn(row)}


def _settled(sentence: dict[str, object], doc_id: object, position: int) -> dict[str, object]:
    """Return a sentence of a labelled document with the columns of a sample."""
    name = sentence.get("sentence_id")
    named = f"{doc_id}#{position}" if name is None else name
    return {**sentence, "sentence_id": named, **_drawn(sentence)}


def _drawn(row: Mapping[str, object]) -> dict[str, object]:
    sampling = row.get("sampling")
    known = sampling if isinstance(sampling, dict) else {}
    return {PROBABILITY: known.get("probability"), DESIGN: known.get("design")}


def _place(
    row: Mapping[str, object], known: LabelledPopulation, where: str, mistakes: list[str]
) -> int | None:
    name = row.get("sentence_id")
    key: str | tuple[str, int]
    if name not in (None, ""):
        key, shown = str(name), f"sentence_id '{name}'"
    else:
        start = str(row.get("start"))
        shown = f"doc_id '{row.get('doc_id')}', start {start}"
        if not start.isdecimal():
            mistakes.append(f"{where}: {shown}: expected a sentence_id, or doc_id and start")
            return None
        key = str(row.get("doc_id")), int(start)
    found = known.rows.get(key)
    if found is None:
        mistakes.append(
            f"{where}: {shown} is not among the labelled sentences; the sample must be drawn from "
            "them (and not be changed by another version of the text or model)"
        )
    elif found == AMBIGUOUS:
        mistakes.append(f"{where}: several sentences have {shown}; name it by sentence_id")
        return None
    return found


def _probability(value: object, where: str, mistakes: list[str]) -> float:
    if value in (None, ""):
        mistakes.append(f"{where}: '{PROBABILITY}' is missing")
        return math.nan
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        mistakes.append(f"{where}: '{PROBABILITY}' is {value!r}, expected a number in (0, 1]")
    return number


def _labels(
    value: object, task: str, codebook: Codebook, where: str, mistakes: list[str]
) -> tuple[str, ...] | None:
    """Return the labels, () for none of them, `None` where there is no answer."""
    if value in (None, ""):
        return None
    multilabel = codebook.tasks[task].type is TaskType.MULTILABEL
    if isinstance(value, list):
        given = [str(one.get("label") if isinstance(one, dict) else one) for one in value]
    elif multilabel and str(value).strip() == NONE:
        given = []
    else:
        given = [part.strip() for part in str(value).split(";") if part.strip()]
    names = codebook.tasks[task].labels
    for name in given:
        if name not in names:
            near = near_matches(name, [*names, NONE] if multilabel else names)
            mistakes.append(f"{where}: unknown label '{name}' of task '{task}'.{near}")
    if not multilabel and len(given) != 1:
        mistakes.append(f"{where}: '{task}' takes exactly one label, got {len(given)}")
    return tuple(given)


def _first(rows: list[str]) -> str:
    return ", ".join(rows[:3]) + (", ..." if len(rows) > 3 else "")
