"""A small set of reviews, labelled with a codebook that has nothing to do with diplomacy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.records import BlockKind, Prediction, Sentence

Predict = Callable[..., Prediction]


@pytest.fixture(scope="session")
def tiny() -> Codebook:
    return load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


@pytest.fixture(scope="session")
def predict() -> Predict:
    def make(
        doc_id: str,
        text: str,
        start: int = 0,
        topic: tuple[str, ...] | None = (),
        tone: tuple[str, ...] | None = ("neither",),
        block: BlockKind = BlockKind.PARAGRAPH,
        path: tuple[str, ...] = (),
    ) -> Prediction:
        sentence = Sentence(
            f"{doc_id}-{start}", doc_id, text, start, start + len(text), block=block, list_path=path
        )
        chances = {
            "topic": {n: 0.9 if n in (topic or ()) else 0.1 for n in ("food", "service")},
            "tone": {n: 0.8 if n in (tone or ()) else 0.1 for n in ("praise", "blame", "neither")},
        }
        return Prediction(sentence, {"topic": topic, "tone": tone}, chances, "test-model")

    return make
