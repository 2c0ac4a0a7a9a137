"""Labelled data and predictions as tables: what MLflow keeps of a data set, what people open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.codebook import Codebook
from pipeline.errors import ShapeError
from pipeline.records import LabelledDocument, LabelledSentence, Prediction, content_hash

if TYPE_CHECKING:
    import datasets


def digest_of(documents: Iterable[LabelledDocument], codebook: Codebook) -> str:
    """Return the hash of the texts and labels of all sentences, in order.

    MLflow's own digest ignores the labels, which stand in columns of lists, and all rows after the
    10,000th.
    """
    return content_hash(
        *(
            repr((document.doc_id, labelled.sentence.text, _label_sets(labelled, codebook)))
            for document in documents
            for labelled in document.sentences
        )
    )


def labelled_table(documents: Sequence[LabelledDocument], codebook: Codebook) -> datasets.Dataset:
    """Return one row a sentence: ids, text, and a list of labels a task, null where unknown."""
    rows: list[dict[str, object]] = [
        {
            "doc_id": document.doc_id,
            "sentence_id": labelled.sentence.sentence_id,
            "text": labelled.sentence.text,
            **dict(zip(codebook.tasks, _label_sets(labelled, codebook), strict=True)),
        }
        for document in documents
        for labelled in document.sentences
    ]
    return _dataset(rows, lists=codebook.tasks, numbers=())


def prediction_table(
    labelled: Sequence[LabelledSentence], predictions: Sequence[Prediction], codebook: Codebook
) -> datasets.Dataset:
    """Return one row a sentence: ids, text, labels given and predicted, and all probabilities.

    `<task>` holds the predicted labels (null: abstained), `<task>.gold` the given ones (null:
    unknown), `<task>.<label>` a probability; `correct` whether all known tasks agree (null: none
    is known).

    Raises:
        ShapeError: there is not one prediction for each sentence.
    """
    if len(labelled) != len(predictions):
        raise ShapeError(f"{len(predictions)} predictions for {len(labelled)} sentences")
    rows = [_row(one, guess, codebook) for one, guess in zip(labelled, predictions, strict=True)]
    lists = [column for task in codebook.tasks for column in (f"{task}.gold", task)]
    return _dataset(rows, lists=lists, numbers=codebook.column_names, flags=("correct",))


def write_parquet(table: datasets.Dataset, path: Path) -> None:
    """Write a table without the progress bar that `datasets` shows even for one batch."""
    import datasets

    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        table.to_parquet(path)
    finally:
        if shown:
            datasets.enable_progress_bars()


def _row(labelled: LabelledSentence, guess: Prediction, codebook: Codebook) -> dict[str, object]:
    row: dict[str, object] = {
        "doc_id": labelled.sentence.doc_id,
        "sentence_id": labelled.sentence.sentence_id,
        "text": labelled.sentence.text,
    }
    agreed: list[bool] = []
    for task, gold in zip(codebook.tasks, _label_sets(labelled, codebook), strict=True):
        given = guess.labels[task]
        row[f"{task}.gold"] = gold
        row[task] = None if given is None else sorted(given)
        if gold is not None:
            agreed.append(row[task] == gold)
    row["correct"] = all(agreed) if agreed else None
    for task, label in codebook.columns:
        row[f"{task}.{label}"] = guess.probabilities[task][label]
    return row


def _label_sets(labelled: LabelledSentence, codebook: Codebook) -> list[list[str] | None]:
    sets = (labelled.labels.get(task) for task in codebook.tasks)
    return [None if labels is None else sorted(labels) for labels in sets]


def _dataset(
    rows: list[dict[str, object]],
    *,
    lists: Iterable[str],
    numbers: Iterable[str],
    flags: Iterable[str] = (),
) -> datasets.Dataset:
    import datasets

    columns: dict[str, object] = dict.fromkeys(
        ("doc_id", "sentence_id", "text"), datasets.Value("string")
    )
    columns |= dict.fromkeys(lists, datasets.List(datasets.Value("string")))
    columns |= dict.fromkeys(flags, datasets.Value("bool"))
    columns |= dict.fromkeys(numbers, datasets.Value("float32"))
    return datasets.Dataset.from_list(rows, features=datasets.Features(columns))
