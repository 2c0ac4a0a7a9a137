"""Attention exported as one operator gives what the network gives, and only where it can."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from transformers import AutoConfig

from pipeline.bundle.attention import WITHOUT_POSITIONS, fused_attention
from pipeline.bundle.export import export_float32
from pipeline.classifiers.network import MultitaskConfig, MultitaskNetwork

LAYERS = 2
SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}
SIZES_OF_DISTILBERT = {"dim": 16, "n_layers": LAYERS, "n_heads": 4, "hidden_dim": 24}
IDS = torch.tensor([[7, 8, 9, 10, 11, 12], [7, 8, 9, 1, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])


def network_of(model_type: str, *, is_decoder: bool = False) -> MultitaskNetwork:
    torch.manual_seed(5)
    sizes = {**SIZES, **(SIZES_OF_DISTILBERT if model_type == "distilbert" else {})}
    config = AutoConfig.for_model(model_type, **sizes, pad_token_id=1, is_decoder=is_decoder)
    encoder = config.to_dict()
    network = MultitaskNetwork(MultitaskConfig(encoder=encoder, heads=[("tone", 3)])).eval()
    for weights in network.parameters():  # fresh ones are so small that attention is even
        torch.nn.init.normal_(weights, std=0.6)
    return network


def answer(network: MultitaskNetwork) -> np.ndarray:
    with torch.inference_mode():
        found = network(IDS, MASK, torch.zeros_like(IDS))
    return np.asarray(found)


def exported_answer(path: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    arrays = {"input_ids": IDS, "attention_mask": MASK, "token_type_ids": torch.zeros_like(IDS)}
    taken = {node.name: arrays[node.name].numpy() for node in session.get_inputs()}
    return np.asarray(session.run(None, taken)[0])


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize("model_type", sorted(WITHOUT_POSITIONS))
def test_one_operator_a_layer_answers_as_the_network(model_type: str, tmp_path: Path) -> None:
    network = network_of(model_type)
    wanted = answer(network)
    with fused_attention(network):
        export_float32(network, tmp_path / "fused.onnx", "logits")
    names = operators(tmp_path / "fused.onnx")
    assert names.count("MultiHeadAttention") == LAYERS
    assert "Softmax" not in names
    assert np.ptp(wanted) > 0.1
    np.testing.assert_allclose(exported_answer(tmp_path / "fused.onnx"), wanted, atol=1e-4)
    np.testing.assert_array_equal(answer(network), wanted)  # it runs as before


def test_padding_is_not_attended_to(tmp_path: Path) -> None:
    network = network_of("bert")
    with fused_attention(network):
        export_float32(network, tmp_path / "fused.onnx", "logits")
    session = onnxruntime.InferenceSession(
        str(tmp_path / "fused.onnx"), providers=["CPUExecutionProvider"]
    )
    taken = {
        "input_ids": IDS[1:, :3].numpy(),
        "attention_mask": MASK[1:, :3].numpy(),
        "token_type_ids": np.zeros((1, 3), dtype=np.int64),
    }
    alone = np.asarray(session.run(None, taken)[0])
    np.testing.assert_allclose(exported_answer(tmp_path / "fused.onnx")[1:], alone, atol=1e-5)


@pytest.mark.parametrize(
    ("model_type", "is_decoder"), [("mpnet", False), ("modernbert", False), ("bert", True)]
)
def test_where_not_every_token_attends_to_all_by_query_and_key_nothing_changes(
    model_type: str, is_decoder: bool, tmp_path: Path
) -> None:
    network = network_of(model_type, is_decoder=is_decoder)
    wanted = answer(network)
    with fused_attention(network):
        export_float32(network, tmp_path / "left.onnx", "logits")
    assert "MultiHeadAttention" not in operators(tmp_path / "left.onnx")
    np.testing.assert_allclose(exported_answer(tmp_path / "left.onnx"), wanted, atol=1e-4)
