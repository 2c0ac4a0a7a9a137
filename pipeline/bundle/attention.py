"""Self-attention as the one operator that ONNX Runtime has for it, instead of a dozen.

The exporter writes out what attention consists of: transpositions, products, masks, softmax. ONNX
Runtime's fusions know the patterns of older exporters, not of this one. So the encoder is given an
attention function that leaves the operator in its place while it is exported, by the interface that
transformers has for such functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface

_NAME = "one_onnx_operator"
_OPERATOR = "com.microsoft::MultiHeadAttention"

WITHOUT_POSITIONS = frozenset(
    {"bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta"}
)
"""Encoders in which every token attends to every other by query and key alone. Others add biases
of position or look at a window, which this operator would leave out."""


@contextmanager
def fused_attention(network: nn.Module) -> Iterator[None]:
    """Let the encoders in `network` attend by one operator; only to be exported, not to be run.

    Encoders of other types than `WITHOUT_POSITIONS`, and decoders, are left as they are.
    """
    encoders = {
        module: module.config._attn_implementation
        for module in network.modules()
        if isinstance(module, PreTrainedModel) and _attends_to_all(module)
    }
    for encoder in encoders:
        encoder.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        for encoder, before in encoders.items():
            encoder.set_attn_implementation(before)


def _attends_to_all(encoder: PreTrainedModel) -> bool:
    config = encoder.config
    return config.model_type in WITHOUT_POSITIONS and not getattr(config, "is_decoder", False)


def _attention(
    _module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    **_: Any,
) -> tuple[Tensor, None]:
    """Take arrays of shape (batch, heads, tokens, width of a head), the mask of `_mask`."""
    batch, heads, tokens, width = query.shape
    rows = [x.transpose(1, 2).reshape(batch, tokens, heads * width) for x in (query, key, value)]
    attended = torch.onnx.ops.symbolic(
        _OPERATOR,
        (*rows, None, attention_mask),
        {"num_heads": heads, "scale": scaling},
        dtype=query.dtype,
        shape=rows[0].shape,
        version=1,
    )
    return attended.view(batch, tokens, heads, width), None


def _mask(attention_mask: Tensor, **_: Any) -> Tensor:
    """Return ones for tokens, zeros for padding, of shape (batch, tokens): what it asks for."""
    return attention_mask.to(torch.int32)


AttentionInterface.register(_NAME, _attention)
AttentionMaskInterface.register(_NAME, _mask)
