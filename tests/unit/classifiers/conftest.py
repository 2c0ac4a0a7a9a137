"""A separable toy task for any codebook, and a transformer that learns it within seconds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, TaskType
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import EncoderSettings, TransformerSettings

WORDS = ("soup", "bread", "waiter", "excellent", "rude", "stale", "QQQ", "zz", "7", "X", "@", "##")


def toy_rows(codebook: Codebook, repeats: int = 4) -> list[LabelledSentence]:
    """Sentences in which one word stands for every label; every combination, several times."""
    word = dict(zip(codebook.columns, WORDS, strict=False))
    choices: list[list[tuple[str, tuple[str, ...]]]] = []
    for name, task in codebook.tasks.items():
        sets: list[tuple[str, ...]] = [(label,) for label in task.labels]
        if task.type is TaskType.MULTILABEL:
            sets += [(), tuple(task.labels)[:2]]
        choices.append([(name, labels) for labels in sets])
    rows: list[LabelledSentence] = []
    for chosen in itertools.product(*choices):
        said = [word[task, label] for task, labels in chosen for label in labels]
        for repeat in range(repeats):
            text = " ".join(["the", *(said if repeat % 2 else said[::-1]), "."])
            sentence = Sentence(f"s{len(rows)}", "d", text, end=len(text))
            rows.append(LabelledSentence(sentence, dict(chosen)))
    return rows


@pytest.fixture
def toy() -> Callable[..., list[LabelledSentence]]:
    return toy_rows


@pytest.fixture
def sentences_of() -> Callable[[Sequence[LabelledSentence]], list[Sentence]]:
    return lambda rows: [row.sentence for row in rows]


@pytest.fixture
def tiny_settings(tiny_encoder: Path, one_thread: None) -> TransformerSettings:
    """Settings under which the tiny encoder learns the toy task."""
    return TransformerSettings(
        encoder=EncoderSettings(name=str(tiny_encoder), max_tokens=32),
        epochs=6,
        learning_rate=3e-3,
        head_learning_rate=1e-2,
        tokens_per_batch=128,
        dropout=0.1,
        positive_weight=0.5,
        train_word_embeddings=True,  # the tiny encoder's are random
        precision="float32",
    )
