"""An int8 network multiplies and looks up like the float one, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from pipeline.bundle.quantisation import OPSET, quantise_rows

Floats = npt.NDArray[np.float32]
WORDS, WIDTH, LABELS = 50, 48, 7
RANDOM = np.random.default_rng(3)
TABLE = RANDOM.normal(size=(WORDS, WIDTH)).astype(np.float32)
TABLE[1] *= 1000.0
TABLE[2] = 0.0
MATRIX = RANDOM.normal(size=(WIDTH, LABELS)).astype(np.float32)
MATRIX[:, 3] *= 100.0
MATRIX[:, 4] = 0.0


def save_network(path: Path) -> None:
    """Write a float network: ids are looked up, then multiplied twice with the same matrix."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"]),
        helper.make_node("MatMul", ["words", "matrix"], ["product"]),
        helper.make_node("MatMul", ["words", "matrix"], ["again"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "tokens", size])
            for name, size in (("product", LABELS), ("again", LABELS), ("words", WIDTH))
        ],
        [numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(MATRIX, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.save(model, path)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    save_network(folder / "float.onnx")
    quantise_rows(folder / "float.onnx", folder / "int8.onnx")
    return folder / "int8.onnx"


@pytest.fixture(scope="module")
def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, ids: list[list[int]]) -> list[Floats]:
    return list(session.run(None, {"ids": np.array(ids, dtype=np.int64)}))


def test_rows_of_any_size_are_near(session: onnxruntime.InferenceSession) -> None:
    """Small rows beside a row a thousand times as large keep their precision."""
    ids = [list(range(WORDS))]
    product, again, words = run(session, ids)
    steps = np.abs(TABLE).max(axis=1, keepdims=True) / 127
    assert (np.abs(words[0] - TABLE) <= steps * 0.501).all()
    wanted = TABLE @ MATRIX
    size = np.linalg.norm(TABLE, axis=1)[:, None] * np.linalg.norm(MATRIX, axis=0)[None, :]
    assert (np.abs(product[0] - wanted) <= 0.02 * size + 1e-9).all()
    np.testing.assert_array_equal(again, product)


def test_zeros_stay_zeros(session: onnxruntime.InferenceSession) -> None:
    product, _, words = run(session, [[2, 3]])
    np.testing.assert_array_equal(words[0, 0], 0.0)
    np.testing.assert_array_equal(product[0, 0], 0.0)
    np.testing.assert_array_equal(product[..., 4], 0.0)


@given(rows=st.lists(st.lists(st.integers(0, WORDS - 1), min_size=5, max_size=5), min_size=1))
@settings(max_examples=30, deadline=None)
def test_a_row_is_the_same_among_any_others(
    session: onnxruntime.InferenceSession, rows: list[list[int]]
) -> None:
    together = run(session, rows)[0]
    for i, row in enumerate(rows):
        np.testing.assert_array_equal(run(session, [row])[0][0], together[i])


def test_no_float_matrix_is_left(path: Path) -> None:
    model = onnx.load(path)
    onnx.checker.check_model(model)
    stored = {weight.name: weight for weight in model.graph.initializer}
    assert not {"table", "matrix"} & set(stored)
    table, matrix = (numpy_helper.to_array(stored[n]) for n in ("table.rows", "matrix.int8"))
    assert table.dtype == matrix.dtype == np.int8
    assert np.abs(table).max() == 127
    # Seven bits: twice the largest product of bytes still fits into 16 bits.
    assert np.abs(matrix).max() == 64


def test_rows_are_rounded_once(path: Path) -> None:
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 2
    assert kinds.count("QuantizeLinear") == 1


def test_a_look_up_of_columns_is_left_alone(tmp_path: Path) -> None:
    save_network(tmp_path / "float.onnx")
    model = onnx.load(tmp_path / "float.onnx")
    del model.graph.node[1:], model.graph.output[:2]
    model.graph.node[0].attribute.append(helper.make_attribute("axis", 1))
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("words", TensorProto.FLOAT, [WORDS, "batch", "tokens"])
    )
    onnx.save(model, tmp_path / "columns.onnx")
    quantise_rows(tmp_path / "columns.onnx", tmp_path / "int8.onnx")
    session = onnxruntime.InferenceSession(
        str(tmp_path / "int8.onnx"), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_array_equal(run(session, [[5, 9]])[0], TABLE[:, [[5, 9]]])


def test_gelu_is_near_the_exact_one(tmp_path: Path) -> None:
    values = np.linspace(-9, 9, 4001, dtype=np.float32).reshape(1, -1)
    for name in ("exact", "near"):
        graph = helper.make_graph(
            [helper.make_node("Gelu", ["x"], ["y"])],
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, values.shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, values.shape)],
        )
        opset = [helper.make_opsetid("", OPSET)]
        onnx.save(
            helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / f"{name}.onnx"
        )
    quantise_rows(tmp_path / "exact.onnx", tmp_path / "near.onnx")
    exact, near = (
        onnxruntime.InferenceSession(
            str(tmp_path / f"{name}.onnx"), providers=["CPUExecutionProvider"]
        ).run(None, {"x": values})[0]
        for name in ("exact", "near")
    )
    assert 0 < float(np.abs(np.asarray(exact) - np.asarray(near)).max()) < 5e-4
