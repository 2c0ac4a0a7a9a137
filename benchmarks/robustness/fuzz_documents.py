"""What `benchmarks.robustness.fuzz` fuzzes of the reading of documents and tables.

Formats read by libraries (PDF, Word, HTML, Parquet) run in a process of their own, where a fuzzer
is blind; `benchmarks.robustness.attack` is for them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from pipeline.ingest.cleaning import clean
from pipeline.ingest.decoding import Undecodable, decode, detect
from pipeline.ingest.inputs import Stdin
from pipeline.ingest.readers.columns import LEFT_OUT
from pipeline.ingest.reading import Reading
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings

STATEMENTS = Path(__file__).parents[2] / "seeds" / "statements"
MARKUP = (
    "# > ** _ ] ( [ http:// \\ * --- \r \r\n \n\n \ufeff \u200d \xa0 \x85 ’ â€™ (a) 1. Mr. U.S. By "
    "(Signed) Page Recalling"
)
ROW = b'{"text": "We condemn it.", "id": "a", "date": "2024-01-31", "speaker": ["x", 1.5, null]}\n'
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "cp1252")


class Violation(Exception):
    """A promise was broken; its text names which one, so that equal ones are told apart once."""


@dataclass(frozen=True, slots=True)
class Target:
    """One check with what to begin from; a seed ends with its number, as one byte.

    `words` are what the format is made of, parted by single blanks; `longest` keeps a try short.
    """

    check: Callable[[int, bytes], None]
    seeds: Sequence[bytes]
    words: str
    longest: int = 4_000


def require(holds: bool, promise: str) -> None:
    """Raise unless a promise holds; `assert` would vanish with `python -O`."""
    if not holds:
        raise Violation(promise)


def read(body: bytes, settings: IngestSettings) -> list[Statement | Rejection]:
    """Read bytes as `stance` reads standard input, and check every statement."""
    items = list(Reading([Stdin()], settings, io.BytesIO(body)))
    for item in items:
        if isinstance(item, Statement):
            check_statement(item)
        else:
            require(bool(item.detail), "a rejection says why")
    return items


def check_statement(statement: Statement) -> None:
    """Check what is promised of a statement and of its sentences."""
    text, end, source_end = statement.text, 0, 0
    text.encode()
    for number, sentence in enumerate(segment(statement)):
        require(text[sentence.start : sentence.end] == sentence.text, "offsets give the text")
        require(sentence.text.strip() == sentence.text != "", "sentences are trimmed, not empty")
        require(end <= sentence.start < sentence.end <= len(text), "sentences follow each other")
        require(sentence.sentence_id == f"{statement.doc_id}#{number}", "ids count sentences")
        start, stop = statement.offsets.span_to_source(sentence.start, sentence.end)
        require(source_end <= start < stop, "sentences follow each other in the source")
        end, source_end = sentence.end, stop


def document(suffix: str, seeds: Sequence[bytes]) -> Target:
    """Decoding, mending, cleaning and cutting of one document."""

    def check(number: int, body: bytes) -> None:
        markup = bool(number & 1)
        items = read(body, IngestSettings(stdin_format=suffix, clean_markup=markup))
        require(len(items) == 1, "one document, one item")
        encoding = detect(io.BytesIO(body))
        if isinstance(encoding, Undecodable):
            return
        text = decode(body, encoding)
        cleaned = clean(text, markup=markup)
        runs = cleaned.offsets.cleaned or (0,)
        for begin, end in pairwise([*runs, len(cleaned.text)]):
            at = cleaned.offsets.to_source(begin)
            pairs = zip(cleaned.text[begin:end], text[at : at + end - begin], strict=True)
            same = all(one == other or one in " \n\ufffd" for one, other in pairs)
            require(same, "cleaned text leads back to its source")

    return Target(check, [seed + b"\1" for seed in seeds], MARKUP)


def text() -> Target:
    """Plain text, in several encodings."""
    whole = [path.read_bytes() for path in sorted(STATEMENTS.iterdir())]
    encoded = [whole[0].decode()[:400].encode(name, "replace") for name in ENCODINGS]
    mojibake = "“We don’t” — é".encode().decode("cp1252", "replace").encode()
    return document("txt", [*(one[:1_500] for one in whole), *encoded, mojibake])


def markdown() -> Target:
    """Markdown with front matter."""
    front = b"---\nspeaker: [France, 2]\ndate: 2024-01-31\ntitle: >-\n  On *it*\nid: !!str 7\n---\n"
    body = b"# Head\n\n> We **condemn** _it_.\n\n1. [a](http://b.c/d_e)\n   (a) x;\n* * *\n"
    target = document("md", [front + body, body])
    return replace(target, words=MARKUP + " date: speaker: !!float !!omap !!timestamp & | ? {")


def as_lines(text: str, ends: str) -> Iterator[int]:
    """Yield the numbers of the lines of a text that are not blank."""
    return (n for n, line in enumerate(re.split(ends, text), start=1) if line.strip())


def json_lines() -> Target:
    """Every line that is not blank comes out once."""

    def check(number: int, body: bytes) -> None:
        settings = IngestSettings(stdin_format="jsonl", keep_duplicates=bool(number & 1))
        items = read(body, settings)
        encoding = detect(io.BytesIO(body))
        whole = [one for one in items if isinstance(one, Rejection) and not one.location]
        listed = [one for one in items if getattr(one, "reason", "") is RejectReason.WRONG_TYPE]
        if whole or listed or isinstance(encoding, Undecodable):
            require(len(items) == 1, "a file that is set aside whole gives one rejection")
            return
        wanted = [f"line {n}" for n in as_lines(decode(body, encoding), "\n")]
        require([one.location for one in items] == wanted, "rows in, rows out")

    seeds = [ROW * 2, b'[1]\n{"text": 5}\n\n{"body": "x", "ID": {"a": NaN}}', b"[\n", b'{"text": "']
    return Target(check, [seed + b"\1" for seed in seeds], 'text id date null [ {" \\ud800 1e9 ":')


def delimited() -> Target:
    """Every line of the file that is not blank belongs to the header or to one item."""

    def check(number: int, body: bytes) -> None:
        settings = IngestSettings(stdin_format="csv", keep_duplicates=bool(number & 1))
        items = read(body, settings)
        encoding = detect(io.BytesIO(body))
        if isinstance(encoding, Undecodable) or any(not one.location for one in items):
            require(len(items) == 1, "a file that is set aside whole gives one rejection")
            return
        if isinstance(items[0], Rejection) and items[0].detail.startswith(LEFT_OUT):
            require(len(items) == 1, "a file that is left out gives one rejection")
            return
        text = decode(body, encoding)
        lines = list(as_lines(text, "\r\n|\r|\n"))
        if (header := header_end(text)) is None:
            require(len(items) == 1, "a file without header gives one rejection")
            return
        last = header
        covered: set[int] = set()
        for item in items:
            begin, end = place(item.location, lines[-1])
            require(last < begin <= end, "records follow each other")
            covered |= set(range(begin, end + 1))
            last = end
        require({n for n in lines if n > header} <= covered, "no line is lost")

    seeds = [
        b'text,id,date\n"We ""condemn"" it,\nall.",1,2024\n\nx,2\ny,3,\n',
        b"id;text\r1;a b\r\n2;'=1\r",
        b'text\tspeaker\nx\t\'y\n"a"b\tc\n',
        b'text|id\nx|"never closed\n',
    ]
    return Target(check, [seed + b"\1" for seed in seeds], 'text, id; "" "," \r \r\n')


def header_end(text: str) -> int | None:
    """Return the last line of the first record; `None` where it is no record."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)
    blank = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    rows = csv.reader(lines[blank:], delimiter=max(",;\t|", key=lines[blank].count), strict=True)
    try:
        next(rows)
    except csv.Error:
        return None
    return blank + rows.line_num


def place(location: str, last: int) -> tuple[int, int]:
    """Return the first and the last line that a location names."""
    found = [int(number) for number in re.findall(r"\d+", location)]
    return found[0], last if location.endswith("on") else found[-1]
