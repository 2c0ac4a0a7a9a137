"""From bytes to text: find the encoding of a stream, and mend text that was decoded wrongly before.

A byte order mark decides; then valid UTF-8; then UTF-16 by its zero bytes; then what the document
itself declares; then Windows-1252, if it yields a text in a Western script; last the guess of
charset-normalizer. Every rule is a fixed one, so that the same bytes give the same text.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from pipeline.records import RejectReason

CHUNK = 1 << 20
MIXED = "utf-8 with cp1252"
"""Name of UTF-8 text in which a few bytes are Windows-1252."""

_MARKS = (  # the marks of UTF-32 begin with those of UTF-16, so they come first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = frozenset(range(32)) - set(b"\t\n\v\f\r\x1b")
_ERRORS = "stance-cp1252"
# What all mojibake has: neighbours beyond ASCII, stray control codes, or a lead before a blank that
# was a no-break space. A quick first look, because the measure of badness is slow.
_SUSPECT = re.compile(r"[^\x00-\x7f]{2}|[\x80-\x9f]|[\u00c2\u00c3\u00e2] ")
# Python has codecs that are not encodings of documents (unicode_escape, punycode, hex).
_DECLARABLE = re.compile(r"(?i)(utf|iso|windows|cp\d|koi8|gb|big5|euc|shift|mac|latin)")
# Programs declare the ISO sets and write those of Windows, which differ in quotation marks and
# dashes only; browsers therefore read them so (WHATWG, Encoding, 4.2).
_MEANT = {"iso8859-1": "cp1252", "iso8859-9": "cp1254"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a stream is to be decoded; `name` is what people are told."""

    name: str
    codec: str
    errors: str = "strict"


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Why a stream is not text."""

    reason: RejectReason
    detail: str


def detect(stream: BinaryIO, declared: str | None = None) -> Encoding | Undecodable:
    """Find the encoding of a seekable stream, checked over its whole length; leave it at the start.

    `declared` is the encoding that the document names, believed only when the bytes are not UTF-8.
    """
    stream.seek(0)
    head = stream.read(CHUNK)
    found = _detect(stream, head, declared)
    stream.seek(0)
    return found


def decode(data: bytes, encoding: Encoding) -> str:
    """Decode all of `data` with the encoding that `detect` found; line ends stay as they are."""
    return data.decode(encoding.codec, encoding.errors)


def mend(text: str) -> tuple[str, int]:
    """Undo UTF-8 read as Windows-1252 ("â€™" for "’"), line by line; return how many lines changed.

    A line is touched only when ftfy's badness measure finds sequences that no language has.
    """
    if text.isascii() or not _SUSPECT.search(text):
        return text, 0
    lines = text.splitlines(keepends=True)
    mended = 0
    for number, line in enumerate(lines):
        body = line.rstrip("\r\n\x85")
        if not _SUSPECT.search(body):
            continue
        fixed = _fixed(body)
        if fixed != body:
            lines[number] = fixed + line[len(body) :]
            mended += 1
    return ("".join(lines), mended) if mended else (text, 0)


@lru_cache(maxsize=1024)  # a text that is all mojibake has few different lines, or is short
def _fixed(line: str) -> str:
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    return str(fix_encoding(line)) if is_bad(line) else line


def _detect(stream: BinaryIO, head: bytes, declared: str | None) -> Encoding | Undecodable:
    for mark, codec in _MARKS:
        if head.startswith(mark):
            failed = _failure(stream, codec)
            if failed is None:
                return Encoding(codec.removesuffix("-sig"), codec)
            return Undecodable(
                RejectReason.UNREADABLE, f"begins with the mark of {codec} but {failed}"
            )
    if b"\0" in head:
        utf16 = _unmarked_utf16(head)
        if utf16 is not None and _failure(stream, utf16) is None:
            return Encoding(utf16, utf16)
    if _has_zero(stream):
        return _binary("holds zero bytes")
    if _mostly_controls(head):
        return _binary("holds mostly control characters")
    if _failure(stream, "utf-8") is None:
        return Encoding("utf-8", "utf-8")
    valid, invalid = _count_utf8(stream)
    if valid > 4 * invalid:
        return Encoding(MIXED, "utf-8", _ERRORS)
    return _legacy(stream, declared)


def _binary(what: str) -> Undecodable:
    return Undecodable(RejectReason.BINARY, f"{what}: this is not a text file")


def _failure(stream: BinaryIO, codec: str) -> str | None:
    """Decode the whole stream; return why that fails, or `None`."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:
        while chunk := stream.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return f"is not valid in it ({getattr(error, 'reason', error)})"
    return None


def _has_zero(stream: BinaryIO) -> bool:
    stream.seek(0)
    return any(b"\0" in chunk for chunk in iter(lambda: stream.read(CHUNK), b""))


def _mostly_controls(head: bytes) -> bool:
    controls = sum(head.count(code) for code in _CONTROLS)
    return controls > 3 and controls > len(head) // 20


def _unmarked_utf16(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark: zero bytes stand nearly all at one parity."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if min(even, odd) * 20 > max(even, odd):
        return None
    codec = "utf-16-le" if odd > even else "utf-16-be"
    text = head[: len(head) // 2 * 2].decode(codec, "replace")
    unlikely = sum(not (char.isprintable() or char.isspace()) for char in text)
    return codec if unlikely * 50 <= len(text) else None


def _count_utf8(stream: BinaryIO) -> tuple[int, int]:
    """Return how many characters beyond ASCII are valid UTF-8, and how many bytes are not."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    valid = invalid = 0
    while chunk := stream.read(CHUNK):
        text = decoder.decode(chunk)
        bad = text.count("\ufffd")
        invalid += bad
        valid += len(text) - len(text.encode("ascii", "ignore")) - bad
    return valid, invalid + decoder.decode(b"", final=True).count("\ufffd")


def _legacy(stream: BinaryIO, declared: str | None) -> Encoding | Undecodable:
    if declared is not None and _DECLARABLE.match(declared) and (known := _known(declared)):
        meant = _MEANT.get(known)
        if meant is not None and _failure(stream, meant) is None:
            return Encoding(meant, meant)
        if _failure(stream, declared) is None:
            return Encoding(declared.lower(), declared)
    sample = _sample(stream)
    if _is_western(sample) and _failure(stream, "cp1252") is None:
        return Encoding("cp1252", "cp1252")
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if best is not None and _failure(stream, best.encoding) is None:
        return Encoding(best.encoding, best.encoding)
    return Undecodable(
        RejectReason.UNREADABLE, "its encoding cannot be recognised; save it as UTF-8"
    )


def _known(codec: str) -> str | None:
    """Return Python's own name of a codec, `None` if it has none of that name."""
    try:
        return codecs.lookup(codec).name
    except LookupError:
        return None


def _sample(stream: BinaryIO) -> bytes:
    """Return the first chunk that holds bytes beyond ASCII."""
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        if not chunk.isascii():
            return chunk
    return b""


def _is_western(sample: bytes) -> bool:
    """Windows-1252 gives mostly ASCII letters on Western text, runs of accents on any other."""
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    visible = [char for char in text if not char.isspace()]
    return 3 * sum(not char.isascii() for char in visible) <= len(visible)


def _cp1252_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_ERRORS, _cp1252_bytes)
