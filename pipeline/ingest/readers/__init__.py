"""All readers, and how the right one is found: by the suffix of a file, or by its content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

from pipeline.ingest.raw import Reader
from pipeline.ingest.readers.delimited import DelimitedReader, table_suffix
from pipeline.ingest.readers.json_lines import JsonLinesReader
from pipeline.ingest.readers.parquet import MAGIC as PARQUET_MAGIC
from pipeline.ingest.readers.parquet import ParquetReader
from pipeline.ingest.readers.pdf import MAGIC as PDF_MAGIC
from pipeline.ingest.readers.pdf import PdfReader
from pipeline.ingest.readers.text import MarkdownReader, TextReader
from pipeline.ingest.readers.web import HtmlReader
from pipeline.ingest.readers.word import OLE_MAGIC, ZIP_MAGIC, WordReader

ALL_READERS: tuple[Reader, ...] = (
    TextReader(),
    MarkdownReader(),
    HtmlReader(),
    PdfReader(),
    WordReader(),
    DelimitedReader(),
    JsonLinesReader(),
    ParquetReader(),
)

READERS: Mapping[str, Reader] = MappingProxyType(
    {suffix: reader for reader in ALL_READERS for suffix in reader.suffixes}
)
"""The reader of each suffix, in lower case and with its dot."""

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        ".doc": "save it as .docx",
        ".odt": "save it as .docx",
        ".rtf": "save it as .docx",
        ".xls": "save the sheet as .csv",
        ".xlsx": "save the sheet as .csv",
        ".json": "write one object a line and name it .jsonl",
        ".xml": "save the text as .txt or the page as .html",
        ".gz": "unpack it first",
        ".zip": "unpack it first",
    }
)
"""What to do with files of common formats that are not read."""


class Content(NamedTuple):
    """A format that shows in its first bytes; `suffix` is empty when it is not read."""

    magic: bytes
    name: str
    suffix: str = ""
    picture: bool = False


_CONTENTS = (
    Content(PDF_MAGIC, "a PDF file", ".pdf"),
    Content(PARQUET_MAGIC, "a Parquet file", ".parquet"),
    Content(ZIP_MAGIC, "a zip archive or Word document", ".docx"),
    Content(OLE_MAGIC, "an old or encrypted Office document"),
    Content(b"{\\rtf", "a rich text file"),
    Content(b"\x1f\x8b", "a gzip archive"),
    Content(b"\x89PNG", "a PNG picture", picture=True),
    Content(b"\xff\xd8\xff", "a JPEG picture", picture=True),
    Content(b"GIF8", "a GIF picture", picture=True),
)


def recognise(stream: BinaryIO) -> Content | None:
    """Name the binary format a seekable stream begins with, if it is a known one."""
    head = stream.read(16)
    stream.seek(0)
    return next((content for content in _CONTENTS if head.startswith(content.magic)), None)


def sniff(stream: BinaryIO, *, limit: int, text: str | None = None) -> str:
    """Return the suffix that fits the content of a seekable stream, `.txt` when none is certain.

    At most the first `limit` bytes of its first line that is not blank are looked at. `text` names
    the column of a table that holds the text, if that is known.
    """
    content = recognise(stream)
    if content is not None and content.suffix:
        return content.suffix
    line = b""
    while not line.strip(b"\xef\xbb\xbf \t\r\n"):
        line = stream.readline(limit)
        if not line:
            break
    stream.seek(0)
    line = line.removeprefix(b"\xef\xbb\xbf").lstrip()
    if line[:15].lower().startswith((b"<!doctype html", b"<html")):
        return ".html"
    if line.startswith(b"{"):
        try:
            if isinstance(json.loads(line), dict):
                return ".jsonl"
        except (ValueError, RecursionError):
            return ".txt"
    # Without its zero bytes UTF-16 is near enough.
    return table_suffix(line.replace(b"\0", b"").decode(errors="ignore"), text) or ".txt"
