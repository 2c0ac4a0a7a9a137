"""The specification: what the framework derives, with the limits, problems and examples added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from pipeline.service import problems
from pipeline.service.limits import ServiceLimits
from pipeline.service.schemas import Problem

Json = dict[str, Any]
"""Part of a specification, which is JSON of any form."""

_OF_LABELLING = (
    *(problems.NOT_JSON, problems.SLOW_BODY, problems.TOO_LARGE, problems.WRONG_TYPE),
    *(problems.INVALID, problems.SATURATED, problems.FAILED, problems.UNAVAILABLE),
    problems.OUT_OF_TIME,
)
_EXAMPLES = 2


def specification(
    app: FastAPI, limits: ServiceLimits, examples: Sequence[str], *, classify: str
) -> Json:
    """Return the specification (OpenAPI 3.1) of the paths that the application has so far.

    Args:
        examples: sentences to show.
        classify: path that labels.
    """
    spec: Json = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_about(limits),
        routes=app.routes,
    )
    schemas = spec["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    schemas["StatementRequest"]["properties"]["text"]["maxLength"] = limits.characters
    schemas["SentencesRequest"]["properties"]["sentences"]["maxItems"] = limits.sentences
    shown = list(examples[:_EXAMPLES])
    operation = spec["paths"][classify]["post"]
    operation["requestBody"]["content"]["application/json"]["examples"] = {
        "statement": {"summary": "A whole statement", "value": {"text": " ".join(shown)}},
        "sentences": {"summary": "Sentences", "value": {"sentences": shown}},
    }
    operation["responses"] = {
        "200": operation["responses"]["200"],
        **{str(kind.status): _answer(kind) for kind in _OF_LABELLING},
    }
    unready = problems.UNAVAILABLE
    spec["paths"]["/ready"]["get"]["responses"][str(unready.status)] = _answer(unready)
    return spec


def _about(limits: ServiceLimits) -> str:
    return (
        f"A request may have {limits.body_bytes:,} bytes, {limits.characters:,} characters and "
        f"{limits.sentences:,} sentences, and is answered within {limits.seconds:g} seconds or "
        "refused. Every refusal is a Problem (RFC 9457). There is no authentication."
    )


def _answer(kind: problems.Kind) -> Json:
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: Json = {"description": f"{kind.title}. {kind.meaning}", "content": content}
    if kind in (problems.SATURATED, problems.UNAVAILABLE):
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        found["headers"] = {"Retry-After": seconds}
    return found
