"""Encodings are found by fixed rules; mojibake is mended and right text is not."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.decoding import MIXED, Encoding, Undecodable, decode, detect, mend
from pipeline.records import RejectReason

WESTERN = "Côte d’Ivoire condemns – “strongly” – the attack in Ma‘arrat; 5 € were déjà paid.\n" * 3
RUSSIAN = "Российская Федерация осуждает нападение и призывает стороны к сдержанности.\n" * 3


def read(data: bytes, declared: str | None = None) -> tuple[str, str]:
    stream = io.BytesIO(data)
    encoding = detect(stream, declared)
    assert isinstance(encoding, Encoding), encoding
    assert stream.tell() == 0
    return decode(data, encoding), encoding.name


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_western_text_is_read_in_every_encoding(codec: str, name: str) -> None:
    assert read(WESTERN.encode(codec)) == (WESTERN, name)


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-16-le", "cp1251"])
def test_russian_text_is_read_in_its_encodings(codec: str) -> None:
    assert read(RUSSIAN.encode(codec))[0] == RUSSIAN


def test_declared_encoding_is_believed_unless_the_bytes_are_utf8() -> None:
    text = "Ελλάδα: ανακοίνωση"
    assert read(text.encode("iso-8859-7"), "ISO-8859-7") == (text, "iso-8859-7")
    assert read(text.encode(), "ISO-8859-7") == (text, "utf-8")


@pytest.mark.parametrize(
    ("declared", "meant"),
    [("ISO-8859-1", "cp1252"), ("latin1", "cp1252"), ("latin5", "cp1254")],
)
def test_a_declared_iso_set_means_that_of_windows(declared: str, meant: str) -> None:
    assert read("“déjà” – vu".encode(meant), declared) == ("“déjà” – vu", meant)


def test_ascii_declared_of_other_bytes_says_nothing() -> None:
    assert read(RUSSIAN.encode("cp1251"), "us-ascii") == read(RUSSIAN.encode("cp1251"))
    assert read(RUSSIAN.encode("cp1251"), "us-ascii")[0] == RUSSIAN
    assert read(WESTERN.encode("cp1252"), "us-ascii") == (WESTERN, "cp1252")


def test_a_declared_iso_set_holds_where_that_of_windows_fails() -> None:
    data = b"d\xe9j\xe0 vu\x81"  # 81 is no character of cp1252
    assert read(data, "iso-8859-1") == ("déjà vu\x81", "iso-8859-1")


@pytest.mark.parametrize("declared", ["no-such-codec", "unicode_escape", "hex", "utf-8"])
def test_useless_declarations_are_passed_over(declared: str) -> None:
    assert read("déjà vu".encode("cp1252"), declared) == ("déjà vu", "cp1252")


def test_a_few_foreign_bytes_do_not_spoil_utf8() -> None:
    data = WESTERN.encode() + b"It\x92s mixed."
    assert read(data) == (WESTERN + "It’s mixed.", MIXED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"text\0text", RejectReason.BINARY),
        (b"\x01\x02\x03\x04\x05text" * 20, RejectReason.BINARY),
        (WESTERN.encode("utf-16")[:-1], RejectReason.UNREADABLE),
        (b"\xef\xbb\xbf\xff\xfe", RejectReason.UNREADABLE),
    ],
)
def test_what_is_not_text_is_told_apart(data: bytes, reason: RejectReason) -> None:
    found = detect(io.BytesIO(data))
    assert isinstance(found, Undecodable)
    assert found.reason is reason


@given(st.binary(max_size=400))
def test_any_bytes_give_the_same_answer_twice_and_decode(data: bytes) -> None:
    first, second = detect(io.BytesIO(data)), detect(io.BytesIO(data))
    assert first == second
    if isinstance(first, Encoding):
        assert isinstance(decode(data, first), str)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc"])))
def test_utf8_is_always_read_as_utf8(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert read(text.encode()) == (text, "utf-8")


@pytest.mark.parametrize(
    "text", ["It’s “urgent” – now", "Côte d’Ivoire", "São Tomé and Príncipe", "§ 5 of the résumé"]
)
def test_mojibake_is_mended_line_by_line(text: str) -> None:
    broken = text.encode().decode("cp1252", "replace").replace("\ufffd", "\x9d")
    assert broken != text
    assert mend(f"fine\r\n{broken}\r\nfine – too\n") == (f"fine\r\n{text}\r\nfine – too\n", 1)


@pytest.mark.parametrize(
    "text",
    [
        "Ma‘arrat al-Nu‘man “de escalation zone” — Geneva Communiqué",
        "SÃO PAULO, À l’issue, ÂGE",
        "«\u00a0déjà vu\u00a0»",
        RUSSIAN,
        "Türkiye’nin Şırnak ili",
        "£5, 7 °C, ¿qué?, ½",
        "الأمم المتحدة",
        "plain ASCII",
    ],
)
def test_right_text_is_never_mended(text: str) -> None:
    assert mend(text) == (text, 0)
