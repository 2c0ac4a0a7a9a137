"""Distillation: what the teacher says reaches the targets, and through them the student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.classifiers.distillation import distilled
from pipeline.classifiers.protocol import QUIET, FitMonitor, FitStep
from pipeline.classifiers.targets import Targets, encode_targets
from pipeline.classifiers.transformer import TransformerClassifier
from pipeline.codebook import TaskType, load_codebook
from pipeline.errors import InputError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import TeacherSettings, TransformerSettings

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")

Toy = Callable[..., list[LabelledSentence]]


@pytest.fixture
def teacher(tiny_settings: TransformerSettings) -> TransformerSettings:
    return tiny_settings.model_copy(update={"max_steps": 10})


def test_targets_lie_between_label_and_teacher(toy: Toy, teacher: TransformerSettings) -> None:
    rows = toy(TINY)
    hard = encode_targets(rows, TINY)
    hard[0, TINY.slice_of(next(iter(TINY.tasks)))] = np.nan
    (_, said), (_, half) = (
        distilled(
            rows,
            hard,
            TeacherSettings(classifier=teacher, weight=weight),
            TINY,
            seed=3,
            monitor=QUIET,
        )
        for weight in (1.0, 0.5)
    )
    known = np.isfinite(hard)
    assert (np.isfinite(said) == known).all()
    assert ((said[known] > 0) & (said[known] < 1)).all()
    assert half[known] == pytest.approx((hard[known] + said[known]) / 2)
    for name, task in TINY.tasks.items():
        if task.type is TaskType.MULTICLASS:
            sums = said[:, TINY.slice_of(name)].sum(axis=1)
            assert sums[np.isfinite(sums)] == pytest.approx(1.0)


def test_made_sentences_are_labelled_by_the_teacher_alone(
    toy: Toy, teacher: TransformerSettings, tmp_path: Path
) -> None:
    rows = [
        replace(
            row, sentence=replace(row.sentence, text=f"{row.sentence.text[:-2]}, and then {i}.")
        )
        for i, row in enumerate(toy(TINY))
    ]
    hard = encode_targets(rows, TINY)
    monitor = FitMonitor(checkpoints=tmp_path)

    def asked(weight: float, made: int) -> tuple[list[Sentence], Targets]:
        settings = TeacherSettings(classifier=teacher, weight=weight, recombined=made)
        return distilled(rows, hard, settings, TINY, seed=3, monitor=monitor)

    alone, _ = asked(0.0, 0)
    assert alone == [row.sentence for row in rows]
    sentences, targets = asked(0.0, 5)
    assert sentences[: len(rows)] == alone
    assert len(sentences) == len(rows) + 5
    assert targets.dtype == np.float32
    assert targets[: len(rows)] == pytest.approx(hard)  # a teacher of no weight: labels as they are
    made = targets[len(rows) :]
    assert ((made > 0) & (made < 1)).all()
    teacher_alone = TransformerClassifier(TINY, teacher, seed=3)
    teacher_alone.fit(rows, monitor)  # from its checkpoint
    logits = teacher_alone.predict_logits(sentences[len(rows) :])
    for name, task in TINY.tasks.items():
        part = TINY.slice_of(name)
        if task.type is TaskType.MULTICLASS:
            assert (made[:, part].argmax(axis=1) == logits[:, part].argmax(axis=1)).all()
        else:
            assert made[:, part] == pytest.approx(1 / (1 + np.exp(-logits[:, part])), abs=0.02)


def test_a_student_is_trained_after_its_teacher(
    toy: Toy, tiny_settings: TransformerSettings, teacher: TransformerSettings, tmp_path: Path
) -> None:
    rows = toy(TINY)
    seen: list[FitStep] = []
    student = tiny_settings.model_copy(
        update={"max_steps": 5, "teacher": TeacherSettings(classifier=teacher)}
    )
    one = TransformerClassifier(TINY, student, seed=3)
    one.fit(rows, FitMonitor(seen.append, tmp_path))
    assert [step.done for step in seen] == list(range(1, 16))  # of the teacher, then its own
    assert len(list(tmp_path.glob("transformer-*.safetensors"))) == 2
    alone = TransformerClassifier(TINY, tiny_settings.model_copy(update={"max_steps": 5}), seed=3)
    alone.fit(rows)
    sentences = [row.sentence for row in rows]
    assert not np.allclose(one.predict_logits(sentences), alone.predict_logits(sentences))

    seen.clear()
    again = TransformerClassifier(TINY, student, seed=3)
    again.fit(rows, FitMonitor(seen.append, tmp_path))  # both are finished: nothing is trained
    assert not seen
    assert np.array_equal(again.predict_logits(sentences), one.predict_logits(sentences))


def test_what_the_teacher_said_is_kept_for_the_same_data_only(
    toy: Toy, teacher: TransformerSettings, tmp_path: Path
) -> None:
    rows = toy(TINY)
    hard = encode_targets(rows, TINY)
    settings = TeacherSettings(classifier=teacher)

    def asked(targets: Targets, seed: int = 3) -> Targets:
        monitor = FitMonitor(checkpoints=tmp_path)
        return distilled(rows, targets, settings, TINY, seed=seed, monitor=monitor)[1]

    first = asked(hard)
    (kept,) = tmp_path.glob("teacher-*.safetensors")
    for checkpoint in tmp_path.glob("transformer-*"):
        checkpoint.unlink()
    assert np.array_equal(asked(hard), first)
    more = TeacherSettings(classifier=teacher, weight=0.9)
    known = np.isfinite(hard)
    monitor = FitMonitor(checkpoints=tmp_path)
    _, heard = distilled(rows, hard, more, TINY, seed=3, monitor=monitor)
    assert (np.abs(heard - hard)[known] > np.abs(first - hard)[known]).all()
    assert not list(tmp_path.glob("transformer-*"))  # nobody was trained
    other = hard.copy()
    other[0, TINY.slice_of(next(iter(TINY.tasks)))] = np.nan
    asked(other)
    asked(hard, seed=4)
    assert len(list(tmp_path.glob("teacher-*.safetensors"))) == 3

    kept.write_bytes(kept.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"teacher-.*cannot be read .* Delete it"):
        asked(hard)
