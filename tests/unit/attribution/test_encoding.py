"""Tokens keep their place: what a span of tokens covers is the text at its offsets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.attribution import Passage, Question, Span
from pipeline.attribution.decoding import best_span
from pipeline.attribution.encoding import QuestionTokenizer, pad_questions, tokens_at
from pipeline.errors import BundleError
from pipeline.records import Sentence


def passage(*texts: str, gap: int = 2) -> Passage:
    sentences, at = [], 0
    for i, text in enumerate(texts):
        sentences.append(Sentence(f"d#{i}", "d", text, at, at + len(text)))
        at += len(text) + gap
    return Passage(tuple(sentences), "Guest")


@pytest.fixture(scope="module")
def tokenizer(tiny_encoder: Path) -> QuestionTokenizer:
    return QuestionTokenizer.from_folder(tiny_encoder, max_tokens=48, context_tokens=12)


WORDS = st.text("abcdefg “’—xyz.", min_size=1, max_size=60).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=5), st.data())
def test_tokens_at_a_span_cover_it(
    tokenizer: QuestionTokenizer, texts: list[str], data: st.DataObject
) -> None:
    said = passage(*texts)
    position = data.draw(st.integers(0, len(texts) - 1))
    [encoded] = tokenizer.encode([Question(said, position, "Food")])
    assert len(encoded) <= tokenizer.max_tokens
    in_text = np.flatnonzero(encoded.sentences >= 0)
    for at in in_text:
        span = Span(int(encoded.starts[at]), int(encoded.ends[at]))
        assert said.place(span) == encoded.sentences[at] <= position
        assert said.words(span).strip()
        assert (encoded.types[at] == 1) == (encoded.sentences[at] == position)
    if len(in_text):
        first = data.draw(st.sampled_from(in_text.tolist()))
        same = in_text[encoded.sentences[in_text] == encoded.sentences[first]]
        last = data.draw(st.sampled_from(same[same >= first].tolist()))
        span = Span(int(encoded.starts[first]), int(encoded.ends[last]))
        assert tokens_at(encoded, span) == (first, last)


def test_the_nearest_words_of_the_context_are_kept(tokenizer: QuestionTokenizer) -> None:
    said = passage("far away words", "one two three four five six", "The soup was excellent.")
    [encoded] = tokenizer.encode([Question(said, 2, "Food")])
    assert int((encoded.sentences == 2).sum()) == 5
    assert 0 < int(((encoded.sentences >= 0) & (encoded.sentences < 2)).sum()) <= 12
    assert encoded.ends[encoded.sentences == 1].max() == said.sentences[1].end


def test_padding_is_masked(tokenizer: QuestionTokenizer) -> None:
    said = passage("The soup was excellent.", "The bread was stale and the waiter was rude.")
    encoded = tokenizer.encode([Question(said, 0, "Food"), Question(said, 1, "Food")])
    arrays = pad_questions(encoded)
    assert arrays["attention_mask"].sum(axis=1).tolist() == [len(one) for one in encoded]
    assert arrays["input_ids"].shape == (2, max(len(one) for one in encoded))


def test_the_best_span_has_whole_words_of_one_sentence(tokenizer: QuestionTokenizer) -> None:
    said = passage("The soup was excellent.", "A zebra was rude.")
    [encoded] = tokenizer.encode([Question(said, 1, "Service")])
    zebra = tokens_at(encoded, Span(27, 32))
    soup = tokens_at(encoded, Span(4, 8))
    assert zebra is not None
    assert soup is not None
    assert zebra[1] > zebra[0]  # several pieces
    allowed = encoded.sentences >= 0
    starts = np.full(len(encoded), -9.0, dtype=np.float32)
    ends = starts.copy()
    starts[soup[0]], starts[zebra[0]], starts[zebra[0] + 1] = 3.0, 2.0, 9.0
    ends[zebra[1]], ends[zebra[1] - 1] = 2.0, 9.0
    found = best_span(encoded, starts, ends, allowed)
    assert found.span is not None
    assert said.words(found.span) == "zebra"
    assert 0.5 < found.probability <= 1.0
    starts[0] = ends[0] = 20.0
    assert best_span(encoded, starts, ends, allowed).span is None


def test_none_is_answered_only_if_it_is_probable_enough(tokenizer: QuestionTokenizer) -> None:
    [encoded] = tokenizer.encode([Question(passage("The soup was excellent."), 0, "Service")])
    starts, ends = np.zeros((2, len(encoded)), dtype=np.float32)
    starts[0] = 0.5
    allowed = encoded.sentences >= 0
    none = best_span(encoded, starts, ends, allowed)
    assert none.span is None
    assert none.probability < 0.6
    some = best_span(encoded, starts, ends, allowed, least_none=0.6)
    assert some.span is not None
    assert some.probability < none.probability
    nowhere = np.zeros(len(encoded), dtype=bool)
    assert best_span(encoded, starts, ends, nowhere, least_none=0.6).span is None


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="tokenizer"):
        QuestionTokenizer.from_folder(tmp_path, max_tokens=48, context_tokens=12)
