"""HTML main text and markdown front matter."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest

from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.text import MarkdownReader
from pipeline.ingest.readers.web import HtmlReader
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

PAGE = """<!doctype html><html lang="en"><head><meta charset="{charset}">
<title>Statement on Syria - Mission</title><meta name="author" content="Jane Doe">
<meta property="article:published_time" content="2018-02-07T10:00:00+00:00"></head>
<body><nav><a href="/a">Home</a><a href="/b">About us</a></nav><article>
<h1>Statement on Syria</h1>
<p>We condemn the escalation of hostilities in the strongest terms — and call for restraint.</p>
<p>Members agreed on two points, both of which the Élysée supports:</p>
<ul><li>an immediate ceasefire in Idlib;</li><li>humanitarian access.</li></ul>
<table><tr><td>Belgium</td><td>Yes</td></tr></table>
</article><footer>Copyright 2018 The Mission. All rights reserved.</footer></body></html>"""


def read(reader, data: bytes) -> RawDocument | Rejection:
    (item,) = reader.read(io.BytesIO(data), "here", IngestSettings())
    return item


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_main_text_and_what_the_page_says_of_itself(charset: str) -> None:
    item = read(HtmlReader(), PAGE.format(charset=charset).encode(charset))
    assert isinstance(item, RawDocument)
    assert item.text.split("\n\n") == [
        "Statement on Syria",
        "We condemn the escalation of hostilities in the strongest terms — and call for restraint.",
        "Members agreed on two points, both of which the Élysée supports:",
        "- an immediate ceasefire in Idlib;",
        "- humanitarian access.",
        "Belgium | Yes",
    ]
    assert (item.title, item.date) == ("Statement on Syria", "2018-02-07")
    assert item.speaker is None  # Jane Doe wrote it


def paragraphs(body: str) -> list[str]:
    item = read(HtmlReader(), f"<html><body><main>{body}</main></body></html>".encode())
    assert isinstance(item, RawDocument)
    return item.text.split("\n\n")


@pytest.mark.parametrize("tag", ["p", "div", "blockquote", "ul><li"])
def test_line_breaks_of_the_source_cut_nothing(tag: str) -> None:
    text = "The members\n  deplored the <!-- a\nb --> \r\nraid on\n<em>the\nport</em>\nof Lorra."
    got = paragraphs(
        f"<h1>A\nstatement</h1>\n<{tag}>{text}</{tag.split('>')[0]}>\n<p>They called for calm.</p>"
    )
    expected = "The members deplored the raid on the port of Lorra."
    assert [one.removeprefix("- ") for one in got] == [
        "A statement",
        expected,
        "They called for calm.",
    ]


def test_line_breaks_that_a_page_shows_are_kept() -> None:
    got = paragraphs(
        "<pre>We deplore it.\n  We <b>call\nfor</b> calm.</pre><div>One\n<br>two.</div>"
    )
    assert got == ["We deplore it.", "We call", "for calm.", "One", "two."]


def test_lines_that_a_style_keeps_are_kept() -> None:
    got = paragraphs(
        '<div style="color: red; WHITE-SPACE:pre-line">We deplore it.\n<b>We\ncall.</b></div>'
        '<div style="white-space: nowrap">One\ntwo.</div>'
    )
    assert got == ["We deplore it.", "We", "call.", "One two."]


def test_the_rule_under_the_head_of_a_table_is_no_text() -> None:
    table = "<tr><th>State</th><th>Vote</th></tr><tr><td>Lorra</td><td>-</td></tr>"
    assert paragraphs(f"<p>They voted.</p><table>{table}</table>") == [
        "They voted.",
        "State | Vote",
        "Lorra | -",
    ]


def test_a_byline_does_not_speak() -> None:
    page = (
        "<html><head><title>Iran denounces strike</title></head><body><article>"
        '<h1>Iran denounces strike</h1><p class="byline">By Jane Doe, Beirut — 2 April 2024</p>'
        "<p>Iran condemned the strike. All sides must show restraint.</p></article></body></html>"
    )
    item = read(HtmlReader(), page.encode())
    assert isinstance(item, RawDocument)
    assert item.speaker is None


def test_an_author_in_the_front_matter_does_not_speak() -> None:
    item = read(MarkdownReader(), b"---\nauthor: Jane Doe, Beirut\ntitle: A\n---\nWe act.")
    assert isinstance(item, RawDocument)
    assert (item.speaker, item.title) == (None, "A")


def test_declared_charset_decides_where_bytes_alone_do_not() -> None:
    text = "Ο Πρόεδρος της Δημοκρατίας καταδικάζει την επίθεση εναντίον αμάχων."
    page = f'<html><head><meta charset="iso-8859-7"></head><body><p>{text}</p></body></html>'
    item = read(HtmlReader(), page.encode("iso-8859-7"))
    assert isinstance(item, RawDocument)
    assert (item.text, item.encoding) == (text, "iso-8859-7")


@pytest.mark.parametrize("page", ["<html><body></body></html>", "<nav><a href='/'>Home</a></nav>"])
def test_a_page_without_text_is_empty(page: str) -> None:
    item = read(HtmlReader(), page.encode())
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.EMPTY


def test_front_matter_gives_the_fields_and_stands_before_the_body() -> None:
    text = (
        "---\n# card\nSpeaker: Côte d'Ivoire\ndate: 2018-02-07\ntype: letter\nid: 12\n---\nWe act."
    )
    item = read(MarkdownReader(), text.encode())
    assert item == RawDocument(
        text,
        "here",
        body=text.index("We"),
        speaker="Côte d'Ivoire",
        date="2018-02-07",
        genre="letter",
        given_id="12",
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    "text",
    [
        "We act.\n\n---\nspeaker: x\n---\n",
        "---\n\nWe act: now.\n",
        "---\nnot a key\n---\nWe act.",
    ],
)
def test_ruled_lines_are_no_front_matter(text: str) -> None:
    assert read(MarkdownReader(), text.encode()) == RawDocument(text, "here", encoding="utf-8")


@pytest.mark.parametrize(
    ("front", "location", "word"),
    [
        ('title: x\nspeaker: "open', "line 4", "not YAML"),
        ("title: x\ntitle: y", "line 3", "not YAML"),
        ("speaker: {name: x}", "line 2", "'speaker'"),
    ],
)
def test_bad_front_matter_is_rejected_with_its_line(front: str, location: str, word: str) -> None:
    item = read(MarkdownReader(), f"---\n{front}\n---\nWe act.\n".encode())
    assert isinstance(item, Rejection)
    assert (item.reason, item.location) == (RejectReason.BAD_ROW, location)
    assert word in item.detail


BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("front", "location", "word"),
    [
        (BOMB + "speaker: *i", "line 2", "anchors or aliases"),
        ("title: x\nspeaker: &s Y", "line 3", "anchors or aliases"),
        ("title: x\n" + "# comment\n" * 1000, "line 2", "10,010 characters"),
        ("id: " + "x" * 1001, "line 2", "'id' of the front matter holds 1,001 characters"),
        ("speaker: 0x" + "f" * 9000, "line 2", "hundreds of digits"),
    ],
)
def test_front_matter_that_costs_too_much_is_refused(front: str, location: str, word: str) -> None:
    item = read(MarkdownReader(), f"---\n{front}\n---\nWe act.\n".encode())
    assert isinstance(item, Rejection)
    assert (item.reason, item.location) == (RejectReason.BAD_ROW, location)
    assert word in item.detail


@pytest.mark.parametrize(
    ("value", "kind"),
    [("!!int ''", "int"), ("!!float ''", "float"), ("!!bool maybe", "bool")],
)
def test_a_tag_that_does_not_fit_rejects_its_document(value: str, kind: str) -> None:
    item = read(MarkdownReader(), f"---\ntitle: x\na: {value}\n---\nWe act.\n".encode())
    assert isinstance(item, Rejection)
    assert (item.reason, item.location) == (RejectReason.BAD_ROW, "line 3")
    assert f"cannot be read as {kind}" in item.detail


def test_a_key_twice_in_an_ordered_map_rejects_its_document() -> None:
    data = b"---\ntitle: x\na: !!omap [{b: 1}, {b: 2}]\n---\nWe act.\n"
    item = read(MarkdownReader(), data)
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.BAD_ROW
    assert item.detail.endswith("a tag does not fit its value, or a key stands twice")


def test_long_values_of_front_matter_are_cut() -> None:
    front = f"title: {'x' * 1000}\nspeaker: {'y' * 1001}\nid: {'z' * 1000}\n? 0x{'f' * 4400}\n: a"
    item = read(MarkdownReader(), f"---\n{front}\n---\nWe act.\n".encode())
    assert isinstance(item, RawDocument)
    assert (item.title, item.speaker) == ("x" * 1000, "y" * 999 + "…")
    assert item.given_id == "z" * 1000
