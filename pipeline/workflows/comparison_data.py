"""Which labelled sentences models are compared on: none that any of them has learned from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling.typography import letters_and_digits
from pipeline.records import LabelledDocument
from pipeline.settings.experiment import DataSettings
from pipeline.workflows.contenders import Learned
from pipeline.workflows.scoring import GOLD, HELD_OUT, EvaluationSet, read_documents
from pipeline.workflows.watcher import Watcher


@dataclass(frozen=True, slots=True)
class ComparisonData:
    """The sentences to compare on, how they came to be, and what stands against trusting them.

    `seen` sentences of `read` were left out, since a model learned from them.
    """

    data: EvaluationSet
    origin: str
    read: int
    seen: int
    cautions: tuple[str, ...]


def comparison_data(
    learned: Mapping[str, Learned | str],
    on: Path | None,
    settings: DataSettings,
    codebook: Codebook,
    watcher: Watcher,
) -> ComparisonData:
    """Return the labelled sentences that models are compared on.

    They are those of the file `on`; without it the documents that every run held out, else the gold
    labels. Sentences that any model learned from, weakly labelled ones among them, or that stand in
    its training or calibration documents are left out; letters and digits are compared, not case
    and punctuation.

    Args:
        learned: by the label of the model, what it learned from, or why that is not known.

    Raises:
        InputError: a file is missing or unusable, or fewer than two documents are left.
    """
    documents, name, origin = _documents(learned, on, settings, codebook, watcher)
    texts = {
        letters_and_digits(labelled.sentence.text)
        for one in learned.values()
        if isinstance(one, Learned)
        for labelled in one.seen
    }
    kept: list[LabelledDocument] = []
    for document in documents:
        unseen = tuple(
            s for s in document.sentences if letters_and_digits(s.sentence.text) not in texts
        )
        kept.append(replace(document, sentences=unseen))
    data = EvaluationSet(name, tuple(document for document in kept if document.sentences))
    read = sum(len(document.sentences) for document in documents)
    seen = read - len(data.sentences)
    if len({document.doc_id for document in data.documents}) < 2:
        raise InputError(
            f"{origin}: {seen} of {read} sentences stand in the training data of a model and were "
            f"left out; {len(data.documents)} document(s) remain, at least 2 are needed. Give "
            "other labelled statements with --on."
        )
    return ComparisonData(data, origin, read, seen, tuple(_cautions(learned)))


def _documents(
    learned: Mapping[str, Learned | str],
    on: Path | None,
    settings: DataSettings,
    codebook: Codebook,
    watcher: Watcher,
) -> tuple[tuple[LabelledDocument, ...], str, str]:
    """Return documents, the name of the set, and where it comes from in words."""
    if on is not None:
        return read_documents([on], codebook, watcher), on.stem, str(on)
    known = [one for one in learned.values() if isinstance(one, Learned)]
    shared = _shared(one.held_out for one in known) if len(known) == len(learned) else ()
    if shared:
        return shared, HELD_OUT, "documents that all runs held out"
    why = (
        "the runs held out no document in common"
        if len(known) == len(learned)
        else "not known for all"
    )
    origin = f"gold labels, {settings.gold} (no shared held-out documents: {why})"
    return read_documents([settings.gold], codebook, watcher), GOLD, origin


def _shared(held_out: Iterable[tuple[LabelledDocument, ...]]) -> tuple[LabelledDocument, ...]:
    """Return the documents that stand in every list with the same sentences and labels."""
    first, *others = held_out
    listed = [{document.doc_id: document.sentences for document in other} for other in others]
    return tuple(
        document
        for document in first
        if all(other.get(document.doc_id) == document.sentences for other in listed)
    )


def _cautions(learned: Mapping[str, Learned | str]) -> Iterable[str]:
    for label, one in learned.items():
        if isinstance(one, str):
            yield (
                f"What {label} learned from is not known ({one.rstrip('.')}): sentences that it "
                "has seen could not be left out."
            )
        elif one.changed:
            yield (
                f"The corpus is not as {label} learned it ({one.changed}): sentences that it has "
                "seen may have escaped notice."
            )
