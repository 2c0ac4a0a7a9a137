"""The specification as a page that needs nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from pipeline.service.openapi import Json
from pipeline.service.problems import KINDS

_REFERENCE = "#/components/schemas/"


class Page:
    """The page at /docs: all paths and schemas, and a form to try the one that labels."""

    def __init__(self, spec: Json, *, classify: str) -> None:
        """Render the page of a specification; `classify` is the path that labels."""
        parts = files("pipeline.service") / "templates"
        style = (parts / "api.css").read_text(encoding="utf-8")
        script = (parts / "api.js").read_text(encoding="utf-8")
        environment = Environment(
            loader=PackageLoader("pipeline.service"), autoescape=True, undefined=StrictUndefined
        )
        body = spec["paths"][classify]["post"]["requestBody"]["content"]["application/json"]
        example = next(iter(body["examples"].values()))["value"]
        self._spec = json.dumps(spec, ensure_ascii=False)
        self._html = environment.get_template("api.html.jinja").render(
            spec=spec,
            operations=list(_operations(spec)),
            schemas=[_schema(n, found) for n, found in spec["components"]["schemas"].items()],
            kinds=KINDS,
            classify=classify.removeprefix("/"),
            example=json.dumps(example, indent=2, ensure_ascii=False),
            curl=json.dumps(example, ensure_ascii=False).replace("'", "'\\''"),
            style=style,
            script=script,
        )
        self._headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src {_hash(style)}; "
            f"script-src {_hash(script)}; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        }

    async def specification(self) -> Response:
        """Return the specification itself."""
        return Response(self._spec, media_type="application/json")

    async def response(self) -> HTMLResponse:
        """Return the page, which may run only its own script."""
        return HTMLResponse(self._html, headers=self._headers)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _operations(spec: Json) -> Iterator[Json]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            answers = [
                {
                    "status": status,
                    "description": answer["description"],
                    "type": _content_type(answer),
                }
                for status, answer in operation["responses"].items()
            ]
            request = operation.get("requestBody")
            yield {
                "method": method.upper(),
                "path": path,
                "summary": operation["summary"],
                "description": operation.get("description", ""),
                "request": _content_type(request) if request else None,
                "answers": answers,
            }


def _content_type(described: Json) -> str:
    media, content = next(iter(described["content"].items()))
    return f"{media}: {type_of(content['schema'])}"


def _schema(name: str, schema: Json) -> Json:
    required = schema.get("required", [])
    return {
        "name": name,
        "description": schema.get("description", ""),
        "values": [str(value) for value in schema.get("enum", [])],
        "properties": [
            {
                "name": key,
                "type": type_of(found),
                "required": key in required,
                "description": found.get("description", ""),
            }
            for key, found in schema.get("properties", {}).items()
        ],
    }


def type_of(schema: Json) -> str:
    """Say in words what values a schema allows."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(type_of(one) for one in schema[several]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        most = f" (at most {schema['maxItems']:,})" if "maxItems" in schema else ""
        return f"list of {type_of(schema.get('items', {}))}{most}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_of(schema['additionalProperties'])}"
    most = f" (at most {schema['maxLength']:,} characters)" if "maxLength" in schema else ""
    return kind + most
