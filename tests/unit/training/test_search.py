"""Searching: the same way whether or not it was broken off, nothing twice, best settings found."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from pipeline.settings.classifiers import LinearSettings
from pipeline.settings.tuning import Range, Space, Value
from pipeline.training.search import UNPRUNED_TRIALS, Finished, Search, Suggestion

SPACE: Space = {
    "c": Range(low=0.25, high=64, log=True),
    "min_df": Range(low=1, high=4),
    "word_ngrams": ((1, 1), (1, 2)),
}
STEPS = 3


def worth(values: dict[str, Value]) -> float:
    """Best at c = 20 and min_df = 3 with pairs of words."""
    c, min_df = values["c"], values["min_df"]
    assert isinstance(c, float)
    assert isinstance(min_df, int)
    pairs = values["word_ngrams"] == (1, 2)
    return 1 - abs(math.log(c / 20)) / 5 - abs(min_df - 3) / 10 + 0.1 * pairs


def search_on(search: Search, trials: int) -> None:
    while len(search.finished) < trials and (suggestion := search.suggest()):
        scores: list[float] = []
        pruned = False
        while len(scores) < STEPS and not pruned:
            scores.append(worth(suggestion.values) - 0.01 * len(scores))
            pruned = search.hopeless(scores) and len(scores) < STEPS
        search.add(Finished(suggestion, tuple(scores), pruned))


def new(space: Space = SPACE, finished: Sequence[Finished] = (), seed: int = 3) -> Search:
    return Search(space, LinearSettings(), seed=(seed, 0), finished=finished)


@pytest.fixture(scope="module")
def done() -> Search:
    search = new()
    search_on(search, 40)
    return search


def test_the_first_trial_is_the_settings_as_they_are(done: Search) -> None:
    assert done.finished[0].suggestion.values == {"c": 4.0, "min_df": 2, "word_ngrams": (1, 2)}


def test_settings_outside_the_space_are_not_tried_first() -> None:
    first = new({"c": Range(low=8, high=9)}).suggest()
    assert first is not None
    assert 8 <= float(str(first.values["c"])) <= 9


def test_it_comes_near_the_best(done: Search) -> None:
    assert done.best is not None
    values = done.best.suggestion.values
    assert 10 < float(str(values["c"])) < 40
    assert (values["min_df"], values["word_ngrams"]) == (3, (1, 2))
    late = [worth(one.suggestion.values) for one in done.finished[-10:]]
    early = [worth(one.suggestion.values) for one in done.finished[1:11]]
    assert sum(late) > sum(early)


def test_what_is_bad_is_given_up_early(done: Search) -> None:
    pruned = [one for one in done.finished if one.pruned]
    whole = [one for one in done.finished if not one.pruned]
    assert all(len(one.scores) == STEPS for one in whole)
    assert all(len(one.scores) < STEPS for one in pruned)
    assert 5 <= len(pruned) < len(done.finished)
    assert not any(one.pruned for one in done.finished[:UNPRUNED_TRIALS])
    assert max(one.scores[0] for one in pruned) < max(one.scores[0] for one in whole)


@pytest.mark.parametrize("breaks", [(1,), (4, 17), (8, 9, 30)])
def test_broken_off_and_gone_on_with_it_takes_the_same_way(
    done: Search, breaks: tuple[int, ...]
) -> None:
    finished: list[Finished] = []
    for trials in (*breaks, 40):
        search = new(finished=finished)
        search_on(search, trials)
        search.suggest()  # what was under way is lost
        finished = search.finished
    assert finished == done.finished


def test_another_seed_takes_another_way(done: Search) -> None:
    other = new(seed=4)
    search_on(other, 5)
    assert other.finished[1] != done.finished[1]


def test_nothing_is_tried_twice_and_a_small_space_comes_to_its_end() -> None:
    search = new({"min_df": Range(low=1, high=4), "balanced": (True, False)})
    values: list[dict[str, Value]] = []
    while suggestion := search.suggest():
        assert suggestion.values not in values
        values.append(suggestion.values)
        search.add(Finished(suggestion, (0.5,), pruned=False))
    assert len(values) == 8


def test_numbers_are_tried_as_they_are_printed(done: Search) -> None:
    for one in done.finished:
        c = one.suggestion.values["c"]
        assert c == float(f"{c:.3g}")


def test_rounding_does_not_leave_the_range() -> None:
    search = new({"c": Range(low=1.23456, high=1.23457)})
    suggestion = search.suggest()
    assert suggestion is not None
    assert suggestion.values["c"] in (1.23456, 1.23457)


def test_a_pruned_trial_is_never_the_best() -> None:
    search = new()
    assert search.best is None
    score: Callable[[float, bool], None] = lambda value, pruned: search.add(  # noqa: E731
        Finished(asked(search), (value,), pruned)
    )
    score(0.4, False)
    score(0.9, True)
    score(0.4, False)
    assert search.best is search.finished[0]


def asked(search: Search) -> Suggestion:
    suggestion = search.suggest()
    assert suggestion is not None
    search.hopeless([0.0])
    return suggestion
