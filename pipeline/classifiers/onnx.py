"""An exported transformer, run by ONNX Runtime: what a bundle ships. It predicts only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copyfile
from typing import ClassVar, Literal

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.state import Saved, read_saved, write_saved
from pipeline.classifiers.tokenization import Indices, SentenceTokenizer, length_batches, pad
from pipeline.codebook import Codebook
from pipeline.errors import BundleError
from pipeline.records import Sentence

MODEL_FILE = "model.onnx"
PREDICT_TOKENS = 1024
"""Padded tokens a batch; small enough for the processor's cache."""

SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""This fused operator takes longer than the addition and normalisation it stands for."""


_UNREADABLE = (
    OSError,
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoSuchFile,
    failures.NotImplemented,
    failures.RuntimeException,
)


class SavedOnnx(Saved):
    """How sentences become inputs of the exported model, and for which labels it is."""

    kind: Literal["onnx"] = "onnx"
    max_tokens: int
    context: bool


class OnnxClassifier:
    """Runs an ONNX model whose single output is the logits of all labels."""

    kind: ClassVar[str] = "onnx"

    def __init__(self, codebook: Codebook, folder: Path, inputs: SavedOnnx) -> None:
        self.codebook = codebook
        self.inputs = inputs
        self._folder = folder
        self._tokenizer = SentenceTokenizer.from_folder(
            folder, max_tokens=inputs.max_tokens, context=inputs.context
        )
        path = folder / MODEL_FILE
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path),
                options,
                providers=onnxruntime.get_available_providers(),
                disabled_optimizers=SLOW_FUSIONS,
            )
        except _UNREADABLE as error:
            raise BundleError(f"{path}: not a readable ONNX model ({error}).") from None
        self._pool = ThreadPoolExecutor(processors(), thread_name_prefix="onnx")
        self._names = [node.name for node in self._session.get_inputs()]
        columns = self._session.get_outputs()[0].shape[-1]
        if columns != codebook.width:
            raise BundleError(
                f"{path}: the model has {columns} outputs, but codebook '{codebook.name}' has "
                f"{codebook.width} labels."
            )

    @property
    def reads_context(self) -> bool:
        """As it was exported."""
        return self.inputs.context

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return float32 logits of shape (n, codebook.width); see `Classifier`.

        Batches run beside each other, one a processor, each on one thread: there is no barrier
        between the layers of a batch, so a busy processor delays its own batch only.
        """
        encodings = self._tokenizer.encode(sentences)
        logits = np.empty((len(sentences), self.codebook.width), dtype=np.float32)

        def run(batch: Indices) -> None:
            arrays = pad([encodings[i] for i in batch])
            feed = {name: arrays[name] for name in self._names}
            logits[batch] = self._session.run(None, feed)[0]

        for _ in self._pool.map(run, length_batches([len(e) for e in encodings], PREDICT_TOKENS)):
            pass
        return logits

    def save(self, folder: Path) -> None:
        """Write classifier.json and copy model and tokenizer into `folder`."""
        copyfile(self._folder / MODEL_FILE, folder / MODEL_FILE)
        self._tokenizer.save(folder)
        write_saved(folder, self.inputs)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> OnnxClassifier:
        """Read what `save` wrote; see `Classifier.load`."""
        return cls(codebook, folder, read_saved(SavedOnnx, folder, codebook, cls.kind))


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
