"""What several coders say of the same sentences, read from the files they come in.

Three forms are told apart line by line: canonical annotations (`annotations`), labelled documents
(`corpus`; the coder is the name of the file), and rows of one sentence and coder with `doc_id`,
`i` or `sentence_id`, `coder`, and a key a task as in labelled documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue as Json

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import (
    Annotation,
    CodebookStamp,
    Item,
    Sampling,
    Span,
    SpanAttribution,
    normal,
)
from pipeline.labelling.corpus import read_labelled
from pipeline.records import (
    Attribution,
    LabelledDocument,
    LabelledSentence,
    Rejection,
    RejectReason,
)


@dataclass(frozen=True, slots=True)
class Coding:
    """What a coder says of a sentence; a task whose labels are `None` he left unanswered.

    `abstained` are those among them that he saw and could not decide, where the file tells.
    The item has no text where the file holds labels only. Its place and `sampling` are told by
    annotations alone: offsets of labelled documents are not those of the cleaned statement.
    """

    item: Item
    coder: str
    labels: Mapping[str, tuple[str, ...] | None]
    attributions: tuple[Attribution, ...] = ()
    abstained: tuple[str, ...] = ()
    sampling: Sampling | None = None

    @property
    def doc_id(self) -> str:
        """The document."""
        return self.item.doc_id

    @property
    def unit(self) -> str:
        """The name of the sentence in its document."""
        return self.item.sentence_id

    @property
    def text(self) -> str:
        """The sentence."""
        return self.item.text

    @classmethod
    def of(cls, annotation: Annotation, codebook: Codebook) -> Coding:
        """Take an annotation."""
        return cls(
            annotation.item,
            annotation.coder,
            {task: annotation.labels.get(task) for task in codebook.tasks},
            tuple(
                Attribution(
                    given.label,
                    given.holder.text if given.holder else None,
                    given.target.text if given.target else None,
                )
                for given in annotation.attributions
            ),
            annotation.abstained,
            annotation.sampling,
        )

    def annotation(self, codebook: Codebook) -> Annotation:
        """Return the coding as an annotation, not yet checked; its words are located in the text.

        When it was made is not known any more.
        """
        made = Annotation(
            item=self.item,
            coder=self.coder,
            codebook=CodebookStamp.of(codebook),
            sampling=self.sampling,
            labels={task: given for task, given in self.labels.items() if given is not None},
            abstained=self.abstained,
            attributions=tuple(
                SpanAttribution(
                    task,
                    given.label,
                    None if given.holder is None else Span(given.holder),
                    None if given.target is None else Span(given.target),
                )
                for given in self.attributions
                for task, labels in self.labels.items()
                if given.label in (labels or ()) and codebook.tasks[task].attribution
                if (given.holder, given.target) != (None, None)
            ),
        )
        return normal(made, codebook)


@dataclass(frozen=True, slots=True)
class Codings:
    """All codings of some files, and what was set aside."""

    codings: tuple[Coding, ...]
    rejections: tuple[Rejection, ...]

    @property
    def coders(self) -> tuple[str, ...]:
        """Names in the order of the files."""
        return tuple(dict.fromkeys(coding.coder for coding in self.codings))


def read_codings(paths: Sequence[Path], codebook: Codebook) -> Codings:
    """Read the codings of files; a second coding of a sentence by one coder is set aside.

    So is one whose text is another than that of the sentence of the same name before: files that
    name sentences by position may mean others. White space makes no difference.

    Raises:
        InputError: a file cannot be read.
    """
    reader = AnnotationReader(codebook)
    rejections: list[Rejection] = []
    kept: dict[tuple[str, str, str], Coding] = {}
    texts: dict[tuple[str, str], tuple[list[str], str]] = {}

    def keep(coding: Coding, source: str, location: str) -> None:
        words, place = coding.text.split(), f"{source} {location}"
        before = texts.setdefault((coding.doc_id, coding.unit), (words, place)) if words else None
        if before is not None and before[0] != words:
            detail = (
                f"the text of '{coding.unit}' of '{coding.doc_id}' is not the one at {before[1]}; "
                "give the sentences of both files the same 'sentence_id'"
            )
            rejections.append(
                Rejection(source, location, RejectReason.BAD_ROW, detail, coding.unit)
            )
            return
        key = (coding.doc_id, coding.unit, coding.coder)
        if kept.setdefault(key, coding) is not coding:
            detail = f"coder '{coding.coder}' has coded '{coding.unit}' already; the first counts"
            rejections.append(
                Rejection(source, location, RejectReason.DUPLICATE, detail, coding.unit)
            )

    for path in paths:
        if is_corpus(path):
            found, rejected = read_corpus(path, codebook)
            rejections += rejected
            for coding, location in found:
                keep(coding, str(path), location)
            continue
        for number, line in _lines(path):
            location = f"line {number}"
            if (row := _flat(line)) is not None:
                taken = _from_flat(row, codebook, path, number)
                if isinstance(taken, Rejection):
                    rejections.append(taken)
                else:
                    keep(taken, str(path), location)
                continue
            before = len(reader.annotations)
            reader.read_json_line(line, str(path), location)
            for annotation in reader.annotations[before:]:
                keep(Coding.of(annotation, codebook), str(path), location)
    return Codings(tuple(kept.values()), (*reader.rejections, *rejections))


def read_corpus(
    path: Path, codebook: Codebook, *, coder: str | None = None
) -> tuple[list[tuple[Coding, str]], list[Rejection]]:
    """Return the sentences of labelled documents as codings of one coder: by default, of the file.

    Each comes with its place in the file.

    Raises:
        InputError: the file cannot be read or holds no labels.
    """
    documents, rejected = read_labelled(path, codebook)
    name = coder or path.stem
    codings = [
        (_coding(one, document, name), f"line {document.line}")
        for document in documents
        for one in document.sentences
    ]
    return codings, rejected


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, line


def _parsed(line: bytes) -> Mapping[str, Json] | None:
    """Return the object of a line, `None` where it is none."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def is_corpus(path: Path) -> bool:
    """Tell labelled documents from annotations, by the first line that is JSON."""
    rows = (row for _, line in _lines(path) if (row := _parsed(line)) is not None)
    return "sentences" in next(rows, {})


def _flat(line: bytes) -> Mapping[str, Json] | None:
    row = _parsed(line)
    return row if row is not None and "item" not in row and "doc_id" in row else None


def _coding(labelled: LabelledSentence, document: LabelledDocument, coder: str) -> Coding:
    sentence = labelled.sentence
    item = Item(
        sentence.doc_id,
        sentence.sentence_id,
        sentence.text,
        context=sentence.context,
        speaker=document.speaker,
        date=document.date,
        genre=document.genre,
    )
    return Coding(item, coder, labelled.labels, labelled.attributions)


def _from_flat(
    row: Mapping[str, Json], codebook: Codebook, path: Path, number: int
) -> Coding | Rejection:
    location = f"line {number}"
    unit = row.get("sentence_id", row.get("i"))
    coder, doc_id = row.get("coder"), row.get("doc_id")
    if not isinstance(coder, str) or not coder.strip():
        detail = "'coder' is missing; say who annotated"
        return Rejection(str(path), location, RejectReason.NO_CODER, detail)
    if unit is None or not isinstance(doc_id, str):
        detail = "expected 'doc_id', and 'i' or 'sentence_id', to name the sentence"
        return Rejection(str(path), location, RejectReason.BAD_ROW, detail)
    labels: dict[str, tuple[str, ...] | None] = {}
    attributions: list[Attribution] = []
    unknown: list[str] = []
    for name, task in codebook.tasks.items():
        value = row.get(name)
        entries = value if isinstance(value, list) else [] if value is None else [value]
        given: set[str] = set()
        for entry in entries:
            facts = entry if isinstance(entry, dict) else {"label": entry}
            label = str(facts.get("label"))
            given.add(label)
            if mistake := codebook.label_mistake(name, label):
                unknown.append(mistake)
            if "holder" in facts or "target" in facts:
                holder, target = (
                    None if facts.get(role) is None else str(facts[role])
                    for role in ("holder", "target")
                )
                attributions.append(Attribution(label, holder, target))
        chosen = tuple(label for label in task.labels if label in given)
        labels[name] = None if value is None else chosen
    if unknown:
        detail = "; ".join(unknown)
        return Rejection(str(path), location, RejectReason.UNKNOWN_LABEL, detail, str(unit))
    item = Item(doc_id, str(unit), str(row.get("text") or ""))
    return Coding(item, coder, labels, tuple(attributions))
