"""What the HTML pages share: templates, and a policy under which only their own script runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import date
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pipeline.codebook import Codebook
from pipeline.reporting.view import task_title

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@cache
def template(name: str) -> Template:
    """Return a template of this package; what it inserts is escaped."""
    environment = Environment(
        loader=PackageLoader("pipeline.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraphs"] = _paragraphs
    environment.filters["task_name"] = task_title
    environment.filters["count"] = _count
    return environment.get_template(name)


def part(name: str) -> str:
    """Return a style sheet or script of this package."""
    folder = files("pipeline.reporting").joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")


def label_colours(codebook: Codebook) -> str:
    """Return a style sheet in which class `lj` has the colour of column j as `--c`."""
    labels = [codebook.tasks[task].labels[label] for task, label in codebook.columns]
    return "".join(f".l{j}{{--c:{label.colour}}}\n" for j, label in enumerate(labels))


def policy(style: str, *scripts: str) -> str:
    """Return a Content Security Policy: nothing is requested, only these take effect."""

    def source(text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        return f"'sha256-{digest}'"

    allowed = " ".join(map(source, scripts)) or "'none'"
    return (
        f"default-src 'none'; style-src {source(style)}; script-src {allowed}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def written_day(day: date) -> str:
    """Return a day as pages write it: "3 May 2024"."""
    return f"{day.day} {day:%B %Y}"


def embedded(data: object) -> str:
    """Return JSON that is safe inside a script element: ASCII without markup characters."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def without_surrogates(page: str) -> str:
    """Return the page with halves of surrogate pairs, which UTF-8 cannot hold, replaced."""
    return _LONE_SURROGATE.sub("\ufffd", page)


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
