"""Read plain text and markdown; a markdown file may begin with front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, ClassVar

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent

from pipeline.ingest.decoding import Undecodable, decode, detect
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import SYNONYMS, field_text
from pipeline.ingest.readers.limits import document_too_large
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings
from pipeline.validated_yaml import BAD_VALUE, plain_yaml, said_by

_FRONT_MATTER = re.compile(
    r"\s*---[ \t]*\r?\n"
    r"(?P<yaml>(?:[ \t]*\r?\n|#.*\n)*[\w-]+[ \t]*:(?s:.*?)\n)"
    r"(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)"
)


LONGEST_FRONT_MATTER = 10_000
"""Characters; longer front matter is refused, since parsing YAML takes long."""


class TextReader:
    """The whole file is one statement, as it stands."""

    name: ClassVar[str] = "plain text"
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".text")
    library: ClassVar[str] = ""

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document or one rejection."""
        if refused := document_too_large(stream, source, settings):
            yield refused
            return
        encoding = detect(stream)
        if isinstance(encoding, Undecodable):
            yield Rejection(source, "", encoding.reason, encoding.detail)
            return
        text = decode(stream.read(), encoding)
        yield RawDocument(text=text, source=source, encoding=encoding.name)


class MarkdownReader:
    """As plain text; `speaker`, `date`, `genre`, `title` and `id` of YAML front matter are kept.

    A document is rejected if its front matter is longer than `LONGEST_FRONT_MATTER` or uses anchors
    or aliases, by which a few lines can stand for gigabytes.
    """

    name: ClassVar[str] = "markdown"
    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")
    library: ClassVar[str] = ""

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document, or one rejection (also for front matter that is refused)."""
        for item in TextReader().read(stream, source, settings):
            if isinstance(item, Rejection):
                yield item
                continue
            found = _FRONT_MATTER.match(item.text)
            if found is None:
                yield item
                continue
            line = item.text[: found.start("yaml")].count("\n") + 1
            fields = _fields(found["yaml"], line)
            if isinstance(fields, tuple):
                where, detail = fields
                yield Rejection(source, where, RejectReason.BAD_ROW, detail)
                continue
            yield replace(
                item,
                body=found.end(),
                speaker=fields.get("speaker"),
                date=fields.get("date"),
                genre=fields.get("genre"),
                title=fields.get("title"),
                given_id=fields.get("id"),
            )


def _fields(front_matter: str, first_line: int) -> dict[str, str | None] | tuple[str, str]:
    """Return the fields of front matter, or where and why it cannot be read."""
    if len(front_matter) > LONGEST_FRONT_MATTER:
        return (
            f"line {first_line}",
            f"front matter of {len(front_matter):,} characters, more than the "
            f"{LONGEST_FRONT_MATTER:,} allowed; shorten it, or begin the text with another line "
            "than '---'",
        )
    try:
        for event in plain_yaml().parse(front_matter):
            if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
                line = first_line + event.start_mark.line
                return f"line {line}", "front matter uses YAML anchors or aliases; write values out"
        data = plain_yaml().load(front_matter)
    except MarkedYAMLError as error:
        line = first_line + (error.problem_mark.line if error.problem_mark else 0)
        return f"line {line}", f"front matter is not YAML: {error.problem}"
    except (YAMLError, RecursionError, *BAD_VALUE) as error:
        return f"line {first_line}", f"front matter is not YAML: {said_by(error)}"
    if not isinstance(data, dict):
        return f"line {first_line}", "front matter is not a list of 'key: value' pairs"
    by_lower = {
        key.casefold(): value for key, value in reversed(data.items()) if isinstance(key, str)
    }
    fields: dict[str, str | None] = {}
    for field, names in SYNONYMS.items():
        name = next((name for name in names if name in by_lower), None)
        if name is None or field == "text":
            continue
        try:
            fields[field] = field_text(field, by_lower[name])
        except TypeError as error:
            return f"line {first_line}", f"'{name}' of the front matter holds {error}"
    return fields
