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

from pipeline.classifiers.placement import Device
from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.state import Saved, read_saved, write_saved
from pipeline.classifiers.tokenization import Indices, SentenceTokenizer, length_batches, pad
from pipeline.codebook import Codebook
from pipeline.errors import BundleError
from pipeline.records import Sentence

MODEL_FILE = "model.onnx"
PREDICT_TOKENS = 1024
"""Padded tokens a batch; small enough for the processor's cache."""

CUDA_TOKENS = 16_384
"""The same on a graphics card; large enough to fill it."""

SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""This fused operator takes longer than the addition and normalisation it stands for."""

_CUDA, _PROCESSOR = "CUDAExecutionProvider", "CPUExecutionProvider"
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
        self.tokenizer = SentenceTokenizer.from_folder(
            folder, max_tokens=inputs.max_tokens, context=inputs.context
        )
        self.place(Device.AUTO)

    def place(self, device: Device) -> None:
        """Compute on `device`; see `Placeable`.

        On a processor, batches run beside each other, one a core, each on one thread: there is no
        barrier between the layers of a batch, so a busy core delays its own batch only.
        """
        available = onnxruntime.get_available_providers()
        missing = f"this onnxruntime has {', '.join(available)} only; install onnxruntime-gpu"
        on_cuda = device.uses_cuda(_CUDA in available, missing)
        path = self._folder / MODEL_FILE
        self._session = open_session(path, on_cuda=on_cuda)
        workers = 1 if on_cuda else processors()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="onnx")
        self._tokens = CUDA_TOKENS if on_cuda else PREDICT_TOKENS
        self._names = [node.name for node in self._session.get_inputs()]
        columns = self._session.get_outputs()[0].shape[-1]
        if columns != self.codebook.width:
            raise BundleError(
                f"{path}: the model has {columns} outputs, but codebook '{self.codebook.name}' has "
                f"{self.codebook.width} labels."
            )

    @property
    def reads_context(self) -> bool:
        """As it was exported."""
        return self.inputs.context

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return float32 logits of shape (n, codebook.width); see `Classifier`."""
        encodings = self.tokenizer.encode(sentences)
        logits = np.empty((len(sentences), self.codebook.width), dtype=np.float32)

        def run(batch: Indices) -> None:
            arrays = pad([encodings[i] for i in batch])
            feed = {name: arrays[name] for name in self._names}
            logits[batch] = self._session.run(None, feed)[0]

        batches = length_batches([len(e) for e in encodings], self._tokens)
        for _ in self._pool.map(run, batches):
            pass
        return logits

    def save(self, folder: Path) -> None:
        """Write classifier.json and copy model and tokenizer into `folder`."""
        copyfile(self._folder / MODEL_FILE, folder / MODEL_FILE)
        self.tokenizer.save(folder)
        write_saved(folder, self.inputs)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> OnnxClassifier:
        """Read what `save` wrote; see `Classifier.load`."""
        return cls(codebook, folder, read_saved(SavedOnnx, folder, codebook, cls.kind))


def open_session(path: Path, *, on_cuda: bool = False) -> onnxruntime.InferenceSession:
    """Open an ONNX model to be run by one thread a batch.

    Raises:
        BundleError: the file is no readable model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(
            str(path),
            options,
            providers=[_CUDA, _PROCESSOR] if on_cuda else [_PROCESSOR],
            disabled_optimizers=SLOW_FUSIONS,
        )
    except _UNREADABLE as error:
        raise BundleError(f"{path}: not a readable ONNX model ({error}).") from None


def processors() -> int:
    """Return how many processors this process may use; OMP_NUM_THREADS says so where it is set."""
    if (said := os.environ.get("OMP_NUM_THREADS", "")).isdecimal() and int(said):
        return int(said)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
