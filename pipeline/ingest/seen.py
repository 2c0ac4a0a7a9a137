"""What was read before, in few bytes a document: digests in tables of plain integers.

A table takes 24 to 48 bytes an entry, where a `dict` of strings takes more than 100; a corpus has
millions of documents or rows.
"""

from __future__ import annotations

import hashlib
import re
from array import array

from pipeline.ingest.raw import RawDocument

_FULLEST = 2 / 3
_PLACED = re.compile(r"([a-z]+?)s? (\d{1,12})\b")
_NUMBER_BITS = 40


def digest(text: str) -> int:
    """Return the first 64 bits of the SHA-256 of a text; among 10⁷ texts two agree once in 10⁵."""
    hashed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(hashed[:8], "big")


class DigestTable:
    """Maps digests to numbers below 2⁶⁴: open addressing with linear probing (Knuth, vol. 3, 6.4).

    Digests are spread evenly, so that their lowest bits are the place to look first.
    """

    def __init__(self) -> None:
        self._keys = array("Q", bytes(8 * 1024))  # 0 is an empty place
        self._values = array("Q", bytes(8 * 1024))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, key: int) -> int | None:
        """Return the number of a digest, `None` if it has none."""
        place = self._place(key)
        return self._values[place] if self._keys[place] else None

    def put(self, key: int, value: int) -> None:
        """Set the number of a digest."""
        if self._count >= _FULLEST * len(self._keys):
            self._grow()
        place = self._place(key)
        self._count += not self._keys[place]
        self._keys[place] = key or 1
        self._values[place] = value

    def _place(self, key: int) -> int:
        key = key or 1
        keys, last = self._keys, len(self._keys) - 1
        place = key & last
        while keys[place] and keys[place] != key:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        keys, values = self._keys, self._values
        size = 2 * len(keys)
        self._keys, self._values = array("Q", bytes(8 * size)), array("Q", bytes(8 * size))
        for key, value in zip(keys, values, strict=True):
            if key:
                place = self._place(key)
                self._keys[place], self._values[place] = key, value


class Places:
    """Places in sources ("a.csv, line 7") as numbers below 2⁶³."""

    def __init__(self) -> None:
        self._beginnings: list[str] = []

    def number(self, raw: RawDocument) -> int:
        """Return the number of the place where a document stands."""
        found = _PLACED.match(raw.location)
        beginning = f"{raw.source}, {found[1]} " if found else raw.source
        if not self._beginnings or self._beginnings[-1] != beginning:
            self._beginnings.append(beginning)
        number = int(found[2]) if found else 0
        return (len(self._beginnings) - 1) << _NUMBER_BITS | number

    def name(self, number: int) -> str:
        """Return the place that a number stands for; of several lines the first."""
        line = number & ((1 << _NUMBER_BITS) - 1)
        return self._beginnings[number >> _NUMBER_BITS] + (str(line) if line else "")
