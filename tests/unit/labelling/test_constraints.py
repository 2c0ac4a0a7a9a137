"""Probabilities under constraints: against all answers written out, and what is decided on them."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from pipeline.codebook import Codebook, load_codebook
from pipeline.labelling import RuleSet
from pipeline.labelling.constraints import conditioned
from pipeline.labelling.label_model import hard_labels, label_votes
from pipeline.settings.weak import LabelModel

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
NOTHING = np.full((1, TINY.width), np.nan)


def stated(*constraints: dict[str, str]) -> Codebook:
    return Codebook.model_validate(
        {**json.loads(TINY.model_dump_json()), "constraints": list(constraints)}
    )


@st.composite
def codebooks(draw: st.DrawFn) -> Codebook:
    pairs = [
        (a, b)
        for a, b in itertools.permutations(TINY.column_names, 2)
        if not (a.startswith("tone.") and b.startswith("tone."))
    ]
    drawn = draw(st.lists(st.tuples(st.sampled_from(pairs), st.booleans()), min_size=1, max_size=3))
    try:
        return stated(*({"when": a, "always" if yes else "never": b} for (a, b), yes in drawn))
    except ValidationError:  # they leave no way to give a label
        assume(False)
        raise


def every_answer(codebook: Codebook) -> list[dict[str, tuple[str, ...]]]:
    answers: list[list[tuple[str, ...]]] = []
    for name, task in codebook.tasks.items():
        if name in codebook.multiclass_tasks():
            answers.append([(label,) for label in task.labels])
        else:
            sizes = range(len(task.labels) + 1)
            answers.append([c for n in sizes for c in itertools.combinations(task.labels, n)])
    return [dict(zip(codebook.tasks, row, strict=True)) for row in itertools.product(*answers)]


chance = st.floats(0.01, 0.99)


@given(codebooks(), arrays.arrays(np.float64, TINY.width, elements=chance))
def test_probabilities_are_those_of_all_allowed_answers(
    codebook: Codebook, chances: np.ndarray
) -> None:
    part = codebook.slice_of("tone")
    chances[part] /= chances[part].sum()
    columns = dict(zip(codebook.columns, chances, strict=True))
    summed = dict.fromkeys(codebook.columns, 0.0)
    whole = 0.0
    for answer in every_answer(codebook):
        if any(constraint.broken_by(answer) for constraint in codebook.constraints):
            continue
        yes = {(task, label) for task, labels in answer.items() for label in labels}
        weight = math.prod(
            p if pair in yes else 1.0 if pair[0] == "tone" else 1 - p for pair, p in columns.items()
        )
        whole += weight
        for pair in yes:
            summed[pair] += weight
    found, contradicted = conditioned(chances[None], NOTHING, codebook)
    assert contradicted == 0
    np.testing.assert_allclose(found[0], [w / whole for w in summed.values()], atol=1e-9)
    linked = {int(j) for one in codebook.linked for j in one.columns}
    for j in set(range(codebook.width)) - linked:
        assert found[0, j] == chances[j]


def test_two_labels_that_exclude_each_other() -> None:
    codebook = stated({"when": "topic.food", "never": "topic.service"})
    chances = np.array([[0.8, 0.5, 0.2, 0.3, 0.5]])
    found, _ = conditioned(chances, NOTHING, codebook)
    np.testing.assert_allclose(found[0, :2], [0.8 * 0.5 / 0.6, 0.2 * 0.5 / 0.6])
    np.testing.assert_array_equal(found[0, 2:], chances[0, 2:])


def test_a_label_that_requires_another_lifts_it_or_falls_with_it() -> None:
    codebook = stated({"when": "topic.food", "always": "tone.praise"})
    found, _ = conditioned(np.array([[0.9, 0.5, 0.6, 0.3, 0.1]]), NOTHING, codebook)
    whole = 0.9 * 0.6 + 0.1
    np.testing.assert_allclose(
        found[0], [0.54 / whole, 0.5, 0.6 / whole, 0.03 / whole, 0.01 / whole]
    )


@pytest.mark.parametrize("model", LabelModel)
@given(data=st.data(), codebook=codebooks(), confidence=st.sampled_from([0.5, 0.6, 0.9]))
def test_nothing_is_decided_that_breaks_a_constraint(
    model: LabelModel, data: st.DataObject, codebook: Codebook, confidence: float
) -> None:
    """Whatever the rules, coders and people say; labels of people alone stand all the same."""
    rules = RuleSet(codebook)
    votes = data.draw(
        arrays.arrays(np.int8, (8, len(rules)), elements=st.sampled_from([0, 0, 1, -1]))
    )
    said = data.draw(st.lists(st.none() | st.sampled_from(every_answer(codebook)), max_size=4))
    known = np.full((8, codebook.width), np.nan)
    answers = np.full((1, 8, codebook.width), np.nan)
    for row, answer in enumerate(said):
        if answer is not None:
            known[row] = [label in answer[task] for task, label in codebook.columns]
            answers[0, 7 - row] = known[row]
    found = label_votes(votes, rules, model, known=known, answers=answers)
    without = label_votes(votes, RuleSet(TINY), model, known=known, answers=answers)
    np.testing.assert_array_equal(found.speaks, without.speaks)
    for row, labels in enumerate(hard_labels(found.probabilities, codebook, confidence=confidence)):
        people = said[row] if row < len(said) else None
        if people is not None:
            assert labels == people
        else:
            assert not any(constraint.broken_by(labels) for constraint in codebook.constraints)
    broken = [a for a in said if a and any(c.broken_by(a) for c in codebook.constraints)]
    assert found.contradicted == len(broken)


@given(
    st.sampled_from(list(LabelModel)),
    arrays.arrays(np.int8, (6, len(RuleSet(TINY))), elements=st.integers(-1, 1)),
)
def test_labels_that_no_constraint_names_stay_as_they_are(
    model: LabelModel, votes: np.ndarray
) -> None:
    codebook = stated({"when": "topic.service", "never": "tone.blame"})
    alone = label_votes(votes, RuleSet(TINY), model).probabilities
    found = label_votes(votes, RuleSet(codebook), model).probabilities
    np.testing.assert_array_equal(found[:, 0], alone[:, 0])
    np.testing.assert_array_equal(conditioned(alone, np.full_like(alone, np.nan), TINY)[0], alone)


def test_labels_of_people_stand_and_nothing_follows_from_a_contradiction() -> None:
    codebook = stated(
        {"when": "topic.food", "never": "topic.service"},
        {"when": "topic.food", "always": "tone.praise"},
    )
    chances = np.array([[1.0, 1.0, 0.2, 0.3, 0.5], [1.0, 0.0, 0.2, 0.3, 0.5]])
    known = np.array([[1.0, 1.0, np.nan, np.nan, np.nan], [1.0, 0.0, np.nan, np.nan, np.nan]])
    found, contradicted = conditioned(chances, known, codebook)
    assert contradicted == 1
    np.testing.assert_array_equal(found[0], known[0])
    np.testing.assert_array_equal(found[1], [1, 0, 1, 0, 0])
    [first, second] = hard_labels(found, codebook, confidence=0.5)
    assert first == {"topic": ("food", "service"), "tone": None}
    assert second == {"topic": ("food",), "tone": ("praise",)}


def test_what_a_model_holds_certain_gives_way_but_is_not_decided() -> None:
    """Evidence may be beyond what a number can tell, for two labels that exclude each other."""
    codebook = stated({"when": "topic.food", "never": "topic.service"})
    found, contradicted = conditioned(np.array([[1.0, 1.0, 0.6, 0.3, 0.1]]), NOTHING, codebook)
    assert contradicted == 0
    np.testing.assert_allclose(found[0, :2], 0.5, atol=1e-9)
    half = np.array([[0.5, 0.5, 0.6, 0.3, 0.1]])
    assert hard_labels(half, codebook, confidence=0.5) == [{"topic": None, "tone": ("praise",)}]
    assert hard_labels(half, TINY, confidence=0.5)[0]["topic"] == ("food", "service")


def test_through_a_label_of_which_nothing_is_known_only_what_must_be_follows() -> None:
    codebook = stated(
        {"when": "topic.food", "always": "topic.service"},
        {"when": "topic.service", "always": "tone.praise"},
    )
    found, _ = conditioned(np.array([[0.9, np.nan, 0.6, 0.3, 0.1]]), NOTHING, codebook)
    whole = 0.9 * 0.6 + 0.1  # food requires service, whatever is known of it, and service praise
    assert np.isnan(found[0, 1])
    np.testing.assert_allclose(
        found[0, [0, 2, 3, 4]], [0.54 / whole, 0.6 / whole, 0.03 / whole, 0.01 / whole]
    )


def test_many_sentences_are_weighed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    codebook = stated({"when": "topic.food", "never": "tone.praise"})
    draw = np.random.default_rng(1)
    chances = np.hstack([draw.random((50, 2)), draw.dirichlet(np.ones(3), 50)])
    known = np.full_like(chances, np.nan)
    whole, _ = conditioned(chances, known, codebook)
    monkeypatch.setattr("pipeline.labelling.constraints._AT_ONCE", 16)
    np.testing.assert_allclose(conditioned(chances, known, codebook)[0], whole)
    assert conditioned(chances[:0], known[:0], codebook)[0].shape == (0, codebook.width)
