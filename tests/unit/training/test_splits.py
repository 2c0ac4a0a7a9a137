from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError
from pipeline.records import LabelledDocument
from pipeline.training.splits import assign_parts, document_groups, grouped_folds, split_three

Make = Callable[..., LabelledDocument]

LONG = [
    "The council meets on the first Monday of every second month at noon.",
    "Its members are chosen by lot from all who asked to serve.",
    "Whoever misses three meetings in a row loses the seat for good.",
    "Minutes are read aloud before any new business is taken up.",
]


def label_counts(documents: tuple[LabelledDocument, ...], codebook: Codebook) -> np.ndarray:
    rows = [item for document in documents for item in document.sentences]
    return np.append(encode_targets(rows, codebook).sum(axis=0), len(rows))


def test_every_document_is_tested_once_and_never_trained_on(
    corpus: list[LabelledDocument], codebook: Codebook
) -> None:
    folds = grouped_folds(corpus, codebook, folds=5, seed=1)
    tested = [d.doc_id for fold in folds for d in fold.test]
    assert sorted(tested) == sorted(d.doc_id for d in corpus)
    for fold in folds:
        assert not {d.doc_id for d in fold.train} & {d.doc_id for d in fold.test}
        assert len(fold.train) + len(fold.test) == len(corpus)


def test_folds_hold_equal_shares_of_every_label_and_of_sentences(
    corpus: list[LabelledDocument], codebook: Codebook
) -> None:
    total = label_counts(tuple(corpus), codebook)
    for seed in range(3):
        folds = grouped_folds(corpus, codebook, folds=5, seed=seed)
        share = np.array([label_counts(fold.test, codebook) for fold in folds]) / total
        shuffled = np.random.default_rng(seed).permutation(len(corpus))
        dealt = [tuple(corpus[i] for i in shuffled[fold::5]) for fold in range(5)]
        at_random = np.array([label_counts(part, codebook) for part in dealt]) / total
        assert np.abs(share - 0.2).mean() < 0.35 * np.abs(at_random - 0.2).mean()
        assert np.abs(share[:, -1] - 0.2).max() < 0.02


def test_three_parts_have_the_sizes_asked_for(
    corpus: list[LabelledDocument], codebook: Codebook
) -> None:
    split = split_three(corpus, codebook, test=0.2, calibration=0.15, seed=3)
    parts = (split.train, split.calibration, split.test)
    ids = [d.doc_id for part in parts for d in part]
    assert sorted(ids) == sorted(d.doc_id for d in corpus)
    total = label_counts(tuple(corpus), codebook)
    share = np.array([label_counts(part, codebook) for part in parts]) / total
    assert np.abs(share - np.array([[0.65], [0.15], [0.2]])).mean() < 0.02


def test_a_share_of_zero_leaves_that_part_empty(
    corpus: list[LabelledDocument], codebook: Codebook
) -> None:
    split = split_three(corpus, codebook, test=0.0, calibration=0.25, seed=0)
    assert not split.test
    assert len(split.train) > len(split.calibration) > 0


def test_splits_depend_on_the_documents_not_on_their_order(
    corpus: list[LabelledDocument], codebook: Codebook
) -> None:
    def tested(documents: list[LabelledDocument], seed: int) -> list[set[str]]:
        folds = grouped_folds(documents, codebook, folds=4, seed=seed)
        return [{d.doc_id for d in fold.test} for fold in folds]

    assert tested(corpus, 5) == tested(corpus[::-1], 5)
    assert tested(corpus, 5) != tested(corpus, 6)


def test_unknown_labels_do_not_hinder_a_split(make_document: Make, codebook: Codebook) -> None:
    documents = [make_document(f"d{i}", ["One.", "Two."]) for i in range(6)]
    folds = grouped_folds(documents, codebook, folds=3, seed=0)
    assert [len(fold.test) for fold in folds] == [2, 2, 2]


def test_fewer_documents_than_folds_are_refused(make_document: Make, codebook: Codebook) -> None:
    documents = [make_document(f"d{i}", ["One."]) for i in range(3)]
    with pytest.raises(SettingsError, match=r"3 independent group\(s\).*cannot fill 4 parts"):
        grouped_folds(documents, codebook, folds=4, seed=0)
    with pytest.raises(SettingsError, match="at least 2"):
        grouped_folds(documents, codebook, folds=1, seed=0)


@pytest.mark.parametrize(("test", "calibration"), [(0.6, 0.4), (-0.1, 0.2), (0.1, 1.0)])
def test_shares_that_leave_nothing_to_train_on_are_refused(
    corpus: list[LabelledDocument], codebook: Codebook, test: float, calibration: float
) -> None:
    with pytest.raises(SettingsError, match="training documents remain"):
        split_three(corpus, codebook, test=test, calibration=calibration, seed=0)


def test_a_document_without_sentences_is_refused(make_document: Make, codebook: Codebook) -> None:
    documents = [make_document("full", ["One."]), make_document("void", [])]
    with pytest.raises(InputError, match="void"):
        grouped_folds(documents, codebook, folds=2, seed=0)


def test_reprints_stay_together_whatever_case_and_punctuation(make_document: Make) -> None:
    reprint = [text.upper().replace(".", " !") for text in LONG[:2]]
    documents = [
        make_document("first", LONG),
        make_document(
            "second", [*reprint, "This one adds a long sentence that stands nowhere else."]
        ),
        make_document("third", ["A wholly different text about the price of bread in winter."]),
    ]
    groups = document_groups(documents)
    assert groups[0] == groups[1] != groups[2]


def test_shared_formulas_join_no_documents(make_document: Make) -> None:
    documents = [
        make_document(
            f"d{i}",
            [
                "I thank the President.",
                LONG[0],
                *(f"{text[:-1]} in year {i}." for text in LONG * 2),
            ],
        )
        for i in range(3)
    ]
    assert len(set(document_groups(documents))) == 3


def test_reprints_join_in_chains(make_document: Make) -> None:
    documents = [make_document(f"d{i}", LONG[i : i + 2]) for i in range(3)]
    assert len(set(document_groups(documents))) == 1


def test_reprints_count_as_one_group_when_folds_are_cut(
    make_document: Make, codebook: Codebook
) -> None:
    documents = [make_document(f"d{i}", LONG) for i in range(4)]
    with pytest.raises(SettingsError, match=r"1 independent group"):
        grouped_folds(documents, codebook, folds=2, seed=0)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=25),
    parts=st.integers(2, 6),
    skewed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_no_part_is_empty_and_no_group_is_torn(
    sizes: list[int], parts: int, skewed: bool, seed: int, data: st.DataObject
) -> None:
    groups = [f"g{i}" for i, size in enumerate(sizes) for _ in range(size)]
    cells = st.sampled_from([0.0, 1.0, float("nan")])
    column = data.draw(st.lists(cells, min_size=len(groups), max_size=len(groups)))
    targets = np.array([column, column[::-1]], dtype=np.float32).T
    shares = [1.0 / parts] * parts
    if skewed:
        shares = [1.0 - 0.02 * (parts - 1)] + [0.02] * (parts - 1)
    if len(sizes) < parts:
        with pytest.raises(SettingsError):
            assign_parts(groups, targets, shares=shares, seed=seed)
        return
    part = assign_parts(groups, targets, shares=shares, seed=seed)
    assert set(part.tolist()) == set(range(parts))
    assert len(set(zip(groups, part.tolist(), strict=True))) == len(sizes)
