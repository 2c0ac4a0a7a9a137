"""Label-keeping changes of training sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.classifiers.augmentation import augmented, counterfactuals
from pipeline.classifiers.inputs import opening
from pipeline.classifiers.targets import Targets
from pipeline.codebook import load_codebook
from pipeline.records import Sentence
from pipeline.settings.classifiers import AugmentSettings

NAMES = Path(__file__).parents[3] / "configs" / "names.yaml"
SENTENCES = [
    Sentence(
        f"s{i}",
        "d",
        f"We condemn the shelling of Harran by Veldoria, attack number {i}.",
        context="The army of Veldoria entered Harran.",
    )
    for i in range(40)
]


def changed(
    names: float, forms: float = 0.0, *, passes: int = 2, seed: int = 1
) -> list[list[Sentence]]:
    settings = AugmentSettings(names=names, forms=forms, lists=NAMES)
    return augmented(SENTENCES, settings, passes=passes, seed=seed)


def test_shares_of_zero_change_nothing() -> None:
    assert changed(0.0) == [SENTENCES, SENTENCES]


def test_all_names_change_and_all_other_words_stay() -> None:
    for one in changed(1.0)[0]:
        assert "Veldoria" not in one.text
        assert "Harran" not in one.text
        assert one.text.startswith("We condemn the shelling of ")


def test_text_and_context_get_the_same_names() -> None:
    for one in changed(1.0)[0]:
        country = one.text.split(" by ")[1].split(",")[0]
        assert country in one.context


def test_every_pass_and_seed_draws_anew_and_can_be_repeated() -> None:
    first, second = changed(0.5)
    assert first != second
    assert changed(0.5) == [first, second]
    assert changed(0.5, seed=2)[0] != first


def test_about_the_share_is_swapped_and_the_rest_is_untouched() -> None:
    differ = sum(a != b for a, b in zip(changed(0.5)[0], SENTENCES, strict=True))
    assert 8 <= differ <= 32


def test_other_forms_keep_the_names() -> None:
    texts = [one.text for one in changed(0.0, 1.0)[0]]
    assert len(set(texts) - {one.text for one in SENTENCES}) > 10
    assert all("harran" in text.lower() and "veldoria" in text.lower() for text in texts)
    assert any(text.islower() for text in texts)
    assert not any(opening(text) for text in texts)


TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def copies(denials: float, targets: list[list[float]]) -> tuple[list[Sentence], Targets]:
    settings = AugmentSettings(names=0.0, forms=0.0, denials=denials, lists=NAMES)
    rows = np.tile(np.asarray(targets, np.float32), (20, 1))[: len(SENTENCES)]
    return counterfactuals(SENTENCES, rows, settings, TINY, seed=3)


def test_a_denied_copy_carries_no_label_and_an_affirmed_one_those_of_its_sentence() -> None:
    made, labels = copies(1.0, [[1.0, 0.0, 0.0, 1.0, 0.0], [np.nan, 1.0, np.nan, np.nan, np.nan]])
    assert len(made) == len(labels) >= 30
    kept = labels[:, :2].any(axis=1) & ~np.isnan(labels[:, :2]).all(axis=1)
    assert 5 <= (np.nan_to_num(labels[:, :2]) > 0).any(axis=1).sum() <= 25
    assert kept.any()
    assert np.isnan(labels[:, 2:]).all()  # what kind of claim a copy is, nobody said
    for one, row in zip(made, labels, strict=True):
        assert one.end == one.start + len(one.text)
        assert "condemn" in one.text
        if not np.nan_to_num(row[:2]).any():
            assert not one.text.startswith("It is true")


def test_only_sentences_with_a_label_are_copied() -> None:
    made, labels = copies(1.0, [[0.0, 0.0, 1.0, 0.0, 0.0], [np.nan] * 5])
    assert made == []
    assert labels.shape == (0, TINY.width)
    assert copies(0.0, [[1.0, 1.0, 1.0, 0.0, 0.0]] * 2)[0] == []


def test_a_label_that_is_likelier_than_not_is_one_to_deny() -> None:
    made, labels = copies(1.0, [[0.75, 0.125, 1.0, 0.0, 0.0], [0.4, 0.3, 1.0, 0.0, 0.0]])
    assert {int(one.sentence_id[1:]) % 2 for one in made} == {0}
    assert {tuple(row) for row in labels[:, :2].tolist()} == {(0.75, 0.125), (0.0, 0.0)}


def test_copies_can_be_repeated() -> None:
    first, second = (copies(0.5, [[1.0, 0.0, 1.0, 0.0, 0.0]] * 2) for _ in range(2))
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])
    assert 5 <= len(first[0]) <= 35
