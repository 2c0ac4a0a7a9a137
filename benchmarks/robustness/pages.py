"""Hostile PDF and HTML files, written by hand so that they break the rules where they should."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence

_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox%s/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>%s>>>>"
_BOX = b"[0 0 612 792]"
_WORDS = b"BT /F1 12 Tf 72 700 Td (We condemn the attack on civilians.) Tj ET "


def pdf(objects: Mapping[int, bytes], *, trailer: bytes = b"") -> bytes:
    """Return a PDF of numbered objects with a right table of references; object 1 is its root."""
    data, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(data)
    data += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        data += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max(objects) + 1
    data += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (size, trailer, table)
    return bytes(data)


def stream(content: bytes, *, packed: bool = False, more: bytes = b"") -> bytes:
    """Return a stream object."""
    if packed:
        content, more = zlib.compress(content, 9), more + b"/Filter/FlateDecode"
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), more, content)


def simple(
    content: bytes = _WORDS,
    *,
    box: bytes = _BOX,
    resources: bytes = b"",
    packed: bool = False,
    more: Mapping[int, bytes] | None = None,
    trailer: bytes = b"",
) -> bytes:
    """Return a PDF of one page."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: _PAGE % (box, resources),
        4: stream(content, packed=packed),
        5: _FONT,
    }
    return pdf({**objects, **(more or {})}, trailer=trailer)


def good_pdf(lines: Sequence[str]) -> bytes:
    """Return a PDF with these lines, each a paragraph."""
    shown = b"".join(
        b"BT /F1 12 Tf 72 %d Td (%s) Tj ET " % (700 - 50 * number, line.encode())
        for number, line in enumerate(lines)
    )
    return simple(shown)


def pdfs(scale: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and PDFs; `scale` makes those larger that are large."""
    kids = {3: b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 1>>"}
    yield "a page tree that holds itself", simple(more=kids)
    kids = {
        2: b"<</Type/Pages/Kids[" + b"3 0 R " * (1000 * scale) + b"]/Count %d>>" % (1000 * scale)
    }
    yield "one page many times", simple(more=kids)
    yield "two thousand million pages", simple(more={2: b"<</Kids[3 0 R]/Count 2147483647>>"})
    yield "fewer than no pages", simple(more={2: b"<</Kids[3 0 R]/Count -5>>"})
    deep = {
        n: b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (n + 1) for n in range(10, 10 + 500 * scale)
    }
    yield "a deep page tree", simple(more={2: b"<</Kids[10 0 R]/Count 1>>", **deep})
    for box in (b"[0 0 1e38 1e38]", b"[0 0 0 0]", b"[9 9 -9 -9]", b"[0 0 nan (x)]", b"[]", b"7"):
        yield f"page size {box.decode()}", simple(box=box)
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R/Y 6 0 R>>>>"
    loop = {6: stream(b"/X Do /Y Do " * 20, more=form)}
    yield (
        "a form that draws itself",
        simple(b"/X Do " + _WORDS, resources=b"/XObject<</X 6 0 R>>", more=loop),
    )
    nest = {
        n: stream(b"/X Do " * 10, more=form.replace(b"6 0", b"%d 0" % (n + 1)))
        for n in range(6, 16)
    }
    nest[16] = stream(
        _WORDS, more=form[: form.index(b"/Resources")] + b"/Resources<</Font<</F1 5 0 R>>>>"
    )
    yield (
        "forms that draw ten each",
        simple(b"/X Do ", resources=b"/XObject<</X 6 0 R>>", more=nest),
    )
    yield (
        "a stream of blanks, packed a thousandfold",
        simple(b" " * (3_000_000 * scale), packed=True),
    )
    yield "a stream of words, packed a hundredfold", simple(_WORDS * (2000 * scale), packed=True)
    long = b"BT /F1 1 Tf 9 9 Td (" + b"word " * (100_000 * scale) + b") Tj ET"
    yield "a line of a million letters", simple(long, packed=True)
    twice = zlib.compress(zlib.compress(b" " * (3_000_000 * scale), 9), 9)
    packed = b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream" % (
        len(twice),
        twice,
    )
    yield "a stream packed twice", simple(more={4: packed})
    yield "brackets, deep", simple(b"[" * (100_000 * scale) + _WORDS)
    yield "dictionaries, deep", simple(more={6: b"<</A" * (20_000 * scale)}, trailer=b"/Info 6 0 R")
    yield "states that are never restored", simple(b"q " * (100_000 * scale) + _WORDS)
    yield "a length beyond the end", simple(more={4: b"<</Length 999999999>>stream\n" + _WORDS})
    yield "a length that is itself", simple(more={4: b"<</Length 4 0 R>>stream\nBT ET\nendstream"})
    yield "a table of references in a circle", simple(trailer=b"/Prev 9")
    yield "a root that is a page", simple(more={1: b"<</Type/Page/Pages 1 0 R>>"})
    yield (
        "a title of megabytes",
        simple(more={6: b"<</Title(" + b"x" * (200_000 * scale) + b")>>"}, trailer=b"/Info 6 0 R"),
    )
    yield "an unknown lock", simple(trailer=b"/Encrypt<</Filter/Standard/V 99/R 99/O(x)/U(x)/P 0>>")
    cmap = b"begincmap 1 beginbfrange <00> <ff> <" + b"D800" * 5000 + b"> endbfrange endcmap"
    font = {
        5: _FONT[:-2] + b"/ToUnicode 6 0 R/FirstChar -9/LastChar 999999999/Widths[1e38]>>",
        6: stream(cmap),
    }
    yield "a font that gives half characters", simple(more=font)
    yield "objects in a circle", simple(more={5: b"6 0 R", 6: b"5 0 R"})
    yield "a size of type beyond all", simple(_WORDS.replace(b"12 Tf", b"1e30 Tf"))


def page(body: str, head: str = "<title>On war</title>") -> bytes:
    """Return an HTML page."""
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def markup(scale: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and pages; `scale` makes those larger that are large."""
    text = "<p>We condemn the attack on civilians in the strongest terms.</p>"
    many = 1000 * scale
    for tag in (
        "div",
        "p",
        "table><tr><td",
        "ul><li",
        "blockquote",
        "b",
        "a href=x",
        "span",
        "svg",
        "q",
    ):
        yield f"<{tag}> deep", page(f"<{tag}>" * many + text)
    yield "many paragraphs", page(text * many)
    yield "many attributes", page(f"<p {' '.join(f'a{n}=1' for n in range(many * 5))}>{text}")
    yield "an attribute of megabytes", page(f"<p title='{'x' * (many * 100)}'>{text}")
    yield "less-than signs", page("<" * (many * 20) + text)
    yield "entities", page("&amp;&lt;&#x0;&#xd800;&#99999999;&nosuch;" * many)
    yield "an entity without end", page("&" + "a" * (many * 50))
    yield "comments left open", page("<!--" * many + text)
    yield "scripts", page("<script>document.write('<p>x')</script>" * many + text)
    yield "links", page("<a href='http://a.b/c'>We act.</a> " * many)
    yield "a list", page("<ul>" + "<li>We act now.</li>" * many + "</ul>")
    yield "a table", page("<table>" + "<tr><td>We act</td><td>now.</td></tr>" * many + "</table>")
    yield "line breaks", page("<p>" + "We act.<br>" * many + "</p>")
    yield "no body", b"<!doctype html><html><head>" + b"<meta name=author content=x>" * many
    yield "many titles", page(text * 9, "<title>x</title>" * many)
    yield "a title of megabytes", page(text * 9, f"<title>{'x ' * (many * 100)}</title>")
    yield (
        "an author of megabytes",
        page(text * 9, f"<meta name=author content='{'Xy Zz, ' * many * 5}'>"),
    )
    yield "dates", page("<time datetime='99999-99-99'>1 January 20200</time>" * many + text * 9)
    yield (
        "JSON-LD, deep",
        page(text * 9, f"<script type='application/ld+json'>{'[' * (many * 20)}</script>"),
    )
    yield (
        "a doctype with entities",
        (
            b"<!DOCTYPE html [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
            b"<!ENTITY f SYSTEM 'file:///etc/passwd'>]><html><body><p>&b;&f;</p></body></html>"
        ),
    )
    yield "XHTML in a circle", b"<?xml version='1.0' encoding='utf-16'?><html>" + text.encode()
    yield "frames of frames", page("<iframe srcdoc='<iframe>'>" * many + text)
    yield "blanks", page(" " * (many * 200) + text)
    yield "one paragraph of megabytes", page("<p>" + "We act now " * (many * 20) + "</p>")
