"""What an attack on the readers once found; see docs/robustness.md."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable

import docx
import pytest

from benchmarks.robustness import packages, pages, tables
from pipeline.ingest import Reading, Stdin, clean
from pipeline.ingest.decoding import mend
from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers import READERS
from pipeline.ingest.readers.columns import LONGEST_VALUE
from pipeline.ingest.readers.word_numbering import Numbering
from pipeline.records import Rejection, RejectReason, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings

PDFS, WORDS = dict(pages.pdfs(1)), dict(packages.hostile(1))
PAGES, PARQUETS = dict(pages.markup(1)), dict(tables.parquets(1))


def read(suffix: str, data: bytes, **options) -> list[RawDocument | Rejection]:
    settings = IngestSettings(**options)
    return list(READERS[suffix].read(io.BytesIO(data), "here", settings))


def one(suffix: str, data: bytes, **options) -> RawDocument | Rejection:
    (item,) = read(suffix, data, **options)
    return item


# Small files that ask for much


@pytest.mark.parametrize("style", ["lowerLetter", "upperRoman", "decimal", "bullet", "none"])
def test_lists_that_start_beyond_word_s_limits_have_short_marks(style: str) -> None:
    item = one(".docx", WORDS[f"a list that starts at ten digits, {style}"])
    assert isinstance(item, RawDocument)
    assert len(item.text) < 20 * 50


def test_a_list_that_starts_at_a_million_digits_starts_at_one() -> None:
    item = one(".docx", WORDS["a list that starts at a million digits"])
    assert isinstance(item, RawDocument)
    assert item.text == "1 We act."


def test_marks_are_not_longer_than_word_allows() -> None:
    item = one(".docx", WORDS["marks of megabytes"])
    assert isinstance(item, RawDocument)
    assert len(item.text) < 100 * 400


@pytest.mark.parametrize("suffix", [".docx", ".pdf"])
def test_text_that_unpacks_beyond_the_limit_is_too_large(suffix: str) -> None:
    long = "We condemn the attack on civilians again and again. " * 40
    lines = [long] * 40
    data = (
        packages.good_docx(lines)
        if suffix == ".docx"
        else pages.simple(
            b"".join(
                b"BT /F1 1 Tf 9 %d Td (%s) Tj ET " % (780 - 9 * n, long.encode()) for n in range(40)
            ),
            packed=True,
        )
    )
    assert isinstance(one(suffix, data), RawDocument)
    item = one(suffix, data, max_bytes=20_000)
    assert isinstance(item, Rejection)
    assert item.reason is RejectReason.TOO_LARGE
    assert item.location in ("text", "unpacked")


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".pdf", PDFS["a title of megabytes"]),
        (".docx", WORDS["a title of megabytes"]),
        (".html", PAGES["a title of megabytes"]),
    ],
    ids=["PDF", "Word", "HTML"],
)
def test_titles_are_cut_for_every_row_repeats_them(suffix: str, data: bytes) -> None:
    item = one(suffix, data)
    assert isinstance(item, RawDocument)
    assert 0 < len(item.title or "") <= LONGEST_VALUE


def test_headings_and_lead_ins_are_cut_for_every_sentence_repeats_them() -> None:
    text = (
        "# "
        + "War " * 5000
        + "\n\nWe act.\n\nWe ask "
        + "all " * 5000
        + ":\n\n(a) Peace;\n(b) Rest.\n"
    )
    for sentence in segment(Statement("d", text, "s")):
        assert len(sentence.heading) <= 1000
        assert len(sentence.lead_in) <= 1000
    assert sentence.lead_in.endswith("all all :")
    assert sentence.heading.startswith("War War")


def test_a_text_over_the_limit_of_characters_is_set_aside() -> None:
    settings = IngestSettings(max_characters=10, stdin_format="txt")
    short, long = (
        next(Reading([Stdin()], settings, io.BytesIO(text)))
        for text in (b"We act now", b"We act now.")
    )
    assert isinstance(short, Statement)
    assert isinstance(long, Rejection)
    assert "11 characters, the limit is 10 (max_characters)" in long.detail


def test_a_row_of_many_keys_is_not_repeated_in_its_rejection() -> None:
    row = {f"{'k' * 5000}{n}": n for n in range(2000)}
    for columns in ({}, {"text": "speech"}):
        (item,) = read(".jsonl", json.dumps(row).encode(), columns=columns)
        assert isinstance(item, Rejection)
        assert len(item.detail) < 2000
        assert ", and more." in item.detail


# Rows


@pytest.mark.parametrize("length", range(95, 110))
@pytest.mark.parametrize("end", ["\r", "\r\r", "x"])
def test_a_line_over_the_limit_is_one_rejection_wherever_it_is_cut(length: int, end: str) -> None:
    line = f"{'x' * length}{end}{'y' * 300}"
    items = read(".jsonl", f'{line}\n{{"text": "good"}}\n'.encode(), max_bytes=100)
    assert [getattr(item, "reason", "read") for item in items] == [RejectReason.TOO_LARGE, "read"]
    assert [item.location for item in items] == ["line 1", "line 2"]


@pytest.mark.parametrize("zone", ["a zone that is none", "a zone of wrong hours"])
def test_a_time_zone_that_does_not_exist_rejects_its_row_alone(zone: str) -> None:
    item = one(".parquet", PARQUETS[zone])
    assert isinstance(item, Rejection)
    assert (item.location, item.reason) == ("row 1", RejectReason.BAD_ROW)


@pytest.mark.parametrize(
    "name", ["an entity outside", "a document type outside", "a billion laughs"]
)
def test_word_never_reads_what_lies_outside(name: str) -> None:
    item = one(".docx", WORDS[name])
    text = item.text if isinstance(item, RawDocument) else item.detail
    assert "root:" not in text
    assert len(text) < 1000


# Time in proportion to size


def cut(text: str) -> None:
    for _ in segment(Statement("d", text, "s")):
        pass


FLOODS = (
    *(
        "a",
        "No. ",
        "A\n",
        "(a) No;\n",
        "# Aa\n",
        "“No. ",
        "[(",
        '"a. B" ',
        "*a ",
        "a* ",
        "\\",
        "> ",
    ),
    *(
        "[a](",
        "http://",
        "a.",
        "1.1.1 A ",
        "\x85",
        "Ã©\n",
        "e\u0301\u0301",
        "a\u200b",
        "Aa: – ",
        "'\" ",
    ),
)


def seconds(work: Callable[[str], object], text: str) -> float:
    def once() -> float:
        begun = time.process_time()
        work(text)
        return time.process_time() - begun

    return min(once(), once())


@pytest.mark.parametrize("work", [clean, mend, cut], ids=["clean", "mend", "segment"])
@pytest.mark.parametrize("unit", FLOODS)
def test_eight_times_the_text_takes_about_eight_times_as_long(
    work: Callable[[str], object], unit: str
) -> None:
    short = unit * (8_000 // len(unit))
    small = max(seconds(work, short), 0.001)
    assert (
        seconds(work, short * 8) < 8 * small * 4 + 0.2
    )  # quadratic time would be eight times that


class Counting(dict[str, object]):
    """Counts how often it is asked."""

    asked = 0

    def __getitem__(self, key: str) -> object:
        self.asked += 1
        return super().__getitem__(key)


def test_styles_that_hang_on_each_other_are_followed_once() -> None:
    document = docx.Document(io.BytesIO(dict(packages.hostile(2))["a long chain of styles"]))
    numbering = Numbering(None, document.styles.element)
    numbering._styles = styles = Counting(numbering._styles)
    paragraphs = list(document.element.body)
    assert [numbering.mark(paragraph) for paragraph in paragraphs] == [""] * len(paragraphs)
    assert len(paragraphs) == len(styles) == 400
    assert styles.asked <= 2 * len(styles)
