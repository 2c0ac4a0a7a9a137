"""Read HTML: the main text of the page, found by trafilatura (Barbaresi, 2021, ACL demo)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, ClassVar, Protocol

from pipeline.errors import MissingExtra
from pipeline.ingest.decoding import Undecodable, decode, detect
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import field_text
from pipeline.ingest.readers.limits import document_too_large
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

_HEAD = 4096  # a declaration of the encoding stands in the first bytes (HTML standard: 1024)
_CHARSET = re.compile(rb"""(?i)<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""")
_BLANKS = re.compile(r"[ \t\n\f\r]+")  # white space of HTML; no-break spaces are characters
_RULE = re.compile(r"[\s|:-]+")  # under the head of a table, or drawn
_AS_IT_STANDS = frozenset({"pre", "script", "style", "textarea"})
_SPACE = re.compile(r"(?i)(?:^|;)\s*white-space\s*:\s*([\w-]+)")  # in the style of an element
_LINES_KEPT = frozenset({"pre", "pre-wrap", "pre-line", "break-spaces"})


class _Node(Protocol):
    """The part of an lxml element's interface that is used here."""

    tag: object
    text: str | None
    tail: str | None

    def __iter__(self) -> Iterator[_Node]: ...

    def get(self, key: str) -> str | None: ...


class HtmlReader:
    """One statement a page; every block of the page is a paragraph of the text."""

    name: ClassVar[str] = "HTML"
    suffixes: ClassVar[tuple[str, ...]] = (".html", ".htm", ".xhtml")
    library: ClassVar[str] = "trafilatura"

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document with the title and date the page states, or one rejection.

        Its author is not its speaker: a byline names a journalist, and often a city.
        """
        try:
            import trafilatura
        except ImportError:
            raise MissingExtra("trafilatura", "documents", "reading .html files") from None
        if refused := document_too_large(stream, source, settings):
            yield refused
            return
        declared = _CHARSET.search(stream.read(_HEAD))
        encoding = detect(stream, declared[1].decode("ascii") if declared else None)
        if isinstance(encoding, Undecodable):
            yield Rejection(source, "", encoding.reason, encoding.detail)
            return
        try:
            tree = trafilatura.load_html(decode(stream.read(), encoding))
            page = None
            if tree is not None:
                _fold(tree)
                page = trafilatura.bare_extraction(
                    tree,
                    with_metadata=True,
                    include_comments=False,
                    date_extraction_params={"extensive_search": False, "original_date": True},
                )
        except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError) as error:
            # lxml's errors are SyntaxErrors; the others come from pages that are no HTML at all.
            detail = f"cannot be read as HTML ({error})"
            yield Rejection(source, "", RejectReason.UNREADABLE, detail)
            return
        if page is None or not (page.text or "").strip():
            detail = "no main text found on this page; save the text itself as .txt"
            yield Rejection(source, "", RejectReason.EMPTY, detail)
            return
        blocks = (line.strip(" |") if "|" in line else line for line in page.text.splitlines())
        yield RawDocument(
            text="\n\n".join(
                block.strip() for block in blocks if not _RULE.fullmatch(block or " ")
            ),
            source=source,
            date=field_text("date", page.date),
            title=field_text("title", page.title),
            encoding=encoding.name,
        )


def _fold(tree: _Node) -> None:
    """Fold white space as browsers do, so that line ends left in the text are those of the page.

    trafilatura keeps the line breaks of the source in some elements (<div>, <blockquote>), where
    they would cut sentences.
    """
    waiting = [(tree, False)]  # with whether the node stands where white space is kept
    while waiting:
        node, kept = waiting.pop()
        within = _keeps_lines(node, kept)
        if node.text and not within:
            node.text = _BLANKS.sub(" ", node.text)
        if node.tail and not kept:
            node.tail = _BLANKS.sub(" ", node.tail)
        waiting += [(child, within) for child in node]


def _keeps_lines(node: _Node, kept: bool) -> bool:
    """Tell whether white space in a node stands, given whether it does around it."""
    if node.tag in _AS_IT_STANDS:
        return True
    said = _SPACE.findall(node.get("style") or "") if isinstance(node.tag, str) else []
    return said[-1].lower() in _LINES_KEPT if said else kept
