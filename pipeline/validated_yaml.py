"""Read a YAML file into a pydantic model, reporting every mistake at once with file and line."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import (
    BaseConstructor,
    ConstructorError,
    RoundTripConstructor,
    SafeConstructor,
)
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.scanner import Scanner

from pipeline.errors import InputError, SettingsError, near_matches


class StrictModel(BaseModel):
    """Base of all models read from files: frozen, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def written(pattern: str, expected: str) -> AfterValidator:
    """Return a validator of text in one form, which tells the user in words what is expected."""

    def validate(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(validate)


Model = TypeVar("Model", bound=BaseModel)

_TOO_DEEP = "nested too deeply, or a part that contains itself"
_LONGEST_SHOWN = 40

BAD_VALUE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
"""What ruamel.yaml lets out of Python where a tag does not fit its value, a key is no key or stands
twice in an ordered map, or the version is none that it knows."""


def said_by(error: Exception) -> str:
    """Return what is wrong with YAML by an error of `BAD_VALUE`; some come without a word."""
    return str(error) or "a tag does not fit its value, or a key stands twice"


class _Marking(BaseConstructor):
    """Says which value of which line cannot be made."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except BAD_VALUE as error:
            kind = str(node.tag).rpartition(":")[2]
            shown = repr(node.value[:_LONGEST_SHOWN]) if isinstance(node, ScalarNode) else "this"
            why = f" ({error})" if isinstance(error, ValueError) else ""
            problem = f"{shown} cannot be read as {kind}{why}"
            raise ConstructorError(None, None, problem, node.start_mark) from None


class _MarkingSafe(_Marking, SafeConstructor):
    pass


class _MarkingRoundTrip(_Marking, RoundTripConstructor):
    pass


def plain_yaml() -> YAML:
    """Return a reader of YAML 1.2 into plain values that says where a value cannot be made.

    It raises `YAMLError`, `RecursionError` and, for keys, one of `BAD_VALUE`.
    """
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _MarkingSafe
    return reader


def read_yaml(path: Path) -> CommentedMap:
    """Parse a YAML 1.2 mapping that remembers its line numbers.

    Raises:
        InputError: the file cannot be read.
        SettingsError: it is not YAML, holds a key twice, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Give the path of a YAML file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error}).") from None
    try:
        reader = YAML(typ="rt")
        reader.Scanner = Scanner  # that of "rt" keeps comments, and fails where two stand together
        reader.Constructor = _MarkingRoundTrip
        data = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = str(path) if mark is None else f"{path}:{mark.line + 1}"
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise SettingsError([f"{place}: {problem}"], where=str(path)) from None
    except (YAMLError, *BAD_VALUE) as error:
        raise SettingsError([f"{path}: is not YAML: {said_by(error)}"], where=str(path)) from None
    except RecursionError:
        raise SettingsError([f"{path}: {_TOO_DEEP}"], where=str(path)) from None
    if not isinstance(data, CommentedMap):
        got = "nothing" if data is None else type(data).__name__
        raise SettingsError([f"{path}: expected 'key: value' pairs, got {got}"], where=str(path))
    return data


def load_model(model: type[Model], path: Path) -> Model:
    """Read `path` and validate it as `model`.

    Raises:
        InputError: the file cannot be read.
        SettingsError: every mistake with its line, and near matches for unknown keys.
    """
    data = read_yaml(path)
    return validate_model(model, data, where=str(path))


def validate_model(model: type[Model], data: Mapping[str, Any], *, where: str) -> Model:
    """Validate a mapping as `model`; `where` names its origin in messages.

    Raises:
        SettingsError: every mistake with its line (where known), near matches for unknown keys.
    """
    try:
        return model.model_validate(_plain(data))
    except RecursionError:
        raise SettingsError([f"{where}: {_TOO_DEEP}"], where=where) from None
    except ValidationError as error:
        mistakes = [_describe(model, data, dict(item), where) for item in error.errors()]
        raise SettingsError(mistakes, where=where) from None


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, str):
        return str(node)
    return node


def _describe(model: type[BaseModel], data: Any, item: dict[str, Any], where: str) -> str:
    location = tuple(part for part in item["loc"] if part != "[key]")
    line = _line_of(data, location)
    place = f"{where}:{line}" if line else where
    name = ".".join(str(part) for part in _as_written(data, location))
    if item["type"] == "extra_forbidden":
        known = _fields_at(model, location[:-1])
        return f"{place}: unknown key '{name}'.{near_matches(str(location[-1]), known)}"
    if item["type"] == "missing":
        return f"{place}: '{name}' is missing"
    if item["type"] in {"literal_error", "enum"}:
        expected = str(item.get("ctx", {}).get("expected", ""))
        choices = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
        return f"{place}: '{name}' is {item['input']!r}.{near_matches(str(item['input']), choices)}"
    message = str(item["msg"]).removeprefix("Value error, ")
    shown = item.get("input")
    if item["type"] == "string_type" and isinstance(shown, int | float):
        message = "expected text, put it in quotation marks"
    got = f" (got {shown!r})" if isinstance(shown, str | int | float | bool) else ""
    return f"{place}: '{name}': {message}{got}" if name else f"{place}: {message}{got}"


def _line_of(data: Any, location: tuple[Any, ...]) -> int:
    node, line = data, 0
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
            node = node[part]
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
            node = node[part]
    return line


def _as_written(data: Any, location: tuple[Any, ...]) -> list[Any]:
    """Return the location without the tags that pydantic adds where a part is one of a union."""
    node, written = data, []
    for part in location[:-1]:
        if isinstance(node, Mapping) and part not in node:
            continue
        if isinstance(node, list) and not isinstance(part, int):
            continue
        written.append(part)
        node = node[part] if isinstance(node, Mapping | list) else None
    return [*written, *location[-1:]]


def _fields_at(model: Any, location: tuple[Any, ...]) -> list[str]:
    """Return the keys that the model at `location` accepts (none where it takes any key)."""
    at = [model]
    for part in location:
        at = [inner for annotation in _members(at) for inner in _one_level_down(annotation, part)]
    return sorted(
        {name for found in _members(at) if _is_model(found) for name in found.model_fields}
    )


def _one_level_down(annotation: Any, part: Any) -> list[Any]:
    if _is_model(annotation):
        if part in annotation.model_fields:
            return [annotation.model_fields[part].annotation]
        tags = [field.annotation for field in annotation.model_fields.values()]
        is_tag = any(part in typing.get_args(tag) for tag in tags)
        return [annotation] if is_tag else []  # pydantic names a union's member by its tag
    return [arg for arg in typing.get_args(annotation) if arg is not Ellipsis][-1:]


def _members(annotations: Iterable[Any]) -> list[Any]:
    """Return the annotations with unions and annotated types opened up."""
    out: list[Any] = []
    for annotation in annotations:
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            out += _members(typing.get_args(annotation))
        elif typing.get_origin(annotation) is typing.Annotated:
            out += _members(typing.get_args(annotation)[:1])
        else:
            out.append(annotation)
    return out


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
