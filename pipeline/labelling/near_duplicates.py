"""Sentences that say the same in almost the same words, found without comparing all with all.

MinHash signatures of sets of word trigrams, banded (Broder, 1997; Leskovec, Rajaraman and Ullman,
2020, Mining of Massive Datasets, ch. 3). Candidates of the bands are compared exactly.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

LEAST_SHARED = 0.8
"""Part of their trigrams (Jaccard) that near-duplicates share."""

BANDS, ROWS = 16, 4
"""Two sentences that share 0.8 of their trigrams meet in a band with probability 0.9998."""

_PRIME = np.uint64(2**31 - 1)


def near_duplicate_groups(texts: Sequence[str]) -> npt.NDArray[np.intp]:
    """Return the number of each of n texts' group, (n,), from 0 in the order of first appearance.

    Case, punctuation, spacing and figures do not count. Groups are joined along chains.
    """
    sets = [_trigrams(text) for text in texts]
    draw = np.random.default_rng(0)
    factors, terms = draw.integers(1, int(_PRIME), size=(2, BANDS * ROWS), dtype=np.uint64)
    root = list(range(len(texts)))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    seen: dict[frozenset[int], int] = {}
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for i, grams in enumerate(sets):
        if (first := seen.setdefault(grams, i)) != i:
            root[i] = find(first)
            continue
        hashes = np.fromiter(grams, dtype=np.uint64, count=len(grams)) % _PRIME
        signature = ((hashes[:, None] * factors + terms) % _PRIME).min(axis=0)
        for band in range(BANDS):
            bucket = buckets[band, signature[band * ROWS : (band + 1) * ROWS].tobytes()]
            for other in bucket:
                a, b = sorted((find(i), find(other)))
                if a != b and _shared(grams, sets[other]) >= LEAST_SHARED:
                    root[b] = a
            bucket.append(i)
    number: dict[int, int] = {}
    groups = [number.setdefault(find(i), len(number)) for i in range(len(texts))]
    return np.asarray(groups, dtype=np.intp)


def _trigrams(text: str) -> frozenset[int]:
    """Return hashes of the word trigrams of a text, of its words where it has fewer than three."""
    folded = re.sub(r"\d+", "0", unicodedata.normalize("NFKC", text).casefold())
    words = re.findall(r"\w+", folded) or [text]
    grams = [" ".join(words[i : i + 3]) for i in range(max(len(words) - 2, 1))]
    return frozenset(crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams)


def _shared(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other)
