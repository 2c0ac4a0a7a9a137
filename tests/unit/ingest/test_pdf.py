"""PDF: paragraphs from lines, words cut at line ends, pages, passwords, scans."""

from __future__ import annotations

import io

import pypdf
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate

from pipeline.ingest import Reading, clean
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.pdf import PdfReader
from pipeline.ingest.readers.pdf_layout import Line, join_pages
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.settings.ingest import IngestSettings

SENTENCE = (
    "We condemn the escalation of hostilities and call upon all parties to exercise restraint, "
    "because civilians pay the price of war."
)


def drawn(*pages: list[str], title: str | None = None) -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out)
    if title is not None:
        page.setTitle(title)
    for lines in pages:
        for number, line in enumerate(lines):
            page.drawString(72, 780 - 14 * number, line)
        page.showPage()
    page.save()
    return out.getvalue()


def read(data: bytes) -> RawDocument | Rejection:
    (item,) = PdfReader().read(io.BytesIO(data), "here.pdf", IngestSettings())
    return item


def text_of(*pages: list[str]) -> str:
    item = read(drawn(*pages))
    assert isinstance(item, RawDocument)
    return item.text


STYLES = {
    "space after paragraphs": {"leading": 14, "spaceAfter": 6},
    "first line indented": {"leading": 14, "firstLineIndent": 24},
    "double spaced": {"leading": 28, "firstLineIndent": 36},
    "justified": {"leading": 12, "alignment": 4, "spaceAfter": 6},
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_paragraphs_are_found_over_lines_and_pages(style) -> None:
    out = io.BytesIO()
    counts = [3, 4, 1, 7, 2, 9, 5, 3, 6, 8, 9, 9]

    def page_frame(page, document) -> None:
        page.drawString(72, 30, f"{document.page}/4")
        page.drawString(72, 810, f"S/PV.8715 page {document.page}")

    shape = ParagraphStyle("body", fontName="Times-Roman", fontSize=12, **style)
    SimpleDocTemplate(out, pagesize=A4).build(
        [Paragraph(" ".join([SENTENCE] * count), shape) for count in counts],
        onFirstPage=page_frame,
        onLaterPages=page_frame,
    )
    item = read(out.getvalue())
    assert isinstance(item, RawDocument)
    assert item.text == "\n\n".join(" ".join([SENTENCE] * count) for count in counts)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["obligations under human-", "itarian law."], "obligations under humanitarian law."),
        (["Hayat Tahrir al-", "Sham advanced."], "Hayat Tahrir al-Sham advanced."),
        (["acts of self-", "defence are lawful."], "acts of self-defence are lawful."),
        (
            ["A long-term plan and a long-", "term hope."],
            "A long-term plan and a long-term hope.",
        ),
    ],
)
def test_words_cut_at_line_ends_are_mended(lines: list[str], expected: str) -> None:
    assert text_of(lines) == expected


def test_list_items_begin_paragraphs() -> None:
    lines = ["We call on members", "1. To act at once;", "2. To report", "back."]
    assert text_of(lines) == "We call on members\n\n1. To act at once;\n\n2. To report back."


def test_pages_of_a_statement_are_known_at_every_position() -> None:
    data = drawn(["The parties must", "act and"], ["not wait any longer."], ["Last page."])
    item = read(data)
    assert isinstance(item, RawDocument)
    assert item.location == "pages 1-3"
    assert item.text == "The parties must act and not wait any longer.\n\nLast page."
    cleaned = clean(item.text)
    statement = Statement("id", cleaned.text, "here.pdf", offsets=cleaned.offsets, pages=item.pages)
    words = {
        word: statement.page_at(statement.text.index(word)) for word in ("must", "not", "Last")
    }
    assert words == {"must": 1, "not": 2, "Last": 3}
    assert Statement("id", "text", "here.txt").page_at(2) is None


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Letter to the Council", "Letter to the Council"),
        ("Microsoft Word - N1834567.docx", None),
        ("untitled", None),
        ("letter.pdf", None),
    ],
)
def test_a_real_title_is_kept(title: str, expected: str | None) -> None:
    item = read(drawn(["Text."], title=title))
    assert isinstance(item, RawDocument)
    assert (item.title, item.location) == (expected, "page 1")


def test_a_password_is_reported_as_such() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(drawn(["Secret."])))
    writer.encrypt("password", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    item = read(out.getvalue())
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.ENCRYPTED
    assert "password" in item.detail


def test_a_scan_is_empty_and_needs_text_recognition() -> None:
    item = read(drawn([], []))
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.EMPTY
    assert "OCR" in item.detail


def test_what_is_no_pdf_is_of_the_wrong_type() -> None:
    item = read(b"Dear President,")
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.WRONG_TYPE


def test_mending_moves_the_starts_of_pages(tmp_path) -> None:
    text, pages = join_pages(
        [[Line("Itâ€™s one.", 0, 90, 700, 712)], [Line("Two.", 0, 90, 700, 712)]]
    )
    raw = RawDocument(text=text, source="x", pages=pages)
    statement = Reading([], IngestSettings())._statement(raw)
    assert isinstance(statement, Statement)
    assert statement.text == "It’s one.\n\nTwo."
    assert statement.page_at(statement.text.index("Two")) == 2


def test_no_pages_are_no_text() -> None:
    assert join_pages([]) == ("", ())
    assert join_pages([[], []]) == ("", (0, 0))


def placed(*pages: list[tuple[float, float, str]]) -> str:
    """Return the text of pages on which lines are drawn at their places."""
    out = io.BytesIO()
    page = canvas.Canvas(out)
    for lines in pages:
        for left, bottom, line in lines:
            page.drawString(left, bottom, line)
        page.showPage()
    page.save()
    item = read(out.getvalue())
    assert isinstance(item, RawDocument)
    return item.text


@pytest.mark.parametrize("pages", [2, 3, 6])
def test_heads_and_feet_of_united_nations_documents_are_left_out(pages: int) -> None:
    sheets: list[list[tuple[float, float, str]]] = []
    for number in range(1, pages + 1):
        foot = f"{number}/{pages}"
        name = "abcdef"[number - 1]
        sheets.append([(72, 700, f"we call on {name} to stay"), (72, 686, f"and {name} to go")])
        if number == 1:
            sheets[0][:0] = [(72, 760, "Lorra  S/2031/77"), (72, 740, "We speak:")]
            sheets[0] += [(72, 40, "31-01234 (E) 080531"), (72, 28, "*3101234*")]
        elif number % 2:
            sheets[-1] += [(430, 790, "S/2031/77"), (72, 40, "31-01234"), (500, 40, foot)]
        else:  # feet may be drawn before the text as well
            sheets[-1][:0] = [(72, 790, "S/2031/77"), (72, 40, foot), (430, 40, "31-01234")]
    said = " ".join(f"we call on {name} to stay and {name} to go" for name in "abcdef"[:pages])
    assert placed(*sheets) == f"Lorra S/2031/77\n\nWe speak:\n\n{said}"


def test_heads_that_change_sides_are_left_out() -> None:
    sheets = [
        [
            (72, 790, "12/3/31 Fish S/PV.9" if number % 2 else "S/PV.9 Fish 12/3/31"),
            (72, 700, f"we {word}"),
            (72, 686, f"and {word}"),
        ]
        for number, word in enumerate(["swim", "dive", "hide", "wait"])
    ]
    assert placed(*sheets) == "we swim and swim we dive and dive we hide and hide we wait and wait"


@pytest.mark.parametrize(
    "lines",
    [
        ["we recall the text of", "S/2031/77", "and all it says"],  # inside
        ["S/2031/77", "and all it says"],  # first, but no white space below
        ["we recall the text of", "S/2031/77"],
        ["what we recall is contained in document", "", "", "S/2031/77"],  # set off at the foot
        ["S/2031/1", "", "S/2031/2", "", "S/2031/3", "", "we recall all three"],  # a list
        ["the vote was 12/15 and", "", "31-01234 was its number"],
        ["S/2031/77"],
    ],
)
def test_symbols_in_the_text_stay(lines: list[str]) -> None:
    assert text_of(lines).split() == " ".join(lines).split()


def columns(left: list[str], right: list[str]) -> str:
    """Return the text of a page of two columns."""
    return placed(
        [
            (start, 700 - 14 * number, line)
            for start, lines in ((72, left), (320, right))
            for number, line in enumerate(lines)
        ]
    )


FULL = ["We call on all of the parties to", "stay and to wait with the others"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (["We call upon the parties", "to stay and"], ["to wait for what", "may come."]),
        ([*FULL, "envoys of the whole Security"], ["Council for what may come to", "us."]),
    ],
)
def test_a_sentence_goes_on_in_the_next_column(left: list[str], right: list[str]) -> None:
    assert columns(left, right) == " ".join(left + right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (["We call upon the parties", "to stay."], ["to wait is best"]),
        ([*FULL, "we stay"], ["Council of the four Great Lakes"]),  # not full: a heading
        ([*FULL, "and recalling all of their acts,"], ["Reaffirming its will to stay here"]),
        ([*FULL, "envoys of the whole Security"], ["Annex"]),
        ([*FULL, "envoys of the whole Security"], ["ANNEX TO THE STATEMENT"]),
        ([*FULL, "envoys of the whole Security"], ["1. Council for what may come to"]),
        (["We call upon the parties", "to stay and"], ["a. to wait for what"]),
    ],
)
def test_a_new_paragraph_begins_in_the_next_column(left: list[str], right: list[str]) -> None:
    assert columns(left, right) == f"{' '.join(left)}\n\n{' '.join(right)}"


def test_a_title_page_does_not_run_on() -> None:
    text = text_of(["Statement of the Republic of Lorra"], ["We call on all of the parties"])
    assert text == "Statement of the Republic of Lorra\n\nWe call on all of the parties"
