"""Synthetic labelled documents and logits for any codebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.records import LabelledDocument, LabelledSentence, Sentence

ROOT = Path(__file__).parents[3]
Array = npt.NDArray[np.float32]


@pytest.fixture(params=["tests/codebooks/tiny.yaml", "configs/codebook.yaml"])
def codebook(request: pytest.FixtureRequest) -> Codebook:
    return load_codebook(ROOT / str(request.param))


@pytest.fixture
def make_document() -> Callable[..., LabelledDocument]:
    """Build a document from texts and, for each, its labels a task."""

    def make(
        doc_id: str,
        texts: Sequence[str],
        labels: Sequence[dict[str, tuple[str, ...] | None]] | None = None,
    ) -> LabelledDocument:
        given = labels if labels is not None else [{} for _ in texts]
        return LabelledDocument(
            doc_id,
            tuple(
                LabelledSentence(Sentence(f"{doc_id}-{i}", doc_id, text), known)
                for i, (text, known) in enumerate(zip(texts, given, strict=True))
            ),
        )

    return make


@pytest.fixture
def corpus(
    codebook: Codebook, make_document: Callable[..., LabelledDocument]
) -> list[LabelledDocument]:
    """60 documents of 3 to 15 sentences; labels cluster in documents, prevalences differ."""
    draw = np.random.default_rng(7)
    documents = []
    for d in range(60):
        size = int(draw.integers(3, 16))
        rates = {
            name: draw.beta(0.3, 3.0, size=len(task.labels))
            for name, task in codebook.tasks.items()
        }
        labels: list[dict[str, tuple[str, ...] | None]] = []
        for _ in range(size):
            row: dict[str, tuple[str, ...] | None] = {}
            for name, task in codebook.tasks.items():
                names, rate = list(task.labels), rates[name]
                if task.type is TaskType.MULTILABEL:
                    row[name] = tuple(
                        n for n, r in zip(names, rate, strict=True) if draw.random() < r
                    )
                else:
                    row[name] = (names[int(draw.choice(len(names), p=rate / rate.sum()))],)
            labels.append(row)
        texts = [
            f"Document {d} says in its sentence {i} something of its own." for i in range(size)
        ]
        documents.append(make_document(f"doc-{d:02d}", texts, labels))
    return documents


@pytest.fixture
def draw_outcomes(codebook: Codebook) -> Callable[..., tuple[Array, Array, list[str]]]:
    """Draw calibrated logits, targets that follow them, and documents of ten sentences."""

    def draw_them(n: int, seed: int) -> tuple[Array, Array, list[str]]:
        draw = np.random.default_rng(seed)
        logits = draw.normal(-1.5, 2.0, size=(n, codebook.width))
        targets = np.zeros_like(logits)
        for name, task in codebook.tasks.items():
            part = codebook.slice_of(name)
            if task.type is TaskType.MULTILABEL:
                chance = 1 / (1 + np.exp(-logits[:, part]))
                targets[:, part] = draw.random(chance.shape) < chance
            else:
                noisy = logits[:, part] + draw.gumbel(size=logits[:, part].shape)
                targets[np.arange(n), part.start + noisy.argmax(axis=1)] = 1.0
        groups = [f"doc-{row // 10:04d}" for row in range(n)]
        return logits.astype(np.float32), targets.astype(np.float32), groups

    return draw_them
