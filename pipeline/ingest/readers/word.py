"""Read DOCX: paragraphs, headings, list items with their marks, and rows of tables, in order.

The text is taken from the XML elements, because python-docx's `Paragraph.text` leaves out tracked
insertions and content controls. Deletions are left out, insertions kept: the text as it now reads.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pipeline.errors import MissingExtra
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import field_text
from pipeline.ingest.readers.limits import document_too_large, too_large
from pipeline.ingest.readers.word_numbering import Element, Numbering, W
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

if TYPE_CHECKING:
    from docx.document import Document

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_HOLDERS = frozenset({W + "sdt", W + "sdtContent", W + "customXml", W + "ins", W + "moveTo"})
_BLOCKS = frozenset({W + "tbl", *_HOLDERS})
_MARK_DELETED = f"{W}pPr/{W}rPr/{W}del"
_SPACES = {W + "tab": " ", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-"}
# A text box is written twice, the second time for old programs; deletions and fields are no text.
_LEFT_OUT = frozenset(
    {
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
        W + "del",
        W + "moveFrom",
    }
)


class WordReader:
    """One statement a file. Footnotes, page heads and page feet are not part of the text."""

    name: ClassVar[str] = "Word (.docx)"
    suffixes: ClassVar[tuple[str, ...]] = (".docx",)
    library: ClassVar[str] = "docx"

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document, or one rejection (encrypted, damaged, or not a .docx file)."""
        try:
            import docx
            from docx.opc.exceptions import PackageNotFoundError
        except ImportError:
            raise MissingExtra("python-docx", "documents", "reading .docx files") from None
        refused = document_too_large(stream, source, settings) or _look_at_package(
            stream, source, settings
        )
        if refused is not None:
            yield refused
            return
        stream.seek(0)
        try:
            document = docx.Document(stream)
            title = field_text("title", document.core_properties.title)
            blocks, size = [], 0
            for block in _blocks(document.element.body, _numbering(document)):
                blocks.append(block)
                size += len(block)
                if refused := too_large(size, source, "text", settings):
                    yield refused
                    return
        except (
            PackageNotFoundError,
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,  # a compression that Python does not know
            RuntimeError,  # an encrypted member
            RecursionError,
            SyntaxError,  # lxml: not XML
            AttributeError,  # a part without its root element
            EOFError,
            LookupError,  # a missing part
            ValueError,
            OSError,
        ) as error:
            detail = f"is damaged or not a Word document ({error})"
            yield Rejection(source, "", RejectReason.UNREADABLE, detail)
            return
        text = "\n\n".join(blocks)
        if not text:
            detail = "holds no text (only pictures?)"
            yield Rejection(source, "", RejectReason.EMPTY, detail)
            return
        yield RawDocument(text=text, source=source, title=title)


def _look_at_package(stream: BinaryIO, source: str, settings: IngestSettings) -> Rejection | None:
    head = stream.read(len(OLE_MAGIC))
    if head == OLE_MAGIC:
        stream.seek(0)
        if _ENCRYPTED_STREAM in stream.read():
            detail = "needs a password; save it without one"
            return Rejection(source, "", RejectReason.ENCRYPTED, detail)
        detail = "is in the old Word format; save it as .docx"
        return Rejection(source, "", RejectReason.WRONG_TYPE, detail)
    if not head.startswith(ZIP_MAGIC):
        detail = "is not a Word document: .docx files are zip archives, this is none"
        return Rejection(source, "", RejectReason.WRONG_TYPE, detail)
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as package:
            size = sum(member.file_size for member in package.infolist())
            names = package.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        detail = f"is damaged or cut short ({error})"
        return Rejection(source, "", RejectReason.UNREADABLE, detail)
    if "[Content_Types].xml" not in names:
        detail = "is a zip archive but not a Word document; unpack it first"
        return Rejection(source, "", RejectReason.WRONG_TYPE, detail)
    # A small archive may unpack to any size.
    return too_large(size, source, "unpacked", settings)


def _numbering(document: Document) -> Numbering:
    # python-docx would add an empty numbering part; look first whether there is one.
    parts = [r.target_part for r in document.part.rels.values() if r.reltype.endswith("/numbering")]
    return Numbering(parts[0].element if parts else None, document.styles.element)


def _blocks(holder: Element, numbering: Numbering) -> Iterator[str]:
    """Yield the text of every paragraph and table row that has any."""
    begun: list[Element] = []  # paragraphs whose marks are deleted: they go on in the next one
    for child in holder:
        if child.tag == W + "p":
            begun.append(child)
            if child.find(_MARK_DELETED) is None:
                yield from _joined(begun, numbering)
                begun = []
            continue
        if child.tag in _BLOCKS:
            yield from _joined(begun, numbering)
            begun = []
        if child.tag == W + "tbl":
            for row in child.iter(W + "tr"):
                if _table_of(row) is child:
                    yield from _row(row, numbering)
        elif child.tag in _HOLDERS:
            yield from _blocks(child, numbering)
    yield from _joined(begun, numbering)


def _joined(paragraphs: list[Element], numbering: Numbering) -> Iterator[str]:
    """Yield the text of paragraphs that read as one, if any; the mark is of the first with text."""
    pieces = ["".join(_pieces(paragraph)) for paragraph in paragraphs]
    text = "\n".join(" ".join(line.split()) for line in "".join(pieces).splitlines()).strip()
    if text:
        first = next(one for one, said in zip(paragraphs, pieces, strict=True) if said.strip())
        yield numbering.mark(first) + text


def _row(row: Element, numbering: Numbering) -> Iterator[str]:
    cells = [
        " ".join(_blocks(cell, numbering)) for cell in row.iter(W + "tc") if _row_of(cell) is row
    ]
    text = " | ".join(cell for cell in cells if cell)
    if text:
        yield text


def _table_of(row: Element) -> Element | None:
    return next(row.iterancestors(W + "tbl"), None)


def _row_of(cell: Element) -> Element | None:
    return next(cell.iterancestors(W + "tr"), None)


def _pieces(node: Element) -> Iterator[str]:
    for child in node:
        if child.tag in _LEFT_OUT:
            continue
        if child.tag == W + "t":
            yield child.text or ""
        elif child.tag in _SPACES:
            yield _SPACES[child.tag]
        elif child.tag == W + "p":  # a paragraph of a text box inside this one
            yield "\n"
            yield from _pieces(child)
            yield "\n"
        else:
            yield from _pieces(child)
