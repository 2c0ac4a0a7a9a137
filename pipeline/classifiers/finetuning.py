"""The fine-tuning loop: length-bucketed batches, bf16 where it helps, exact seeds, resume."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Encoding
from torch import Tensor, nn

from pipeline import __version__
from pipeline.classifiers.network import MultitaskNetwork
from pipeline.classifiers.protocol import FitMonitor, FitStep
from pipeline.classifiers.ranks import Ranks
from pipeline.classifiers.targets import Targets
from pipeline.classifiers.tokenization import Indices, length_batches, pad
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError, OutputError
from pipeline.settings.classifiers import TransformerSettings

CHECKPOINT_EVERY = 200
"""Optimiser steps between two checkpoints: about two minutes on two cores."""
BATCHES_PER_BUCKET = 50
"""Sentences are sorted by length within about this many batches, so that batches stay random."""


def preferred_dtype(settings: TransformerSettings) -> torch.dtype:
    """Return bfloat16 where asked for or, with `auto`, where the processor computes it natively."""
    if settings.precision == "auto":
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return torch.bfloat16 if native or torch.cuda.is_available() else torch.float32
    return torch.bfloat16 if settings.precision == "bfloat16" else torch.float32


@dataclass(frozen=True)
class _Loss:
    """Masked multi-task loss, a sum over the tasks.

    Multilabel: binary cross-entropy, summed over the labels and averaged over the sentences
    whose labels are known.
    Multiclass: cross-entropy times `multiclass`. Positives (classes) weigh
    (negatives / positives) ** exponent.
    """

    codebook: Codebook
    weights: Tensor
    multiclass: float

    @classmethod
    def of(cls, codebook: Codebook, targets: Targets, settings: TransformerSettings) -> _Loss:
        exponent = settings.positive_weight
        known = ~np.isnan(targets)
        positives = np.where(known, targets, 0.0).sum(axis=0)
        negatives = known.sum(axis=0) - positives
        weights = (np.maximum(negatives, 1.0) / np.maximum(positives, 1.0)) ** exponent
        for task in codebook.multiclass_tasks():
            part = codebook.slice_of(task)
            weights[part] /= weights[part].mean()
        weights = torch.tensor(weights, dtype=torch.float32)
        return cls(codebook, weights, settings.multiclass_weight)

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        known = ~torch.isnan(targets)
        filled = torch.nan_to_num(targets)
        total = logits.new_zeros(())
        for name, task in self.codebook.tasks.items():
            part = self.codebook.slice_of(name)
            weights = self.weights[part].to(logits.device)
            if task.type is TaskType.MULTILABEL:
                losses = nn.functional.binary_cross_entropy_with_logits(
                    logits[:, part], filled[:, part], pos_weight=weights, reduction="none"
                )
                rows = known[:, part].any(dim=1)
                total = total + (losses * known[:, part]).sum() / rows.sum().clamp(min=1)
            else:
                rows = known[:, part].all(dim=1)
                if rows.any():
                    total = total + self.multiclass * nn.functional.cross_entropy(
                        logits[rows, part], filled[rows, part], weight=weights
                    )
        return total


def finetune(
    network: MultitaskNetwork,
    passes: Sequence[Sequence[Encoding]],
    targets: Targets,
    codebook: Codebook,
    settings: TransformerSettings,
    *,
    seed: int,
    monitor: FitMonitor,
) -> None:
    """Train `network` in place on n sentences and targets of shape (n, codebook.width).

    `passes` holds the n encodings of every pass over the data; augmentation makes them differ.

    The learning rate warms up and then falls linearly to zero. Batches and dropout depend on the
    seed and the step only, so that a run resumed from a checkpoint equals an unbroken one. Several
    processes share every batch (see `Ranks`); the first one reports and writes checkpoints.
    """
    ranks = Ranks.here()
    device = next(network.parameters()).device
    plan = [
        _epoch_batches([len(e) for e in encodings], settings, seed, epoch)
        for epoch, encodings in enumerate(passes)
    ]
    ends = np.cumsum([len(batches) for batches in plan])
    steps = [
        (batch, encodings)
        for batches, encodings in zip(plan, passes, strict=True)
        for batch in batches
    ][: settings.max_steps]
    loss_of = _Loss.of(codebook, targets, settings)
    optimiser = _optimiser(network, settings)
    rates = [group["lr"] for group in optimiser.param_groups]
    share = _schedule(len(steps), settings.warmup)
    dtype = preferred_dtype(settings)
    checkpoint = monitor.checkpoints and _checkpoint_path(
        monitor.checkpoints, network, passes, targets, codebook, settings, seed
    )
    done = _restore(network, optimiser, checkpoint)
    ranks.agree(done, device)
    recent: list[float] = []
    network.train()
    for step in range(done, len(steps)):
        torch.manual_seed(ranks.seed(seed * 1_000_003 + step))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share(step)
        batch, encodings = steps[step]
        padded = _padded(encodings, ranks.share(batch))
        inputs = {k: torch.from_numpy(v).to(device) for k, v in padded.items()}
        wanted = torch.from_numpy(targets[batch]).to(device)
        with torch.autocast(device.type, dtype=dtype, enabled=dtype is not torch.float32):
            logits = network(**inputs)
        loss = loss_of(ranks.together(logits.float(), len(batch)), wanted)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        ranks.add_gradients(network.parameters())
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        recent = [*recent[-49:], float(loss.detach())]
        epoch = int(np.searchsorted(ends, step + 1, side="right"))
        monitor.on_step(
            FitStep(step + 1, len(steps), epoch, float(np.mean(recent)), rates[0] * share(step))
        )
        if checkpoint and ((step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == len(steps)):
            if ranks.first:
                _save(network, optimiser, step + 1, checkpoint)
            ranks.wait()
    network.eval()


def _padded(encodings: Sequence[Encoding], batch: Indices) -> dict[str, Indices]:
    return pad([encodings[i] for i in batch])


def _epoch_batches(
    lengths: Sequence[int], settings: TransformerSettings, seed: int, epoch: int
) -> list[Indices]:
    """Shuffle, sort by length within buckets, cut into batches, shuffle the batches."""
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(lengths))
    mean = max(1.0, float(np.mean(lengths)))
    bucket = max(1, int(BATCHES_PER_BUCKET * settings.tokens_per_batch / mean))
    batches = [
        chunk[inner]
        for chunk in (order[i : i + bucket] for i in range(0, len(order), bucket))
        for inner in length_batches([lengths[i] for i in chunk], settings.tokens_per_batch)
    ]
    return [batches[i] for i in random.permutation(len(batches))]


def _schedule(steps: int, warmup: float) -> Callable[[int], float]:
    rise = max(1, round(steps * warmup))

    def share(step: int) -> float:
        return min((step + 1) / rise, (steps - step) / max(1, steps - rise))

    return share


def _optimiser(network: MultitaskNetwork, settings: TransformerSettings) -> torch.optim.AdamW:
    words = network.encoder.get_input_embeddings()
    words.requires_grad_(settings.train_word_embeddings)

    def split(module: nn.Module) -> Iterator[list[nn.Parameter]]:
        parameters = [p for p in module.parameters() if p.requires_grad]
        yield [p for p in parameters if p.ndim > 1]
        yield [p for p in parameters if p.ndim <= 1]  # biases and norms do not decay

    rates = (settings.learning_rate, settings.head_learning_rate)
    groups = [
        {"params": group, "lr": rate, "weight_decay": decay}
        for module, rate in zip((network.encoder, network.heads), rates, strict=True)
        for group, decay in zip(split(module), (settings.weight_decay, 0.0), strict=True)
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6)


def _checkpoint_path(
    folder: Path,
    network: MultitaskNetwork,
    passes: Sequence[Sequence[Encoding]],
    targets: Targets,
    codebook: Codebook,
    settings: TransformerSettings,
    seed: int,
) -> Path:
    """Return a name that stands for everything the result depends on.

    A finished run's checkpoint therefore serves any later fit of the same kind on the same data,
    such as that of an ensemble's member.
    """
    elsewhere = {"soup", "teacher"}  # done after finished trainings; seen in the targets
    made_by = f"{__version__} {torch.__version__} {preferred_dtype(settings)}"
    head = f"{settings.model_dump_json(exclude=elsewhere)} {seed} {codebook.signature} {made_by}"
    digest = hashlib.sha256(head.encode())
    for encoding in chain.from_iterable(passes):
        digest.update(np.asarray(encoding.ids, dtype=np.int64).tobytes())
    digest.update(np.ascontiguousarray(targets).tobytes())
    for weights in network.state_dict().values():
        digest.update(weights.cpu().numpy().tobytes())
    return folder / f"transformer-{digest.hexdigest()[:16]}.safetensors"


def _save(network: MultitaskNetwork, optimiser: torch.optim.AdamW, done: int, path: Path) -> None:
    """Write weights and optimiser moments as tensors (no pickle), under a temporary name first."""
    tensors = {f"network.{k}": v.contiguous() for k, v in network.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
    temporary = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, temporary, metadata={"steps": str(done)})
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{path}: the checkpoint cannot be written ({error}).") from None
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def _restore(network: MultitaskNetwork, optimiser: torch.optim.AdamW, path: Path | None) -> int:
    """Load the checkpoint if there is one; return the number of steps it holds."""
    if path is None or not path.exists():
        return 0
    weights: dict[str, Tensor] = {}
    moments: dict[int, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            done = int(file.metadata()["steps"])
            for key in file.keys():  # noqa: SIM118 - not a mapping
                kind, _, name = key.partition(".")
                if kind == "network":
                    weights[name] = file.get_tensor(key)
                else:
                    index, _, moment = name.partition(".")
                    moments.setdefault(int(index), {})[moment] = file.get_tensor(key)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: the checkpoint cannot be read ({error}). Delete it to train from the start."
        ) from None
    network.load_state_dict(weights)
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": moments, "param_groups": groups})
    return done
