"""Tune the packaged encoder further on what `stance train` learns from, before it does.

    python experiments/quality/pretrained.py {masked,contrastive} OUT [--config SETTINGS.yaml]

`masked` guesses words left out (masked-language modelling; Devlin et al., 2019) of the sentences
that are learned from afterwards ("task-adaptive pretraining"; Gururangan et al., 2020).
`contrastive` draws sentences with the same labels together and others apart (SetFit; Tunstall et
al., 2022). Every pass draws its own masks or pairs; word embeddings are frozen, as in training.

Corpus, split and seed are those of the settings: documents that a training with them holds out are
not read. OUT is a folder that settings name as an encoder; printed is the hash of its weights. Each
is an MLflow run of the experiment that the settings name.
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
from tokenizers import Encoding
from torch import Tensor, nn
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    PreTrainedModel,
    get_linear_schedule_with_warmup,
)
from transformers.utils import logging

from pipeline.classifiers.encoder import encoder_sha256, resolve_encoder
from pipeline.classifiers.finetuning import preferred_dtype
from pipeline.classifiers.protocol import FitStep
from pipeline.classifiers.targets import Targets, encode_targets
from pipeline.classifiers.tokenization import Indices, SentenceTokenizer, length_batches, pad
from pipeline.codebook import load_codebook
from pipeline.settings.classifiers import EncoderSettings, TransformerSettings
from pipeline.settings.experiment import load_settings
from pipeline.tracking import RunLogger, open_store
from pipeline.tracking.view import ABOUT_EXPERIMENT
from pipeline.workflows.train import learned_from, split_corpus
from pipeline.workflows.watcher import Silent

MASKED_SHARE, MASKED_RATE, HEAD_RATE = 0.15, 1e-4, 1e-3
PAIRS, PAIRS_RATE = 10_000, 2e-5
TOKENS_PER_BATCH, WARMUP = 1200, 0.06
"""Pairs are those of one pass. The share and the first rate are those of Devlin et al., the rate
for pairs is SetFit's."""

LossOf = Callable[[Indices], Tensor]
Parts = Sequence[tuple[nn.Module, float]]


@dataclass(frozen=True)
class Work:
    """What to begin with, what to learn from, and where steps are logged."""

    folder: Path
    encodings: Sequence[Encoding]
    targets: Targets
    passes: int
    draw: np.random.Generator
    run: RunLogger


def masked(work: Work) -> PreTrainedModel:
    """Return the encoder after guessing masked tokens."""
    model = AutoModelForMaskedLM.from_pretrained(work.folder, local_files_only=True).train()
    encoder, head = model.base_model, model.cls
    tokenizer = AutoTokenizer.from_pretrained(work.folder, local_files_only=True)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED_SHARE)
    lengths = [len(e) for e in work.encodings]

    def loss_of(batch: Indices) -> Tensor:
        some = [work.encodings[i] for i in batch]
        ids = ({"input_ids": e.ids, "special_tokens_mask": e.special_tokens_mask} for e in some)
        wanted = (inputs := collate(list(ids))).pop("labels")
        asked = wanted >= 0
        states = encoder(**inputs).last_hidden_state[asked]  # for all, the head doubles the time
        return nn.functional.cross_entropy(head(states).float(), wanted[asked])

    # Of a head for words, the package has the tied word embeddings only. One that begins at random
    # would spoil the encoder, so it learns alone first (Kumar et al., 2022).
    encoder.requires_grad_(False)
    fit(loss_of, [(head, HEAD_RATE)], lengths, 1, work)
    encoder.requires_grad_(True)
    encoder.get_input_embeddings().requires_grad_(False)
    fit(loss_of, [(encoder, MASKED_RATE), (head, HEAD_RATE)], lengths, work.passes, work)
    return encoder


def contrastive(work: Work) -> PreTrainedModel:
    """Return the encoder after comparing pairs of sentences: cosine one if alike, else zero."""
    model = SentenceTransformer(str(work.folder), device="cpu", local_files_only=True).train()
    encoder, cosine = model[0].model, CosineSimilarityLoss(model)
    encoder.get_input_embeddings().requires_grad_(False)
    pairs, alike = pairs_of(work.targets, work.passes * PAIRS // 2, work.draw)

    def loss_of(batch: Indices) -> Tensor:
        sides = (pad([work.encodings[i] for i in side]) for side in pairs[batch].T)
        inputs = [{name: torch.from_numpy(a) for name, a in side.items()} for side in sides]
        return cosine(inputs, torch.from_numpy(alike[batch]))

    lengths = [2 * max(len(work.encodings[i]) for i in pair) for pair in pairs]
    fit(loss_of, [(model, PAIRS_RATE)], lengths, 1, work)
    return encoder


def pairs_of(targets: Targets, half: int, draw: np.random.Generator) -> tuple[Indices, Targets]:
    """Return pairs of rows, and whether both have the same labels in all tasks: a half of them.

    Sets of labels are drawn by the root of their frequency (as classes in Mahajan et al., 2018), so
    that rare stances are seen often, and their few sentences not too often.
    """
    known = np.flatnonzero(np.isfinite(targets).all(axis=1))
    _, set_of = np.unique(targets[known], axis=0, return_inverse=True)
    every = (known[set_of == one] for one in range(set_of.max() + 1))
    sets = [rows for rows in every if len(rows) > 1]
    share = np.sqrt([len(rows) for rows in sets])
    share /= share.sum()
    same = [draw.choice(sets[i], 2, replace=False) for i in draw.choice(len(sets), half, p=share)]
    apart = [draw.choice(len(sets), 2, replace=False, p=share) for _ in range(half)]
    other = [[draw.choice(sets[i]) for i in two] for two in apart]
    return np.array([*same, *other]), np.repeat(np.array([1, 0], dtype=np.float32), half)


def fit(loss_of: LossOf, parts: Parts, lengths: Sequence[int], passes: int, work: Work) -> None:
    """Train parts of a network, each with its learning rate, on items of these lengths."""
    planned: list[Indices] = []
    for _ in range(passes):
        order = work.draw.permutation(len(lengths))
        cut = length_batches([lengths[i] for i in order], TOKENS_PER_BATCH)
        planned += [order[cut[i]] for i in work.draw.permutation(len(cut))]
    trained = [([p for p in part.parameters() if p.requires_grad], rate) for part, rate in parts]
    optimiser = torch.optim.AdamW([{"params": some, "lr": rate} for some, rate in trained])
    steps = len(planned)
    schedule = get_linear_schedule_with_warmup(optimiser, round(WARMUP * steps), steps)
    dtype = preferred_dtype(TransformerSettings())
    recent: deque[float] = deque(maxlen=50)
    for done, batch in enumerate(planned, start=1):
        with torch.autocast("cpu", dtype=dtype, enabled=dtype is not torch.float32):
            loss = loss_of(batch)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for some, _ in trained for p in some], 1.0)
        optimiser.step()
        recent.append(loss.item())
        epoch, rate = done * passes // steps, schedule.get_last_lr()[0]
        work.run.step(FitStep(done, steps, epoch, mean(recent), rate))
        schedule.step()
        if done % 50 == 0 or done == steps:
            print(f"step {done} of {steps}, loss {mean(recent):.3f}", flush=True)


def main() -> None:
    """Read, tune, write and log."""
    ways = {"masked": masked, "contrastive": contrastive}
    parser = argparse.ArgumentParser(description="Tune the packaged encoder further.")
    parser.add_argument("way", choices=ways)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "2-adjudicated.yaml")
    parser.add_argument("--passes", type=int, default=2)
    options = parser.parse_args()
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # that a head is missing is known
    settings, wanted = load_settings(options.config), EncoderSettings()
    codebook = load_codebook(settings.codebook)
    _, split = split_corpus(settings, codebook, Silent())
    labelled = learned_from(split, settings, codebook, Silent())
    folder = resolve_encoder(wanted)
    tokenizer = SentenceTokenizer.from_folder(folder, max_tokens=wanted.max_tokens, context=False)
    encodings = tokenizer.encode([one.sentence for one in labelled])
    learned = folder, encodings, encode_targets(labelled, codebook)
    torch.manual_seed(settings.seed)
    draw = np.random.default_rng(settings.seed)
    store = open_store(settings.tracking.uri)
    experiment = store.experiment(settings.tracking.experiment, about=ABOUT_EXPERIMENT)
    with RunLogger(store, experiment, f"encoder-{options.way}", level="encoder") as run:
        constants = {name: one for name, one in globals().items() if isinstance(one, int | float)}
        run.params({**constants, "passes": options.passes, "seed": settings.seed})
        run.dataset("train", split.train, codebook)
        run.environment()
        encoder = ways[options.way](Work(*learned, options.passes, draw, run))
        encoder.save_pretrained(options.out)
        tokenizer.save(options.out)
        run.tags({"encoder.sha256": (sha256 := encoder_sha256(options.out))})
    print(f"encoder: {{name: {options.out}, sha256: {sha256}}}")


if __name__ == "__main__":
    main()
