"""Training curves: few enough points to draw, written in batches while the fit goes on."""

from __future__ import annotations

import math
import time

from pipeline.classifiers.protocol import FitStep
from pipeline.tracking.store import Store

POINTS = 200
"""Points a curve, at most; the last step and the ends of epochs come on top."""

_FLUSH_EVERY = 20


class Curve:
    """Loss and learning rate by step, and the loss at the end of every epoch, of one fit."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._last: FitStep | None = None
        self._waiting: list[tuple[str, float, int, int]] = []

    def follows(self, step: FitStep) -> bool:
        """Whether the step continues this fit, rather than beginning another."""
        return self._last is None or step.done > self._last.done

    def add(self, step: FitStep) -> None:
        """Keep a step if it belongs to the points drawn."""
        now = int(time.time() * 1000)
        every = math.ceil(step.planned / POINTS)
        if step.done % every == 0 or step.done in (1, step.planned):
            self._waiting.append(("loss", step.loss, now, step.done))
            self._waiting.append(("learning_rate", step.learning_rate, now, step.done))
        if step.epoch > (self._last.epoch if self._last else 0):
            self._waiting.append(("epoch_loss", step.loss, now, step.epoch))
        self._last = step
        if len(self._waiting) >= _FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            OutputError: the store cannot be written.
        """
        from mlflow.entities import Metric

        metrics = [Metric(*point) for point in self._waiting]
        if metrics:
            with self._store.reported("log a training curve"):
                self._store.client.log_batch(self._run_id, metrics=metrics)
        self._waiting.clear()
