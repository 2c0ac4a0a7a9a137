"""Read the written cases of behaviour tests: one JSON object a line, held against the codebook.

A minimum functionality case is a sentence and whether it carries a label:

    {"text": ..., "label": ..., "present": true, "kind": "plain" | "tricky" | "near_miss"}

A direction case is a sentence before and after a change, and whether each carries the label:

    {"test": ..., "label": ..., "before": ..., "before_present": true,
     "after": ..., "after_present": false}

A label is written "label", or "task.label" where two tasks know it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError, near_matches
from pipeline.validated_yaml import StrictModel

Text = Annotated[str, Field(min_length=1, strict=True)]
Yes = Annotated[bool, Field(strict=True)]


class CaseKind(StrEnum):
    """Plain wording, wording that misleads, or a near miss that the codebook rules on."""

    PLAIN = "plain"
    TRICKY = "tricky"
    NEAR_MISS = "near_miss"


@dataclass(frozen=True, slots=True)
class FunctionalityCase:
    """A sentence that carries the label of `column` (of the codebook) or does not."""

    text: str
    column: int
    present: bool
    kind: CaseKind


@dataclass(frozen=True, slots=True)
class DirectionCase:
    """A sentence before and after a change, and whether each carries the label of `column`."""

    test: str
    column: int
    before: str
    before_present: bool
    after: str
    after_present: bool


class _FunctionalityRow(StrictModel):
    text: Text
    label: Text
    present: Yes
    kind: CaseKind


class _DirectionRow(StrictModel):
    test: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    label: Text
    before: Text
    before_present: Yes
    after: Text
    after_present: Yes


Row = TypeVar("Row", _FunctionalityRow, _DirectionRow)
Case = TypeVar("Case", FunctionalityCase, DirectionCase)


def read_functionality(path: Path, codebook: Codebook) -> list[FunctionalityCase]:
    """Read minimum functionality cases.

    Raises:
        InputError: the file cannot be read or holds no case.
        SettingsError: all mistakes at once with file and line: no such label, a bad row, a sentence
            that is there twice.
    """
    return _read(
        path,
        codebook,
        _FunctionalityRow,
        lambda row, column: FunctionalityCase(row.text, column, row.present, row.kind),
    )


def read_direction(path: Path, codebook: Codebook) -> list[DirectionCase]:
    """Read direction cases.

    Raises:
        InputError: the file cannot be read or holds no case.
        SettingsError: all mistakes at once with file and line: no such label, a bad row, a pair
            that is there twice.
    """
    return _read(
        path,
        codebook,
        _DirectionRow,
        lambda row, column: DirectionCase(
            row.test, column, row.before, row.before_present, row.after, row.after_present
        ),
    )


def _read(
    path: Path, codebook: Codebook, model: type[Row], made: Callable[[Row, int], Case]
) -> list[Case]:
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Give the path of a JSONL file.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    cases: dict[Case, int] = {}
    mistakes: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = model.model_validate_json(line)
        except ValidationError as error:
            mistakes += [f"{where}: {_described(dict(item))}" for item in error.errors()]
            continue
        column = _column(row.label, codebook)
        if isinstance(column, str):
            mistakes.append(f"{where}: {column}")
            continue
        case = made(row, column)
        if case in cases:
            mistakes.append(f"{where}: the same case as in line {cases[case]}")
        cases.setdefault(case, number)
    if mistakes:
        raise SettingsError(mistakes, where=str(path))
    if not cases:
        raise InputError(f"{path}: holds no case.")
    return list(cases)


def _described(item: dict[str, object]) -> str:
    location = item["loc"]
    name = ".".join(map(str, location)) if isinstance(location, tuple) else ""
    return f"'{name}': {item['msg']}" if name else str(item["msg"])


def _column(label: str, codebook: Codebook) -> int | str:
    """Return the column of a label, or what is wrong with it."""
    found = [
        j for j, (task, name) in enumerate(codebook.columns) if label in (name, f"{task}.{name}")
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(f"'{codebook.column_names[j]}'" for j in found)
        return f"label '{label}' is in several tasks; write {names}"
    known = [name for _, name in codebook.columns]
    return f"the codebook {codebook.name} has no label '{label}'.{near_matches(label, known)}"
