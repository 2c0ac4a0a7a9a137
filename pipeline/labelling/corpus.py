"""Read labelled documents from JSONL: training corpora, gold labels, evaluation sets.

One document a line. Any codebook works: a sentence carries `text` and one key a task of the
codebook. A multilabel value is a list of label names or of {label, holder, target} objects, a
multiclass value is one label name; `null` or an absent key means unknown, never "no label".
`probabilities`, which `stance label` writes, holds a number for every label of a task.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError
from pipeline.records import (
    Attribution,
    LabelledDocument,
    LabelledSentence,
    Rejection,
    RejectReason,
    Sentence,
)

_SUM_TOLERANCE = 0.01
"""Of the probabilities of a multiclass task, which are written with four digits."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class SentenceRow(BaseModel):
    """A sentence as written in a labelled file; the keys of tasks are in `model_extra`.

    `sentence_id` is absent where the position in the document names the sentence.
    `start`, `end` and `raw` belong together: half-open character offsets in the document's
    statement file and the characters between them, markup included, whereas `text` is cleaned.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    text: str
    sentence_id: str | int | None = None
    start: int | None = None
    end: int | None = None
    raw: str | None = None
    context: str | list[str] | None = None

    @field_validator("text")
    @classmethod
    def _has_words(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("is empty")
        return text


class DocumentRow(BaseModel):
    """A document as written in a labelled file: one line."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    doc_id: str | None = None
    id: str | None = None
    file: str | None = None
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    title: str | None = None
    part: str | None = None
    sentences: list[SentenceRow] = Field(min_length=1)

    @property
    def name(self) -> str:
        """The document's id: `doc_id`, else `id`, else the stem of `file`, else empty."""
        return self.doc_id or self.id or Path(self.file or "").stem


def read_rows(path: Path) -> Iterator[tuple[int, DocumentRow | Rejection]]:
    """Yield every line that is not blank with its number, as a row or the reason it is none.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        # Lines end at LF only: a string holding U+2028 is valid JSON and str.splitlines cuts it.
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Give the path of a JSONL file.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _parse(line, str(path), number)


def read_labelled(
    path: Path, codebook: Codebook, *, probabilities: bool = False
) -> tuple[list[LabelledDocument], list[Rejection]]:
    """Read labelled documents; every line that holds something becomes a document or a rejection.

    A sentence's id is the given one, else "<doc_id>#<position>"; its context is the given one, else
    the sentence before. `start` and `end` are the given offsets (in the statement file), else zero.

    Args:
        probabilities: read them as well, where known tasks have some. Those that speak for other
            labels than the given ones are passed over: somebody has corrected the labels.

    Returns:
        The documents in file order, and one rejection (BAD_ROW, "line N") a bad line that names all
        its mistakes.

    Raises:
        InputError: the file cannot be read, holds no usable document, or not one label.
    """
    documents: list[LabelledDocument] = []
    rejections: list[Rejection] = []
    for number, row in read_rows(path):
        result = (
            row
            if isinstance(row, Rejection)
            else _document(row, codebook, path, number, probabilities=probabilities)
        )
        if isinstance(result, Rejection):
            rejections.append(result)
        else:
            documents.append(result)
    if not documents:
        first = f" First: {rejections[0].location}: {rejections[0].detail}" if rejections else ""
        raise InputError(
            f"{path}: no usable document among {len(rejections)} line(s); expected one JSON object "
            f"a line with 'doc_id' and 'sentences'.{first}"
        )
    known = (v for d in documents for s in d.sentences for v in s.labels.values())
    if all(value is None for value in known):
        tasks = ", ".join(f"'{task}'" for task in codebook.tasks)
        raise InputError(
            f"{path}: no sentence carries a label of codebook '{codebook.name}'; expected keys "
            f"{tasks} beside 'text'. Give labelled documents, or the codebook of their labels."
        )
    return documents, rejections


def _parse(line: bytes, source: str, number: int) -> DocumentRow | Rejection:
    try:
        data = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _bad_row(source, number, f"not UTF-8 at byte {error.start} of the line")
    except json.JSONDecodeError as error:
        return _bad_row(source, number, f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:  # endless digits, bottomless nesting
        return _bad_row(source, number, f"not usable JSON: {error}")
    if not isinstance(data, dict):
        return _bad_row(source, number, f"expected a JSON object, got {type(data).__name__}")
    try:
        row = DocumentRow.model_validate(data)
    except ValidationError as error:
        return _bad_row(
            source,
            number,
            "; ".join(_describe(item["loc"], str(item["msg"])) for item in error.errors()),
        )
    if not row.name:
        return _bad_row(source, number, "expected 'doc_id', 'id' or 'file' to name the document")
    return row


def _describe(location: tuple[int | str, ...], message: str) -> str:
    parts = [part for part in location if part not in {"str", "int", "list[str]"}]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"'{name.removeprefix('.')}': {message.removeprefix('Value error, ')}"


def _document(
    row: DocumentRow, codebook: Codebook, path: Path, number: int, *, probabilities: bool
) -> LabelledDocument | Rejection:
    mistakes: list[str] = []
    sentences: list[LabelledSentence] = []
    before = ""
    ids: set[str] = set()
    for i, item in enumerate(row.sentences):
        extra: Mapping[str, Json] = item.model_extra or {}
        where = f"sentence {i}"
        mistakes += _misspelt_tasks(extra, codebook, where)
        if _has_lone_surrogate(item.text):
            mistakes.append(f"{where}: 'text' holds half a surrogate pair, which is no character")
        labels: dict[str, tuple[str, ...] | None] = {}
        attributions: list[Attribution] = []
        for name, task in codebook.tasks.items():
            value = extra.get(name)
            if value is None:
                labels[name] = None
            elif task.type is TaskType.MULTICLASS:
                labels[name] = _one_label(value, name, codebook, where, mistakes)
            else:
                given = _entries(value, name, codebook, where, mistakes)
                chosen = {entry.label for entry, _ in given}
                labels[name] = tuple(label for label in task.labels if label in chosen)
                attributions += [entry for entry, attributed in given if attributed]
        sentence = Sentence(
            sentence_id=_sentence_id(item, row.name, i, ids, mistakes),
            doc_id=row.name,
            text=item.text,
            start=item.start or 0,
            end=item.end or 0,
            context=_context(item.context, before),
        )
        written = extra.get("probabilities") if probabilities else None
        chances = _probabilities(written, labels, codebook, where, mistakes)
        sentences.append(LabelledSentence(sentence, labels, tuple(attributions), chances))
        before = item.text
    if mistakes:
        return _bad_row(str(path), number, "; ".join(mistakes))
    return LabelledDocument(
        doc_id=row.name,
        sentences=tuple(sentences),
        speaker=row.speaker,
        date=row.date,
        genre=row.genre,
        title=row.title,
        part=row.part,
        source=str(path),
        line=number,
    )


def _sentence_id(
    item: SentenceRow, doc_id: str, position: int, ids: set[str], mistakes: list[str]
) -> str:
    """Return the id of a sentence, and add it to those of its document."""
    given = item.sentence_id
    name = f"{doc_id}#{position}" if given is None else str(given)
    if not name.strip() or _has_lone_surrogate(name):
        mistakes.append(
            f"sentence {position}: 'sentence_id' is {name!r}, expected a name; leave it out for "
            f"'{doc_id}#{position}'"
        )
    elif name in ids:
        mistakes.append(
            f"sentence {position}: 'sentence_id' '{name}' is that of another sentence of the "
            "document; give each its own"
        )
    ids.add(name)
    return name


def _context(given: str | list[str] | None, before: str) -> str:
    if given is None:
        return before
    return given if isinstance(given, str) else " ".join(given)


def _one_label(
    value: Json, task: str, codebook: Codebook, where: str, mistakes: list[str]
) -> tuple[str, ...] | None:
    if not isinstance(value, str):
        mistakes.append(f"{where}: '{task}' takes one label name, got {_shown(value)}")
        return None
    _require_known(value, task, codebook, where, mistakes)
    return (value,)


def _entries(
    value: Json, task: str, codebook: Codebook, where: str, mistakes: list[str]
) -> list[tuple[Attribution, bool]]:
    """Return the labels of a multilabel value, and whether each says who holds it."""
    if not isinstance(value, list):
        mistakes.append(f"{where}: '{task}' takes a list of labels, got {_shown(value)}")
        return []
    entries: list[tuple[Attribution, bool]] = []
    for entry in value:
        if isinstance(entry, str):
            found, attributed = Attribution(entry, None, None), False
        elif isinstance(entry, dict) and isinstance(entry.get("label"), str):
            holder, target = entry.get("holder"), entry.get("target")
            wrong = [n for n in ("holder", "target") if not isinstance(entry.get(n), str | None)]
            if wrong:
                mistakes.append(
                    f"{where}: '{task}': {' and '.join(wrong)} must be text or null, "
                    f"got {_shown(entry)}"
                )
                continue
            found = Attribution(
                str(entry["label"]),
                None if holder is None else str(holder),
                None if target is None else str(target),
            )
            attributed = "holder" in entry or "target" in entry
        else:
            mistakes.append(
                f"{where}: '{task}': expected a label name or an object with 'label', "
                f"got {_shown(entry)}"
            )
            continue
        _require_known(found.label, task, codebook, where, mistakes)
        entries.append((found, attributed))
    return entries


def _probabilities(
    value: Json,
    labels: Mapping[str, tuple[str, ...] | None],
    codebook: Codebook,
    where: str,
    mistakes: list[str],
) -> dict[str, dict[str, float]]:
    """Return the probabilities of the known tasks whose labels are those that they speak for."""
    found: dict[str, dict[str, float]] = {}
    given = {} if value is None else value
    if not isinstance(given, dict):
        mistakes.append(f"{where}: 'probabilities' takes an object, got {_shown(given)}")
        return found
    for name, task in codebook.tasks.items():
        known, chances = labels.get(name), given.get(name)
        if known is None or chances is None:
            continue
        place = f"{where}: 'probabilities' of '{name}'"
        if (
            not isinstance(chances, dict)
            or set(chances) != set(task.labels)
            or not all(p is None or _is_share(p) for p in chances.values())
        ):
            wanted = f"a number from 0 to 1 for each of {', '.join(task.labels)}"
            mistakes.append(f"{place} takes {wanted}, got {_shown(chances)}")
            continue
        read = {label: float(p) for label in task.labels if _is_share(p := chances[label])}
        if len(read) < len(chances):  # null: the label model could not say, so people labelled
            continue
        exclusive = task.type is TaskType.MULTICLASS
        if exclusive and abs(sum(read.values()) - 1) > _SUM_TOLERANCE:
            mistakes.append(f"{place} must sum to one, got {_shown(chances)}")
        elif _speak_for(known, read, exclusive):
            found[name] = read
    return found


def _is_share(value: Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _speak_for(labels: tuple[str, ...], chances: Mapping[str, float], exclusive: bool) -> bool:
    if exclusive:
        return all(chances.get(label) == max(chances.values()) for label in labels)
    return all(p >= 0.5 if name in labels else p <= 0.5 for name, p in chances.items())


def _require_known(
    label: str, task: str, codebook: Codebook, where: str, mistakes: list[str]
) -> None:
    if mistake := codebook.label_mistake(task, label):
        mistakes.append(f"{where}: {mistake}")


def _misspelt_tasks(extra: Mapping[str, Json], codebook: Codebook, where: str) -> list[str]:
    """A misspelt task key would silently turn a label into "unknown", so it is a mistake."""
    missing = [task for task in codebook.tasks if task not in extra]
    return [
        f"{where}: unknown key '{key}'. Did you mean '{close[0]}'?"
        for key in extra
        if key not in codebook.tasks
        and (close := difflib.get_close_matches(key, missing, n=1, cutoff=0.75))
    ]


def _has_lone_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _bad_row(source: str, number: int, detail: str) -> Rejection:
    return Rejection(source, f"line {number}", RejectReason.BAD_ROW, detail)
