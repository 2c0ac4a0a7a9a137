"""Stage `suspects`: answers of labelled files that are probably wrong, most suspect first."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import Probabilities
from pipeline.evaluation.label_errors import Question, questions
from pipeline.inference.sinks import csv_cell
from pipeline.labelling.annotation_csv import NONE
from pipeline.output import write_spreadsheet
from pipeline.records import LabelledDocument, LabelledSentence
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.training.out_of_fold import out_of_fold
from pipeline.workflows.scoring import read_documents, sentences_of
from pipeline.workflows.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Suspect:
    """The answer to one task in one sentence, and what a classifier expects instead.

    `probability` is that of the given answer to the question in doubt, of its `label` in a
    multilabel task. `sentence` counts from 0 in its document.
    """

    rank: int
    probability: float
    likely_error: bool
    task: str
    label: str
    given: tuple[str, ...]
    expected: tuple[str, ...]
    doc_id: str
    sentence: int
    file: str
    line: int
    context: str
    text: str


@dataclass(frozen=True, slots=True)
class SuspectsSummary:
    """How many answers were looked at and are likely errors, by task."""

    sentences: int
    documents: int
    answers: Mapping[str, int]
    likely: Mapping[str, int]
    suspects: tuple[Suspect, ...]


def find_suspects(
    files: Sequence[Path],
    codebook: Codebook,
    wanted: ClassifierSettings,
    *,
    folds: int,
    seed: int,
    most: int,
    out: Path,
    watcher: Watcher,
) -> SuspectsSummary:
    """Rank the answers of labelled files by how little a classifier that did not see them agrees.

    Args:
        wanted: the classifier; it is trained once a fold on the documents of the other folds.
        most: how many answers to write.

    Raises:
        InputError: a file cannot be used.
        SettingsError: there are fewer independent documents than folds.
        MissingExtra: training needs a package that is not installed.
        OutputError: `out` cannot be written.
    """
    documents = read_documents(files, codebook, watcher)
    labelled = sentences_of(documents)
    probabilities = np.empty((len(labelled), codebook.width), dtype=np.float32)
    scored = out_of_fold(documents, wanted, codebook, folds=folds, seed=seed)
    for done, fold in enumerate(scored, start=1):
        probabilities[fold.rows] = fold.probabilities
        watcher.progress("folds", done, folds)
    ranked = rank_suspects(documents, probabilities, codebook)
    write_spreadsheet(out, to_csv(ranked[:most]))
    return SuspectsSummary(
        sentences=len(labelled),
        documents=len(documents),
        answers=Counter(suspect.task for suspect in ranked),
        likely=Counter(suspect.task for suspect in ranked if suspect.likely_error),
        suspects=tuple(ranked[:most]),
    )


def rank_suspects(
    documents: Sequence[LabelledDocument], probabilities: Probabilities, codebook: Codebook
) -> list[Suspect]:
    """Return one entry for each sentence and task that is answered, most suspect first.

    Of a multilabel task the least probable answer about a label ranks the task. `probabilities` are
    out of fold, (n, codebook.width), in the order of the sentences.
    """
    labelled = sentences_of(documents)
    found: dict[tuple[int, str], list[tuple[Question, int]]] = {}
    for question in questions(probabilities, encode_targets(labelled, codebook), codebook):
        for at, row in enumerate(question.rows.tolist()):
            found.setdefault((row, question.task), []).append((question, at))
    places = list(_places(documents))
    for asked in found.values():
        asked.sort(key=lambda one: one[0].own[one[1]])
    order = sorted(found.items(), key=lambda entry: entry[1][0][0].own[entry[1][0][1]])
    return [
        _suspect(rank, *places[row], labelled[row], task, asked, codebook)
        for rank, ((row, task), asked) in enumerate(order, start=1)
    ]


def to_csv(suspects: Sequence[Suspect]) -> str:
    """Return suspects as CSV: labels joined by semicolons, "(none)" for none of them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    names = [field.name for field in fields(Suspect)]
    writer.writerow(names)
    for suspect in suspects:
        writer.writerow([_cell(getattr(suspect, name)) for name in names])
    return out.getvalue()


def _cell(value: str | float | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return csv_cell(list(value) or NONE)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return csv_cell(value)


def _places(documents: Sequence[LabelledDocument]) -> Iterator[tuple[LabelledDocument, int]]:
    for document in documents:
        for number in range(len(document.sentences)):
            yield document, number


def _suspect(
    rank: int,
    document: LabelledDocument,
    number: int,
    labelled: LabelledSentence,
    task: str,
    asked: Sequence[tuple[Question, int]],
    codebook: Codebook,
) -> Suspect:
    worst, at = asked[0]
    names = list(codebook.tasks[task].labels)
    given = labelled.labels[task] or ()
    if codebook.tasks[task].type is TaskType.MULTICLASS:
        expected: tuple[str, ...] = (names[worst.other[at]],)
    else:
        doubted = {q.label for q, i in asked if q.likely[i]} | {worst.label}
        expected = tuple(name for name in names if (name in given) is not (name in doubted))
    return Suspect(
        rank=rank,
        probability=round(float(worst.own[at]), 4),
        likely_error=any(bool(question.likely[i]) for question, i in asked),
        task=task,
        label=worst.label or "",
        given=given,
        expected=expected,
        doc_id=document.doc_id,
        sentence=number,
        file=document.source,
        line=document.line,
        context=labelled.sentence.context,
        text=labelled.sentence.text,
    )
