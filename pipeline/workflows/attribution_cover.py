"""Whether a file of attributions is of these predictions: a row for each label, and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.records import Prediction
from pipeline.workflows.findings import Findings

Key = tuple[str, str, str, str]
"""Document, sentence, task and label; sentences of a table may share an id."""

NAMED = 5


def unattributed(
    found: Findings,
    rows: Sequence[Prediction],
    codebook: Codebook,
    *,
    predictions: Path,
    attributions: Path,
) -> int:
    """Return how many labels have no finding because rows of attributions were set aside.

    A label that is in no count, with no row that says why, would be missed by nobody: files that
    do not belong together are refused instead.

    Raises:
        InputError: rows are of other sentences or of labels not given, or labels have no row.
    """
    given = Counter[Key](
        (row.sentence.doc_id, row.sentence.sentence_id, task, label)
        for row in rows
        for task, facts in codebook.tasks.items()
        if facts.attribution
        for label in row.labels[task] or ()
    )
    told = Counter[Key]((f.doc_id, f.sentence_id, f.task, f.label) for f in found.findings)
    sentences = {(row.sentence.doc_id, row.sentence.sentence_id) for row in rows}
    others = [key for key in told if key[:2] not in sentences]
    asked = {name for name, facts in codebook.tasks.items() if facts.attribution}
    surplus = [key for key in told - given if key[:2] in sentences and key[2] in asked]
    missing = given - told
    mistakes = [
        f"no prediction is of {_place(key)}" for key in dict.fromkeys(k[:2] for k in others)
    ]
    mistakes += [f"{_place(key)} is not labelled {key[2]}.{key[3]} there" for key in surplus]
    absent = missing.total()
    # Each row set aside may have been that of a label; it is listed, so nothing vanishes.
    if absent > len(found.rejected):
        mistakes.append(
            f"{absent:,} of {given.total():,} labels have no attribution (the first: "
            f"{_place(next(iter(missing)))})"
        )
    if mistakes:
        # The last one sums up what has no row.
        named = mistakes if len(mistakes) <= NAMED else [*mistakes[: NAMED - 1], mistakes[-1]]
        shown = "".join(f"\n  - {one}" for one in named)
        more = len(mistakes) - len(named)
        shown += f"\n  and {more:,} more of the kind" if more else ""
        raise InputError(
            f"{attributions}: not the attributions of {predictions}, or not all of them:{shown}"
            f"\nRun 'stance attribute {predictions} -o {predictions.stem}.attr.jsonl' on exactly "
            "this file (with the options --model and --actors of this call), then report again; to "
            "show a part only, select it in the dossier."
        )
    return absent


def _place(key: tuple[str, ...]) -> str:
    return f"sentence '{key[1]}' of document '{key[0]}'"
