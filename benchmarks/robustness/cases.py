"""What the attack is made of: a generator of hostile files a group, the same for the same seed."""

from __future__ import annotations

import codecs
import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from benchmarks.robustness import packages, pages, tables

SUFFIXES = (".txt", ".md", ".html", ".pdf", ".docx", ".csv", ".tsv", ".jsonl", ".parquet")
MAGIC = (b"", b"", b"%PDF-1.7\n", b"PK\x03\x04", b"PAR1", b"<!doctype html>", b"\xff\xfe", b"{")
SENTENCES = (
    "Belgium supports the ceasefire in Syria.",
    "We condemn attacks on civilians, and we call for restraint.",
    "The Council met on 7 February 2018.",
)
# What reading, cleaning and cutting look out for, and what lies beside it in Unicode.
PIECES = (
    *(
        "a",
        "Aa ",
        "word ",
        ". ",
        "? ",
        "…",
        "。",
        ".\n",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "\t",
        "\v",
        "\x85",
    ),
    *(
        "\u2028",
        "\u200b",
        "\u200d",
        "\u202e",
        "\u2066",
        "\u0301",
        "\ufeff",
        "\xa0",
        "\xad",
        "\x00",
        "\x1b",
    ),
    *(
        "\U0001f600",
        "é",
        "Ã©",
        "â€™",
        "中",
        "ה",
        "؟ ",
        "*",
        "**",
        "_a_ ",
        "# ",
        "> ",
        "---\n",
        "\\",
        '"',
    ),
    *(
        "“",
        "”",
        "(",
        ")",
        "[",
        "](",
        "1. ",
        "(a) ",
        "– ",
        "•",
        "IV. ",
        "A. ",
        "e.g. ",
        "U.S. ",
        "Mr. ",
    ),
    *("Yours sincerely,\n", "(Signed) x\n", "Sources:\n", "By Aa Bb\n", "http://a.b/", "a@b.cc"),
    *(
        "1 January 2020\n",
        "Recalling a,\n",
        "A/RES/1 ",
        "a: b\n",
        ",",
        ";",
        "=1+1",
        "{",
        "}",
        "<p>",
        "&amp;",
    ),
)


class Case(NamedTuple):
    """One hostile file; `tables` are also read with every row as a sentence."""

    group: str
    name: str
    suffix: str
    data: bytes


def good_files() -> Mapping[str, bytes]:
    """Return a good file of every format, to be damaged."""
    rows = [{"text": text, "speaker": "Belgium", "id": f"r{n}"} for n, text in enumerate(SENTENCES)]
    plain = "\n\n".join(SENTENCES)
    return {
        ".txt": plain.encode("utf-16"),
        ".md": f"---\ntitle: On war\ndate: 2018-02-07\n---\n# War\n\n{plain}\n".encode(),
        ".html": pages.page("".join(f"<p>{text}</p>" for text in SENTENCES)),
        ".pdf": pages.good_pdf(SENTENCES),
        ".docx": packages.good_docx(SENTENCES),
        ".csv": tables.delimited(rows, ","),
        ".tsv": tables.delimited(rows, "\t"),
        ".jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
        ".parquet": tables.parquet({name: [row[name] for row in rows] for name in rows[0]}),
    }


def random_bytes(rng: random.Random, scale: int) -> Iterator[Case]:
    """Noise, at times behind the mark of a format, under every suffix."""
    for number in range(18 * scale):
        suffix = SUFFIXES[number % len(SUFFIXES)]
        data = rng.choice(MAGIC) + rng.randbytes(rng.choice((1, 30, 1000, 20_000)))
        yield Case("random bytes", f"#{number}", suffix, data)


def damaged(rng: random.Random, scale: int) -> Iterator[Case]:
    """Good files cut short, with bits flipped, and with pieces removed, repeated or overwritten."""
    good = good_files()
    for number in range(45 * scale):
        suffix = SUFFIXES[number % len(SUFFIXES)]
        data = bytearray(good[suffix])
        kind = rng.choice(("cut", "flip", "remove", "repeat", "overwrite"))
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.choice((1, 4, 40, 400)))
        if kind == "cut":
            del data[start:]
        elif kind == "flip":
            for _ in range(rng.choice((1, 3, 30))):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == "remove":
            del data[start:end]
        elif kind == "repeat":
            data[start:start] = data[start:end] * rng.choice((1, 50))
        else:
            data[start:end] = rng.choice((b"\0", b"\xff", b"9", b"(")) * (end - start)
        yield Case("damaged files", f"{kind} #{number}", suffix, bytes(data))


def strange_text(rng: random.Random, scale: int) -> Iterator[Case]:
    """Floods of what the code looks out for, alone and mixed, under every textual suffix."""
    for _ in range(24 * scale):
        units = [rng.choice(PIECES) for _ in range(rng.randint(1, 6))]
        if rng.random() < 0.3:
            text = "".join(rng.choices(PIECES, k=2000))
        else:
            text = "".join(units) * rng.choice((1, 2, 500, 5000))
        codec = rng.choice(
            ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252")
        )
        suffix = rng.choice((".txt", ".md", ".html", ".csv", ".tsv", ".jsonl"))
        if suffix == ".jsonl" and rng.random() < 0.7:
            text = json.dumps({"text": text, "title": text, "context": text}) + "\n"
        elif suffix in (".csv", ".tsv"):
            text = f"text\n{text}"
        yield Case("strange text", f"{units[:3]} {codec}", suffix, text.encode(codec, "replace"))


def encodings(_: random.Random, __: int) -> Iterator[Case]:
    """Bytes that are not quite any encoding."""
    text = "We condemn – “strongly” – the attack. "
    strange = {
        "overlong UTF-8": b"We act. \xc0\xae\xc0\xaf\xe0\x80\xae " * 50,
        "UTF-8 of half characters": b"We act. \xed\xa0\x80\xed\xbf\xbf " * 50,
        "UTF-8 beyond Unicode": b"We act. \xf4\x90\x80\x80\xf8\x88\x80\x80\x80 " * 50,
        "UTF-16 of odd length": text.encode("utf-16") + b"x",
        "UTF-16 with half characters": codecs.BOM_UTF16_LE + b"W\0\x00\xd8e\0" * 50,
        "UTF-32 with wrong code points": codecs.BOM_UTF32_LE + b"\xff\xff\xff\x7f" * 50,
        "a mark alone": codecs.BOM_UTF8,
        "two marks": codecs.BOM_UTF8 * 2 + text.encode(),
        "a mark in the middle": text.encode() + codecs.BOM_UTF16_BE + text.encode(),
        "UTF-16 without a mark": text.encode("utf-16-be") * 5,
        "UTF-32 without a mark": text.encode("utf-32-be") * 5,
        "zero bytes": b"We act.\0We wait.\0" * 50,
        "UTF-7": "We act – now.".encode("utf-7") * 50,
        "EBCDIC": ("We act now. " * 50).encode("cp500"),
        "every byte": bytes(range(256)) * 20,
        "one accent a megabyte": b"a" * 1_100_000 + b"\xe9" + b"b" * 1_100_000 + b"\xe9",
        "one character": b"a",
        "one blank": b" ",
        "lines without words": b"\n \r\n\t\n" * 1000,
    }
    for name, data in strange.items():
        for suffix in (".txt", ".md", ".html", ".csv", ".jsonl"):
            yield Case("encodings", name, suffix, data)


def large_text(_: random.Random, scale: int) -> Iterator[Case]:
    """Documents, lines and sentences of `scale` times 100 kB."""
    size = scale * 100_000
    for name, unit in {
        "no full stop": "word ",
        "one word": "a",
        "short sentences": "No. ",
        "short lines": "A\n",
        "points of a list": "(a) No;\n",
        "combining marks": "e\u0301\u0301\u0301\u0301",
        "zero-width characters": "a\u200b",
        "right to left": "שלום. ",
        "mojibake": "Ã©\n",
        "next-line controls": "a\x85",
        "headings": "# Aa\n",
        "quotations": "“No. ",
        "stars": "*a ",
        "brackets": "[(",
        "a heading over sentences": "",
        "a list under a sentence": "",
    }.items():
        text = unit * (size // max(len(unit.encode()), 1))
        if name == "a heading over sentences":
            text = "# # " + "word " * (size // 10) + "\n\n" + "No, never. " * (size // 20)
        elif name == "a list under a sentence":
            text = "We call for " + "this " * (size // 10) + ":\n" + "(a) Peace;\n" * (size // 20)
        yield Case("large text", name, ".txt", text.encode())
        row = json.dumps({"text": text[: size // 2]}, ensure_ascii=False).encode()
        yield Case("large text", f"{name} in a row", ".jsonl", row + b'\n{"text": "We act."}\n')


def _named(
    group: str, suffix: str, make: Callable[[int], Iterator[tuple[str, bytes]]]
) -> Callable[[random.Random, int], Iterator[Case]]:
    """Return the generator of cases that are the same for every seed."""

    def cases(_: random.Random, scale: int) -> Iterator[Case]:
        return (Case(group, name, suffix, data) for name, data in make(scale))

    return cases


GROUPS: Mapping[str, Callable[[random.Random, int], Iterator[Case]]] = {
    "random bytes": random_bytes,
    "damaged files": damaged,
    "strange text": strange_text,
    "encodings": encodings,
    "Word packages": _named("Word packages", ".docx", packages.hostile),
    "PDF": _named("PDF", ".pdf", pages.pdfs),
    "HTML": _named("HTML", ".html", pages.markup),
    "Parquet": _named("Parquet", ".parquet", tables.parquets),
    "CSV": _named("CSV", ".csv", tables.delimiteds),
    "JSONL": _named("JSONL", ".jsonl", tables.json_lines),
    "large text": large_text,
}
