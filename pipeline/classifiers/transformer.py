"""The fine-tuned transformer: one shared encoder, one linear head a task."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from safetensors import SafetensorError
from tokenizers import Encoding
from transformers import AutoConfig, AutoModel, PretrainedConfig
from transformers.utils import CONFIG_NAME
from transformers.utils import logging as hf_logging

from pipeline.classifiers.augmentation import augmented, counterfactuals
from pipeline.classifiers.distillation import distilled
from pipeline.classifiers.encoder import WEIGHTS_FILE, resolve_encoder
from pipeline.classifiers.finetuning import finetune
from pipeline.classifiers.network import MultitaskConfig, MultitaskNetwork
from pipeline.classifiers.placement import Device
from pipeline.classifiers.protocol import QUIET, FitMonitor, FitStep, Logits
from pipeline.classifiers.state import Saved, fitted, known_part, read_saved, write_saved
from pipeline.classifiers.tokenization import SentenceTokenizer, length_batches, pad
from pipeline.codebook import Codebook
from pipeline.errors import BundleError, InputError, OutputError, SettingsError
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import TransformerSettings

hf_logging.disable_progress_bar()  # our own progress is reported to the monitor
hf_logging.set_verbosity_error()

SOUP_SEED_STEP = 7919
"""Between the seeds of the trainings that are averaged; far from seeds that people choose."""
_NOTHING_DONE = FitStep(0, 0, 0, 0.0, 0.0)
PREDICT_TOKENS = 4096
"""Padded tokens a batch at prediction; large enough to keep two cores busy, small in memory."""


class _SavedTransformer(Saved):
    kind: Literal["transformer"]
    settings: TransformerSettings


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
    def reads_context(self) -> bool:
        """As the settings say."""
        return self.settings.context

    @property
    def network(self) -> MultitaskNetwork:
        """The trained network.

        Raises:
            BundleError: the classifier was neither fitted nor loaded.
        """
        return fitted(self._network, self.kind)

    @property
    def tokenizer(self) -> SentenceTokenizer:
        """The tokenizer the network was trained with."""
        return fitted(self._tokenizer, self.kind)

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Fine-tune on `train`; see `Trainable.fit`. Resumes from `monitor.checkpoints`.

        Raises:
            InputError: no sentence carries a known label, the encoder cannot be had, or a
                checkpoint cannot be read.
            SettingsError: `max_tokens` is more than the encoder reads, or the lists of names for
                `augment` are not valid.
            OutputError: a checkpoint cannot be written.
        """
        known, targets = known_part(train, self.codebook, self.kind)
        torch.manual_seed(self.seed)
        folder = resolve_encoder(self.settings.encoder)
        network = self._start(folder)
        if torch.cuda.is_available():
            network.to("cuda")
        self._tokenizer = self._read_tokenizer(folder)
        sentences = [labelled.sentence for labelled in known]
        labels, before = targets, _NOTHING_DONE
        if (teacher := self.settings.teacher) is not None:

            def on_step(step: FitStep) -> None:
                nonlocal before
                before = step
                monitor.on_step(step)

            reported = FitMonitor(on_step, monitor.checkpoints)
            sentences, targets = distilled(
                known, labels, teacher, self.codebook, seed=self.seed, monitor=reported
            )
        if self.settings.augment is not None:
            copies, theirs = counterfactuals(
                sentences[: len(known)],
                labels,
                self.settings.augment,
                self.codebook,
                seed=self.seed,
            )
            sentences, targets = sentences + copies, np.concatenate([targets, theirs])
        start = copy.deepcopy(network.state_dict())
        trained = []
        for number in range(self.settings.soup):
            network.load_state_dict(start)
            seed = self.seed + SOUP_SEED_STEP * number
            finetune(
                network,
                self._passes(sentences, seed),
                targets,
                self.codebook,
                self.settings,
                seed=seed,
                monitor=_counting_on(monitor, before, number, self.settings),
            )
            trained.append(copy.deepcopy(network.state_dict()))
        network.load_state_dict(_average(trained))
        self._network = network

    def _passes(self, sentences: Sequence[Sentence], seed: int) -> list[Sequence[Encoding]]:
        """Return the encodings of every pass over the data."""
        passes, augment = self.settings.epochs, self.settings.augment
        if augment is None:
            return [self.tokenizer.encode(sentences)] * passes
        changed = augmented(sentences, augment, passes=passes, seed=seed)
        return [self.tokenizer.encode(one) for one in changed]

    def place(self, device: Device) -> None:
        """Compute on `device`; see `Placeable`."""
        missing = "torch finds none here"
        on_cuda = device.uses_cuda(torch.cuda.is_available(), missing)
        self.network.to("cuda" if on_cuda else "cpu")

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
        """Write classifier.json, weights (safetensors) and tokenizer into `folder`."""
        network, tokenizer = self.network, self.tokenizer
        try:
            network.save_pretrained(folder)
        except SafetensorError as error:
            raise OutputError(f"{folder}: weights cannot be written ({error}).") from None
        tokenizer.save(folder)
        saved = _SavedTransformer(
            kind="transformer",
            codebook=self.codebook.signature,
            columns=self.codebook.column_names,
            settings=self.settings,
        )
        write_saved(folder, saved)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> TransformerClassifier:
        """Read what `save` wrote; see `Classifier.load`."""
        saved = read_saved(_SavedTransformer, folder, codebook, cls.kind)
        for name in (CONFIG_NAME, WEIGHTS_FILE):  # without them transformers would make do
            if not (folder / name).is_file():
                raise BundleError(f"{folder / name}: is missing.")
        try:
            network, report = MultitaskNetwork.from_pretrained(
                folder, local_files_only=True, output_loading_info=True
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise BundleError(f"{folder}: cannot be loaded as a transformer ({error}).") from None
        if report["missing_keys"]:
            missing = ", ".join(sorted(report["missing_keys"]))
            raise BundleError(f"{folder}: weights are missing: {missing}.")
        classifier = cls(codebook, saved.settings)
        classifier._network = network.eval()
        classifier.place(Device.AUTO)
        classifier._tokenizer = classifier._read_tokenizer(folder)
        return classifier

    def _start(self, folder: Path) -> MultitaskNetwork:
        """Return a network with the pre-trained encoder and untrained heads."""
        try:
            config = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            config.num_hidden_layers = self._layers(config.num_hidden_layers)
            encoder = AutoModel.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise InputError(f"encoder folder {folder}: cannot be loaded ({error}).") from None
        network = MultitaskNetwork(self._configuration(config, folder))
        unset = network.encoder.load_state_dict(encoder.state_dict(), strict=False).missing_keys
        if unset:
            raise InputError(f"encoder folder {folder}: weights are missing: {', '.join(unset)}.")
        return network

    def _layers(self, there: int) -> int:
        """Return how many layers are kept: the lowest ones serve best (Sajjad et al., 2023)."""
        wanted = self.settings.layers or there
        if wanted > there:
            mistake = f"layers is {wanted}, but the encoder has {there}"
            raise SettingsError([mistake], where="transformer")
        return wanted

    def _configuration(self, encoder: PretrainedConfig, folder: Path) -> MultitaskConfig:
        limit = getattr(encoder, "max_position_embeddings", self.settings.encoder.max_tokens)
        if self.settings.encoder.max_tokens > limit:
            got = f"max_tokens is {self.settings.encoder.max_tokens}"
            reads = f"the encoder in {folder} reads at most {limit} tokens; lower max_tokens"
            raise SettingsError([f"{got}, but {reads}"], where="encoder")
        heads = [(name, len(task.labels)) for name, task in self.codebook.tasks.items()]
        return MultitaskConfig(
            encoder=encoder.to_dict(), heads=heads, dropout=self.settings.dropout
        )

    def _read_tokenizer(self, folder: Path) -> SentenceTokenizer:
        return SentenceTokenizer.from_folder(
            folder, max_tokens=self.settings.encoder.max_tokens, context=self.settings.context
        )


def _counting_on(
    monitor: FitMonitor, before: FitStep, number: int, settings: TransformerSettings
) -> FitMonitor:
    """Return a monitor that counts the steps of training `number` after those of the ones before.

    All trainings have about the same number of steps: the order of the data differs. `before` is
    the last step of the teacher.
    """

    def on_step(step: FitStep) -> None:
        counted = replace(
            step,
            done=before.done + number * step.planned + step.done,
            planned=before.done + settings.soup * step.planned,
            epoch=before.epoch + number * settings.epochs + step.epoch,
        )
        monitor.on_step(counted)

    return FitMonitor(on_step, monitor.checkpoints)


def _average(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the mean of the weights of several trainings that began alike.

    Their average generalises better than any one of them at no cost in prediction (model soups;
    Wortsman et al., 2022).
    """
    return {name: torch.stack([s[name] for s in states]).mean(dim=0) for name in states[0]}
