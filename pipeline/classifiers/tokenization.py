"""Sentences as token ids, in length-sorted batches; shared by training and inference.

Needs `tokenizers` and numpy only, so that the classifier tokenises in service exactly as it did in
training.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from pipeline.classifiers.inputs import as_read, context_of
from pipeline.errors import BundleError
from pipeline.labelling.typography import plain
from pipeline.records import Sentence

Indices = npt.NDArray[np.int64]
TOKENIZER_FILE = "tokenizer.json"
CHARACTERS_PER_TOKEN = 20
"""Of a text, so many characters a token are looked at. Sentences have about five a token; the limit
keeps a text without any full stop (a table, an encoded image) from taking minutes, since the time
grows with the product of what is cut off sentence and context."""


def read_tokenizer(folder: Path) -> Tokenizer:
    """Read `tokenizer.json` of a model folder.

    Raises:
        BundleError: the file is missing or is not a tokenizer.
    """
    path = folder / TOKENIZER_FILE
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # noqa: BLE001 - the library raises nothing more specific
        raise BundleError(f"{path}: cannot be read as a tokenizer ({error}).") from None


class SentenceTokenizer:
    """Turns sentences (with the sentence before, if `context`) into model inputs.

    A sentence longer than `max_tokens` keeps its beginning; its context keeps its end, since the
    words nearest to the sentence help most.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int, context: bool) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._specials = tokenizer.num_special_tokens_to_add(context)
        self.max_tokens = max_tokens
        self.context = context

    @classmethod
    def from_folder(cls, folder: Path, *, max_tokens: int, context: bool) -> SentenceTokenizer:
        """Read `tokenizer.json` of a model folder.

        Raises:
            BundleError: the file is missing or is not a tokenizer.
        """
        return cls(read_tokenizer(folder), max_tokens=max_tokens, context=context)

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` into `folder`."""
        self._tokenizer.save(str(folder / TOKENIZER_FILE))

    def encode(self, sentences: Sequence[Sentence]) -> list[Encoding]:
        """Return one encoding a sentence, special tokens included, at most `max_tokens` long."""
        far = self.max_tokens * CHARACTERS_PER_TOKEN
        texts = [encodable(as_read(s.text[:far])) for s in sentences]
        firsts = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        room = self.max_tokens - self._specials
        for first in firsts:
            first.truncate(room)
        if not self.context:
            return [self._tokenizer.post_process(first) for first in firsts]
        contexts = [encodable(as_read(context_of(s)[-far:])) for s in sentences]
        seconds = self._tokenizer.encode_batch(contexts, add_special_tokens=False)
        joined = []
        for first, second in zip(firsts, seconds, strict=True):
            second.truncate(room - len(first), direction="left")
            joined.append(self._tokenizer.post_process(first, second))
        return joined


def encodable(text: str) -> str:
    """Return `text` in plain typography, without the lone surrogates that tokenizers refuse."""
    return plain(text).encode("utf-8", "replace").decode("utf-8")


def length_batches(lengths: Sequence[int], tokens_per_batch: int) -> list[Indices]:
    """Cut items, sorted by length, into batches of at most `tokens_per_batch` padded tokens.

    Every batch holds at least one item. Longest first, so that the peak of memory comes at once.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    batches: list[Indices] = []
    start = 0
    while start < len(order):
        size = max(1, tokens_per_batch // max(1, lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def pad(encodings: Sequence[Encoding]) -> dict[str, Indices]:
    """Return int64 arrays of shape (n, longest) named as encoders name their inputs."""
    width = max(len(e) for e in encodings)
    shape = (len(encodings), width)
    arrays = {
        name: np.zeros(shape, dtype=np.int64)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    for row, encoding in enumerate(encodings):
        n = len(encoding)
        arrays["input_ids"][row, :n] = encoding.ids
        arrays["attention_mask"][row, :n] = 1
        arrays["token_type_ids"][row, :n] = encoding.type_ids
    return arrays
