"""Labels as arrays: given, not given, unknown; and labels that do not belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.classifiers.targets import encode_targets, training_targets
from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.errors import SettingsError
from pipeline.records import LabelledSentence, Sentence

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
DIPLOMACY = load_codebook(ROOT / "configs" / "codebook.yaml")
NAN = float("nan")


def labelled(number: int = 0, /, **labels: tuple[str, ...] | None) -> LabelledSentence:
    return LabelledSentence(Sentence(f"s{number}", "d", "Text."), labels)


def test_given_not_given_and_unknown() -> None:
    rows = [
        labelled(topic=("service", "food"), tone=("blame",)),
        labelled(topic=(), tone=None),
        labelled(tone=("neither",)),
        labelled(),
    ]
    targets = encode_targets(rows, TINY)
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(
        targets,
        np.array(
            [[1, 1, 0, 1, 0], [0, 0, NAN, NAN, NAN], [NAN, NAN, 0, 0, 1], [NAN] * 5],
            dtype=np.float32,
        ),
    )


def test_no_sentences() -> None:
    assert encode_targets([], TINY).shape == (0, TINY.width)


def test_tasks_that_the_codebook_does_not_have_are_left_out() -> None:
    np.testing.assert_array_equal(
        encode_targets([labelled(tone=("blame",), mood=("good",))], TINY),
        encode_targets([labelled(tone=("blame",))], TINY),
    )


def test_all_mistakes_at_once() -> None:
    rows = [
        labelled(1, topic=("fod",), tone=("praise",)),
        labelled(2, topic=("fod",), tone=()),
        labelled(3, tone=("praise", "blame")),
        labelled(4, tone=("prais",)),
    ]
    with pytest.raises(SettingsError) as caught:
        encode_targets(rows, TINY)
    assert list(caught.value.mistakes) == [
        "s2: 0 labels of task 'tone', expected one",
        "s3: 2 labels of task 'tone', expected one",
        "unknown label 'fod' of task 'topic'. Did you mean 'food'?",
        "unknown label 'prais' of task 'tone'. Did you mean 'praise'?",
    ]
    assert "labels against codebook 'kitchen_reviews'" in str(caught.value)


def test_a_label_of_another_task_is_unknown() -> None:
    with pytest.raises(SettingsError, match="unknown label 'praise' of task 'topic'"):
        encode_targets([labelled(topic=("praise",))], TINY)


@pytest.mark.parametrize("codebook", [TINY, DIPLOMACY], ids=["tiny", "diplomacy"])
@given(data=st.data())
def test_labels_can_be_read_back_from_the_array(codebook: Codebook, data: st.DataObject) -> None:
    rows: list[dict[str, tuple[str, ...] | None]] = []
    for _ in range(data.draw(st.integers(0, 4))):
        row: dict[str, tuple[str, ...] | None] = {}
        for name, task in codebook.tasks.items():
            names = list(task.labels)
            if task.type is TaskType.MULTICLASS:
                some = st.sampled_from(names).map(lambda label: (label,))
            else:
                some = st.sets(st.sampled_from(names)).map(lambda s: tuple(sorted(s)))
            row[name] = data.draw(st.none() | some)
        rows.append(row)
    targets = encode_targets([labelled(**row) for row in rows], codebook)
    for values, row in zip(targets, rows, strict=True):
        for (task, label), value in zip(codebook.columns, values, strict=True):
            labels = row[task]
            assert np.isnan(value) if labels is None else value == (label in labels)


def test_probabilities_stand_in_place_of_labels_where_the_task_is_known() -> None:
    chances = {
        "topic": {"service": 0.1, "food": 0.7},
        "tone": {"praise": 0.5, "blame": 0.3, "neither": 0.2},
    }
    rows = [
        LabelledSentence(Sentence("s", "d", "Text."), labels, probabilities=chances)
        for labels in ({"topic": ("food",), "tone": None}, {"tone": ("praise",)}, {})
    ]
    rows.append(labelled(topic=("food",), tone=("blame",)))
    np.testing.assert_array_equal(
        training_targets(rows, TINY),
        np.array(
            [[0.7, 0.1, NAN, NAN, NAN], [NAN, NAN, 0.5, 0.3, 0.2], [NAN] * 5, [1, 0, 0, 1, 0]],
            dtype=np.float32,
        ),
    )
    np.testing.assert_array_equal(encode_targets(rows[:1], TINY), [[1, 0, NAN, NAN, NAN]])


def test_probabilities_of_other_labels_are_refused() -> None:
    row = LabelledSentence(
        Sentence("s1", "d", "Text."), {"topic": ()}, probabilities={"topic": {"food": 0.2}}
    )
    with pytest.raises(SettingsError, match=r"s1: 'topic' has .* food, expected food, service"):
        training_targets([row], TINY)
