"""DOCX: order, list marks, tables, tracked changes, and files that are none."""

from __future__ import annotations

import io
import zipfile

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.word import OLE_MAGIC, WordReader
from pipeline.ingest.readers.word_numbering import _numeral
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings


def saved(document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def read(data: bytes, **options) -> RawDocument | Rejection:
    (item,) = WordReader().read(io.BytesIO(data), "here.docx", IngestSettings(**options))
    return item


def blocks(document) -> list[str]:
    item = read(saved(document))
    assert isinstance(item, RawDocument), item
    return item.text.split("\n\n")


def xml(body: str):
    return parse_xml(f"<w:p {nsdecls('w')}>{body}</w:p>")


def test_everything_comes_in_order_with_the_marks_of_lists() -> None:
    document = docx.Document()
    document.core_properties.title = " Letter to the\nCouncil "
    document.add_heading("Statement", level=1)
    document.add_paragraph("We  call on\tmembers:")
    document.add_paragraph("To act;", style="List Number")
    document.add_paragraph("To report.", style="List Number")
    document.add_paragraph("")
    document.add_paragraph("A point", style="List Bullet")
    table = document.add_table(2, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Country", "Vote"
    table.cell(1, 0).text = "Belgium"
    table.cell(1, 1).add_table(1, 1).cell(0, 0).text = "Yes"
    document.add_paragraph("To end.", style="List Number")
    item = read(saved(document))
    assert isinstance(item, RawDocument)
    assert item.title == "Letter to the Council"
    assert item.text.split("\n\n") == [
        "Statement",
        "We call on members:",
        "1. To act;",
        "2. To report.",
        "– A point",
        "Country | Vote",
        "Belgium | Yes",
        "3. To end.",
    ]


def test_levels_and_formats_of_numbering() -> None:
    document = docx.Document()
    numbering = document.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="{start}"/><w:numFmt w:val="{kind}"/>'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
        for depth, (start, kind, pattern) in enumerate(
            [(3, "decimal", "%1."), (1, "lowerLetter", "(%2)"), (1, "upperRoman", "%1.%3")]
        )
    )
    abstract = f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{levels}</w:abstractNum>'
    numbering.insert(0, parse_xml(abstract))
    numbering.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>')
    )
    for depth in (0, 1, 1, 0, 1, 2, 2):
        body = (
            f'<w:pPr><w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="77"/></w:numPr></w:pPr>'
            "<w:r><w:t>x</w:t></w:r>"
        )
        document.element.body.insert(-1, xml(body))
    assert blocks(document) == ["3. x", "(a) x", "(b) x", "4. x", "(a) x", "4.I x", "4.II x"]


def test_a_list_may_have_levels_of_its_own() -> None:
    document = docx.Document()
    numbering = document.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="decimal"/>'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
        for depth, pattern in enumerate(["%1.", "%1.%2"])
    )
    abstract = f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{levels}</w:abstractNum>'
    numbering.insert(0, parse_xml(abstract))
    overrides = {
        77: "",
        78: '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="12"/></w:lvlOverride>'
        '<w:lvlOverride w:ilvl="x"/><w:lvlOverride w:ilvl="7"><w:startOverride w:val="2"/>'
        "</w:lvlOverride>",
        79: '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/><w:lvl w:ilvl="0">'
        '<w:start w:val="3"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%1)"/></w:lvl>'
        "</w:lvlOverride>",
    }
    for number, override in overrides.items():
        body = f'<w:abstractNumId w:val="77"/>{override}'
        numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="{number}">{body}</w:num>'))
    for number, depth in ((77, 0), (78, 0), (78, 1), (78, 0), (79, 0), (77, 0)):
        body = (
            f'<w:pPr><w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>'
            "</w:pPr><w:r><w:t>x</w:t></w:r>"
        )
        document.element.body.insert(-1, xml(body))
    assert blocks(document) == ["1. x", "12. x", "12.1 x", "13. x", "(g) x", "2. x"]


@pytest.mark.parametrize(
    ("count", "style", "expected"),
    [
        (28, "lowerLetter", "bb"),
        (3, "upperLetter", "C"),
        (1994, "lowerRoman", "mcmxciv"),
        (9, "upperRoman", "IX"),
        (0, "lowerRoman", "0"),
        (0, "lowerLetter", "0"),
        (12, "decimal", "12"),
    ],
)
def test_numerals(count: int, style: str, expected: str) -> None:
    assert _numeral(count, style) == expected


def test_tracked_changes_and_content_controls_are_read_as_the_text_now_stands() -> None:
    document = docx.Document()
    body = document.element.body
    body.insert(
        0,
        xml(
            "<w:r><w:t xml:space='preserve'>We </w:t></w:r>"
            "<w:del w:id='1' w:author='x'><w:r><w:delText>regret</w:delText></w:r></w:del>"
            "<w:ins w:id='2' w:author='x'><w:r><w:t>condemn</w:t></w:r></w:ins>"
            "<w:r><w:t xml:space='preserve'> non</w:t><w:noBreakHyphen/><w:t>compliance</w:t>"
            "<w:br/><w:t>today.</w:t></w:r>"
        ),
    )
    inner = "<w:sdtContent><w:p><w:r><w:t>Inside a control.</w:t></w:r></w:p></w:sdtContent>"
    body.insert(1, parse_xml(f"<w:sdt {nsdecls('w')}>{inner}</w:sdt>"))
    assert blocks(document) == ["We condemn non-compliance\ntoday.", "Inside a control."]


def test_a_paragraph_whose_mark_is_deleted_goes_on_in_the_next() -> None:
    document = docx.Document()
    mark = "<w:pPr><w:rPr><w:del w:id='1' w:author='x'/></w:rPr></w:pPr>"
    texts = [("We deplore", mark), ("", mark), (" the raid.", ""), ("We wait", mark)]
    for text, properties in texts:
        run = f"<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>" if text else ""
        document.element.body.insert(-1, xml(properties + run))
    table = document.add_table(1, 1)
    table.cell(0, 0).text = "A vote"
    document.element.body.insert(-1, xml(f"{mark}<w:r><w:t>The end</w:t></w:r>"))
    assert blocks(document) == ["We deplore the raid.", "We wait", "A vote", "The end"]


def test_a_deleted_item_is_not_counted() -> None:
    document = docx.Document()
    deleted = document.add_paragraph(style="List Number")
    for change in (
        "<w:rPr {}><w:del w:id='1' w:author='x'/></w:rPr>",
        "<w:del {} w:id='2' w:author='x'><w:r><w:delText>To rest;</w:delText></w:r></w:del>",
    ):
        element = parse_xml(change.format(nsdecls("w")))
        (deleted._p.pPr if "rPr" in change else deleted._p).append(element)
    document.add_paragraph("To act.", style="List Number")
    assert blocks(document) == ["1. To act."]


def test_a_document_without_text_is_empty() -> None:
    item = read(saved(docx.Document()))
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.EMPTY


def a_zip(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "reason", "word"),
    [
        (OLE_MAGIC + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "encrypted", "password"),
        (OLE_MAGIC + b"\0" * 600, "wrong type", "old Word format"),
        (b"plain text", "wrong type", "zip"),
        (a_zip(readme="x"), "wrong type", "zip archive"),
        (b"PK\x03\x04" + b"\0" * 50, "unreadable", "damaged"),
        (a_zip(**{"[Content_Types].xml": "<oops"}), "unreadable", "damaged"),
    ],
)
def test_what_is_no_word_document_is_told_apart(data: bytes, reason: str, word: str) -> None:
    item = read(data)
    assert isinstance(item, Rejection)
    assert item.reason == reason
    assert word in item.detail


def test_an_archive_that_unpacks_to_too_much_is_rejected_before_it_is_unpacked() -> None:
    data = a_zip(**{"[Content_Types].xml": "", "word__document.xml": " " * 1_000_000})
    item = read(data, max_bytes=100_000)
    assert len(data) < 100_000
    assert isinstance(item, Rejection)
    assert (item.reason, item.location) == (RejectReason.TOO_LARGE, "unpacked")
