"""Corrections of labelled files: what was wrong, what is right, and why, one correction a line:

    {"doc_id": "a1", "sentence": 3, "task": "tone", "old": "blame", "new": "praise",
     "reason": "..."}

`sentence` counts from 0; `old` and `new` are values of the task's key as they stand in labelled
files. The file of corrections stays as the record of what was changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import JsonValue as Json

from pipeline.errors import CheckFailed, InputError


@dataclass(frozen=True, slots=True)
class Correction:
    """One changed value."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    doc_id: str
    sentence: Annotated[int, Field(ge=0)]
    task: str
    old: Json
    new: Json
    reason: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Corrected:
    """The lines of labelled files after correction, and how many corrections did something."""

    lines: tuple[tuple[bytes, ...], ...]
    applied: int
    already: int


_ADAPTER: TypeAdapter[Correction] = TypeAdapter(Correction)


def read_corrections(path: Path) -> list[Correction]:
    """Read corrections.

    Raises:
        InputError: the file cannot be read; or lines are no corrections, all of which are named.
    """
    corrections: list[Correction] = []
    mistakes: list[str] = []
    for number, line in _lines(path):
        try:
            corrections.append(_ADAPTER.validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            mistakes.append(f"  - line {number}: {where}: {first['msg']}")
    if mistakes or not corrections:
        shown = "\n".join(mistakes) or "  - the file is empty"
        raise InputError(f"{path}: expected one correction a line\n{shown}")
    return corrections


def correct(files: Sequence[Path], corrections: Sequence[Correction]) -> Corrected:
    """Apply corrections to labelled files; nothing is written.

    A correction whose new value stands there already is counted and changes nothing. Lines without
    corrections stay byte for byte as they are.

    Raises:
        InputError: a file cannot be read, or holds a line that is not JSON or, where it is to be
            corrected, not writable as UTF-8.
        CheckFailed: a sentence is not in the files or stands there twice, or its value is neither
            the old nor the new one; all such corrections are named.
    """
    contents = [dict(_lines(path)) for path in files]
    places: dict[str, list[tuple[int, int]]] = {}
    for f, (path, lines) in enumerate(zip(files, contents, strict=True)):
        for n, line in lines.items():
            places.setdefault(str(_document(path, n, line).get("doc_id")), []).append((f, n))
    applied = already = 0
    mistakes: list[str] = []
    for correction in corrections:
        name = f"'{correction.doc_id}' sentence {correction.sentence}"
        found = places.get(correction.doc_id, [])
        if len(found) != 1:
            mistakes.append(f"{name}: the document stands in the files {len(found)} times")
            continue
        f, n = found[0]
        document = _document(files[f], n, contents[f][n])
        sentences = document.get("sentences")
        if not isinstance(sentences, list) or correction.sentence >= len(sentences):
            mistakes.append(f"{name}: there is no such sentence")
            continue
        sentence = sentences[correction.sentence]
        value = sentence.get(correction.task) if isinstance(sentence, dict) else None
        if value == correction.new:
            already += 1
        elif value != correction.old or not isinstance(sentence, dict):
            mistakes.append(
                f"{name}: '{correction.task}' is {json.dumps(value)}, expected "
                f"{json.dumps(correction.old)}"
            )
        else:
            sentence[correction.task] = correction.new
            contents[f][n] = _line(files[f], n, document)
            applied += 1
    if mistakes:
        raise CheckFailed(
            f"{len(mistakes)} correction(s) do not fit; nothing was changed\n"
            + "\n".join(f"  - {mistake}" for mistake in mistakes)
        )
    return Corrected(tuple(tuple(lines.values()) for lines in contents), applied, already)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _document(path: Path, n: int, line: bytes) -> dict[str, Json]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: line {n} is not JSON ({error}).") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: line {n} is not an object.")
    return document


def _line(path: Path, n: int, document: dict[str, Json]) -> bytes:
    text = json.dumps(document, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise InputError(
            f"{path}: line {n} holds {half}, half a surrogate pair, which is no character "
            f"({text[max(error.start - 20, 0) : error.start]!r} stands before it). Put in the "
            "whole character or take the half out, then correct again; nothing was changed."
        ) from None
