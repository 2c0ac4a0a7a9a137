"""The application: paths, what they answer, and how they are put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline import __version__
from pipeline.bundle import Bundle
from pipeline.inference import label_sentences
from pipeline.records import Prediction, Sentence
from pipeline.service import problems
from pipeline.service.batching import Batcher
from pipeline.service.content import answer, prepare
from pipeline.service.gate import Gate
from pipeline.service.limits import ServiceLimits
from pipeline.service.metrics import Metrics
from pipeline.service.observing import SENTENCES, Observer
from pipeline.service.openapi import specification
from pipeline.service.page import Page
from pipeline.service.schemas import (
    Classification,
    ClassifyRequest,
    LabelInfo,
    ModelInfo,
    State,
    TaskInfo,
)

CLASSIFY = "/v1/classify"
_READ_ONLY = ("/health", "/ready", "/v1/model", "/metrics")


class Service:
    """What the paths share: the model, its worker, the limits and the counts."""

    def __init__(self, bundle: Bundle, limits: ServiceLimits) -> None:
        self.bundle = bundle
        self.limits = limits
        self.metrics = Metrics(bundle.model_id)
        self.batcher = Batcher(
            self._label, queue=limits.queue, seconds=limits.seconds, on_batch=self.metrics.batch
        )
        self.metrics.queue.set_function(lambda: self.batcher.depth)
        self.info = _model_info(bundle, limits)
        tasks = bundle.codebook.tasks.values()
        self.labels = [label for task in tasks for label in task.labels.values()]
        self._texts = ThreadPoolExecutor(1, thread_name_prefix="texts")

    def _label(self, sentences: Sequence[Sentence]) -> list[Prediction]:
        return list(label_sentences(sentences, self.bundle))

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Warm up before the first request; end after the last."""
        examples = [Sentence("", "", label.definition) for label in self.labels]
        await self.batcher.start(examples)
        try:
            yield
        finally:
            await self.batcher.close()
            self._texts.shutdown()

    async def classify(self, request: ClassifyRequest, state: dict[str, object]) -> Classification:
        """Label what a request holds.

        Raises:
            Refusal: it exceeds a limit, or the queue is full.
        """
        limit = self.limits
        if (characters := request.characters) > limit.characters:
            allowed = f"{limit.characters:,} characters"
            raise problems.Refusal.too_large("texts", f"{characters:,} characters", allowed)
        loop = asyncio.get_running_loop()
        prepared = await loop.run_in_executor(self._texts, prepare, request)
        if (count := len(prepared.rows)) > limit.sentences:
            allowed = f"{limit.sentences:,} sentences"
            raise problems.Refusal.too_large("texts", f"{count:,} sentences", allowed)
        predictions = await self.batcher.label(prepared.readable)
        state[SENTENCES] = count
        bundle = self.bundle
        return answer(prepared, predictions, bundle.codebook, bundle.model_id)


class Heads:
    """ASGI middleware that answers HEAD as GET, without the body; probes and proxies ask so.

    Here and not among the routes, because the specification would list every path twice.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


router = APIRouter()


def _service(request: Request) -> Service:
    found = request.app.state.service
    if not isinstance(found, Service):
        raise TypeError(f"got {type(found).__name__}, expected the service")
    return found


@router.post(CLASSIFY, response_model=Classification, summary="Label a statement or sentences")
async def classify(request: Request, wanted: Annotated[ClassifyRequest, Body()]) -> Response:
    """Label every sentence of a statement, or sentences that are cut already.

    What cannot be read (a sentence without visible characters) comes back in its place, with null
    labels and a `problem`; it never fails the rest. Only JSON of another form is refused.
    """
    found = await _service(request).classify(wanted, request.scope["state"])
    return Response(found.model_dump_json(), media_type="application/json")


@router.get("/health", summary="Whether the process lives")
async def health() -> State:
    """Answer always; use /ready to learn whether labels can be had."""
    return State(status="live")


@router.get("/ready", summary="Whether labels can be had")
async def ready(request: Request) -> State:
    """Answer 503 while the worker of the service does not run."""
    if not _service(request).batcher.alive:
        raise problems.Refusal(problems.UNAVAILABLE, retry_after=1)
    return State(status="ready")


@router.get("/v1/model", summary="The model, its labels, its measured quality, the limits")
async def model(request: Request) -> ModelInfo:
    """Describe the model as its card does, and the limits of a request."""
    return _service(request).info


@router.get("/metrics", summary="Counts for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Give requests by status, sentences, queue, batches, latencies and memory."""
    own = _service(request).metrics
    return Response(own.text(), headers={"Content-Type": own.media_type})


def create_app(bundle: Bundle, limits: ServiceLimits, log: Callable[[str], None]) -> ASGIApp:
    """Return the application as a server runs it.

    Args:
        log: takes one line a request.
    """
    service = Service(bundle, limits)
    app = FastAPI(
        title="stance",
        summary="Label the sentences of diplomatic statements by stance and kind of claim.",
        version=__version__,
        openapi_url=None,  # made below; the framework's pages load scripts from elsewhere
        redirect_slashes=False,
        lifespan=service.running,
        exception_handlers={
            problems.Refusal: problems.on_refusal,
            RequestValidationError: problems.on_invalid,
            HTTPException: problems.on_http_error,
            Exception: problems.on_bug,
        },
    )
    app.state.service = service
    app.include_router(router)
    examples = [text for label in service.labels for text in label.examples]
    spec = specification(app, limits, examples, classify=CLASSIFY)
    page = Page(spec, classify=CLASSIFY)
    app.add_api_route("/openapi.json", page.specification)
    app.add_api_route("/docs", page.response)
    app.add_middleware(
        Gate,
        path=CLASSIFY,
        limits=limits,
        room=service.batcher.require_room,
        in_flight=service.metrics.in_flight,
    )
    app.add_middleware(Heads, paths=_READ_ONLY)
    paths = frozenset([*spec["paths"], "/docs", "/openapi.json"])
    return Observer(app, service.metrics, paths, log)


def _model_info(bundle: Bundle, limits: ServiceLimits) -> ModelInfo:
    manifest, facts = bundle.manifest, bundle.manifest.facts
    tasks = [
        TaskInfo(
            name=name,
            type=task.type,
            question=task.question,
            labels=[
                LabelInfo(name=label, title=found.title, definition=found.definition)
                for label, found in task.labels.items()
            ],
        )
        for name, task in bundle.codebook.tasks.items()
    ]
    return ModelInfo(
        model_id=bundle.model_id,
        kind=manifest.kind,
        created=manifest.created,
        made_by=manifest.made_by,
        description=facts.description,
        licence=facts.licence,
        codebook=bundle.codebook.name,
        codebook_version=bundle.codebook.version,
        tasks=tasks,
        figures=list(facts.figures),
        limits=list(facts.limits),
        request_limits=limits,
    )
