"""The processes of one training: each takes its share of every batch, and all take the same step.

Started by `torchrun` or `accelerate launch`, which set WORLD_SIZE, RANK and LOCAL_RANK. Every
process computes the logits of its rows; the logits of all are brought together, so that each sees
the loss of the whole batch, whatever the loss divides by. The gradient of that loss with respect to
all rows is the sum of what the processes find for theirs. So a step is that of one process up to
the order in which floats are summed, and up to dropout, which each process draws for its own rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from pipeline.classifiers.tokenization import Indices
from pipeline.errors import InputError

_PATIENCE = timedelta(days=1)
"""While the first process evaluates or logs, the others wait for the next training."""
_SEED_STEP = 104_729
"""Between the seeds of dropout of two processes."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among the `count` of a training; alone, it changes nothing."""

    number: int = 0
    count: int = 1

    @classmethod
    def here(cls) -> Ranks:
        """Return the place of this process; alone unless `joined` was entered."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls()
        return cls(distributed.get_rank(), distributed.get_world_size())

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.number == 0

    def seed(self, seed: int) -> int:
        """Return the seed of dropout of this process."""
        return seed + self.number * _SEED_STEP

    def share(self, batch: Indices) -> Indices:
        """Return the rows of a batch that this process computes.

        Where a batch has fewer rows than there are processes, some compute a row that another one
        has as well; `together` leaves it out.
        """
        if self.count == 1:
            return batch
        mine = batch[self.number :: self.count]
        return mine if len(mine) else batch[:1]

    def together(self, logits: Tensor, rows: int) -> Tensor:
        """Return the logits of all `rows` of the batch; those of this process keep their graph."""
        if self.count == 1:
            return logits
        mine = torch.arange(self.number, rows, self.count, device=logits.device)
        logits = logits[: len(mine)] if len(mine) else 0.0 * logits
        joined = logits.new_zeros((rows, logits.shape[1]))
        if len(mine):
            joined[mine] = logits.detach()
        distributed.all_reduce(joined)
        # What this process computed enters with its graph, and with the value that all see.
        return joined.index_add(0, mine, logits - logits.detach()) if len(mine) else joined + logits

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every parameter the sum of the gradients of all processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        sums = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, summed in zip(gradients, sums, strict=True):
            gradient.copy_(summed.view_as(gradient))

    def agree(self, done: int, device: torch.device) -> None:
        """Wait for the others, and check that all begin behind the same step.

        Raises:
            InputError: they do not, since they see different checkpoints.
        """
        if self.count == 1:
            return
        ends = torch.tensor([done, -done], device=device)
        distributed.all_reduce(ends, op=distributed.ReduceOp.MAX)
        latest, earliest = int(ends[0]), -int(ends[1])
        if latest != earliest:
            raise InputError(
                f"the processes of the training found different checkpoints (after step {earliest} "
                f"and {latest}). The folder of checkpoints must lie on a file system that all of "
                "them share."
            )

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the other processes, if this one was started as one of several.

    On graphics processors they talk by NCCL, each with its own, else by Gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Ranks()
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
    try:
        yield Ranks.here()
    finally:
        distributed.destroy_process_group()
