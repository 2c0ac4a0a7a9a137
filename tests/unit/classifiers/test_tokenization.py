"""Sentences to token ids: what is cut, what is kept, and how rows are batched and padded."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Encoding, Tokenizer

from pipeline.classifiers.tokenization import SentenceTokenizer, encodable, length_batches, pad
from pipeline.errors import BundleError
from pipeline.labelling.typography import plain
from pipeline.records import Sentence

SENTENCE = "one two three four five six seven eight nine ten"
BEFORE = "first second third fourth fifth sixth"


def words_tokenizer() -> Tokenizer:
    """One token a word: what is cut can be read from the tokens."""
    from tokenizers import models, pre_tokenizers, processors

    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *SENTENCE.split(), *BEFORE.split()]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(known)}, unk_token=known[1])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def encode(text: str, *, max_tokens: int, before: str | None = None, lead_in: str = "") -> Encoding:
    tokenizer = SentenceTokenizer(
        words_tokenizer(), max_tokens=max_tokens, context=before is not None
    )
    sentence = Sentence("s", "d", text, context=before or "", lead_in=lead_in)
    (encoding,) = tokenizer.encode([sentence])
    return encoding


def test_a_long_sentence_keeps_its_beginning() -> None:
    assert encode(SENTENCE, max_tokens=8).tokens == [
        "[CLS]", "one", "two", "three", "four", "five", "six", "[SEP]",
    ]  # fmt: skip


def test_a_long_context_keeps_its_end() -> None:
    encoding = encode("one two three", before=BEFORE, max_tokens=9)
    assert encoding.tokens == [
        "[CLS]", "one", "two", "three", "[SEP]", "fourth", "fifth", "sixth", "[SEP]",
    ]  # fmt: skip
    assert encoding.type_ids == [0] * 5 + [1] * 4


def test_the_sentence_comes_before_its_context() -> None:
    """Where both do not fit, the context goes first."""
    encoding = encode(SENTENCE, before=BEFORE, max_tokens=8)
    assert encoding.tokens == ["[CLS]", *SENTENCE.split()[:5], "[SEP]", "[SEP]"]


def test_what_introduces_a_list_item_is_its_context() -> None:
    encoding = encode("one", before="first", lead_in="second third", max_tokens=16)
    assert encoding.tokens == ["[CLS]", "one", "[SEP]", "second", "third", "[SEP]"]


def test_without_context_what_stands_before_is_not_read() -> None:
    tokenizer = SentenceTokenizer(words_tokenizer(), max_tokens=16, context=False)
    (encoding,) = tokenizer.encode([Sentence("s", "d", "one", context="first", lead_in="second")])
    assert encoding.tokens == ["[CLS]", "one", "[SEP]"]


@pytest.mark.parametrize("context", [True, False])
def test_no_sentences_no_encodings(context: bool) -> None:
    tokenizer = SentenceTokenizer(words_tokenizer(), max_tokens=16, context=context)
    assert tokenizer.encode([]) == []


texts = st.text(st.characters(), max_size=300)  # lone surrogates included


@given(
    rows=st.lists(st.tuples(texts, texts), max_size=4),
    max_tokens=st.integers(8, 40),
    context=st.booleans(),
)
def test_no_text_breaks_the_limit(
    rows: list[tuple[str, str]], max_tokens: int, context: bool
) -> None:
    tokenizer = SentenceTokenizer(words_tokenizer(), max_tokens=max_tokens, context=context)
    sentences = [Sentence("s", "d", text, context=before) for text, before in rows]
    encodings = tokenizer.encode(sentences)
    assert len(encodings) == len(sentences)
    for encoding in encodings:
        assert 2 <= len(encoding) <= max_tokens
        assert len(encoding.ids) == len(encoding.type_ids) == len(encoding)
        assert encoding.tokens[0] == "[CLS]"
        assert encoding.tokens[-1] == "[SEP]"


@given(st.lists(st.text("abc ", max_size=60), min_size=1, max_size=5), st.booleans())
def test_a_row_does_not_depend_on_its_neighbours(rows: list[str], context: bool) -> None:
    tokenizer = SentenceTokenizer(words_tokenizer(), max_tokens=12, context=context)
    sentences = [Sentence("s", "d", text, context=text[::-1]) for text in rows]
    together = [encoding.ids for encoding in tokenizer.encode(sentences)]
    assert together == [tokenizer.encode([one])[0].ids for one in sentences]


def test_settings_stored_in_the_tokenizer_are_overruled() -> None:
    """Files from the hub often carry padding and truncation of their own."""
    stored = words_tokenizer()
    stored.enable_truncation(3)
    stored.enable_padding(length=30)
    tokenizer = SentenceTokenizer(stored, max_tokens=8, context=False)
    encoding, short = tokenizer.encode([Sentence("s", "d", SENTENCE), Sentence("s", "d", "one")])
    assert len(encoding) == 8
    assert len(short) == 3


@given(texts)
def test_encodable_text_is_utf8_and_but_for_that_plain(text: str) -> None:
    safe = encodable(text)
    safe.encode("utf-8")
    whole = "".join(c for c in text if not "\ud800" <= c <= "\udfff")
    assert encodable(whole) == plain(whole)
    assert encodable("half\ud800pair") == "half?pair"


def test_saved_and_read_again(tmp_path: Path) -> None:
    tokenizer = SentenceTokenizer(words_tokenizer(), max_tokens=10, context=True)
    tokenizer.save(tmp_path)
    again = SentenceTokenizer.from_folder(tmp_path, max_tokens=10, context=True)
    sentences = [Sentence("s", "d", SENTENCE, context=BEFORE), Sentence("s", "d", "ten")]
    assert [e.ids for e in again.encode(sentences)] == [e.ids for e in tokenizer.encode(sentences)]


@pytest.mark.parametrize(
    "content", [None, b"", b"no json", b"{}", b'{"model": 3}', b"\xff\xfe", b"[]"]
)
def test_a_file_that_is_no_tokenizer_is_a_bundle_error(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"tokenizer\.json: cannot be read as a tokenizer"):
        SentenceTokenizer.from_folder(tmp_path, max_tokens=8, context=False)


lengths_of = st.lists(st.integers(0, 600), max_size=60)


@given(lengths=lengths_of, budget=st.integers(1, 2048))
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = length_batches(lengths, budget)
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget
    peaks = [max(lengths[i] for i in batch) for batch in batches]
    assert peaks == sorted(peaks, reverse=True)


def test_batches_are_filled() -> None:
    assert [batch.tolist() for batch in length_batches([2, 8, 2, 4, 2], 8)] == [[1], [3, 0], [2, 4]]


def test_rows_are_padded_at_the_end() -> None:
    tokenizer = SentenceTokenizer(words_tokenizer(), max_tokens=16, context=True)
    encodings = tokenizer.encode(
        [Sentence("s", "d", "one two", context="first"), Sentence("s", "d", "ten")]
    )
    arrays = pad(encodings)
    assert {name: array.dtype for name, array in arrays.items()} == dict.fromkeys(
        ("input_ids", "attention_mask", "token_type_ids"), np.dtype(np.int64)
    )
    assert arrays["input_ids"].tolist() == [[2, 4, 5, 3, 14, 3], [2, 13, 3, 3, 0, 0]]
    assert arrays["attention_mask"].tolist() == [[1] * 6, [1, 1, 1, 1, 0, 0]]
    assert arrays["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0]]


def test_an_endless_text_with_an_endless_context_takes_no_time() -> None:
    """Four million tokens; what is cut off must not be paired with what is cut off elsewhere."""
    begun = time.process_time()
    encoding = encode("one " * 2_000_000, before="first " * 2_000_000, max_tokens=128)
    assert time.process_time() - begun < 5
    assert encoding.tokens == ["[CLS]", *["one"] * 125, "[SEP]", "[SEP]"]
