"""Stage `data correct`: reviewed corrections of labels, into the labelled files themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import CheckFailed, near_matches
from pipeline.labelling.corrections import Corrected, Correction, correct, read_corrections
from pipeline.output import whole_file


def correct_files(files: Sequence[Path], patch: Path, codebook: Codebook) -> Corrected:
    """Apply the corrections of `patch` to labelled files, all of them or none.

    Raises:
        InputError: a file cannot be read.
        CheckFailed: a correction does not fit the files, or names a label that is not in the
            codebook. Nothing is changed then.
        OutputError: a file cannot be written.
    """
    corrections = read_corrections(patch)
    mistakes = [mistake for given in corrections for mistake in _mistakes(given, codebook)]
    if mistakes:
        shown = "\n".join(f"  - {mistake}" for mistake in mistakes)
        raise CheckFailed(f"{patch}: nothing was changed\n{shown}")
    corrected = correct(files, corrections)
    if corrected.applied:
        for path, lines in zip(files, corrected.lines, strict=True):
            with whole_file(path) as file:
                file.writelines(line + b"\n" for line in lines)
    return corrected


def _mistakes(given: Correction, codebook: Codebook) -> list[str]:
    name = f"'{given.doc_id}' sentence {given.sentence}"
    if given.task not in codebook.tasks:
        return [f"{name}: no task '{given.task}'.{near_matches(given.task, codebook.tasks)}"]
    task = codebook.tasks[given.task]
    if isinstance(given.new, list) is not (task.type is TaskType.MULTILABEL):
        return [f"{name}: '{given.task}' is a {task.type.value} task, got {given.new!r}"]
    if task.type is TaskType.MULTICLASS and not isinstance(given.new, str):
        return [f"{name}: '{given.task}' takes one label name, got {given.new!r}"]
    values = given.new if isinstance(given.new, list) else [given.new]
    labels = [value.get("label") if isinstance(value, dict) else value for value in values]
    if len({str(label) for label in labels}) < len(labels):
        return [f"{name}: '{given.task}' names a label twice"]
    mistakes = (codebook.label_mistake(given.task, str(label)) for label in labels)
    return [f"{name}: {mistake}" for mistake in mistakes if mistake]
