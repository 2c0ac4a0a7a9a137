"""TF-IDF of word and character n-grams, computed without scikit-learn when predicting.

The features are those of scikit-learn's `TfidfVectorizer(sublinear_tf=True, norm="l2")` with its
analyzers `word` and `char_wb`: lower-cased text; words of two or more word characters; character
n-grams inside words padded with one space; value (1 + ln count) * idf (Salton and Buckley, 1988),
rows of unit length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.state import write_bytes
from pipeline.errors import BundleError, ShapeError

Analyzer = Literal["word", "char_wb"]
Indices = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

_WORD = re.compile(r"(?u)\b\w\w+\b")
_BETWEEN_SPACES = re.compile(r"\S+")
_ROWS_AT_ONCE = 512
_CACHED_WORDS = 50_000
_LONGEST_CACHED = 40


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A sparse matrix of n rows in compressed-row form.

    Row i holds `values[starts[i]:starts[i + 1]]` at the columns `columns[starts[i]:starts[i + 1]]`,
    in ascending order. `starts` is int64 (n + 1,), `columns` int64 (m,), `values` float32 (m,).
    """

    starts: Indices
    columns: Indices
    values: FloatArray

    def dot(self, weights: FloatArray) -> FloatArray:
        """Return the product with dense weights (features, width), as float32 (n, width).

        Every row is summed by itself, so its result does not depend on the rows around it.
        """
        rows = len(self.starts) - 1
        out = np.zeros((rows, weights.shape[1]), dtype=np.float32)
        filled = np.flatnonzero(np.diff(self.starts))
        if len(filled):
            terms = weights[self.columns] * self.values[:, None]
            out[filled] = np.add.reduceat(terms, self.starts[filled], axis=0)
        return out


@dataclass(frozen=True, eq=False)
class TfidfBlock:
    """One vocabulary of n-grams with its inverse document frequencies.

    `terms[j]` is the n-gram of feature j; `idf` is float32 (len(terms),).

    Raises:
        ShapeError: `idf` does not have one value a term.
    """

    analyzer: Analyzer
    ngrams: tuple[int, int]
    terms: tuple[str, ...]
    idf: FloatArray
    _position: dict[str, int] = field(init=False, repr=False, compare=False)
    _of_word: dict[str, Indices] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        if self.idf.shape != (len(self.terms),):
            raise ShapeError(f"got idf of shape {self.idf.shape}, expected ({len(self.terms)},)")
        object.__setattr__(self, "_position", {term: j for j, term in enumerate(self.terms)})

    def transform(self, texts: Sequence[str]) -> SparseRows:
        """Return the TF-IDF values of n texts, each row of unit length or empty."""
        count = self._count_words if self.analyzer == "word" else self._count_characters
        found = [count(text.lower()) for text in texts]
        lengths = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
        if not lengths.sum():
            nothing = np.zeros(0, dtype=np.int64)
            return SparseRows(np.zeros(len(texts) + 1, np.int64), nothing, nothing.astype("f4"))
        keys = np.repeat(np.arange(len(found)) * len(self.terms), lengths)
        keys += np.concatenate(found)
        keys, counts = np.unique(keys, return_counts=True)
        rows, columns = np.divmod(keys, len(self.terms))
        values = (1.0 + np.log(counts)) * self.idf[columns]
        norms = np.sqrt(np.bincount(rows, weights=values * values, minlength=len(found)))
        starts = np.searchsorted(rows, np.arange(len(found) + 1))
        return SparseRows(starts, columns, (values / norms[rows]).astype(np.float32))

    def dot(self, texts: Sequence[str], weights: FloatArray) -> FloatArray:
        """Return transform(texts) times weights, float32 (n, width), in bounded memory."""
        out = np.zeros((len(texts), weights.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            out[part] = self.transform(texts[part]).dot(weights)
        return out

    def word_shares(self, text: str, weights: FloatArray) -> FloatArray:
        """Return what each word of a text adds to `dot([text], weights)`, float32 (words, width).

        Words are what stands between white space. The value of an n-gram is divided evenly among
        its occurrences, and that of an occurrence among the words it spans, so that the rows sum to
        the product.
        """
        lowered = text.lower()
        spans = [match.span() for match in _BETWEEN_SPACES.finditer(lowered)]
        found: list[tuple[int, int, int]] = []  # an n-gram, its first word, the word after its last
        if self.analyzer == "word":
            tokens = list(_WORD.finditer(lowered))
            starts = [start for start, _ in spans]
            word_of = [bisect_right(starts, token.start()) - 1 for token in tokens]
            for n in range(self.ngrams[0], self.ngrams[1] + 1):
                for i in range(len(tokens) - n + 1):
                    gram = " ".join(token.group() for token in tokens[i : i + n])
                    found.append((self._position.get(gram, -1), word_of[i], word_of[i + n - 1] + 1))
        else:
            for k, (start, end) in enumerate(spans):
                grams = _character_grams(lowered[start:end], *self.ngrams)
                found += [(self._position.get(gram, -1), k, k + 1) for gram in grams]
        row = self.transform([text])
        value = dict(zip(row.columns.tolist(), row.values.tolist(), strict=True))
        count = Counter(feature for feature, _, _ in found)
        out = np.zeros((len(spans), weights.shape[1]), dtype=np.float32)
        for feature, first, after in found:
            if feature >= 0:
                share = value[feature] / count[feature] / (after - first)
                out[first:after] += share * weights[feature]
        return out

    def _count_words(self, text: str) -> Indices:
        """Positions of all known word n-grams of a lower-cased text, repeated as they occur."""
        found = map(self._position.get, _word_grams(text, *self.ngrams))
        return np.array([j for j in found if j is not None], dtype=np.int64)

    def _count_characters(self, text: str) -> Indices:
        """Positions of all known character n-grams, repeated as they occur; words are cached."""
        cache = self._of_word
        parts: list[Indices] = []
        for word in text.split():
            known = cache.get(word)
            if known is None:
                found = map(self._position.get, _character_grams(word, *self.ngrams))
                known = np.array([j for j in found if j is not None], dtype=np.int64)
                if len(word) <= _LONGEST_CACHED:
                    if len(cache) >= _CACHED_WORDS:
                        cache.clear()
                    cache[word] = known
            parts.append(known)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def write_terms(self, path: Path) -> None:
        """Write the vocabulary as UTF-8 text, one n-gram a line (none holds a line break)."""
        write_bytes(path, "\n".join(self.terms).encode("utf-8", "surrogatepass"))


def _word_grams(text: str, least: int, most: int) -> list[str]:
    words = _WORD.findall(text)
    grams: list[str] = words if least == 1 else []
    for n in range(max(least, 2), most + 1):
        grams = grams + list(map(" ".join, zip(*(words[i:] for i in range(n)), strict=False)))
    return grams


def _character_grams(word: str, least: int, most: int) -> list[str]:
    padded = f" {word} "
    grams: list[str] = []
    for n in range(least, most + 1):
        # A word shorter than n counts once, whole, at the first such n.
        grams += [padded[i : i + n] for i in range(max(len(padded) - n, 0) + 1)]
        if len(padded) <= n:
            break
    return grams


def fit_block(
    texts: Sequence[str],
    *,
    analyzer: Analyzer,
    ngrams: tuple[int, int],
    min_df: int,
    max_features: int,
) -> TfidfBlock:
    """Learn a vocabulary and its inverse document frequencies, ln((1 + n) / (1 + df)) + 1.

    Keeps, of the n-grams that stand in at least `min_df` of the n texts, the `max_features` most
    widespread (ties by the alphabet), and orders them by the alphabet. The block is empty where
    there is none.
    """
    spread: Counter[str] = Counter()
    for text in texts:
        lowered = text.lower()
        if analyzer == "word":
            spread.update(set(_word_grams(lowered, *ngrams)))
        else:
            words = set(lowered.split())
            spread.update({gram for word in words for gram in _character_grams(word, *ngrams)})
    frequent = [(-df, term) for term, df in spread.items() if df >= min_df]
    kept = sorted((term, -df) for df, term in sorted(frequent)[:max_features])
    frequency = np.array([df for _, df in kept], dtype=np.float64)
    idf = (np.log((1 + len(texts)) / (1 + frequency)) + 1).astype(np.float32)
    return TfidfBlock(analyzer, ngrams, tuple(term for term, _ in kept), idf)


def read_terms(path: Path) -> tuple[str, ...]:
    """Read what `write_terms` wrote.

    Raises:
        BundleError: the file is missing, not UTF-8, or holds an n-gram twice.
    """
    try:
        text = path.read_bytes().decode("utf-8", "surrogatepass")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: cannot be read as UTF-8 text ({error}).") from None
    terms = tuple(text.split("\n")) if text else ()
    if len(set(terms)) != len(terms):
        raise BundleError(f"{path}: holds an n-gram twice; it was changed after saving.")
    return terms
