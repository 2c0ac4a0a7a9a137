"""The neural network: one shared encoder, mean pooling, one linear head a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel


class MultitaskConfig(PretrainedConfig):
    """Configuration of `MultitaskNetwork`.

    `heads` lists (task, number of labels) in column order, as pairs because the saved JSON sorts
    the keys of mappings; `encoder` is the configuration of the encoder.
    """

    model_type = "multitask-sentence-classifier"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        heads: Sequence[tuple[str, int]] = (),
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder or {}
        self.heads = [(task, size) for task, size in heads]
        self.dropout = dropout


class MultitaskNetwork(PreTrainedModel):
    """Encoder with mean pooling (Reimers and Gurevych, 2019) and one linear head a task."""

    config_class = MultitaskConfig
    base_model_prefix = "encoder"

    def __init__(self, config: MultitaskConfig) -> None:
        super().__init__(config)
        # Without its dtype: an encoder stored in half precision is trained in single precision.
        settings = {k: v for k, v in config.encoder.items() if k not in ("dtype", "torch_dtype")}
        encoder_config = AutoConfig.for_model(settings.pop("model_type"), **settings)
        self.encoder = AutoModel.from_config(encoder_config)
        if hasattr(self.encoder, "pooler"):
            self.encoder.pooler = None  # its output would be thrown away: we pool ourselves
        self.has_segments = getattr(encoder_config, "type_vocab_size", 0) > 1
        self.dropout = nn.Dropout(config.dropout)
        width = encoder_config.hidden_size
        # A list: names of tasks could clash with attributes of a ModuleDict ("type", "values").
        self.heads = nn.ModuleList(nn.Linear(width, size) for _, size in config.heads)
        self.post_init()

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return logits of shape (batch, total labels), tasks side by side in order."""
        segments = {"token_type_ids": token_type_ids} if self.has_segments else {}
        states = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, **segments
        ).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1.0)
        pooled = self.dropout(pooled)
        return torch.cat([head(pooled) for head in self.heads], dim=-1)
