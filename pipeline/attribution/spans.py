"""The span model as it is shipped: int8 ONNX, run without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.attribution.decoding import OUTPUTS, decode
from pipeline.attribution.encoding import (
    EncodedQuestion,
    Floats,
    Indices,
    QuestionTokenizer,
    pad_questions,
)
from pipeline.attribution.questions import Answer, Question
from pipeline.bundle.folder import verified_manifest
from pipeline.bundle.manifest import Manifest
from pipeline.classifiers.onnx import MODEL_FILE, PREDICT_TOKENS, open_session, processors
from pipeline.classifiers.tokenization import length_batches
from pipeline.errors import BundleError, SettingsError
from pipeline.validated_yaml import StrictModel, validate_model

KIND = "spans"
RECORD = "spans.json"
OUTPUT = "scores"


class SavedSpans(StrictModel):
    """How questions become inputs of the model."""

    kind: Literal["spans"] = "spans"
    max_tokens: int
    context_tokens: int


class SpanModel:
    """Scores tokens with the model of a folder, and takes the most probable spans."""

    def __init__(self, folder: Path, saved: SavedSpans, name: str) -> None:
        self.name = name
        self.tokenizer = QuestionTokenizer.from_folder(
            folder, max_tokens=saved.max_tokens, context_tokens=saved.context_tokens
        )
        path = folder / MODEL_FILE
        self._session = open_session(path)
        columns = self._session.get_outputs()[0].shape[-1]
        if columns != len(OUTPUTS):
            raise BundleError(
                f"{path}: the model has {columns} scores a token, expected {len(OUTPUTS)}."
            )
        self._names = [node.name for node in self._session.get_inputs()]
        self._pool = ThreadPoolExecutor(processors(), thread_name_prefix="spans")

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Return one answer a question, with its probabilities."""
        encoded = self.tokenizer.encode(questions)
        scores = self.scores(encoded)
        return [decode(one, two) for one, two in zip(encoded, scores, strict=True)]

    def scores(self, encoded: Sequence[EncodedQuestion]) -> list[Floats]:
        """Return the scores of every question's tokens, float32 of shape (tokens, 4)."""
        scores: list[Floats] = [np.empty(0, dtype=np.float32)] * len(encoded)

        def run(batch: Indices) -> None:
            arrays = pad_questions([encoded[i] for i in batch])
            [found] = self._session.run(None, {name: arrays[name] for name in self._names})
            for row, i in enumerate(batch):
                scores[i] = found[row, : len(encoded[i])]

        for _ in self._pool.map(run, length_batches([len(e) for e in encoded], PREDICT_TOKENS)):
            pass
        return scores


def load_span_model(folder: Path) -> tuple[SpanModel, Manifest]:
    """Load and verify a span model.

    Raises:
        BundleError: a file is missing, was changed, or is not of such a model.
    """
    manifest = verified_manifest(folder)
    if manifest.kind != KIND:
        raise BundleError(
            f"{folder}: holds a model of kind '{manifest.kind}', expected '{KIND}': one that "
            "'stance train-attribution' made."
        )
    return SpanModel(folder, _read(folder / RECORD), manifest.model_id), manifest


def _read(path: Path) -> SavedSpans:
    try:
        return validate_model(SavedSpans, json.loads(path.read_bytes()), where=str(path))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{path}: cannot be read as JSON ({error}).") from None
    except SettingsError as error:
        raise BundleError(str(error)) from None
