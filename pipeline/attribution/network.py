"""The span network: an encoder whose every token is scored as start and end of two spans."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.utils import logging as hf_logging

from pipeline.attribution.decoding import OUTPUTS
from pipeline.errors import InputError, SettingsError

hf_logging.disable_progress_bar()
hf_logging.set_verbosity_error()


class SpanNetwork(nn.Module):
    """Encoder with one linear layer on every token (Devlin et al., 2019)."""

    def __init__(self, encoder: PreTrainedModel, width: int, dropout: float) -> None:
        super().__init__()
        self.encoder: PreTrainedModel = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, len(OUTPUTS))

    def word_embeddings(self) -> nn.Module:
        """Return the table of word embeddings."""
        table: nn.Module = self.encoder.get_input_embeddings()
        return table

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return scores of shape (batch, tokens, 4), columns as in `decoding.OUTPUTS`."""
        states = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        scores: Tensor = self.head(self.dropout(states))
        return scores


def start_network(
    folder: Path, *, layers: int | None, max_tokens: int, dropout: float
) -> SpanNetwork:
    """Return a network with a pre-trained encoder of `layers` lowest layers and untrained scores.

    Raises:
        InputError: the encoder cannot be loaded.
        SettingsError: it has fewer layers, reads fewer tokens, or knows one segment only.
    """
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        there = config.num_hidden_layers
        config.num_hidden_layers = layers or there
        _require_room(config, there, max_tokens)
        encoder = AutoModel.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            add_pooling_layer=False,
        )
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise InputError(f"encoder folder {folder}: cannot be loaded ({error}).") from None
    return SpanNetwork(encoder, config.hidden_size, dropout)


def _require_room(config: object, there: int, max_tokens: int) -> None:
    mistakes = []
    wanted = getattr(config, "num_hidden_layers", there)
    if wanted > there:
        mistakes.append(f"layers is {wanted}, but the encoder has {there}")
    limit = getattr(config, "max_position_embeddings", max_tokens)
    if max_tokens > limit:
        mistakes.append(f"max_tokens is {max_tokens}, but the encoder reads at most {limit}")
    if getattr(config, "type_vocab_size", 0) < 2:
        mistakes.append("the encoder knows one segment only; a span model needs two")
    if mistakes:
        raise SettingsError(mistakes, where="attribution")
