"""Label models: what is given, what is estimated, and what stays open."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import ShapeError
from pipeline.labelling import RuleSet
from pipeline.labelling.label_model import hard_labels, label_votes
from pipeline.settings.weak import LabelModel

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def with_rules(**counts: int) -> RuleSet:
    """Return rules of the tiny codebook, so many a label; a negative number stands against it."""
    data = json.loads(TINY.model_dump_json())
    for task in data["tasks"].values():
        for name, label in task["labels"].items():
            number = counts.get(name, 0)
            label["rules"] = [
                {"name": f"{name}_{i}", "pattern": "x", "weight": -1.0 if number < 0 else 1.0}
                for i in range(abs(number))
            ]
    return RuleSet(Codebook.model_validate(data))


def simulated(
    rules: RuleSet, rates: list[tuple[float, float]], shares: list[float], n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the true classes of task tone, and votes of rules with these hits and false alarms."""
    random = np.random.default_rng(5)
    part = TINY.slice_of("tone")
    truth = random.choice(part.stop - part.start, size=n, p=shares)
    own = rules.columns - part.start
    hit, false = np.array(rates).T
    chance = np.where(truth[:, None] == own[None, :], hit, false)
    return truth, (random.random(chance.shape) < chance).astype(np.int8)


def test_dawid_skene_finds_the_rates_of_rules_and_beats_the_majority() -> None:
    rules = with_rules(praise=3, blame=3, neither=1)
    rates = [(0.8, 0.02), (0.5, 0.05), (0.6, 0.4), (0.7, 0.02), (0.5, 0.3), (0.5, 0.3), (0.4, 0.1)]
    truth, votes = simulated(rules, rates, [0.3, 0.3, 0.4], 4000)
    part = TINY.slice_of("tone")
    right = {}
    for model in (LabelModel.MAJORITY, LabelModel.DAWID_SKENE):
        found = label_votes(votes, rules, model)
        right[model] = (found.probabilities[:, part].argmax(axis=1) == truth).mean()
    assert found.converged
    assert right[LabelModel.DAWID_SKENE] > right[LabelModel.MAJORITY] + 0.02
    # Its rates are off where the shares that it takes from the votes are; some gold mends that.
    known = np.full((len(votes), TINY.width), np.nan)
    known[:400, part] = np.eye(3)[truth[:400]]
    found = label_votes(votes, rules, LabelModel.DAWID_SKENE, known=known)
    np.testing.assert_allclose(found.speaks, rates, atol=0.08)


def test_known_labels_stand_and_teach_the_rates_of_rules() -> None:
    rules = with_rules(food=3)
    random = np.random.default_rng(2)
    truth = random.random(600) < 0.5
    liar = np.where(truth, 0.1, 0.9)  # it speaks where the label is not
    votes = (random.random((600, 3)) < np.stack([liar] * 3, axis=1)).astype(np.int8)
    known = np.full((600, TINY.width), np.nan)
    known[:300, 0] = truth[:300]
    alone = label_votes(votes, rules, LabelModel.DAWID_SKENE).probabilities[:, 0]
    taught = label_votes(votes, rules, LabelModel.DAWID_SKENE, known=known).probabilities[:, 0]
    assert ((alone > 0.5) == truth).mean() < 0.2
    assert ((taught > 0.5) == truth)[300:].mean() > 0.8
    np.testing.assert_array_equal(taught[:300], truth[:300])


@pytest.mark.parametrize("true", [0.0, 1.0])
def test_a_known_sentence_moves_the_others_little_and_many_settle_the_shares(true: float) -> None:
    rules = with_rules(food=3)
    random = np.random.default_rng(3)
    truth = random.random(900) < 0.5
    chance = np.where(truth[:, None], 0.3, 0.02)
    votes = (random.random((900, 3)) < chance).astype(np.int8)
    known = np.full((900, TINY.width), np.nan)
    spoken = int(np.flatnonzero(votes.any(axis=1))[0])

    def found() -> np.ndarray:
        labels = label_votes(votes, rules, LabelModel.DAWID_SKENE, known=known)
        return labels.probabilities[300:, 0]

    alone = found()
    known[spoken, 0] = true
    assert np.abs(found() - alone).max() < 0.1
    known[:300, 0] = truth[:300]
    assert alone.mean() < 0.3
    assert found().mean() == pytest.approx(truth.mean(), abs=0.1)


@pytest.mark.parametrize("number", [1, 2])
def test_labels_with_too_few_rules_are_left_to_the_majority_and_named(number: int) -> None:
    rules = with_rules(food=number, service=3)
    votes = np.zeros((400, number + 3), dtype=np.int8)
    votes[:40, 0] = 1
    found = label_votes(votes, rules, LabelModel.DAWID_SKENE)
    assert found.voted == ("topic.food",)
    assert np.isnan(found.speaks[:number]).all()
    np.testing.assert_array_equal(
        found.probabilities[:, 0],
        label_votes(votes, rules, LabelModel.MAJORITY).probabilities[:, 0],
    )
    hard = hard_labels(found.probabilities, TINY, confidence=0.5)
    assert [one["topic"] for one in hard] == [("food",)] * 40 + [()] * 360
    assert label_votes(votes, rules, LabelModel.MAJORITY).voted == ()


def test_known_labels_of_one_kind_do_not_tell_the_rates_of_few_rules() -> None:
    rules = with_rules(food=2)
    known = np.full((400, TINY.width), np.nan)
    known[:200, 0] = 0.0
    votes = np.zeros((400, 2), dtype=np.int8)
    assert label_votes(votes, rules, LabelModel.DAWID_SKENE, known=known).voted == ("topic.food",)
    known[:50, 0] = 1.0
    assert label_votes(votes, rules, LabelModel.DAWID_SKENE, known=known).voted == ()


@pytest.mark.parametrize("model", LabelModel)
def test_nothing_is_known_of_a_label_without_a_rule(model: LabelModel) -> None:
    rules = with_rules(food=3, praise=3)
    votes = np.ones((4, 6), dtype=np.int8)
    known = np.full((4, TINY.width), np.nan)
    known[0, :2] = [0.0, 1.0]
    found = label_votes(votes, rules, model, known=known).probabilities
    assert np.isnan(found[1:, 1]).all()
    assert np.isfinite(np.delete(found[1:], 1, axis=1)).all()
    topics = [one["topic"] for one in hard_labels(found, TINY, confidence=0.5)]
    assert topics == [("service",), None, None, None]


@pytest.mark.parametrize("task", ["topic", "tone"])
def test_coders_are_weighed_by_how_reliable_they_are(task: str) -> None:
    """Two careful coders and one who guesses, beside rules that speak now and then."""
    random = np.random.default_rng(6)
    rules = with_rules(food=2, service=2, praise=1, blame=1)
    part, n = TINY.slice_of(task), 1500
    classes = 2 if task == "topic" else 3
    truth = random.integers(classes, size=n)
    votes = np.zeros((n, len(rules)), dtype=np.int8)
    own = rules.columns - part.start
    mine = (own >= 0) & (own < part.stop - part.start)
    chance = np.where(truth[:, None] == own[None, :], 0.3, 0.03)
    votes[:, mine] = (random.random(chance.shape) < chance)[:, mine]
    answers = np.full((3, n, TINY.width), np.nan)
    for coder, right in enumerate((0.9, 0.85, 0.34)):
        said = np.where(random.random(n) < right, truth, random.integers(classes, size=n))
        answers[coder, :, part] = np.eye(classes)[said]
    answers[:, n // 2 :, part] = np.nan  # nobody saw the second half

    def right(model: LabelModel) -> float:
        found = label_votes(votes, rules, model, answers=answers)
        assert not np.isnan(found.probabilities[:, part]).any()
        told = found.probabilities[: n // 2, part].argmax(axis=1)
        return float((told == truth[: n // 2]).mean())

    assert right(LabelModel.DAWID_SKENE) > right(LabelModel.MAJORITY) > 0.85
    alone = label_votes(votes, rules, LabelModel.DAWID_SKENE)
    assert not set(label_votes(votes, rules, LabelModel.DAWID_SKENE, answers=answers).voted) & {
        name for name in alone.voted if name.startswith(f"{task}.")
    }


@pytest.mark.parametrize("model", LabelModel)
def test_a_coder_speaks_on_labels_without_a_rule_where_he_answered(model: LabelModel) -> None:
    rules = with_rules(food=3)
    votes = np.zeros((3, 3), dtype=np.int8)
    answers = np.full((1, 3, TINY.width), np.nan)
    answers[0, 0] = [0.0, 1.0, 0.0, 1.0, 0.0]
    found = label_votes(votes, rules, model, answers=answers).probabilities
    topics = [one["topic"] for one in hard_labels(found[:1], TINY, confidence=0.5)]
    assert found[0, TINY.slice_of("tone")].argmax() == 1
    assert np.isnan(found[1:, 1:]).all()
    assert np.isfinite(found[:, 0]).all()
    if model is LabelModel.MAJORITY:
        assert topics == [("service",)]
    with pytest.raises(ShapeError, match="answers"):
        label_votes(votes, rules, model, answers=answers[0])


def test_votes_against_a_label_lower_it_in_every_model() -> None:
    rules = RuleSet(TINY)
    pro = rules.votes(["Soup."] * 20)
    both = rules.votes(["We ordered soup."] * 20)
    assert (both[0] < 0).sum() == 1
    for model in LabelModel:
        votes = np.vstack([pro, both, np.zeros_like(pro)])
        food = label_votes(votes, rules, model).probabilities[:, 0]
        assert food[0] > food[20], model
        assert food[0] > food[40], model


def test_the_weights_model_adds_log_odds() -> None:
    rules = RuleSet(TINY)
    votes = rules.votes(["We ordered soup.", "We came by train."])
    found = label_votes(votes, rules, LabelModel.WEIGHTS).probabilities
    assert found[0, 0] == pytest.approx(1 / (1 + np.exp(2.5 - 2.5 + 1.5)))
    assert found[1, 0] == pytest.approx(1 / (1 + np.exp(2.5)))
    np.testing.assert_allclose(found[1, TINY.slice_of("tone")], 1 / 3)


def test_one_rule_of_the_default_weight_gives_its_label() -> None:
    rules = RuleSet(TINY)
    votes = rules.votes(["A waiter opened the door."])
    assert (votes != 0).sum() == 1
    found = label_votes(votes, rules, LabelModel.WEIGHTS).probabilities
    assert hard_labels(found, TINY, confidence=0.5)[0]["topic"] == ("service",)


@pytest.mark.parametrize("counts", [{"praise": 1}, {"praise": 1, "blame": 1}])
def test_too_few_rules_of_a_multiclass_task_say_nothing_where_they_are_silent(
    counts: dict[str, int],
) -> None:
    rules = with_rules(**counts)
    votes = np.array([[1, *[0] * (len(rules) - 1)]] * 3 + [[0] * len(rules)] * 5, dtype=np.int8)
    found = label_votes(votes, rules, LabelModel.DAWID_SKENE).probabilities
    labels = [one["tone"] for one in hard_labels(found, rules.codebook, confidence=0.5)]
    assert labels == [("praise",)] * 3 + [None] * 5


@given(
    st.sampled_from(list(LabelModel)),
    arrays.arrays(np.int8, (12, len(RuleSet(TINY))), elements=st.integers(-1, 1)),
)
def test_probabilities_are_probabilities_whatever_the_votes(
    model: LabelModel, votes: np.ndarray
) -> None:
    found = label_votes(votes, RuleSet(TINY), model).probabilities
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_allclose(found[:, TINY.slice_of("tone")].sum(axis=1), 1.0)


@pytest.mark.parametrize("model", LabelModel)
def test_no_sentences_and_no_rules_are_no_trouble(model: LabelModel) -> None:
    rules = RuleSet(TINY)
    assert label_votes(rules.votes([]), rules, model).probabilities.shape == (0, TINY.width)
    none = with_rules()
    assert label_votes(none.votes(["a"]), none, model).probabilities.shape == (1, TINY.width)


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ShapeError, match="rules"):
        label_votes(np.zeros((3, 1), dtype=np.int8), RuleSet(TINY), LabelModel.MAJORITY)


def test_labels_are_given_only_where_the_model_is_sure() -> None:
    chances = np.array(
        [
            [0.95, 0.05, 0.92, 0.04, 0.04],
            [0.95, 0.5, 0.5, 0.3, 0.2],
            [0.05, 0.01, 0.1, 0.0, 0.9],
        ]
    )
    assert hard_labels(chances, TINY, confidence=0.9) == [
        {"topic": ("food",), "tone": ("praise",)},
        {"topic": None, "tone": None},
        {"topic": (), "tone": ("neither",)},
    ]
    sure = hard_labels(chances, TINY, confidence=0.5)[1]
    assert sure == {"topic": ("food", "service"), "tone": ("praise",)}
