"""Fit the span network: each question with the tokens of its right spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.attribution.encoding import (
    EncodedQuestion,
    Indices,
    QuestionTokenizer,
    pad_questions,
    tokens_at,
)
from pipeline.attribution.locating import holder_span, target_span
from pipeline.attribution.network import SpanNetwork
from pipeline.attribution.questions import Asked, Span
from pipeline.classifiers.protocol import FitMonitor, FitStep
from pipeline.classifiers.tokenization import length_batches
from pipeline.records import SPEAKER
from pipeline.settings.attribution import AttributionSettings

UNKNOWN = -100
"""Target of a span whose words are not among what the model reads; adds nothing to the loss."""
_NEVER = -1e4
"""Score of padding; far below any score, and still finite in half precision."""
_BATCHES_PER_BUCKET = 50


@dataclass(frozen=True)
class Examples:
    """Encoded questions and the tokens of the right spans, int64 of shape (n, 4).

    0, the first token, stands for "no span"; `UNKNOWN` for what cannot be learned from.
    """

    encoded: list[EncodedQuestion]
    wanted: Indices


def examples_of(asked: Sequence[Asked], tokenizer: QuestionTokenizer) -> Examples:
    """Return the examples that labelled questions make."""
    encoded = tokenizer.encode([one.question for one in asked])
    rows = [
        (
            *_wanted(tokens, holder_span(one), one.gold.holder == SPEAKER),
            *_wanted(tokens, target_span(one), one.gold.target is None),
        )
        for one, tokens in zip(asked, encoded, strict=True)
    ]
    return Examples(encoded, np.array(rows, dtype=np.int64).reshape(-1, 4))


def _wanted(encoded: EncodedQuestion, span: Span | None, none: bool) -> tuple[int, int]:
    if none:
        return 0, 0
    return (span and tokens_at(encoded, span)) or (UNKNOWN, UNKNOWN)


def fit_network(
    network: SpanNetwork,
    asked: Sequence[Asked],
    tokenizer: QuestionTokenizer,
    settings: AttributionSettings,
    *,
    seed: int,
    monitor: FitMonitor,
) -> None:
    """Train `network` in place; batches and dropout depend on the seed only.

    In every pass the speaker is hidden from a share of the questions, since texts often do not name
    him.
    """
    torch.manual_seed(seed)
    known = examples_of(asked, tokenizer)
    passes = [_pass(asked, known, tokenizer, settings, seed, n) for n in range(settings.epochs)]
    steps = [(passed, batch) for passed, batches in passes for batch in batches]
    optimiser = _optimiser(network, settings)
    rates = [group["lr"] for group in optimiser.param_groups]
    ends = np.cumsum([len(batches) for _, batches in passes])
    rise = max(1, round(len(steps) * settings.warmup))
    dtype = _native_dtype()
    recent: list[float] = []
    network.train()
    for step, (passed, batch) in enumerate(steps):
        share = min((step + 1) / rise, (len(steps) - step) / max(1, len(steps) - rise))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        arrays = pad_questions([passed.encoded[i] for i in batch])
        inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
        with torch.autocast("cpu", dtype=dtype, enabled=dtype is not torch.float32):
            scores = network(**inputs)
        loss = _loss(
            scores.float(), inputs["attention_mask"], torch.from_numpy(passed.wanted[batch])
        )
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        recent = [*recent[-49:], float(loss.detach())]
        epoch = int(np.searchsorted(ends, step + 1, side="right"))
        monitor.on_step(
            FitStep(step + 1, len(steps), epoch, float(np.mean(recent)), rates[0] * share)
        )
    network.eval()


def _native_dtype() -> torch.dtype:
    """Return bfloat16 where the processor computes it natively."""
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def _pass(
    asked: Sequence[Asked],
    known: Examples,
    tokenizer: QuestionTokenizer,
    settings: AttributionSettings,
    seed: int,
    number: int,
) -> tuple[Examples, list[Indices]]:
    random = np.random.default_rng((seed, number))
    hidden = np.flatnonzero(random.random(len(asked)) < settings.hide_speaker).tolist()
    changed = examples_of([_without_speaker(asked[i]) for i in hidden], tokenizer)
    encoded, wanted = list(known.encoded), known.wanted.copy()
    for row, i in enumerate(hidden):
        encoded[i], wanted[i] = changed.encoded[row], changed.wanted[row]
    return Examples(encoded, wanted), _batches([len(e) for e in encoded], settings, random)


def _without_speaker(asked: Asked) -> Asked:
    question = asked.question
    return replace(
        asked, question=replace(question, passage=replace(question.passage, speaker=None))
    )


def _batches(
    lengths: Sequence[int], settings: AttributionSettings, random: np.random.Generator
) -> list[Indices]:
    """Shuffle, sort by length within buckets, cut into batches, shuffle the batches."""
    order = random.permutation(len(lengths))
    mean = max(1.0, float(np.mean(lengths)))
    bucket = max(1, int(_BATCHES_PER_BUCKET * settings.tokens_per_batch / mean))
    batches = [
        chunk[inner]
        for chunk in (order[i : i + bucket] for i in range(0, len(order), bucket))
        for inner in length_batches([lengths[i] for i in chunk], settings.tokens_per_batch)
    ]
    return [batches[i] for i in random.permutation(len(batches))]


def _loss(scores: Tensor, mask: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean cross-entropy of the four choices of a token."""
    scores = scores.masked_fill(mask.unsqueeze(-1) == 0, _NEVER)
    total = scores.new_zeros(())
    for column in range(wanted.shape[1]):
        if (wanted[:, column] != UNKNOWN).any():
            total = total + nn.functional.cross_entropy(
                scores[:, :, column], wanted[:, column], ignore_index=UNKNOWN
            )
    return total / wanted.shape[1]


def _optimiser(network: SpanNetwork, settings: AttributionSettings) -> torch.optim.AdamW:
    words = network.word_embeddings()
    words.requires_grad_(False)  # keeps rare words apart, as in the classifier
    groups = []
    rates = (settings.learning_rate, settings.head_learning_rate)
    for module, rate in zip((network.encoder, network.head), rates, strict=True):
        parameters = [p for p in module.parameters() if p.requires_grad]
        for many, decay in ((True, settings.weight_decay), (False, 0.0)):
            group = [p for p in parameters if (p.ndim > 1) is many]
            groups.append({"params": group, "lr": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6)
