"""A float network as int8, so that no row's answer depends on the rows beside it.

ONNX Runtime's `quantize_dynamic` rounds activations by the range of the whole padded batch: a
sentence's logits then move with its neighbours. Here every token has its own scale (token-wise
quantisation, Yao et al., ZeroQuant, 2022). The products of integers are exact, so what a row gives
is the same in any batch but for the order in which floats are summed.

    scale = max |x| / 127 of each row of x;  q = round(x / scale) + 128, as unsigned byte
    x W   ~ scale * ((q - 128) Wq) * wscale, W = Wq * wscale with one wscale a column

Embedding tables get one scale a row; the heads are a few numbers and stay float32. GELU is
computed by its tanh approximation (Hendrycks and Gimpel, 2016), at most 0.0005 off: far below what
rounding to bytes changes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSET = 21
"""Of the network to quantise: the first in which QuantizeLinear takes a scale for every row."""

_RUNTIME = "com.microsoft"
_WEIGHT_STEPS = 64
"""Seven bits: processors without VNNI add two products of bytes in 16 bits, and 2 * 255 * 64 still
fits. With eight bits they would overflow and decide otherwise than others."""
_EMBEDDING_STEPS = 127
_ACTIVATION_STEPS = 127
_ZERO = 128
"""The byte that stands for 0: products of unsigned and signed bytes have fast kernels everywhere,
those of two signed ones have not."""
_SMALLEST_SCALE = 1e-12
"""Of a row of zeros, which has no range to be divided by."""

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]


def quantise_rows(source: Path, target: Path) -> None:
    """Read a float32 network of opset 21 or later and write it to `target` in int8.

    Products with constant matrices, look-ups in float tables and GELU are exchanged; the rest,
    products of activations with each other among it, stays float32.
    """
    model = onnx.load(source)
    graph = model.graph
    network = _Network(
        {w.name: numpy_helper.to_array(w) for w in graph.initializer if _is_matrix(w)}
    )
    for node in graph.node:
        network.add(node)
    used = {name for node in network.nodes for name in node.input}
    kept = [w for w in graph.initializer if w.name in used]
    made = [numpy_helper.from_array(array, name) for name, array in network.constants.items()]
    graph.ClearField("initializer")
    graph.initializer.extend([*kept, *made])
    graph.ClearField("node")
    graph.node.extend(network.nodes)
    if all(opset.domain != _RUNTIME for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_RUNTIME, 1))
    onnx.save(model, target)


def _is_matrix(weight: TensorProto) -> bool:
    return weight.data_type == TensorProto.FLOAT and len(weight.dims) == 2


def _takes_rows(gather: NodeProto) -> bool:
    return all(attribute.i == 0 for attribute in gather.attribute if attribute.name == "axis")


class _Network:
    """The nodes and constants of the int8 network, filled node by node."""

    def __init__(self, matrices: dict[str, Floats]) -> None:
        self._matrices = matrices
        self._rounded: set[str] = set()
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, Array] = {
            "row_axis": np.array([-1], dtype=np.int64),
            "row_steps": np.array(_ACTIVATION_STEPS, dtype=np.float32),
            "row_smallest": np.array(_SMALLEST_SCALE, dtype=np.float32),
            "row_zero": np.array(_ZERO, dtype=np.uint8),
            "row_one": np.array(1, dtype=np.float32),
        }

    def add(self, node: NodeProto) -> None:
        """Take over a node of the float network, exchanged where int8 serves."""
        if node.op_type == "MatMul" and node.input[1] in self._matrices:
            self._multiply(node.input[0], node.input[1], node.output[0])
        elif node.op_type == "Gather" and node.input[0] in self._matrices and _takes_rows(node):
            self._look_up(node.input[0], node.input[1], node.output[0])
        elif node.op_type == "Gelu":
            self._node("FastGelu", [node.input[0]], node.output[0], domain=_RUNTIME)
        else:
            self.nodes.append(node)

    def _multiply(self, rows: str, matrix: str, output: str) -> None:
        weights, scales = _to_int8(self._matrices[matrix], _WEIGHT_STEPS, axis=0)
        self.constants[f"{matrix}.int8"] = weights
        self.constants[f"{matrix}.scale"] = scales.reshape(-1)
        if rows not in self._rounded:  # query, key and value multiply the same rows
            self._rounded.add(rows)
            self._round(rows, width=len(weights))
        whole = f"{output}.in_row_scale"
        product = [f"{rows}.int8", f"{matrix}.int8", "row_one", f"{matrix}.scale", "row_zero"]
        self._node("MatMulIntegerToFloat", product, whole, domain=_RUNTIME)
        self._node("Mul", [whole, f"{rows}.scale"], output)

    def _round(self, rows: str, width: int) -> None:
        self._node("Abs", [rows], f"{rows}.abs")
        self._node("ReduceMax", [f"{rows}.abs", "row_axis"], f"{rows}.largest", keepdims=1)
        self._node("Div", [f"{rows}.largest", "row_steps"], f"{rows}.step")
        self._node("Max", [f"{rows}.step", "row_smallest"], f"{rows}.scale")
        self._node("Shape", [f"{rows}.scale"], f"{rows}.shape")
        zero = helper.make_tensor("zero", TensorProto.UINT8, [1], [_ZERO])
        self._node("ConstantOfShape", [f"{rows}.shape"], f"{rows}.zero", value=zero)
        scaled = [rows, f"{rows}.scale", f"{rows}.zero"]
        self._node("QuantizeLinear", scaled, f"{rows}.int8", axis=-1, block_size=width)

    def _look_up(self, table: str, indices: str, output: str) -> None:
        values, scales = _to_int8(self._matrices[table], _EMBEDDING_STEPS, axis=1)
        self.constants[f"{table}.rows"] = values
        self.constants[f"{table}.row_scale"] = scales
        self._node("Gather", [f"{table}.rows", indices], f"{output}.stored", axis=0)
        self._node("Gather", [f"{table}.row_scale", indices], f"{output}.stored_scale", axis=0)
        self._node("Cast", [f"{output}.stored"], f"{output}.whole", to=TensorProto.FLOAT)
        self._node("Mul", [f"{output}.whole", f"{output}.stored_scale"], output)

    def _node(
        self,
        kind: str,
        inputs: list[str],
        output: str,
        *,
        domain: str = "",
        **attributes: int | TensorProto,
    ) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))


def _to_int8(matrix: Floats, steps: int, axis: int) -> tuple[Bytes, Floats]:
    """Return whole numbers from -steps to steps, and the scales that turn them back.

    Scales keep the dimension `axis` that the largest value was taken over.
    """
    largest = np.abs(matrix).max(axis=axis, keepdims=True)
    scales = np.maximum(largest / steps, _SMALLEST_SCALE).astype(np.float32)
    return np.rint(matrix / scales).astype(np.int8), scales
