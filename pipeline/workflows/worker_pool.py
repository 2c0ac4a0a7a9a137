"""How many workers a cluster has room for, and what each of them may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """How many workers, and how many processors and graphics processors each of them may use."""

    workers: int
    processors: int
    accelerators: float

    @property
    def environment(self) -> dict[str, str]:
        """Libraries start as many threads as the worker has processors, not the machine."""
        threads = str(self.processors)
        return {"OMP_NUM_THREADS": threads, "RAYON_NUM_THREADS": threads}


def pool_on(machines: Sequence[Mapping[str, float]], most: int) -> Pool:
    """Return the pool that fits machines with these resources ("CPU", "GPU"), `most` workers large.

    A worker fits on any of the machines, and has a processor at least. Graphics processors are
    shared, since reading and tokenising keep one worker from using a whole one.
    """
    processors = [int(machine["CPU"]) for machine in machines if machine.get("CPU", 0) >= 1]
    workers = max(1, min(most, sum(processors)))
    share = max(1, min([sum(processors) // workers, *processors]))
    accelerators = sum(machine.get("GPU", 0.0) for machine in machines)
    return Pool(workers, share, min(1.0, accelerators / workers))
