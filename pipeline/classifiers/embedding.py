"""Frozen sentence embeddings with logistic regression on top; a baseline for experiments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoModel
from transformers.utils import logging as hf_logging

from pipeline.classifiers.encoder import encoder_sha256, require_sha256, resolve_encoder
from pipeline.classifiers.logistic import FloatArray, Regressions, SavedRegressions, fit_regressions
from pipeline.classifiers.protocol import QUIET, FitMonitor, Logits
from pipeline.classifiers.state import (
    fitted,
    known_part,
    read_arrays,
    read_saved,
    write_arrays,
    write_saved,
)
from pipeline.classifiers.tokenization import SentenceTokenizer, length_batches, pad
from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import EmbeddingSettings

hf_logging.disable_progress_bar()

_ARRAYS = "embedding.npz"
_TOKENS_PER_BATCH = 4096


class FrozenEncoder:
    """A frozen encoder: mean of the token vectors, scaled to unit length (Reimers and Gurevych,
    2019, "Sentence-BERT").
    """

    def __init__(self, folder: Path, *, max_tokens: int) -> None:
        self.sha256 = encoder_sha256(folder)
        self._tokenizer = SentenceTokenizer.from_folder(
            folder, max_tokens=max_tokens, context=False
        )
        try:
            network = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise InputError(f"encoder folder {folder}: cannot be loaded ({error}).") from None
        limit = getattr(network.config, "max_position_embeddings", max_tokens)
        if max_tokens > limit:
            raise SettingsError(
                [f"max_tokens is {max_tokens}; the encoder reads at most {limit}"], where="encoder"
            )
        self._network = network.eval()
        self.width = int(self._network.config.hidden_size)
        self._has_segments = getattr(self._network.config, "type_vocab_size", 0) > 1

    def embed(self, sentences: Sequence[Sentence]) -> FloatArray:
        """Return float32 (n, width), rows of unit length."""
        encodings = self._tokenizer.encode(sentences)
        out = np.empty((len(sentences), self.width), dtype=np.float32)
        with torch.inference_mode():
            for batch in length_batches([len(e) for e in encodings], _TOKENS_PER_BATCH):
                arrays = pad([encodings[i] for i in batch])
                if not self._has_segments:
                    del arrays["token_type_ids"]
                inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
                states = self._network(**inputs).last_hidden_state
                mask = inputs["attention_mask"][:, :, None].to(states.dtype)
                mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
                out[batch] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return out


class _SavedEmbedding(SavedRegressions):
    kind: Literal["embedding"]
    settings: EmbeddingSettings
    encoder_sha256: str


class EmbeddingClassifier:
    """Logistic regression on the embeddings of a pre-trained encoder that is not trained further.

    A saved classifier names its encoder and the SHA-256 of its weights; it does not hold them.
    """

    kind: ClassVar[str] = "embedding"
    reads_context: ClassVar[bool] = False

    def __init__(self, codebook: Codebook, settings: EmbeddingSettings, *, seed: int = 0) -> None:
        self.codebook = codebook
        self.settings = settings
        self.seed = seed
        self._encoder: FrozenEncoder | None = None
        self._regressions: Regressions | None = None

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Embed the sentences and fit the regressions; deterministic, whatever the seed.

        Raises:
            InputError: no sentence carries a known label, or the encoder cannot be had.
        """
        del monitor  # fitted in one go: there is nothing to report
        known, targets = known_part(train, self.codebook, self.kind)
        settings = self.settings
        encoder = FrozenEncoder(
            resolve_encoder(settings.encoder), max_tokens=settings.encoder.max_tokens
        )
        self._regressions = fit_regressions(
            encoder.embed([labelled.sentence for labelled in known]),
            targets,
            self.codebook,
            c=settings.c,
            balanced=settings.balanced,
        )
        self._encoder = encoder

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return log-odds and log-probabilities, float32 (n, width)."""
        regressions = fitted(self._regressions, self.kind)
        embeddings = fitted(self._encoder, self.kind).embed(sentences)
        return regressions.logits(embeddings @ regressions.weights, self.codebook)

    def save(self, folder: Path) -> None:
        """Write classifier.json and the weights of the regressions."""
        regressions = fitted(self._regressions, self.kind)
        write_arrays(folder / _ARRAYS, {"weights": regressions.weights, "bias": regressions.bias})
        saved = _SavedEmbedding(
            kind="embedding",
            codebook=self.codebook.signature,
            columns=self.codebook.column_names,
            settings=self.settings,
            encoder_sha256=fitted(self._encoder, self.kind).sha256,
            learned=regressions.learned,
        )
        write_saved(folder, saved)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Self:
        """Read what `save` wrote and find the encoder again.

        Raises:
            BundleError: a file is missing, not valid, does not fit the codebook, or the encoder is
                not the one it was fitted on.
            InputError, MissingExtra: the encoder cannot be had.
        """
        saved = read_saved(_SavedEmbedding, folder, codebook, cls.kind)
        source = resolve_encoder(saved.settings.encoder)
        require_sha256(source, saved.encoder_sha256)
        made = cls(codebook, saved.settings)
        made._encoder = FrozenEncoder(source, max_tokens=saved.settings.encoder.max_tokens)
        shapes = {"weights": (made._encoder.width, codebook.width), "bias": (codebook.width,)}
        arrays = read_arrays(folder / _ARRAYS, shapes)
        made._regressions = Regressions(arrays["weights"], arrays["bias"], saved.learned)
        return made
