"""The fine-tuned transformer: one shared encoder, one linear head a task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel

from pipeline.classifiers.encoder import resolve_encoder
from pipeline.classifiers.finetuning import finetune
from pipeline.classifiers.network import MultitaskConfig, MultitaskNetwork
from pipeline.classifiers.protocol import QUIET, FitMonitor, Logits
from pipeline.classifiers.targets import encode_targets
from pipeline.classifiers.tokenization import SentenceTokenizer, length_batches, pad
from pipeline.codebook import Codebook
from pipeline.errors import BundleError, InputError, ShapeError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import TransformerSettings

SETTINGS_FILE = "settings.json"
PREDICT_TOKENS = 4096
"""Padded tokens a batch at prediction; large enough to keep two cores busy, small in memory."""


class TransformerClassifier:
    """Encoder with mean pooling and a linear head a task, all fine-tuned together."""

    kind: ClassVar[str] = "transformer"

    def __init__(self, codebook: Codebook, settings: TransformerSettings, *, seed: int = 0) -> None:
        self.codebook = codebook
        self.settings = settings
        self.seed = seed
        self._network: MultitaskNetwork | None = None
        self._tokenizer: SentenceTokenizer | None = None

    @property
    def network(self) -> MultitaskNetwork:
        """The trained network.

        Raises:
            InputError: the classifier was neither fitted nor loaded.
        """
        if self._network is None:
            raise InputError("This transformer is not trained yet: call fit or load first.")
        return self._network

    @property
    def tokenizer(self) -> SentenceTokenizer:
        """The tokenizer the network was trained with."""
        if self._tokenizer is None:
            raise InputError("This transformer is not trained yet: call fit or load first.")
        return self._tokenizer

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Fine-tune on `train`; see `Trainable.fit`. Resumes from `monitor.checkpoints`."""
        targets = encode_targets(train, self.codebook)
        if np.isnan(targets).all():
            raise InputError(f"None of the {len(train)} training sentences has a known label.")
        torch.manual_seed(self.seed)
        folder = resolve_encoder(self.settings.encoder)
        encoder = AutoModel.from_pretrained(folder, local_files_only=True)
        network = MultitaskNetwork(self._configuration(folder))
        network.encoder.load_state_dict(encoder.state_dict(), strict=False)
        if torch.cuda.is_available():
            network.to("cuda")
        self._tokenizer = self._read_tokenizer(folder)
        encodings = self._tokenizer.encode([labelled.sentence for labelled in train])
        finetune(
            network,
            encodings,
            targets,
            self.codebook,
            self.settings,
            seed=self.seed,
            monitor=monitor,
        )
        _mix_back(network, encoder.state_dict(), self.settings.pretrained_share)
        self._network = network

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return float32 logits of shape (n, codebook.width); see `Classifier`."""
        network = self.network
        device = next(network.parameters()).device
        encodings = self.tokenizer.encode(sentences)
        logits = np.empty((len(sentences), self.codebook.width), dtype=np.float32)
        with torch.inference_mode():
            for batch in length_batches([len(e) for e in encodings], PREDICT_TOKENS):
                inputs = {
                    name: torch.from_numpy(array).to(device)
                    for name, array in pad([encodings[i] for i in batch]).items()
                }
                logits[batch] = network(**inputs).float().cpu().numpy()
        return logits

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), tokenizer and settings into `folder`."""
        self.network.save_pretrained(folder)
        self.tokenizer.save(folder)
        (folder / SETTINGS_FILE).write_text(
            self.settings.model_dump_json(indent=1) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> TransformerClassifier:
        """Read what `save` wrote; see `Classifier.load`."""
        path = folder / SETTINGS_FILE
        try:
            settings = TransformerSettings.model_validate_json(path.read_text(encoding="utf-8"))
            network = MultitaskNetwork.from_pretrained(folder, local_files_only=True)
        except (OSError, ValidationError, json.JSONDecodeError, SafetensorError) as error:
            raise BundleError(f"{folder}: cannot be loaded as a transformer ({error}).") from None
        classifier = cls(codebook, settings)
        wanted = classifier._heads()
        if [tuple(head) for head in network.config.heads] != wanted:
            raise BundleError(
                f"{folder}: the model has heads {network.config.heads}, but codebook "
                f"'{codebook.name}' needs {wanted}."
            )
        classifier._network = network.eval()
        classifier._tokenizer = classifier._read_tokenizer(folder)
        return classifier

    def _heads(self) -> list[tuple[str, int]]:
        return [(name, len(task.labels)) for name, task in self.codebook.tasks.items()]

    def _configuration(self, folder: Path) -> MultitaskConfig:
        encoder = AutoConfig.from_pretrained(folder, local_files_only=True)
        limit = getattr(encoder, "max_position_embeddings", self.settings.encoder.max_tokens)
        if self.settings.encoder.max_tokens > limit:
            raise ShapeError(
                f"max_tokens is {self.settings.encoder.max_tokens}, but the encoder in {folder} "
                f"reads at most {limit} tokens. Lower max_tokens."
            )
        return MultitaskConfig(
            encoder=encoder.to_dict(), heads=self._heads(), dropout=self.settings.dropout
        )

    def _read_tokenizer(self, folder: Path) -> SentenceTokenizer:
        return SentenceTokenizer.from_folder(
            folder, max_tokens=self.settings.encoder.max_tokens, context=self.settings.context
        )


def _mix_back(network: MultitaskNetwork, original: dict[str, torch.Tensor], share: float) -> None:
    """Move the encoder's weights a share of the way back to what they were before training.

    Averaging fine-tuned and pre-trained weights keeps accuracy on the training distribution and
    gains on texts that differ from it (WiSE-FT; Wortsman et al., 2022).
    """
    with torch.no_grad():
        for name, weights in network.encoder.state_dict().items():
            if name in original and weights.is_floating_point():
                weights.lerp_(original[name].to(weights.device), share)
