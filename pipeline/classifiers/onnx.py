"""An exported transformer, run by ONNX Runtime: what a bundle ships. It predicts only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile
from typing import ClassVar

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf
from pydantic import ValidationError

from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.tokenization import SentenceTokenizer, length_batches, pad
from pipeline.codebook import Codebook
from pipeline.errors import BundleError
from pipeline.records import Sentence
from pipeline.validated_yaml import StrictModel

MODEL_FILE = "model.onnx"
INPUT_FILE = "inputs.json"
PREDICT_TOKENS = 2048
"""Padded tokens a batch; small enough for the processor's cache, measured in benchmarks/speed."""


class OnnxInputs(StrictModel):
    """How sentences become inputs of the exported model."""

    max_tokens: int
    context: bool


class OnnxClassifier:
    """Runs an ONNX model whose single output is the logits of all labels."""

    kind: ClassVar[str] = "onnx"

    def __init__(self, codebook: Codebook, folder: Path, inputs: OnnxInputs) -> None:
        self.codebook = codebook
        self.inputs = inputs
        self._folder = folder
        self._tokenizer = SentenceTokenizer.from_folder(
            folder, max_tokens=inputs.max_tokens, context=inputs.context
        )
        path = folder / MODEL_FILE
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=onnxruntime.get_available_providers()
            )
        except (Fail, InvalidGraph, InvalidProtobuf, OSError) as error:
            raise BundleError(f"{path}: not a readable ONNX model ({error}).") from None
        self._names = [node.name for node in self._session.get_inputs()]
        columns = self._session.get_outputs()[0].shape[-1]
        if columns != codebook.width:
            raise BundleError(
                f"{path}: the model has {columns} outputs, but codebook '{codebook.name}' has "
                f"{codebook.width} labels."
            )

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return float32 logits of shape (n, codebook.width); see `Classifier`."""
        encodings = self._tokenizer.encode(sentences)
        logits = np.empty((len(sentences), self.codebook.width), dtype=np.float32)
        for batch in length_batches([len(e) for e in encodings], PREDICT_TOKENS):
            arrays = pad([encodings[i] for i in batch])
            feed = {name: arrays[name] for name in self._names}
            logits[batch] = self._session.run(None, feed)[0]
        return logits

    def save(self, folder: Path) -> None:
        """Copy model and tokenizer into `folder`."""
        copyfile(self._folder / MODEL_FILE, folder / MODEL_FILE)
        self._tokenizer.save(folder)
        write_inputs(self.inputs, folder)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> OnnxClassifier:
        """Read what `save` wrote; see `Classifier.load`."""
        path = folder / INPUT_FILE
        try:
            inputs = OnnxInputs.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise BundleError(f"{path}: cannot be read ({error}).") from None
        return cls(codebook, folder, inputs)


def write_inputs(inputs: OnnxInputs, folder: Path) -> None:
    """Write how sentences become inputs, beside the exported model."""
    (folder / INPUT_FILE).write_text(inputs.model_dump_json() + "\n", encoding="utf-8")
