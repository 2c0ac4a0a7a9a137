from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.classifiers.features import Analyzer, SparseRows, TfidfBlock, fit_block, read_terms
from pipeline.errors import BundleError, ShapeError

# Few letters, so that n-grams meet again; and the characters on which analysers differ.
TEXTS = st.text(alphabet="abAB é_1'-.\n\t\u00a0\u2028İß世\x00\x1c👍", max_size=40) | st.text(
    max_size=20
)


def dense(rows: SparseRows, width: int) -> np.ndarray:
    out = np.zeros((len(rows.starts) - 1, width))
    for i in range(len(out)):
        part = slice(rows.starts[i], rows.starts[i + 1])
        out[i, rows.columns[part]] = rows.values[part]
    return out


@pytest.mark.parametrize("analyzer", ["word", "char_wb"])
@given(
    train=st.lists(TEXTS, max_size=8),
    new=st.lists(TEXTS, max_size=4),
    ngrams=st.sampled_from([(1, 1), (1, 2), (2, 3), (3, 5)]),
)
def test_equals_scikit_learn(
    analyzer: Analyzer, train: list[str], new: list[str], ngrams: tuple[int, int]
) -> None:
    train = ["anna bab abba", *train]
    block = fit_block(train, analyzer=analyzer, ngrams=ngrams, min_df=1, max_features=10_000)
    reference = TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, sublinear_tf=True)
    reference.fit(train)
    assert block.terms == tuple(reference.get_feature_names_out())
    np.testing.assert_allclose(block.idf, reference.idf_, rtol=1e-6)
    texts = [*train, *new]
    ours = dense(block.transform(texts), len(block.terms))
    np.testing.assert_allclose(ours, reference.transform(texts).toarray(), rtol=0, atol=1e-6)


def test_by_hand() -> None:
    """Two texts; "war" stands in both: idf 1; "peace" in one: idf ln(3/2) + 1 = 1.405465."""
    block = fit_block(
        ["war war", "War and peace"], analyzer="word", ngrams=(1, 1), min_df=1, max_features=9
    )
    assert block.terms == ("and", "peace", "war")
    np.testing.assert_allclose(block.idf, [1.405465, 1.405465, 1.0], atol=1e-6)
    rows = block.transform(["war war war peace, unknown"])
    value = np.array([1.405465, 1 + np.log(3)])
    np.testing.assert_array_equal(rows.columns, [1, 2])
    np.testing.assert_allclose(rows.values, value / np.sqrt((value**2).sum()), atol=1e-6)


def test_character_ngrams_stay_inside_words() -> None:
    block = fit_block(["to be"], analyzer="char_wb", ngrams=(3, 5), min_df=1, max_features=99)
    assert block.terms == (" be", " be ", " to", " to ", "be ", "to ")


def test_keeps_the_most_widespread() -> None:
    texts = ["aa bb", "bb cc", "bb cc dd"]

    def terms(**limits: int) -> tuple[str, ...]:
        return fit_block(texts, analyzer="word", ngrams=(1, 1), **limits).terms

    assert terms(min_df=1, max_features=9) == ("aa", "bb", "cc", "dd")
    assert terms(min_df=2, max_features=9) == ("bb", "cc")
    assert terms(min_df=1, max_features=3) == ("aa", "bb", "cc")
    assert terms(min_df=1, max_features=1) == ("bb",)


@pytest.mark.parametrize("analyzer", ["word", "char_wb"])
def test_without_terms_every_row_is_empty(analyzer: Analyzer) -> None:
    block = fit_block([], analyzer=analyzer, ngrams=(1, 2), min_df=1, max_features=9)
    assert block.terms == ()
    assert block.dot(["some text", ""], np.zeros((0, 3), np.float32)).tolist() == [[0.0] * 3] * 2


@given(st.lists(TEXTS, max_size=6))
def test_dot_is_the_dense_product(texts: list[str]) -> None:
    block = fit_block(
        ["abba AB ba", "b é a"], analyzer="char_wb", ngrams=(1, 3), min_df=1, max_features=50
    )
    weights = np.random.default_rng(0).normal(size=(len(block.terms), 4)).astype(np.float32)
    wanted = dense(block.transform(texts), len(block.terms)) @ weights
    np.testing.assert_allclose(block.dot(texts, weights), wanted.reshape(-1, 4), atol=1e-5)


def test_more_rows_than_are_taken_at_once() -> None:
    texts = [f"word{i % 7} and word{i % 5}" for i in range(1300)]
    block = fit_block(texts, analyzer="word", ngrams=(1, 2), min_df=1, max_features=99)
    weights = np.eye(len(block.terms), dtype=np.float32)
    np.testing.assert_array_equal(
        block.dot(texts, weights), dense(block.transform(texts), len(block.terms)).astype("f4")
    )


@given(st.lists(TEXTS, max_size=6))
def test_vocabularies_survive_the_file(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("terms") / "terms.txt"
    for analyzer in ("word", "char_wb"):
        block = fit_block(texts, analyzer=analyzer, ngrams=(1, 3), min_df=1, max_features=999)
        block.write_terms(path)
        assert read_terms(path) == block.terms


def test_lone_surrogates_survive_the_file(tmp_path: Path) -> None:
    block = fit_block(["a\ud800b"], analyzer="char_wb", ngrams=(3, 3), min_df=1, max_features=9)
    block.write_terms(tmp_path / "terms.txt")
    assert read_terms(tmp_path / "terms.txt") == block.terms


def test_a_changed_vocabulary_is_a_bundle_error(tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("war\npeace\nwar", encoding="utf-8")
    with pytest.raises(BundleError, match=r"terms\.txt.*twice"):
        read_terms(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BundleError, match="UTF-8"):
        read_terms(path)


def test_refuses_idf_of_another_length() -> None:
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        TfidfBlock("word", (1, 1), ("a", "b"), np.ones(3, np.float32))
