"""What is wrong with the JSON of a request, in the words of the one who wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from pipeline.errors import near_matches
from pipeline.service.schemas import (
    SENTENCES,
    Mistake,
    SentencesRequest,
    SentenceWithContext,
    StatementRequest,
)

_LONGEST_KEY = 60


def mistake_of(error: Mapping[str, object]) -> Mistake:
    """Translate an error of pydantic; the value itself is never repeated, since it may be long."""
    location = error["loc"]
    # "body", tag of the kind of request, key, number of the item, tag of the item, key
    parts = list(location) if isinstance(location, tuple) else []
    where = _written([*parts[2:4], *parts[5:]])
    kind, got = str(error["type"]), _type_of(error.get("input"))
    context = error.get("ctx")
    if kind == "missing":
        return Mistake(where=where, got="nothing", expected=_missing(parts))
    if kind == "extra_forbidden":
        return Mistake(where=where, got="an unknown key", expected=_instead(parts))
    if kind == "string_too_long" and isinstance(context, dict):
        expected = f"at most {context['max_length']:,} characters"
        return Mistake(where=where, got="a longer string", expected=expected)
    expected = {
        "string_type": "a string",
        "string_unicode": "keys of whole characters",
        "list_type": "a list",
        "model_attributes_type": "an object with 'text' or 'sentences'",
    }.get(kind, str(error["msg"]))
    return Mistake(where=where, got=got, expected=expected)


def _missing(parts: Sequence[object]) -> str:
    if len(parts) < 2:
        return "an object with 'text' or 'sentences'"
    return "a string" if len(parts) > 3 else "a string, or a list 'sentences' instead"


def _instead(parts: Sequence[object]) -> str:
    """Say which keys may stand where an unknown one stands."""
    model: type[BaseModel] = SentencesRequest if parts[1] == SENTENCES else StatementRequest
    if len(parts) > 3:
        model = SentenceWithContext
    elif parts[2] == SENTENCES:
        return "either 'text' or 'sentences', not both"
    return f"a known key.{near_matches(_encodable(str(parts[-1])), model.model_fields)}".rstrip(".")


def _written(parts: Sequence[object]) -> str:
    """Write a location as it would be in code: sentences[3].text."""
    written = ""
    for part in parts:
        if isinstance(part, int):
            written += f"[{part}]"
            continue
        key = str(part)
        key = key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"
        written += f".{key}" if written else key
    return _encodable(written) or "body"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _type_of(value: object) -> str:
    """Name the type of a JSON value as JSON does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "bytes that are not JSON")
