"""Sentences made of the beginning of one and the end of another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.classifiers.recombination import recombined
from pipeline.records import Sentence

TEXTS = [
    "My delegation condemns the shelling of Harran, which cost nine lives.",
    "The envoy said that the talks in Dorrun would be resumed in May.",
    "We call on both armies to hold their fire in the valley, and we offer our good offices.",
    "Funds for the bridges will be released when the charter is adopted, and not before.",
    "The army withdrew in March, when the bridges in the valley were open and the talks had begun.",
]


def sentences(texts: list[str]) -> list[Sentence]:
    return [
        Sentence(f"s{i}", "d", text, start=100 * i, end=100 * i + len(text), context=f"Before {i}.")
        for i, text in enumerate(texts)
    ]


def test_every_result_begins_as_one_sentence_and_ends_as_another() -> None:
    known = sentences(TEXTS)
    made = recombined(known, 20, seed=1)
    assert made
    for one in made:
        head = next(s for s in known if s.sentence_id == one.sentence_id)
        assert one.context == head.context
        assert one.end - one.start == len(one.text)
        splits = range(1, len(one.text))
        assert any(
            head.text.startswith(one.text[:i])
            and any(s.text.endswith(one.text[i:]) for s in known if s is not head)
            for i in splits
        )
    texts = [one.text for one in made]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & set(TEXTS)


def test_both_are_cut_before_the_same_word_or_after_the_same_mark() -> None:
    known = sentences(["The army withdrew in March of that year.", "We met in Dorrun, as agreed."])
    texts = {one.text for seed in range(9) for one in recombined(known, 50, seed=seed)}
    assert texts == {"The army withdrew in Dorrun, as agreed.", "We met in March of that year."}


def test_the_seed_decides() -> None:
    known = sentences(TEXTS)
    assert recombined(known, 4, seed=1) == recombined(known, 4, seed=1)
    assert recombined(known, 4, seed=1) != recombined(known, 4, seed=2)


def test_where_nothing_can_be_cut_nothing_is_made() -> None:
    assert recombined(sentences(["Nonsense!", "Thank you."]), 5, seed=1) == []
    assert recombined([], 5, seed=1) == []
    assert recombined(sentences(TEXTS), 0, seed=1) == []


@given(
    texts=st.lists(st.text(alphabet="ab ,;:.and\u00e9", max_size=60), max_size=6),
    count=st.integers(0, 8),
)
def test_any_text_can_be_given(texts: list[str], count: int) -> None:
    made = recombined(sentences(texts), count, seed=3)
    assert len(made) <= count
    assert all(20 <= len(one.text) <= 400 for one in made)
