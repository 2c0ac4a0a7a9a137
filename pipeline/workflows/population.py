"""All sentences that a model labelled, as arrays: what shares are estimated of and drawn from."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError
from pipeline.evaluation.estimate_table import NO_GROUP, OVERALL, Population
from pipeline.inference.row_files import read_rows
from pipeline.inference.rows import Row, RowFormat, Value

DATE_PARTS = {"month": 7, "year": 4}
"""Groups that are made of dates: how many characters of an ISO date name them."""

AMBIGUOUS = -1

FEWEST_DOCUMENTS = 10
"""With fewer sampled documents nothing is estimated: no interval would mean anything."""


@dataclass(frozen=True, slots=True)
class LabelledPopulation:
    """The population, how to find its sentences, and what is to be said of it.

    `rows` maps both a sentence_id and (doc_id, start) to the sentence's place in the arrays, or to
    `AMBIGUOUS` where several sentences start there, as in a table of sentences.
    `unread` counts sentences without text to label, which are left out, and `withheld` those in
    which the model abstained, by task.
    """

    population: Population
    sentence_ids: tuple[str, ...]
    rows: Mapping[str | tuple[str, int], int]
    models: tuple[str, ...]
    unread: int
    withheld: Mapping[str, int]


def read_population(
    path: Path, codebook: Codebook, *, by: str | None = None, cluster: str = "doc_id"
) -> LabelledPopulation:
    """Read what `stance classify` wrote.

    Args:
        by: group sentences by this column, or by "month" or "year" of their date.
        cluster: the column that says which sentences belong together.

    Raises:
        InputError: the file cannot be read, is not of this codebook, lacks a column, names a
            sentence twice, or holds no labelled sentence.
    """
    format_ = RowFormat(codebook)
    source = "date" if by in DATE_PARTS else by
    wanted = ["sentence_id", "doc_id", "start", "model", *codebook.tasks]
    wanted += format_.probability_columns
    wanted += [name for name in (source, cluster) if name is not None and name not in wanted]
    group_of = _grouping(by)
    clusters: list[str] = []
    groups: list[str] = []
    ids: list[str] = []
    places: dict[str | tuple[str, int], int] = {}
    models: dict[str, None] = {}
    withheld = dict.fromkeys(codebook.tasks, 0)
    given, scores = array("b"), array("d")
    unread = 0
    for number, row in read_rows(path, format_, wanted):
        where = f"{path}:{number}"
        chances = [row[name] for name in format_.probability_columns]
        if is_unread(row, format_):
            unread += 1
            continue
        i, name = len(ids), str(row["sentence_id"])
        if name in places:
            raise InputError(
                f"{where}: sentence_id '{name}' stands there twice. Shares need every sentence "
                "once; classify without the doubled document."
            )
        places[name] = i
        place = str(row["doc_id"]), _whole(row["start"], where)
        places[place] = AMBIGUOUS if place in places else i
        ids.append(name)
        models[str(row["model"])] = None
        scores.extend(_probability(chance, where) for chance in chances)
        given.extend(_decisions(row, codebook, where))
        for task, kind in codebook.tasks.items():
            empty_list = path.suffix.lower() == ".csv" and kind.type is TaskType.MULTILABEL
            withheld[task] += row[task] is None and not empty_list
        clusters.append(str(row[cluster] or f"sentence {name}"))
        if source is not None:
            groups.append(group_of(row[source]))
    if not ids:
        raise InputError(f"{path}: holds no labelled sentence; classify something first.")
    shape = (len(ids), codebook.width)
    population = Population(
        documents=np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)[1],
        given=np.array(given, dtype=np.float64).reshape(shape),
        scores=np.array(scores, dtype=np.float64).reshape(shape),
        groups=tuple(groups),
    )
    return LabelledPopulation(population, tuple(ids), places, tuple(models), unread, withheld)


def is_unread(row: Row, format_: RowFormat) -> bool:
    """Tell whether a row holds no text to label; its id may be that of a sentence that was read."""
    return all(row[name] is None for name in format_.probability_columns)


def _grouping(by: str | None) -> Callable[[Value], str]:
    length = DATE_PARTS.get(by or "")

    def group(value: Value) -> str:
        name = "" if value is None else str(value)
        # A date that names only its year has no month.
        known = name[:length] if length is None or len(name) >= length else ""
        return f"'{known}'" if known == OVERALL else known or NO_GROUP

    return group


def _decisions(row: Row, codebook: Codebook, where: str) -> list[int]:
    found = [0] * codebook.width
    for task, kind in codebook.tasks.items():
        value = row[task]
        labels = [] if value is None else value if isinstance(value, list) else [str(value)]
        start, names = codebook.slice_of(task).start, list(kind.labels)
        for label in labels:
            if label not in names:
                raise InputError(
                    f"{where}: '{task}' is {value!r}, expected {', '.join(names)}. Give the model "
                    "that made the labels with --model."
                )
            found[start + names.index(label)] = 1
    return found


def _probability(value: Value, where: str) -> float:
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    raise InputError(f"{where}: a probability is {value!r}, expected a number from 0 to 1.")


def _whole(value: Value, where: str) -> int:
    if isinstance(value, int | float) and value == int(value):
        return int(value)
    raise InputError(f"{where}: 'start' is {value!r}, expected a whole number.")
