"""Batches of many requests: order, fairness, bounds, failures, an orderly end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeVar

import pytest

from pipeline.records import Prediction, Sentence
from pipeline.service import batching
from pipeline.service.batching import BATCH_COST, BATCH_SENTENCES, Batcher, cost
from pipeline.service.problems import SATURATED, UNAVAILABLE, Refusal

T = TypeVar("T")


def sentences(name: str, count: int, text: str = "We agree.") -> list[Sentence]:
    return [Sentence(f"{name}{i}", name, text) for i in range(count)]


def predictions(batch: Sequence[Sentence]) -> list[Prediction]:
    return [Prediction(sentence, {}, {}, "m") for sentence in batch]


class Model:
    """Keeps what it was given; waits for `gate` before each batch but those of the start."""

    def __init__(self) -> None:
        self.batches: list[list[Sentence]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails: Callable[[Sentence], bool] = lambda _: False

    def __call__(self, batch: Sequence[Sentence]) -> list[Prediction]:
        if batch[0].doc_id != "example":
            assert self.gate.wait(20)
            self.batches.append(list(batch))
        if any(map(self.fails, batch)):
            raise RuntimeError("cannot be labelled")
        return predictions(batch)


def run(
    use: Callable[[Batcher], Coroutine[None, None, T]],
    model: Callable[[Sequence[Sentence]], list[Prediction]],
    *,
    queue: int = 10_000,
    seconds: float = 1_000.0,
) -> T:
    async def main() -> T:
        batcher = Batcher(model, queue=queue, seconds=seconds)
        await batcher.start(sentences("example", 4))
        try:
            return await use(batcher)
        finally:
            await batcher.close()

    return asyncio.run(main())


async def until(true: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("did not happen within 10 s")


def test_every_request_gets_its_own_predictions_in_order() -> None:
    model = Model()

    async def use(batcher: Batcher) -> None:
        asked = [sentences(f"r{n}-", n) for n in (0, 1, 7, 64, 65, 300, 2)]
        got = await asyncio.gather(*map(batcher.label, asked))
        for wanted, found in zip(asked, got, strict=True):
            assert [p.sentence for p in found] == wanted
        assert batcher.depth == 0

    run(use, model)
    assert sum(map(len, model.batches)) == 439
    assert len(model.batches) < 439 / 30  # they were labelled together
    assert max(map(len, model.batches)) <= BATCH_SENTENCES


def test_requests_that_come_together_share_a_batch() -> None:
    model = Model()

    async def use(batcher: Batcher) -> None:
        await asyncio.gather(*(batcher.label(sentences(f"r{n}", 1)) for n in range(20)))

    run(use, model)
    assert list(map(len, model.batches)) == [20]


def test_long_sentences_make_small_batches() -> None:
    model = Model()
    long = sentences("long", 40, "x" * 5_000)
    run(lambda batcher: batcher.label(long), model)
    assert max(sum(map(cost, batch)) for batch in model.batches) < BATCH_COST + cost(long[0])
    assert min(map(len, model.batches)) < 20


def test_a_short_request_overtakes_a_long_one() -> None:
    model = Model()

    async def use(batcher: Batcher) -> None:
        model.gate.clear()
        long = asyncio.create_task(batcher.label(sentences("long", 2_000)))
        await until(lambda: batcher.depth == 2_000)
        short = asyncio.create_task(batcher.label(sentences("short", 3)))
        await until(lambda: batcher.depth == 2_003)
        model.gate.set()
        assert len(await short) == 3
        assert not long.done()
        assert len(await long) == 2_000

    run(use, model)
    with_short = [n for n, b in enumerate(model.batches) if any(s.doc_id == "short" for s in b)]
    assert with_short == [1]  # the first was under way when it came


def test_short_requests_without_end_do_not_starve_a_long_one() -> None:
    model = Model()

    async def use(batcher: Batcher) -> None:
        long = asyncio.create_task(batcher.label(sentences("long", 640)))

        async def client(name: str) -> None:
            while not long.done():
                await batcher.label(sentences(name, 1))

        others = [asyncio.create_task(client(f"short{n}")) for n in range(200)]
        await long
        await asyncio.gather(*others)

    run(use, model)
    last = max(n for n, b in enumerate(model.batches) if any(s.doc_id == "long" for s in b))
    assert last <= 2 * 640 / BATCH_SENTENCES + 2  # half of every batch was its own


def test_a_full_queue_refuses_with_a_time_to_wait() -> None:
    model = Model()

    async def use(batcher: Batcher) -> None:
        model.gate.clear()
        waiting = asyncio.create_task(batcher.label(sentences("a", 90)))
        await until(lambda: batcher.depth == 90)
        batcher.require_room(10)
        with pytest.raises(Refusal, match="90 sentences are waiting") as refused:
            await batcher.label(sentences("b", 11))
        assert refused.value.kind is SATURATED
        assert refused.value.retry_after is not None
        assert 1 <= refused.value.retry_after <= 60
        model.gate.set()
        await waiting
        await batcher.label(sentences("b", 11))

    run(use, model, queue=100)


def test_the_queue_is_shorter_where_the_model_is_slow() -> None:
    """A second request of 5 s would not be sure to end within 10 s; one of a sentence is."""

    def slow(batch: Sequence[Sentence]) -> list[Prediction]:
        time.sleep(0.02 * len(batch))
        return predictions(batch)

    async def use(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.label(sentences("a", 250)))
        await until(lambda: batcher.depth > 0)
        with pytest.raises(Refusal) as refused:
            await batcher.label(sentences("b", 250))
        assert refused.value.kind is SATURATED
        assert len(await batcher.label(sentences("c", 1))) == 1
        first.cancel()

    run(use, slow, seconds=10.0)


def test_an_idle_service_takes_in_whatever_a_request_may_hold() -> None:
    def slow(batch: Sequence[Sentence]) -> list[Prediction]:
        time.sleep(0.01)
        return predictions(batch)

    found = run(lambda batcher: batcher.label(sentences("a", 500)), slow, seconds=0.01)
    assert len(found) == 500


def test_only_the_request_that_cannot_be_labelled_fails() -> None:
    model = Model()
    model.fails = lambda sentence: sentence.text == "bad"

    async def use(batcher: Batcher) -> None:
        good, bad = sentences("good", 3), sentences("bad", 1, "bad")
        found = await asyncio.gather(*map(batcher.label, [good, bad, good]), return_exceptions=True)
        assert isinstance(found[1], RuntimeError)
        assert [len(f) for f in (found[0], found[2]) if isinstance(f, list)] == [3, 3]
        assert batcher.alive
        assert len(await batcher.label(good)) == 3
        assert batcher.depth == 0

    run(use, model)


def test_work_that_nobody_waits_for_is_given_up() -> None:
    model = Model()

    async def use(batcher: Batcher) -> None:
        model.gate.clear()
        left = asyncio.create_task(batcher.label(sentences("left", 1_000)))
        await until(lambda: batcher.depth == 1_000)
        await asyncio.sleep(0.05)
        left.cancel()
        await asyncio.wait({left})
        assert batcher.depth == 0
        model.gate.set()
        await batcher.label(sentences("next", 1))
        assert batcher.depth == 0

    run(use, model)
    assert sum(s.doc_id == "left" for batch in model.batches for s in batch) <= BATCH_SENTENCES


def test_what_waits_at_the_end_is_refused() -> None:
    model = Model()

    async def use(batcher: Batcher) -> None:
        with pytest.raises(Refusal) as early:
            await Batcher(model, queue=1, seconds=1.0).label(sentences("early", 1))
        assert early.value.kind is UNAVAILABLE
        model.gate.clear()
        waiting = asyncio.create_task(batcher.label(sentences("a", 200)))
        await until(lambda: batcher.depth == 200)
        closing = asyncio.create_task(batcher.close())
        with pytest.raises(Refusal) as refused:
            await waiting
        assert refused.value.kind is UNAVAILABLE
        assert not batcher.alive
        model.gate.set()
        await closing

    run(use, model)


def test_batches_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "LINGER", 0.0)
    seen: list[tuple[int, float]] = []

    async def main() -> None:
        batcher = Batcher(Model(), queue=10, seconds=9.0, on_batch=lambda n, s: seen.append((n, s)))
        await batcher.start(sentences("example", 2))
        await batcher.label(sentences("a", 5))
        await batcher.close()

    asyncio.run(main())
    assert [n for n, _ in seen] == [5]
    assert all(s >= 0 for _, s in seen)
