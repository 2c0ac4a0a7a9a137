"""Read PDF with pdfium: the text layer, its lines joined to paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pipeline.errors import MissingExtra
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import field_text
from pipeline.ingest.readers.limits import document_too_large, too_large
from pipeline.ingest.readers.pdf_layout import Line, join_pages
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage

MAGIC = b"%PDF-"
_HEAD = 1024  # readers accept leading bytes before the mark up to here (PDF 1.7, H.3)
_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD
# Programs write these where the author gave no title.
_NO_TITLE = re.compile(r"(?i)untitled|\(?anonymous\)?|microsoft word\b.*|.*\.(docx?|pdf|indd|rtf)")


class PdfReader:
    """One statement a file. `pages` of the document are the positions where its pages begin."""

    name: ClassVar[str] = "PDF"
    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)
    library: ClassVar[str] = "pypdfium2"

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document, or one rejection (encrypted, damaged, or without a text layer)."""
        try:
            import pypdfium2
        except ImportError:
            raise MissingExtra("pypdfium2", "documents", "reading .pdf files") from None
        if refused := document_too_large(stream, source, settings):
            yield refused
            return
        data = stream.read()
        if MAGIC not in data[:_HEAD]:
            detail = "is not a PDF: it does not begin with %PDF-"
            yield Rejection(source, "", RejectReason.WRONG_TYPE, detail)
            return
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if error.err_code == _PASSWORD_ERROR:
                reason, detail = RejectReason.ENCRYPTED, "needs a password; save it without one"
            else:
                reason, detail = RejectReason.UNREADABLE, f"is damaged or cut short ({error})"
            yield Rejection(source, "", reason, detail)
            return
        try:
            yield _document(pdf, source, settings)
        finally:
            pdf.close()


def _document(pdf: PdfDocument, source: str, settings: IngestSettings) -> RawDocument | Rejection:
    from pypdfium2 import PdfiumError

    pages: list[list[Line]] = []
    size = 0
    try:
        for number in range(len(pdf)):
            page = pdf[number]
            text_page = page.get_textpage()
            pages.append(_lines(text_page))
            text_page.close()
            page.close()
            size += sum(len(line.text) for line in pages[-1])
            if refused := too_large(size, source, "text", settings):  # streams unpack to any size
                return refused
    except PdfiumError as error:
        detail = f"the page cannot be read ({error})"
        return Rejection(source, f"page {len(pages) + 1}", RejectReason.UNREADABLE, detail)
    text, starts = join_pages(pages)
    if not text:
        detail = "has no text layer (scanned pages?); run text recognition (OCR) over it first"
        return Rejection(source, "", RejectReason.EMPTY, detail)
    title = field_text("title", pdf.get_metadata_value("Title"))
    return RawDocument(
        text=text,
        source=source,
        location="page 1" if len(pages) == 1 else f"pages 1-{len(pages)}",
        title=None if not title or _NO_TITLE.fullmatch(title) else title,
        pages=starts,
    )


def _lines(page: PdfTextPage) -> list[Line]:
    """Return the lines of a page in reading order, with where they stand on it (in points)."""
    from pypdfium2 import raw

    lines: list[Line] = []
    chars: list[int] = []
    positions: list[int] = []

    def finish(hyphen: bool) -> None:
        inked = [i for i, code in zip(positions, chars, strict=True) if not chr(code).isspace()]
        if inked:
            left, bottom, _, top = page.get_charbox(inked[0], loose=True)
            _, _, right, _ = page.get_charbox(inked[-1], loose=True)
            lines.append(Line(_text(chars), left, right, bottom, top, hyphen))
        chars.clear()
        positions.clear()

    for position in range(page.count_chars()):
        code: int = raw.FPDFText_GetUnicode(page, position)
        if raw.FPDFText_IsHyphen(page, position) == 1:  # stands for a hyphen and its line end
            finish(hyphen=True)
        elif code in (0x0A, 0x0D):
            finish(hyphen=False)
        else:
            chars.append(code)
            positions.append(position)
    finish(hyphen=False)
    return lines


def _text(codes: list[int]) -> str:
    """Join the characters of a line; pdfium gives those beyond U+FFFF as two halves."""
    text = "".join(map(chr, codes)).encode("utf-16-le", "surrogatepass")
    return " ".join(text.decode("utf-16-le", "replace").split())
