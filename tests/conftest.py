"""What tests in several rooms need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

ENCODER_LIMIT = 64
"""Tokens that the tiny encoder reads."""


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Work of microseconds is slower on several threads, and far slower on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained BERT of 32 dimensions, which learns toys within seconds.

    Its tokenizer knows every letter and a few words, so that no text is unknown to it.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-encoder")
    letters = [chr(c) for c in range(33, 127)]
    words = ["the", "soup", "bread", "waiter", "was", "were", "excellent", "rude", "stale"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *words]
    pieces += ["##" + letter for letter in letters]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(5)
    network = BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=ENCODER_LIMIT,
        )
    )
    network.save_pretrained(folder)
    return folder
