"""Hostile Word packages: zip archives that lie, and XML that means harm."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_KIND}.document.main+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/word/numbering.xml" ContentType="{_KIND}.numbering+xml"/></Types>'
)
_ROOT = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="a" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    "</Relationships>"
)
_PARTS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="a" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="b" Type="{_OFFICE}/numbering" Target="numbering.xml"/></Relationships>'
)
_WORDS = "<w:p><w:r><w:t>We condemn the attack on civilians.</w:t></w:r></w:p>"
_ITEM = (
    '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    "<w:r><w:t>We act.</w:t></w:r></w:p>"
)


def docx(
    body: str,
    *,
    before: str = "",
    styles: str = "",
    numbering: str = "",
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a Word document with this body; `before` stands before its root element."""

    def part(name: str, content: str) -> str:
        return f'<w:{name} xmlns:w="{_W}">{content}</w:{name}>'

    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _ROOT,
        "word/_rels/document.xml.rels": _PARTS,
        "word/styles.xml": _HEAD + part("styles", styles),
        "word/numbering.xml": _HEAD + part("numbering", numbering),
        "word/document.xml": f"{_HEAD}{before}{part('document', part('body', body))}",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in {**parts, **(more or {})}.items():
            # A ZipInfo has a fixed date, so that the same seed gives the same bytes.
            package.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def good_docx(lines: Sequence[str]) -> bytes:
    """Return a Word document with these paragraphs."""
    return docx("".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines))


def _list(style: str, start: str, pattern: str) -> str:
    return (
        f'<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:start w:val="{start}"/>'
        f'<w:numFmt w:val="{style}"/><w:lvlText w:val="{pattern}"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
    )


def hostile(scale: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and packages; `scale` makes those larger that are large."""
    zeros = bytes(3_000_000 * scale)
    yield "a packed part of megabytes", docx(_WORDS, more={"word/media/zeros.bin": zeros})
    yield "a packed text of megabytes", docx(_WORDS + f"<!--{' ' * (3_000_000 * scale)}-->")
    yield (
        "an archive in the archive",
        docx(_WORDS, more={"x.docx": docx(_WORDS, more={"z": zeros})}),
    )
    yield "many members", docx(_WORDS, more={f"word/m{n}.xml": b"<a/>" for n in range(500 * scale)})
    yield "a member outside the folder", docx(_WORDS, more={"../../../tmp/x.xml": b"<a/>"})
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    laughed = f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]>'
    yield "a billion laughs", docx(_WORDS.replace("We", "&l11;"), before=laughed)
    outside = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    yield "an entity outside", docx(_WORDS.replace("We", "&x;"), before=outside)
    remote = '<!DOCTYPE d SYSTEM "http://localhost:9/x.dtd">'
    yield "a document type outside", docx(_WORDS, before=remote)
    for tag in ("ins", "sdt", "p", "tbl", "r"):
        deep = f"<w:{tag}>" * (100 * scale) + _WORDS + f"</w:{tag}>" * (100 * scale)
        yield f"<w:{tag}> deep", docx(deep)
    table = "<w:tbl><w:tr><w:tc>"
    yield "tables in tables", docx(table * 60 + _WORDS + "</w:tc></w:tr></w:tbl>" * 60)
    yield "many paragraphs", docx(_WORDS * (1000 * scale))
    yield (
        "a table of many rows",
        docx(f"<w:tbl>{f'<w:tr><w:tc>{_WORDS}</w:tc></w:tr>' * 300 * scale}</w:tbl>"),
    )
    yield (
        "a row of many cells",
        docx(f"<w:tbl><w:tr>{f'<w:tc>{_WORDS}</w:tc>' * 300 * scale}</w:tr></w:tbl>"),
    )
    for style in ("lowerLetter", "upperRoman", "decimal", "bullet", "none", "nosuch"):
        numbered = _list(style, "9" * 10, "%1.")
        yield f"a list that starts at ten digits, {style}", docx(_ITEM * 20, numbering=numbered)
    yield (
        "a list that starts at a million digits",
        docx(_ITEM, numbering=_list("decimal", "9" * 10**6, "%1")),
    )
    yield (
        "marks of megabytes",
        docx(_ITEM * (100 * scale), numbering=_list("decimal", "1", "%1" * 50_000)),
    )
    chain = "".join(
        f'<w:style w:styleId="s{n}"><w:basedOn w:val="s{n + 1}"/></w:style>'
        for n in range(200 * scale)
    )
    styled = '<w:p><w:pPr><w:pStyle w:val="s0"/></w:pPr><w:r><w:t>We act.</w:t></w:r></w:p>'
    yield "a long chain of styles", docx(styled * (200 * scale), styles=chain)
    circle = '<w:style w:styleId="s0"><w:basedOn w:val="s0"/></w:style>'
    yield "a style based on itself", docx(styled, styles=circle)
    kind = f"{_PACKAGE}/relationships/metadata/core-properties"
    core = f'<Relationship Id="c" Type="{kind}" Target="c.xml"/>'
    title = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
        'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>'
        f"{'x' * (200_000 * scale)}</dc:title></cp:coreProperties>"
    )
    yield (
        "a title of megabytes",
        docx(
            _WORDS,
            more={
                "c.xml": title.encode(),
                "_rels/.rels": _ROOT.replace("</Rel", core + "</Rel", 1).encode(),
                "[Content_Types].xml": _TYPES.replace(
                    "</Types>",
                    '<Override PartName="/c.xml" ContentType="application/vnd.'
                    'openxmlformats-package.core-properties+xml"/></Types>',
                ).encode(),
            },
        ),
    )
    loop = _ROOT.replace("word/document.xml", "_rels/.rels").encode()
    yield "a part that relates to itself", docx(_WORDS, more={"_rels/.rels": loop})
    whole = docx(_WORDS)
    yield "no body", docx("").replace(b"w:body", b"w:bodx")
    yield "sizes that lie", _lying(whole, 24, 10)
    yield "sizes beyond the archive", _lying(whole, 24, 0xFFFFFFF0)
    yield "an unknown method of packing", _lying(whole, 10, 99)
    yield "a locked member", _lying(whole, 8, 1)
    yield "a directory cut short", whole[:-30]
    yield "text before the archive", b"PK\x03\x04" + b"x" * 1000 + whole


def _lying(package: bytes, field: int, value: int) -> bytes:
    """Change a field of every entry of the central directory."""
    data, place = bytearray(package), 0
    size = "<I" if field == 24 else "<H"
    while (place := data.find(b"PK\x01\x02", place)) >= 0:
        struct.pack_into(size, data, place + field, value)
        place += 46
    return bytes(data)
