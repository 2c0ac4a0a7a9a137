"""Sentences of many requests in common batches: one worker, fair turns, a bounded queue.

Half of every batch goes to the requests that wait longest, so that the time of each is bounded by
twice the work that was there before it; the other half goes to all requests in turn, one sentence
each, so that a short request does not wait for a long one to end. A request is taken in if one of
the two bounds lies well within the time limit, else it is refused: what is taken in, is answered.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pipeline.classifiers.inputs import context_of
from pipeline.records import Prediction, Sentence
from pipeline.service.problems import SATURATED, UNAVAILABLE, Refusal

Label = Callable[[Sequence[Sentence]], list[Prediction]]

BATCH_SENTENCES = 64
BATCH_COST = 16_000
"""Largest batch, in sentences and in cost; small enough that a new request is soon its turn."""

LINGER = 0.004
"""Seconds that an idle worker waits for company before it takes less than a whole batch."""

_OVERHEAD, _LONGEST = 40, 1_000  # characters: what a sentence costs at least, and at most
_IN_LINE, _BY_TURNS = 0.5, 0.4
"""Shares of the time limit within which a request must be sure to be done by either way. A request
may have to change from the second to the first when others come, so the sum is less than one."""

_SMOOTHING = 0.2  # weight of the latest batch in the measured speed
_LONGEST_RETRY = 60


def cost(sentence: Sentence) -> int:
    """Estimate the work of labelling a sentence, in characters that the model reads."""
    return _OVERHEAD + min(len(sentence.text) + len(context_of(sentence)), _LONGEST)


@dataclass(eq=False, slots=True)
class Ticket:
    """The sentences of one request; `done` yields their predictions in order."""

    sentences: Sequence[Sentence]
    done: asyncio.Future[list[Prediction]]
    left: int
    """Cost of the sentences without a prediction."""
    taken: int = 0
    predictions: list[Prediction] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether a sentence is still to be taken, and somebody wants the answer."""
        return self.taken < len(self.sentences) and not self.done.done()


@dataclass(frozen=True, slots=True)
class _Share:
    """Consecutive sentences of one ticket in a batch."""

    ticket: Ticket
    sentences: list[Sentence]


class Batcher:
    """Labels the sentences of concurrent requests; lives on one event loop."""

    def __init__(
        self,
        label: Label,
        *,
        queue: int,
        seconds: float,
        on_batch: Callable[[int, float], None] = lambda _, __: None,
    ) -> None:
        self._label = label
        self._queue = queue
        self._seconds = seconds
        self._on_batch = on_batch
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="labels")
        self._oldest: deque[Ticket] = deque()
        self._turns: deque[Ticket] = deque()
        self._arrival = asyncio.Event()
        self._open: set[Ticket] = set()
        self._speed = math.inf  # cost a second
        self._task: asyncio.Task[None] | None = None
        self._left = 0  # cost of all that wait or are under way
        self.depth = 0
        """Sentences that wait or are under way."""

    @property
    def alive(self) -> bool:
        """Whether submitted sentences will be labelled."""
        return self._task is not None and not self._task.done()

    async def start(self, examples: Sequence[Sentence]) -> None:
        """Warm the model up on examples, which measures its speed, and begin to work."""
        loop = asyncio.get_running_loop()
        for _ in range(2):  # the first run allocates and compiles
            begun = time.perf_counter()
            await loop.run_in_executor(self._executor, self._label, examples)
            self._speed = sum(map(cost, examples)) / (time.perf_counter() - begun)
        self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; what still waits is refused."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._executor.shutdown()

    def require_room(self, sentences: int = 1, work: int = 0) -> None:
        """Check that so much more can be taken in.

        An idle worker takes in any request, since no later time would suit it better.

        Raises:
            Refusal: the queue is full, or its work would take too much of the time limit.
        """
        if not self.alive:
            raise Refusal(UNAVAILABLE, retry_after=1)
        if not self.depth:
            return
        if self.depth + sentences > self._queue or not self._in_time(sentences, work):
            half = math.ceil(self._left / self._speed / 2)
            raise Refusal(
                SATURATED,
                f"{self.depth:,} sentences are waiting. {SATURATED.meaning}",
                retry_after=min(max(half, 1), _LONGEST_RETRY),
            )

    def _in_time(self, sentences: int, work: int) -> bool:
        total = self._left + work
        if 2 * total / self._speed <= _IN_LINE * self._seconds:
            return True
        if len(self._open) >= BATCH_SENTENCES // 2:  # no longer one sentence a batch for each
            return False
        batch = min(BATCH_COST, BATCH_SENTENCES * total / (self.depth + sentences))
        return sentences * batch / self._speed <= _BY_TURNS * self._seconds

    async def label(self, sentences: Sequence[Sentence]) -> list[Prediction]:
        """Return one prediction a sentence, in order. When cancelled, the work is given up.

        Raises:
            Refusal: there is no room for the sentences, or the worker stopped.
        """
        if not sentences:
            return []
        work = sum(map(cost, sentences))
        self.require_room(len(sentences), work)
        ticket = Ticket(sentences, asyncio.get_running_loop().create_future(), work)
        self._open.add(ticket)
        self.depth += len(sentences)
        self._left += work
        self._oldest.append(ticket)
        self._turns.append(ticket)
        self._arrival.set()
        try:
            return await ticket.done
        finally:
            self._open.discard(ticket)
            self.depth -= len(sentences) - len(ticket.predictions)
            self._left -= ticket.left

    async def _work(self) -> None:
        try:
            while True:
                await self._arrival.wait()
                if self.depth < BATCH_SENTENCES:
                    await asyncio.sleep(LINGER)
                self._arrival.clear()
                while batch := self._next_batch():
                    await self._run(batch)
        finally:
            for ticket in self._open:
                if not ticket.done.done():
                    ticket.done.set_exception(Refusal(UNAVAILABLE))

    def _next_batch(self) -> list[_Share]:
        shares: dict[Ticket, _Share] = {}
        count = work = 0

        def take(ticket: Ticket) -> None:
            nonlocal count, work
            sentence = ticket.sentences[ticket.taken]
            ticket.taken += 1
            shares.setdefault(ticket, _Share(ticket, [])).sentences.append(sentence)
            count += 1
            work += cost(sentence)

        while self._oldest and 2 * count < BATCH_SENTENCES and 2 * work < BATCH_COST:
            if self._oldest[0].waits:
                take(self._oldest[0])
            else:
                self._oldest.popleft()
        while self._turns and count < BATCH_SENTENCES and work < BATCH_COST:
            ticket = self._turns.popleft()
            if ticket.waits:
                take(ticket)
                self._turns.append(ticket)
        return list(shares.values())

    async def _run(self, batch: list[_Share]) -> None:
        """Label a batch; if that fails, every request alone, so that only the guilty one fails."""
        sentences = [sentence for share in batch for sentence in share.sentences]
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, self._label, sentences)
        await asyncio.wait({work})
        seconds = time.perf_counter() - begun
        error = work.exception()
        if error is not None and len(batch) > 1:
            for share in batch:
                await self._run([share])
            return
        if error is not None:
            ticket = batch[0].ticket
            if not ticket.done.done():
                ticket.done.set_exception(error)
            return
        speed = sum(map(cost, sentences)) / max(seconds, 1e-6)
        self._speed += _SMOOTHING * (speed - self._speed)
        self._on_batch(len(sentences), seconds)
        predictions = iter(work.result())
        for share in batch:
            ticket = share.ticket
            made = [next(predictions) for _ in share.sentences]
            if ticket not in self._open:
                continue
            done = sum(map(cost, share.sentences))
            ticket.predictions += made
            ticket.left -= done
            self.depth -= len(made)
            self._left -= done
            if len(ticket.predictions) == len(ticket.sentences) and not ticket.done.done():
                ticket.done.set_result(ticket.predictions)
