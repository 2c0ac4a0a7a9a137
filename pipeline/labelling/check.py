"""Check labelled documents against the codebook, their statements and each other.

Every function returns all findings at once; an empty list means the data hold what they promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import near_matches
from pipeline.labelling.corpus import DocumentRow, read_rows
from pipeline.labelling.typography import letters_and_digits
from pipeline.records import SPEAKER, Attribution, LabelledDocument, LabelledSentence, Rejection


class FindingKind(StrEnum):
    """What is wrong."""

    ROW = "unusable row"
    LABEL = "unknown label"
    CARDINALITY = "not exactly one label"
    CONSTRAINT = "breaks a constraint"
    ATTRIBUTION = "attribution does not fit the labels"
    HOLDER = "holder not verbatim"
    TARGET = "target not verbatim"
    OFFSET = "offsets do not fit the statement"
    DUPLICATE = "duplicate"
    SHARED = "sentence shared between data sets"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with labelled data; `sentence` counts from 0, `None` for a whole document."""

    file: str
    line: int
    doc_id: str
    sentence: int | None
    kind: FindingKind
    message: str

    def __str__(self) -> str:
        place = self.doc_id if self.sentence is None else f"{self.doc_id} sentence {self.sentence}"
        return f"{self.file}:{self.line}: {place}: {self.kind}: {self.message}"


def check_documents(
    documents: Sequence[LabelledDocument],
    codebook: Codebook,
    *,
    others: Iterable[LabelledDocument] = (),
    statements_folder: Path | None = None,
) -> list[Finding]:
    """Return everything wrong with `documents`, in the order file, line, sentence.

    A holder must be SPEAKER or stand verbatim in its sentence, an earlier sentence (or the given
    context), or the title. A headline announces the text below it, so the holder of a sentence
    without closing punctuation may also stand in a later one. A target must stand in its sentence.

    Args:
        documents: what is checked.
        codebook: the labels that are allowed.
        others: documents of data sets that must not share a sentence with `documents` (training
            against test). Sentences are compared without case, punctuation and spacing. Formulas
            such as "I thank you." are no exception: shared, they would raise measured scores too.
        statements_folder: where the statement files lie that the offsets refer to; `None` leaves
            the offsets unchecked.

    Raises:
        InputError: the file that the documents were read from can no longer be read.
    """
    findings = [finding for document in documents for finding in _document(document, codebook)]
    findings += _duplicates(documents)
    findings += _shared(documents, others)
    if statements_folder is not None:
        for source in dict.fromkeys(document.source for document in documents):
            findings += check_offsets(Path(source), statements_folder)
    return sorted(
        findings, key=lambda f: (f.file, f.line, -1 if f.sentence is None else f.sentence)
    )


def rejected_rows(rejections: Iterable[Rejection]) -> list[Finding]:
    """Return a finding for every line that `read_labelled` had to set aside."""
    return [
        Finding(r.source, int(r.location.split()[-1]), r.location, None, FindingKind.ROW, r.detail)
        for r in rejections
    ]


def check_offsets(path: Path, statements_folder: Path) -> list[Finding]:
    """Compare the offsets in a labelled file with the statement files it names.

    For every sentence `statement[start:end] == raw` (or `text`, where no `raw` is given), sentences
    follow one another without overlap, and `text` has the letters and digits of `raw`.

    Raises:
        InputError: `path` cannot be read.
    """
    findings: list[Finding] = []
    for line, row in read_rows(path):
        if isinstance(row, DocumentRow) and row.file is not None:
            for i, message in _offset_mistakes(row, statements_folder / row.file):
                found = Finding(str(path), line, row.name, i, FindingKind.OFFSET, message)
                findings.append(found)
    return findings


def _offset_mistakes(row: DocumentRow, file: Path) -> Iterator[tuple[int | None, str]]:
    try:
        # Bytes, not read_text: universal newlines would move every offset after a CR LF.
        statement = file.read_bytes().decode("utf-8")
    except OSError as error:
        yield None, f"statement file {file} cannot be read ({error.strerror})"
        return
    except UnicodeDecodeError as error:
        yield None, f"statement file {file} is not UTF-8 (byte {error.start})"
        return
    done = 0
    for i, sentence in enumerate(row.sentences):
        if sentence.start is None or sentence.end is None:
            yield i, "has no 'start' and 'end'"
            continue
        expected = sentence.text if sentence.raw is None else sentence.raw
        if not 0 <= sentence.start < sentence.end <= len(statement):
            yield (
                i,
                f"span [{sentence.start}, {sentence.end}) does not lie within the "
                f"{len(statement)} characters of {file.name}",
            )
        elif (found := statement[sentence.start : sentence.end]) != expected:
            yield (
                i,
                f"{file.name}[{sentence.start}:{sentence.end}] is {_short(found)}, "
                f"expected {_short(expected)}",
            )
        if sentence.start < done:
            yield i, f"starts at {sentence.start}, before the last sentence ends at {done}"
        done = max(done, sentence.end)
        if letters_and_digits(expected) != letters_and_digits(sentence.text):
            yield i, "'text' and 'raw' differ in more than markup"


def _document(document: LabelledDocument, codebook: Codebook) -> Iterator[Finding]:
    texts = [labelled.sentence.text for labelled in document.sentences]
    for i, labelled in enumerate(document.sentences):
        within = [labelled.sentence.context, *texts[:i], document.title or ""]
        if _is_headline(texts[i]):
            within += texts[i + 1 :]
        mistakes = [*_labels(labelled, codebook), *_attributed(labelled, codebook)]
        for attribution in labelled.attributions:
            mistakes += _words(attribution, texts[i], within)
        for kind, message in mistakes:
            yield Finding(document.source, document.line, document.doc_id, i, kind, message)


def _labels(labelled: LabelledSentence, codebook: Codebook) -> Iterator[tuple[FindingKind, str]]:
    for name, given in labelled.labels.items():
        if given is None:
            continue
        task = codebook.tasks.get(name)
        if task is None:
            yield FindingKind.LABEL, f"unknown task '{name}'.{near_matches(name, codebook.tasks)}"
            continue
        for label in given:
            if mistake := codebook.label_mistake(name, label):
                yield FindingKind.LABEL, mistake
        if task.type is TaskType.MULTICLASS and len(given) != 1:
            shown = ", ".join(given) or "none"
            yield FindingKind.CARDINALITY, f"'{name}' takes exactly one label, got {shown}"
    for constraint in codebook.constraints:
        if constraint.broken_by(labelled.labels):
            yield FindingKind.CONSTRAINT, str(constraint)


def _attributed(
    labelled: LabelledSentence, codebook: Codebook
) -> Iterator[tuple[FindingKind, str]]:
    got = {attribution.label for attribution in labelled.attributions}
    for label in sorted(got - _attributable(labelled, codebook)):
        yield (
            FindingKind.ATTRIBUTION,
            f"holder or target for '{label}', which is not given or takes none",
        )


def without_holder(documents: Iterable[LabelledDocument], codebook: Codebook) -> int:
    """Count the labels that could have a holder and of which nobody says one.

    That is not wrong: it is not known, as a missing label is. Classifiers learn from them, the
    model of holders does not.
    """
    return sum(
        len(_attributable(one, codebook) - {found.label for found in one.attributions})
        for document in documents
        for one in document.sentences
    )


def _attributable(labelled: LabelledSentence, codebook: Codebook) -> set[str]:
    return {
        label
        for name, task in codebook.tasks.items()
        if task.attribution
        for label in labelled.labels.get(name) or ()
    }


def _words(
    attribution: Attribution, text: str, within: list[str]
) -> Iterator[tuple[FindingKind, str]]:
    holder, target = attribution.holder, attribution.target
    if holder is None or not holder.strip():
        yield FindingKind.HOLDER, f"'{attribution.label}' has no holder; write {SPEAKER} or a name"
    elif holder != SPEAKER and not any(holder in words for words in (text, *within)):
        yield (
            FindingKind.HOLDER,
            f"holder {holder!r} of '{attribution.label}' stands neither in the sentence nor before "
            f"it in the document: {_short(text)}",
        )
    if target is not None and (not target.strip() or target not in text):
        yield (
            FindingKind.TARGET,
            f"target {target!r} of '{attribution.label}' does not stand in the sentence: "
            f"{_short(text)}",
        )


def _duplicates(documents: Sequence[LabelledDocument]) -> Iterator[Finding]:
    ids: dict[str, LabelledDocument] = {}
    texts: dict[str, LabelledDocument] = {}
    sentence_ids: dict[str, LabelledDocument] = {}
    for document in documents:
        place = (document.source, document.line, document.doc_id)
        first = ids.setdefault(document.doc_id, document)
        if first is not document:
            message = f"doc_id '{document.doc_id}' is also at {first.source}:{first.line}"
            yield Finding(*place, None, FindingKind.DUPLICATE, message)
        content = "\n".join(
            letters_and_digits(labelled.sentence.text) for labelled in document.sentences
        )
        same = texts.setdefault(content, document)
        if same is not document:
            message = f"the same text as '{same.doc_id}' at {same.source}:{same.line}"
            yield Finding(*place, None, FindingKind.DUPLICATE, message)
        if first is document:  # under a doc_id used twice every sentence id is twice, too
            for i, labelled in enumerate(document.sentences):
                name = labelled.sentence.sentence_id
                holder = sentence_ids.get(name)
                if holder is not None:
                    message = f"sentence_id '{name}' is also at {holder.source}:{holder.line}"
                    yield Finding(*place, i, FindingKind.DUPLICATE, message)
                sentence_ids[name] = document


def _shared(
    documents: Sequence[LabelledDocument], others: Iterable[LabelledDocument]
) -> Iterator[Finding]:
    elsewhere: dict[str, str] = {}
    for other in others:
        for i, labelled in enumerate(other.sentences):
            place = f"{other.source}:{other.line} ({other.doc_id} sentence {i})"
            elsewhere.setdefault(letters_and_digits(labelled.sentence.text), place)
    elsewhere.pop("", None)
    for document in documents:
        for i, labelled in enumerate(document.sentences):
            found = elsewhere.get(letters_and_digits(labelled.sentence.text))
            if found is not None:
                message = f"{_short(labelled.sentence.text)} is also at {found}"
                yield Finding(
                    document.source, document.line, document.doc_id, i, FindingKind.SHARED, message
                )


def _is_headline(text: str) -> bool:
    return not text.rstrip(" \t\n\"'”’)»").endswith((".", "!", "?", "…", ";", ":"))


def _short(text: str) -> str:
    return repr(text if len(text) <= 90 else text[:87] + "...")
