"""The trained transformer in int8 by static quantisation, made by ONNX Runtime's own tool.

The range of what goes into every product is measured beforehand, so that nothing is measured while
it predicts. Products with constant matrices are exchanged, as in the shipped model; matrices have
one scale a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from pipeline.classifiers.onnx import MODEL_FILE, OnnxClassifier
from pipeline.classifiers.tokenization import Indices, pad
from pipeline.records import Sentence


class OneByOne(CalibrationDataReader):
    """Feeds the sentences to measure on one at a time, so that no padding widens a range."""

    def __init__(self, model: OnnxClassifier, sentences: Sequence[Sentence]) -> None:
        self._left: Iterator[dict[str, Indices]] = (
            pad([encoding]) for encoding in model.tokenizer.encode(sentences)
        )

    def get_next(self) -> dict[str, Indices] | None:
        """Return the inputs of the next sentence, nothing at the end."""
        return next(self._left, None)


def as_static(
    full: OnnxClassifier, exported: Path, folder: Path, known: Sequence[Sentence]
) -> OnnxClassifier:
    """Quantise a float32 export.

    Args:
        full: the classifier that runs it.
        exported: its model file.
        folder: where the int8 model goes; it must outlive the result.
        known: sentences of the training to measure ranges on.

    Raises:
        SystemExit: there is nothing in it to quantise.
    """
    prepared = folder / "prepared.onnx"
    # Symbolic inference of shapes gives up on this export, and products do not need it.
    quant_pre_process(exported, prepared, skip_symbolic_shape=True)
    products = products_with_matrices(prepared)
    if not products:  # the tool would take an empty list for "all"
        raise SystemExit(f"{exported}: no product with a constant matrix to quantise.")
    full.save(folder)
    quantize_static(
        prepared,
        folder / MODEL_FILE,
        OneByOne(full, known),
        quant_format=QuantFormat.QDQ,
        nodes_to_quantize=products,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        # Seven bits, as the shipped model has: eight overflow on processors without VNNI.
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        # What comes out is added and normalised in float32: rounding it loses and saves no time.
        extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
    )
    prepared.unlink()
    return OnnxClassifier.load(folder, full.codebook)


def products_with_matrices(path: Path) -> list[str]:
    """Return the names of the nodes that multiply with a constant."""
    graph = onnx.load(path).graph
    constants = {weight.name for weight in graph.initializer}
    return [
        node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in constants
    ]
